"""From the scalar form of an op to instructions: typed terms that write LLVM's language as they meet.

A `scalar` such as "({0} * {1})" is Python's grammar over terms. Evaluating it once, with terms in
the place of numbers, writes down what one element takes. No instruction may be contracted or
reordered: plain arithmetic gives the bits that NumPy gives, NaN and signed zeros included.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from shared.errors import DiptychError

BOOL, INT64 = np.dtype(bool), np.dtype(np.int64)
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
LLVM_TYPES = {
    **{np.dtype(f"{kind}{bits}"): f"i{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    BOOL: "i1", FLOAT32: "float", FLOAT64: "double",
}  # fmt: skip
"""The dtypes that kernels know: the very objects that NumPy gives its arrays, of which kernels compare the
addresses. `np.dtype("q")` equals that of an int64, and is another. (Half precision is computed in single
and rounded; complex numbers are rare: both are left to NumPy.)"""

POWERS: dict[float, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: lambda a: a * a,
    3: lambda a: a * a * a,
    -1: lambda a: 1 / a,
    -2: lambda a: (1 / a) * (1 / a),
    0.5: lambda a: a.code.root(a),
    -0.5: lambda a: 1 / a.code.root(a),
}
"""The exponents for which the op `pow` has ways of its own; all others are left to it."""


class Unfit(DiptychError):
    """An expression that no kernel is made of; its message says why."""


class Term:
    """A typed value in the code of one element. Python's operators and numbers work on it; a number
    takes the dtype that NumPy would give it beside the term."""

    __slots__ = ("code", "dtype", "ref")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, code: Code, dtype: np.dtype[Any], ref: str) -> None:
        self.code, self.dtype, self.ref = code, dtype, ref

    @property
    def llvm(self) -> str:
        """Its type and name, as an argument is written."""
        return f"{self.code.type(self.dtype)} {self.ref}"

    def __add__(self, other: Any) -> Term:
        return self.code.arithmetic("add", self, other)

    def __radd__(self, other: Any) -> Term:
        return self.code.arithmetic("add", other, self)

    def __sub__(self, other: Any) -> Term:
        return self.code.arithmetic("sub", self, other)

    def __rsub__(self, other: Any) -> Term:
        return self.code.arithmetic("sub", other, self)

    def __mul__(self, other: Any) -> Term:
        return self.code.arithmetic("mul", self, other)

    def __rmul__(self, other: Any) -> Term:
        return self.code.arithmetic("mul", other, self)

    def __truediv__(self, other: Any) -> Term:
        return self.code.quotient(self, other)

    def __rtruediv__(self, other: Any) -> Term:
        return self.code.quotient(other, self)

    def __pow__(self, other: Any) -> Term:
        return self.code.power(self, other)

    def __rpow__(self, other: Any) -> Term:
        return self.code.power(other, self)

    def __neg__(self) -> Term:
        return self.code.negative(self)

    def __eq__(self, other: Any) -> Term:  # type: ignore[override]
        return self.code.compare("eq", self, other)

    def __ne__(self, other: Any) -> Term:  # type: ignore[override]
        return self.code.compare("ne", self, other)

    def __lt__(self, other: Any) -> Term:
        return self.code.compare("lt", self, other)

    def __le__(self, other: Any) -> Term:
        return self.code.compare("le", self, other)

    def __gt__(self, other: Any) -> Term:
        return self.code.compare("gt", self, other)

    def __ge__(self, other: Any) -> Term:
        return self.code.compare("ge", self, other)


class Number:
    """A weak number that is known only when the kernel is called: a double under this name.

    Beside terms it does what the number itself would; alone it has no arithmetic, so that a form
    that computes with numbers alone is Unfit for it, and takes the number itself.
    """

    __slots__ = ("kind", "ref")

    def __init__(self, kind: type[float], ref: str) -> None:
        """kind: int or float. An int must be one that a double holds."""
        self.kind, self.ref = kind, ref


class Code:
    """The instructions of one element, or of a vector of so many, in order. What is computed twice is
    written once. names: what those of its values begin with."""

    functions: Mapping[str, Callable[..., Any]]
    """The functions of the vocabulary that it can write."""

    def __init__(self, lanes: int = 0, names: str = "%v") -> None:
        self.lanes, self.names = lanes, names
        self.lines: list[str] = []
        self.known: dict[str, str] = {}
        self.declared: set[str] = set()

    def _write(self, dtype: np.dtype[Any], instruction: str) -> Term:
        ref = self.known.get(instruction)
        if ref is None:
            ref = self.known[instruction] = f"{self.names}{len(self.known)}"
            self.lines.append(f"{ref} = {instruction}")
        return Term(self, dtype, ref)

    def given(self, dtype: np.dtype[Any], ref: str) -> Term:
        """A value that has a name already."""
        return Term(self, dtype, ref)

    def type(self, dtype: np.dtype[Any]) -> str:
        """What LLVM calls values of a dtype."""
        return f"<{self.lanes} x {LLVM_TYPES[dtype]}>" if self.lanes else LLVM_TYPES[dtype]

    def literal(self, text: str, dtype: np.dtype[Any]) -> str:
        """A constant as it is written: of a vector, in each lane."""
        return f"<{', '.join([f'{LLVM_TYPES[dtype]} {text}'] * self.lanes)}>" if self.lanes else text

    # --- numbers and dtypes ---

    def constant(self, value: Any, dtype: np.dtype[Any]) -> Term:
        """A number in a dtype, as NumPy casts it."""
        if isinstance(value, Number):
            if dtype.kind != "f":
                raise Unfit("whether a number fits into an integer, only its value says")
            wide = Term(self, FLOAT64, value.ref)
            return wide if dtype == FLOAT64 else self._write(dtype, f"fptrunc {wide.llvm} to float")
        if dtype == BOOL:
            return Term(self, dtype, self.literal("true" if value else "false", dtype))
        if dtype.kind != "f":
            if isinstance(value, float) or not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
                raise Unfit(f"{value!r} does not fit into {dtype}")
            return Term(self, dtype, self.literal(str(int(value)), dtype))
        with np.errstate(over="ignore"):
            rounded = float(dtype.type(value))
        text = f"0x{struct.unpack('>Q', struct.pack('>d', rounded))[0]:016X}"
        return Term(self, dtype, self.literal(text, dtype))

    def common(self, *values: Any) -> np.dtype[Any]:
        """The dtype that NumPy gives terms and numbers together; Unfit if no kernel knows it."""
        kinds = {v.dtype.kind for v in values if isinstance(v, Term)}
        dtype = np.result_type(*[v.dtype if isinstance(v, Term) else _kind(v)(0) for v in values])
        if dtype not in LLVM_TYPES or ({"i", "u"} <= kinds and dtype.kind == "f"):
            raise Unfit(f"{dtype} is left to NumPy")
        return dtype

    def cast(self, x: Any, dtype: np.dtype[Any]) -> Term:
        """A term or number in another dtype, as `astype` gives it."""
        if not isinstance(x, Term):
            return self.constant(x, dtype)
        if x.dtype == dtype:
            return x
        if dtype not in LLVM_TYPES:
            raise Unfit(f"{dtype} is left to NumPy")
        if dtype == BOOL:
            return x != 0
        source, target = x.dtype, self.type(dtype)
        if source.kind == "f":
            if dtype.kind != "f":
                # What does not fit gives what the processor happens to give; NumPy alone knows.
                raise Unfit("a float cast to an integer is left to NumPy")
            word = "fpext" if dtype.itemsize > source.itemsize else "fptrunc"
        elif dtype.kind == "f":
            word = "sitofp" if source.kind == "i" else "uitofp"
        elif source == BOOL or dtype.itemsize > source.itemsize:
            word = "sext" if source.kind == "i" else "zext"
        elif dtype.itemsize < source.itemsize:
            word = "trunc"
        else:
            return Term(self, dtype, x.ref)
        return self._write(dtype, f"{word} {x.llvm} to {target}")

    def floating(self, x: Any) -> Term:
        """As `exp` takes it: an integer becomes the float that NumPy's exp would make of it."""
        if not isinstance(x, Term):
            raise Unfit("there is no array in it")
        if x.dtype.kind == "f":
            return x
        return self.cast(x, np.exp.resolve_dtypes((x.dtype, None))[0])

    # --- operators ---

    def arithmetic(self, word: str, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        a, b = self.cast(a, dtype), self.cast(b, dtype)
        if dtype == BOOL:
            word = {"add": "or", "mul": "and", "sub": "xor"}[word]
        elif dtype.kind == "f":
            word = "f" + word
        return self._write(dtype, f"{word} {a.llvm}, {b.ref}")

    def quotient(self, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        dtype = dtype if dtype.kind == "f" else FLOAT64
        return self._write(dtype, f"fdiv {self.cast(a, dtype).llvm}, {self.cast(b, dtype).ref}")

    def power(self, a: Any, b: Any) -> Term:
        way = POWERS.get(b) if isinstance(b, (int, float)) else None
        if way is None or not isinstance(a, Term) or a.dtype.kind != "f":
            raise Unfit("a general power is left to NumPy")
        return way(a)

    def negative(self, x: Term) -> Term:
        if x.dtype.kind == "f":
            return self._write(x.dtype, f"fneg {x.llvm}")
        return self._write(x.dtype, f"sub {self.constant(0, x.dtype).llvm}, {x.ref}")

    def compare(self, word: str, a: Any, b: Any) -> Term:
        dtype = self.common(a, b)
        a, b = self.cast(a, dtype), self.cast(b, dtype)
        if dtype.kind == "f":
            test = "fcmp une" if word == "ne" else f"fcmp o{word}"
        else:
            test = f"icmp {word if word in ('eq', 'ne') else ('s' if dtype.kind == 'i' else 'u') + word}"
        return self._write(BOOL, f"{test} {a.llvm}, {b.ref}")

    def select(self, condition: Any, a: Any, b: Any) -> Term:
        """`a if condition else b`; both are computed."""
        if not isinstance(condition, Term) or condition.dtype != BOOL:
            raise Unfit("the condition is no array of bools")
        if not isinstance(a, Term) and not isinstance(b, Term):
            raise Unfit("there is no array in it")
        dtype = self.common(a, b)
        return self._write(dtype, self._chosen(condition, self.cast(a, dtype), self.cast(b, dtype)))

    def _chosen(self, condition: Term, a: Term, b: Term) -> str:
        return f"select {condition.llvm}, {a.llvm}, {b.llvm}"

    def either(self, a: Term, b: Term) -> Term:
        return self._write(BOOL, f"or {a.llvm}, {b.ref}")

    # --- what the processor does itself ---

    def _intrinsic(self, name: str, *values: Term) -> Term:
        dtype = values[0].dtype
        of_vector = f"v{self.lanes}" if self.lanes else ""
        type_, full = self.type(dtype), f"llvm.{name}.{of_vector}f{8 * dtype.itemsize}"
        self.declared.add(f"declare {type_} @{full}({', '.join([type_] * len(values))})")
        return self._write(dtype, f"call {type_} @{full}({', '.join(v.llvm for v in values)})")

    def root(self, x: Any) -> Term:
        return self._intrinsic("sqrt", self.floating(x))

    def rounded(self, name: str, x: Term) -> Term:
        """floor, ceil or rint; whole numbers stay as they are."""
        return self._intrinsic(name, x) if x.dtype.kind == "f" else x

    def absolute(self, x: Term) -> Term:
        if x.dtype.kind == "f":
            return self._intrinsic("fabs", x)
        return self.select(x < 0, -x, x) if x.dtype.kind == "i" else x

    def signed(self, size: Term, like: Term) -> Term:
        """The size of one number with the sign of another."""
        return self._intrinsic("copysign", size, like)

    def multiply_add(self, a: Term, b: Any, c: Any) -> Term:
        """a * b + c, rounded once where the processor can: for approximations alone."""
        return self._intrinsic("fmuladd", a, self.cast(b, a.dtype), self.cast(c, a.dtype))

    def bits(self, x: Term, dtype: np.dtype[Any]) -> Term:
        """The same bits taken for another dtype of the same width."""
        return self._write(dtype, f"bitcast {x.llvm} to {self.type(dtype)}")

    def shifted(self, x: Term, by: int) -> Term:
        """An integer times 2^by; rounded down where `by` is negative."""
        word, count = ("shl", by) if by >= 0 else ("ashr", -by)
        return self._write(x.dtype, f"{word} {x.llvm}, {self.literal(str(count), x.dtype)}")

    def masked(self, x: Term, mask: int) -> Term:
        return self._write(x.dtype, f"and {x.llvm}, {self.literal(str(mask), x.dtype)}")

    # --- choosing ---

    def extreme(self, sign: str, a: Any, b: Any) -> Term:
        """NumPy's maximum ("gt") and minimum ("lt"): NaN wins, and of equal ones the second."""
        dtype = self.common(a, b)
        a, b = self.cast(a, dtype), self.cast(b, dtype)
        first = a > b if sign == "gt" else a < b
        return self.select(self.either(first, a != a) if dtype.kind == "f" else first, a, b)

    def sign(self, x: Term) -> Term:
        """-1, 0 or 1; NaN stays NaN."""
        rest = self.select(x == 0, 0, x) if x.dtype.kind == "f" else self.constant(0, x.dtype)
        low = rest if x.dtype.kind == "u" else self.select(x < 0, -1, rest)
        return self.select(x > 0, 1, low)


def _kind(number: Any) -> type:
    return number.kind if isinstance(number, Number) else type(number)


# --- evaluating a scalar form --------------------------------------------------------------
