"""Sizes that are not known until run, and arithmetic on them.

A `Dim` is a polynomial with integer coefficients over atoms (`shared.sizes.atoms`): unknown sizes, and
what functions make of sizes (a floor division that does not come out even for all sizes, what two
sizes broadcast to). Polynomials have one normal form, so `n * 2 + n == 3 * n` holds without knowing
n, and `(n * 784) // n` is the plain integer 784.

What two sizes are to each other may be open until run. Python's comparisons say what holds for all
sizes, and raise UnknownSizeError where that is open; `same_size` asks something else, which is never
open: whether two sizes are known to be the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

import numpy as np

from shared.errors import SettingError, UnknownSizeError
from shared.sizes import polynomials
from shared.sizes.atoms import FUNCTIONS, Atom, Derived, Symbol, in_order
from shared.sizes.polynomials import Bounds, Terms

Size = Union[int, "Dim"]
Shape = tuple[Size, ...]


class Dim:
    """A size known only at run. Supports `+ - * // %` with ints and Dims, `hash`, and comparisons
    where they are the same whatever the size is (no size is below zero)."""

    __slots__ = ("terms", "_hash")
    value = None  # TensorFlow 1's word for a size that is not known
    __array_ufunc__ = None  # so that NumPy's integers leave `integer * n` to us

    def __init__(self, atom: Atom | str | None = None) -> None:
        if not isinstance(atom, (Symbol, Derived)):
            atom = Symbol(atom)
        self.terms: Terms = {(atom,): 1}
        self._hash = 0

    @staticmethod
    def _of(terms: Terms) -> Size:
        terms = {atoms: count for atoms, count in terms.items() if count}
        if not terms:
            return 0
        if set(terms) == {()}:
            return terms[()]
        made = object.__new__(Dim)
        made.terms = terms
        made._hash = 0
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
        return self + other * -1 if _terms(other) is not None else NotImplemented

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __floordiv__(self, other: Size) -> Size:
        return divide(self, other) if _terms(other) is not None else NotImplemented

    def __rfloordiv__(self, other: Size) -> Size:
        return divide(other, self) if _terms(other) is not None else NotImplemented

    def __mod__(self, other: Size) -> Size:
        return self - self // other * other

    def __rmod__(self, other: Size) -> Size:
        return other - other // self * self

    # --- comparing ---

    def __hash__(self) -> int:
        if not self._hash:  # Python has one hash for -1 and -2, and for what is made of them
            self._hash = hash(repr(self.key))
        return self._hash

    def __eq__(self, other: object) -> bool:
        right = _terms(other)
        if right is None:
            return NotImplemented
        if self.terms == right:
            return True
        low, high = self._less(right)
        if (low is None or low <= 0) and (high is None or high >= 0):
            raise self._undecided(f"whether the size {self} is {other} is")
        return False

    def _less(self, right: Terms) -> Bounds:
        """Between which integers `self - right` lies, for all sizes."""
        difference = self + Dim._of({atoms: -count for atoms, count in right.items()})
        return polynomials.bounds(_terms(difference) or {})

    def _ordered(self, other: object, sign: int, least: int, words: str) -> bool:
        """Whether sign * (self - other) is at least `least`."""
        right = _terms(other)
        if right is None:
            return NotImplemented
        low, high = self._less(right)
        if sign < 0:
            low, high = None if high is None else -high, None if low is None else -low
        if low is not None and low >= least:
            return True
        if high is not None and high < least:
            return False
        raise self._undecided(f"whether the size {self} is {words} {other} is")

    def __lt__(self, other: object) -> bool:
        return self._ordered(other, -1, 1, "less than")

    def __le__(self, other: object) -> bool:
        return self._ordered(other, -1, 0, "at most")

    def __gt__(self, other: object) -> bool:
        return self._ordered(other, 1, 1, "more than")

    def __ge__(self, other: object) -> bool:
        return self._ordered(other, 1, 0, "at least")

    def __bool__(self) -> bool:
        return self != 0

    def _undecided(self, what: str) -> UnknownSizeError:
        return UnknownSizeError(
            f"{what} not known until a session runs the graph, so Python can not compare it or use it as "
            "an int here; give the placeholder a fixed size, ask isinstance(size, int) first, or let an op "
            "take the size as it is"
        )

    def _unknown(self, *_: object) -> Any:
        raise self._undecided(f"the size {self} is")

    __index__ = __int__ = __float__ = _unknown

    # --- looking inside ---

    def __repr__(self) -> str:
        return self.source(repr)

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this size from every other: see `shared.sizes.atoms.key_of`."""
        return tuple(sorted((tuple([a.key for a in atoms]), count) for atoms, count in self.terms.items()))

    def symbols(self) -> Iterator[Symbol]:
        """Every symbol that the value of this size depends on."""
        for atoms in self.terms:
            for atom in atoms:
                if isinstance(atom, Symbol):
                    yield atom
                else:
                    for part in atom.parts:
                        if isinstance(part, Dim):
                            yield from part.symbols()

    def symbol(self) -> Symbol | None:
        """The symbol, if this size is one symbol and nothing else."""
        atom = self.atom()
        return atom if isinstance(atom, Symbol) else None

    def atom(self) -> Atom | None:
        """The atom, if this size is one and nothing else."""
        return polynomials.alone(self.terms)

    def evaluate(self, sizes: Mapping[Symbol, int]) -> int:
        """The integer, once every symbol has one."""
        return polynomials.value(self.terms, sizes)

    def source(self, name: Callable[[Symbol], str]) -> str:
        """A Python expression for this size; `name` gives the name of each symbol. A sum stands in
        brackets."""
        return polynomials.source(self.terms, name)

    def replaced(self, sizes: Mapping[Symbol, Size]) -> Size:
        """The size with others in the places of its symbols, where there are others."""

        def value(atom: Atom) -> Size:
            if isinstance(atom, Symbol):
                return sizes[atom] if atom in sizes else Dim(atom)
            parts = [part.replaced(sizes) if isinstance(part, Dim) else part for part in atom.parts]
            return derived(atom.function, *parts)

        total: Size = 0
        for atoms, count in self.terms.items():
            term: Size = count
            for atom in atoms:
                term = term * value(atom)
            total = total + term
        return total


