"""Values in an archive, both ways: numbers, settings, unknown sizes and Specs as JSON.

The set is closed. What is read back is plain data: nothing in it is looked up by name except a
dtype, and nothing is run. `docs/archive.md` shows how each value looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Size, derived, same_size
from shared.errors import ArchiveError
from shared.ops.indexing import ARRAY
from shared.sizes.atoms import FUNCTIONS, Atom, Symbol
from shared.spec import Spec, str_shape

DTYPES = {
    np.dtype(name).name: np.dtype(name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
    )
}  # fmt: skip
MARKS: dict[str, Any] = {"...": Ellipsis, "array": ARRAY}
DEPTH = 16
"""How deep a setting, or a size, may be nested."""
WIDTH = 1000
"""How many terms a size may have, and how many characters a name or line."""
AXES = 64
PARTS = {"//": 2, "range": 3, "slice": 4}
"""Of how many sizes functions of sizes are. (What sizes broadcast to may be of any number.)"""
WHOLE = 2**64
"""Integers lie between minus this and this."""


def damaged(what: str) -> ArchiveError:
    """The error for what no archive has in it."""
    return ArchiveError(f"{what}; it is damaged, or graph.save did not write it: copy it anew, or save again")


def text(value: Any, what: str) -> str:
    """`value` if it is a name that is fit to stand in a program, a message and a picture."""
    if not isinstance(value, str) or not 0 < len(value) <= WIDTH or not value.isprintable():
        shown = repr(value)[:80]
        raise ArchiveError(
            f"{what} is {shown}; an archive takes 1 to {WIDTH} printable characters on one line: choose "
            "another name"
        )
    return value


def dtype_text(dtype: np.dtype[Any]) -> str:
    """The name of a dtype that archives know."""
    if DTYPES.get(dtype.name) != dtype:
        raise ArchiveError(f"archives have no dtype {dtype}; cast to one of {', '.join(DTYPES)}")
    return dtype.name


def dtype_of(name: Any) -> np.dtype[Any]:
    """The dtype of this name."""
    if not isinstance(name, str) or name not in DTYPES:
        raise damaged(f"{name!r:.80} is none of the dtypes {', '.join(DTYPES)}")
    return DTYPES[name]


# --- writing -------------------------------------------------------------------------------


class Writing:
    """Values to JSON. Unknown sizes get names: their own, numbered where two have the same, so
    that one program is written in the same words each time."""

    def __init__(self) -> None:
        self._names: dict[Symbol, str] = {}
        self._taken: set[str] = set()

    def symbol(self, symbol: Symbol, new: bool) -> str:
        if symbol not in self._names:
            if not new:
                raise ArchiveError(
                    f"the size {symbol} is of no Tensor that is saved; if one was told its shape, call "
                    "set_shape before other nodes use it"
                )
            nameless = symbol.name == f"n{symbol.serial}"
            base = "n" if nameless else text(symbol.name, "the name of an unknown size")
            name, count = f"{base}0" if nameless else base, 0
            while name in self._taken:
                count += 1
                name = f"{base}{count}" if nameless else f"{base}_{count}"
            self._names[symbol] = name
            self._taken.add(name)
        return self._names[symbol]

    def knows(self, symbol: Symbol) -> bool:
        """Whether it was written already."""
        return symbol in self._names

    def size(self, size: Size, new: bool = False, depth: int = 0) -> Any:
        """An int, a name, or `["+", ...]`, `["*", ...]`, or `["//", a, b]` of such, and the like for each
        of `shared.sizes.atoms.FUNCTIONS`.

        new: whether sizes that were not written before may be among them
        """
        if not isinstance(size, Dim):
            return int(size)
        if depth > DEPTH or len(size.terms) > WIDTH:
            raise ArchiveError("a size is made of too many others to be written; name it with a placeholder")
        terms = []
        for atoms, count in size.terms.items():
            factors = sorted((self._atom(atom, new, depth) for atom in atoms), key=repr)
            if count != 1 or not factors:
                factors.insert(0, count)
            terms.append(factors[0] if len(factors) == 1 else ["*", *factors])
        terms.sort(key=repr)
        return terms[0] if len(terms) == 1 else ["+", *terms]

    def _atom(self, atom: Atom, new: bool, depth: int) -> Any:
        if isinstance(atom, Symbol):
            return self.symbol(atom, new)
        parts = [None if part is None else self.size(part, new, depth + 1) for part in atom.parts]
        return [atom.function, *(sorted(parts, key=repr) if atom.function == "broadcast" else parts)]

    def spec(self, spec: Spec) -> list[Any]:
        """The dtype's name, and the sizes, or null where not even the number of axes is known."""
        known = spec.shape is not UNKNOWN_RANK
        return [dtype_text(spec.dtype), [self.size(size, new=True) for size in spec.shape] if known else None]

    def value(self, value: Any, depth: int = 0) -> Any:
        """A setting or a weak number; ArchiveError for what has no place in an archive."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool) or (type(value) is int and abs(value) < WHOLE):
            return value
        if isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, tuple) and depth < DEPTH:
            return [self.value(part, depth + 1) for part in value]
        if isinstance(value, Dim):
            return {"size": self.size(value)}
        if isinstance(value, slice):
            return {"slice": [self.value(part, depth + 1) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, np.dtype):
            return {"dtype": dtype_text(value)}
        if type(value) is complex:
            return {"complex": [self.value(value.real), self.value(value.imag)]}
        for name, mark in MARKS.items():
            if value is mark:
                return {"mark": name}
        raise ArchiveError(
            f"the setting {value!r:.80} has no place in an archive; numbers, strings, tuples, slices, dtypes "
            "and unknown sizes have, and an array can be an argument"
        )


# --- reading -------------------------------------------------------------------------------


class Reading:
    """JSON to values, and the unknown sizes that have been met so far, by name."""

    def __init__(self) -> None:
        self._known: dict[str, Dim] = {}
        self._bound: set[Symbol] = set()

    def _bind(self, name: str, dim: Dim) -> Dim:
        self._known[text(name, "the name of an unknown size")] = dim
        self._bound.update(dim.symbols())
        return dim

    def size(self, given: Any, new: bool = False, depth: int = 0) -> Size:
        """A size; with `new`, names that were not met before make new unknown sizes."""
        if isinstance(given, str):
            if given not in self._known and not new:
                raise damaged(f"the size {given!r:.80} comes before anything that has it")
            return self._known[given] if given in self._known else self._bind(given, Dim(given))
        if type(given) is int and abs(given) < WHOLE:
            return given
        if not isinstance(given, list) or not 2 < len(given) <= WIDTH + 1 or depth > DEPTH:
            raise damaged(f"{given!r:.80} is no size: an int, a name, or a sum of products of these")
        sign, *parts = given
        if isinstance(sign, str) and sign in FUNCTIONS:
            return self._function(sign, parts, new, depth)
        sizes = [self.size(part, new, depth + 1) for part in parts]
        if sign == "*" and not any(isinstance(size, Dim) and len(size.terms) > 1 for size in sizes):
            return math.prod(sizes)
        if sign == "+":
            return sum(sizes)
        raise damaged(f"{given!r:.80} is no size: an int, a name, or a sum of products of these")

    def _function(self, name: str, given: list[Any], new: bool, depth: int) -> Size:
        """A function of sizes, with as many parts as it takes."""
        open_at = (1, 2) if name == "slice" else ()
        parts: list[Any] = [
            None if part is None and i in open_at else self.size(part, new, depth + 1)
            for i, part in enumerate(given)
        ]
        if len(parts) != PARTS.get(name, len(parts)):
            raise damaged(f"{[name, *given]!r:.80} is no size: {name!r} takes {PARTS[name]} parts")
        if name != "broadcast" and same_size(parts[-1], 0):
            raise damaged(f"{[name, *given]!r:.80} is no size, but a division by zero or a step of none")
        return derived(name, *parts)

    def spec(self, given: Any) -> Spec:
        """A Spec that nothing determines: of a placeholder or variable."""
        dtype, sizes = _pair(given)
        if sizes is None:
            return Spec(UNKNOWN_RANK, dtype_of(dtype))
        shape = tuple(self.size(size, new=True) for size in sizes)
        if any(not isinstance(size, Dim) and size < 0 for size in shape):
            raise damaged(f"the shape {str_shape(shape)} has a size below zero")
        return Spec(shape, dtype_of(dtype))

    def settle(self, given: Any, inferred: Any) -> Spec:
        """The Spec that was inferred anew, once it is found to be the one that is written down.

        An unknown size that inference makes is the one that is written in its place.
        """
        dtype, sizes = _pair(given)
        alike = isinstance(inferred, Spec) and dtype_of(dtype) == inferred.dtype
        if alike and sizes is None and inferred.shape is UNKNOWN_RANK:
            return inferred
        if not alike or sizes is None or inferred.shape is UNKNOWN_RANK or len(sizes) != inferred.ndim:
            raise damaged(f"the op gives {inferred!s:.200}, and not what is written, {given!r:.200}")
        pairs = zip(sizes, inferred.shape, strict=True)
        return Spec(tuple(self._same(written, found, inferred) for written, found in pairs), inferred.dtype)

    def _same(self, written: Any, found: Size, inferred: Spec) -> Size:
        if isinstance(found, Dim) and isinstance(written, str) and self._is_new(found, written):
            return self._known[written] if written in self._known else self._bind(written, found)
        size = self.size(written)
        below = not isinstance(size, Dim) and size < 0
        if not same_size(size, found) or below:
            raise damaged(f"the op gives {inferred!s:.200}, where the size {found} is written as {size}")
        return size

    def _is_new(self, found: Dim, written: str) -> bool:
        """Whether inference has made a size of its own. One that follows from others may have a name in an
        archive of before they were written as what they are."""
        symbol = found.symbol()
        return written not in self._known if symbol is None else symbol not in self._bound

    def value(self, given: Any, depth: int = 0) -> Any:
        """A setting or a weak number."""
        if given is None or isinstance(given, (bool, str)):
            return given
        if type(given) is int and abs(given) < WHOLE:
            return given
        if type(given) is float and math.isfinite(given):
            return given
        if isinstance(given, list) and depth < DEPTH:
            return tuple([self.value(part, depth + 1) for part in given])
        if isinstance(given, dict) and len(given) == 1:
            ((kind, inside),) = given.items()
            if kind in _READERS:
                return _READERS[kind](self, inside)
        raise damaged(f"{given!r:.80} is no value of an archive")

    def _slice(self, given: Any) -> slice:
        if not isinstance(given, list) or len(given) != 3:
            raise damaged(f"{given!r:.80} is no slice; it needs a start, a stop and a step")
        bounds = [self.value(part) for part in given]
        if not all(bound is None or type(bound) is int or isinstance(bound, Dim) for bound in bounds):
            raise damaged(f"{given!r:.80} is no slice: its bounds are neither ints nor sizes")
        return slice(*bounds)

    def _complex(self, given: Any) -> complex:
        parts = [self.value(part) for part in given] if isinstance(given, list) else []
        if [type(part) for part in parts] != [float, float]:
            raise damaged(f"{given!r:.80} is no complex number; it needs two floats")
        return complex(*parts)

    def _named(self, given: Any, names: dict[str, Any]) -> Any:
        if not isinstance(given, str) or given not in names:
            raise damaged(f"{given!r:.80} is none of {', '.join(names)}")
        return names[given]


_READERS: dict[str, Any] = {
    "float": lambda self, given: self._named(given, {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}),
    "size": lambda self, given: self.size(given),
    "slice": Reading._slice,
    "dtype": lambda self, given: dtype_of(given),
    "complex": Reading._complex,
    "mark": lambda self, given: self._named(given, MARKS),
}


def _pair(given: Any) -> Sequence[Any]:
    """A written Spec as (dtype, sizes)."""
    if not isinstance(given, list) or len(given) != 2 or not isinstance(given[1], (list, type(None))):
        raise damaged(f"{given!r:.80} is no dtype and shape")
    if given[1] is not None and len(given[1]) > AXES:
        raise damaged(f"{len(given[1])} axes are more than the {AXES} that an array can have")
    return given
