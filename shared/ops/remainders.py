"""Division that leaves whole numbers and a rest: `//` and `%` as Python has them, `fmod` as C does.

`a // b` is rounded down, so `a % b` has b's sign; trunc(a / b) is rounded towards 0, so `fmod(a, b)` has a's.
On floats they are NumPy's: by 0 the rest is NaN, by infinity it is a itself, or, where the signs of a and b
differ, `%` gives b. Integers are not divided by 0: NumPy would give 0 and no more than a warning.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DivisionError
from shared.op import ZERO, Op, Rule, elementwise
from shared.ops.choosing import BROADCAST, PROMOTE
from shared.ops.elementwise import neg, round, sub
from shared.rules import Zero
from shared.spec import Operand, is_weak, promote, spec_of, ufunc_dtype

_REFUSED = "Raises DivisionError where\nintegers are divided by 0."

trunc = elementwise(
    "trunc", np.trunc, "(floor({0}) if {0} > 0 else ceil({0}))", ZERO,
    doc="x without its fraction: the nearest whole number on the way to 0, elementwise, in x's dtype. No\n"
    "gradient.",
)  # fmt: skip


def frac(x: Any) -> Any:
    """The fraction of x, `x - trunc(x)`, elementwise: it has x's sign, and x's cotangent."""
    return sub(x, trunc(x))


def divided(ufunc: np.ufunc, a: Any, b: Any, **settings: Any) -> Any:
    """`ufunc(a, b)`; DivisionError where b is 0 and both are integers."""
    _admit(ufunc, a, b)
    return ufunc(a, b, **settings)


def _admit(ufunc: np.ufunc, a: Any, b: Any) -> None:
    if not _is_floating(a) and not _is_floating(b) and promote(spec_of(a), spec_of(b)).kind in "biu":
        if not b if is_weak(b) else bool((b == 0).any()):
            raise _by_zero(ufunc)


def _is_floating(x: Any) -> bool:
    return isinstance(x, float) if is_weak(x) else x.dtype.kind in "fc"


def _by_zero(ufunc: np.ufunc) -> DivisionError:
    return DivisionError(
        f"{ufunc.__name__}: integers are divided by 0; cast one of the two to a float for NaN or infinity "
        "there, or put another number in the place of 0"
    )


def _division(ufunc: np.ufunc, *rules: Rule | Zero, doc: str) -> Op:
    def compute(a: Any, b: Any, out: Any = None) -> Any:
        return divided(ufunc, a, b, out=out, order="C")

    def dtype(a: Operand, b: Operand) -> np.dtype[Any]:
        found = ufunc_dtype(ufunc.__name__, ufunc, (a, b))
        if type(b) is int and b == 0 and found.kind in "iu":
            raise _by_zero(ufunc)
        return found

    return elementwise(
        ufunc.__name__, compute, None, *rules, dtype=dtype, out=True, inplace=(0, 1),
        judges=(1,), admits=lambda a, b: _admit(ufunc, a, b),
        doc=f"{doc} {_REFUSED}\n{BROADCAST} {PROMOTE}",
    )  # fmt: skip


floor_divide = _division(
    np.floor_divide, ZERO, ZERO,
    doc="`a // b`: floor(a / b), elementwise, of floats too, whose quotient it rounds once. No gradient.",
)  # fmt: skip

remainder = _division(
    np.remainder,
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: neg(g * floor_divide(a, b)), reads="a b"),
    doc="`a % b`: a - b floor(a / b), elementwise and exact; it has b's sign, as Python's has.",
)  # fmt: skip

fmod = _division(
    np.fmod,
    Rule(lambda g, y, a, b: g),
    Rule(lambda g, y, a, b: neg(g * round((a - y) / b)), reads="y a b"),  # a / b may round up to a whole one
    doc="a - b trunc(a / b), elementwise and exact; it has a's sign, as C's fmod has.",
)  # fmt: skip
