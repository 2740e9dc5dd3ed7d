"""Sizes that are not known until run, and arithmetic on them.

A `Dim` is a polynomial with integer coefficients over atoms. An atom is a `Symbol` (one
unknown size) or a `Quotient` (a floor division that does not come out even for all sizes).
Polynomials have one normal form, so `n * 2 + n == 3 * n` holds without knowing n, and
`(n * 784) // n` is the plain integer 784.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

from shared.errors import SettingError, UnknownSizeError

Size = Union[int, "Dim"]
Shape = tuple[Size, ...]
_serial = itertools.count()


class Symbol:
    """One unknown size. Two symbols are the same only if they are the same object."""

    __slots__ = ("name", "serial")

    def __init__(self, name: str | None = None) -> None:
        self.serial = next(_serial)
        self.name = name or f"n{self.serial}"

    def __repr__(self) -> str:
        return self.name

    @property
    def key(self) -> tuple[int, object]:
        return (0, self.serial)


class Quotient:
    """`top // bottom` where the division can not be carried out on the polynomials."""

    __slots__ = ("top", "bottom")

    def __init__(self, top: Size, bottom: Size) -> None:
        self.top, self.bottom = top, bottom

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotient) and (self.top, self.bottom) == (other.top, other.bottom)

    def __hash__(self) -> int:
        return hash((self.top, self.bottom))

    def __repr__(self) -> str:
        return f"({self.top} // {self.bottom})"

    @property
    def key(self) -> tuple[int, object]:
        return (1, repr(self))


Atom = Symbol | Quotient
Terms = dict[tuple[Atom, ...], int]


class Dim:
    """A size known only at run. Supports `+ - * //` with ints and Dims, `==` and `hash`."""

    __slots__ = ("terms", "_hash")

    def __init__(self, atom: Atom | str | None = None) -> None:
        if not isinstance(atom, (Symbol, Quotient)):
            atom = Symbol(atom)
        self.terms: Terms = {(atom,): 1}
        self._hash = hash(frozenset(self.terms.items()))

    @staticmethod
    def _of(terms: Terms) -> Size:
        terms = {atoms: count for atoms, count in terms.items() if count}
        if not terms:
            return 0
        if set(terms) == {()}:
            return terms[()]
        made = object.__new__(Dim)
        made.terms = terms
        made._hash = hash(frozenset(terms.items()))
        return made

    def __add__(self, other: Size) -> Size:
        if (right := _terms(other)) is None:
            return NotImplemented
        total = dict(self.terms)
        for atoms, count in right.items():
            total[atoms] = total.get(atoms, 0) + count
        return Dim._of(total)

    def __mul__(self, other: Size) -> Size:
        if (right := _terms(other)) is None:
            return NotImplemented
        total: Terms = {}
        for (a, m), (b, n) in itertools.product(self.terms.items(), right.items()):
            atoms = tuple(sorted(a + b, key=lambda atom: atom.key))
            total[atoms] = total.get(atoms, 0) + m * n
        return Dim._of(total)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + other * -1

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __floordiv__(self, other: Size) -> Size:
        return divide(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return divide(other, self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def _unknown(self, *_: object) -> bool:
        raise UnknownSizeError(
            f"the size {self} is not known until a session runs the graph, so Python can not "
            "compare it or use it as an int here; give the placeholder a fixed size, or let "
            "an op take the size as it is"
        )

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = _unknown
    __index__ = __int__ = __float__ = _unknown

    def __repr__(self) -> str:
        return self.source(repr)

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol that the value of this size depends on."""
        for atoms in self.terms:
            for atom in atoms:
                if isinstance(atom, Symbol):
                    yield atom
                else:
                    for part in (atom.top, atom.bottom):
                        if isinstance(part, Dim):
                            yield from part.symbols()

    def symbol(self) -> Symbol | None:
        """The symbol, if this size is one symbol and nothing else."""
        if len(self.terms) == 1:
            ((atoms, count),) = self.terms.items()
            if count == 1 and len(atoms) == 1 and isinstance(atoms[0], Symbol):
                return atoms[0]
        return None

    def evaluate(self, sizes: Mapping[Symbol, int]) -> int:
        """The integer, once every symbol has one."""

        def value(atom: Atom) -> int:
            if isinstance(atom, Symbol):
                return sizes[atom]
            return evaluate(atom.top, sizes) // evaluate(atom.bottom, sizes)

        total = 0
        for atoms, count in self.terms.items():
            for atom in atoms:
                count *= value(atom)
            total += count
        return total

    def replaced(self, sizes: Mapping[Symbol, Size]) -> Size:
        """The size with others in the places of its symbols, where there are others."""

        def value(part: Size | Atom) -> Size:
            if isinstance(part, Symbol):
                return sizes[part] if part in sizes else Dim(part)
            if isinstance(part, Quotient):
                return divide(value(part.top), value(part.bottom))
            return part.replaced(sizes) if isinstance(part, Dim) else part

        total: Size = 0
        for atoms, count in self.terms.items():
            term: Size = count
            for atom in atoms:
                term = term * value(atom)
            total = total + term
        return total

    def source(self, name: Callable[[Symbol], str]) -> str:
        """A Python expression for this size; `name` gives the name of each symbol."""

        def text(part: Size | Atom) -> str:
            if isinstance(part, Symbol):
                return name(part)
            if isinstance(part, Quotient):
                return f"({text(part.top)} // {text(part.bottom)})"
            return part.source(name) if isinstance(part, Dim) else str(part)

        pieces = []
        for atoms, count in self.terms.items():
            factors = [text(atom) for atom in atoms]
            if count != 1 or not factors:
                factors.insert(0, str(count))
            pieces.append("*".join(factors))
        joined = " + ".join(pieces).replace("+ -", "- ")
        return f"({joined})" if len(pieces) > 1 else joined