class UnknownRank:
    """The shape of a value of which not even the number of axes is known. There is one of it.

    It may be passed on, compared by `is`, and shown; whoever looks inside is told the way out.
    """

    def _unknown(self, *_: object) -> Any:
        raise UnknownSizeError(
            "the number of axes is not known until a session runs the graph, and this needs it; say "
            "the shape with tensor.set_shape(...), or reshape to a known one first"
        )

    __iter__ = __len__ = __getitem__ = __bool__ = __add__ = __radd__ = as_list = _unknown
    ndims = None

    def __repr__(self) -> str:
        return "<unknown>"


UNKNOWN_RANK: Any = UnknownRank()


def _terms(value: object) -> Terms | None:
    if isinstance(value, Dim):
        return value.terms
    if isinstance(value, (int, np.integer)):
        return {(): int(value)} if value else {}
    return None


def least(size: Size) -> int | None:
    """What a size is at least, whatever the unknown ones in it are; None if it may be below any number."""
    return polynomials.bounds(size.terms)[0] if isinstance(size, Dim) else size


# --- whether two sizes are known to be the same ----------------------------------------------------


def same_size(a: Size, b: Size) -> bool:
    """Whether two sizes are the same whatever the unknown ones in them are; False where only some
    runs would make them so. (`sizes_match` asks whether they may be the same.)"""
    if a is b:
        return True
    if isinstance(a, Dim):
        return isinstance(b, Dim) and a.terms == b.terms
    return not isinstance(b, Dim) and a == b


def same_shape(a: Shape, b: Shape) -> bool:
    """The same of two shapes."""
    if a is b:
        return True
    if a is UNKNOWN_RANK or b is UNKNOWN_RANK or len(a) != len(b):
        return False
    return all([x is y or same_size(x, y) for x, y in zip(a, b, strict=True)])


# --- arithmetic that may give plain integers ---------------------------------------------------------


def divide(top: Size, bottom: Size) -> Size:
    """`top // bottom`, carried out exactly where it comes out even for every size."""
    if not isinstance(top, Dim) and not isinstance(bottom, Dim):
        return top // bottom
    if same_size(bottom, 0):
        raise SettingError(f"division of the size {top} by zero")
    if same_size(top, bottom):
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
    return Dim(Derived("//", _whole(top), _whole(bottom)))


def stretched(*sizes: Size) -> Size:
    """What sizes broadcast to, where they do: a size of 1 gives way to any other."""
    parts: list[Size] = []
    for size in sizes:
        atom = size.atom() if isinstance(size, Dim) else None
        if isinstance(atom, Derived) and atom.function == "broadcast":
            parts.extend(atom.parts)
        elif not same_size(size, 1):
            parts.append(size)
    known = [part for part in parts if not isinstance(part, Dim)]
    if known:
        return known[0]
    parts = in_order(parts)
    return 1 if not parts else parts[0] if len(parts) == 1 else Dim(Derived("broadcast", *parts))


def derived(function: str, *parts: Any) -> Size:
    """A function of `shared.sizes.atoms` of sizes, by its name, in its simplest form."""
    if function == "//":
        return divide(*parts)
    if function == "broadcast":
        return stretched(*parts)
    if not any(isinstance(part, Dim) for part in parts):
        return FUNCTIONS[function].of(*parts)
    if function == "range" and same_size(parts[0], 0) and same_size(parts[2], 1):
        low = least(parts[1])
        if low is not None and low >= 0:
            return _whole(parts[1])
    return Dim(Derived(function, *[None if part is None else _whole(part) for part in parts]))


def _whole(size: Size) -> Size:
    return size if isinstance(size, Dim) else int(size)


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