class UnknownRank:
    """The shape of a value of which not even the number of axes is known. There is one of it.

    It may be passed on, compared by `is`, and shown; whoever looks inside is told the way out.
    """

    def _unknown(self, *_: object) -> Any:
        raise UnknownSizeError(
            "the number of axes is not known until a session runs the graph, and this needs it; say "
            "the shape with tensor.set_shape(...), or reshape to a known one first"
        )

    __iter__ = __len__ = __getitem__ = __bool__ = __add__ = __radd__ = _unknown

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN_RANK: Any = UnknownRank()


def _terms(value: object) -> Terms | None:
    if isinstance(value, Dim):
        return value.terms
    if isinstance(value, int):
        return {(): value}
    return None


def divide(top: Size, bottom: Size) -> Size:
    """`top // bottom`, carried out exactly where it comes out even for every size."""
    if isinstance(top, int) and isinstance(bottom, int):
        return top // bottom
    if bottom == 0:
        raise SettingError(f"division of the size {top} by zero")
    if top == bottom:
        return 1
    above, below = _terms(top), _terms(bottom)
    assert above is not None and below is not None
    if len(below) == 1:
        ((divisor, n),) = below.items()
        result: Terms = {}
        for atoms, m in above.items():
            rest = list(atoms)
            try:
                for atom in divisor:
                    rest.remove(atom)
            except ValueError:
                break
            if m % n:
                break
            result[tuple(rest)] = m // n
        else:
            return Dim._of(result)
    return Dim(Quotient(top, bottom))


def evaluate(value: Size, sizes: Mapping[Symbol, int]) -> int:
    """`value` as an integer; plain integers pass through."""
    return value.evaluate(sizes) if isinstance(value, Dim) else value


def product(sizes: Shape) -> Size:
    """The product of sizes, 1 for none."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def dims_in(value: Any) -> Iterator[Dim]:
    """Every Dim inside a value: in tuples, lists, dicts and slices too."""
    if isinstance(value, Dim):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from dims_in(part)
    elif isinstance(value, slice):
        yield from dims_in((value.start, value.stop, value.step))
    elif isinstance(value, dict):
        yield from dims_in(tuple(value.values()))
