"""Infinities and NaN: asked for, replaced, passed over."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shared.errors import DTypeError
from shared.op import ZERO, Op, Rule, elementwise
from shared.ops.choosing import (
    BROADCAST,
    PROMOTE,
    gate,
    greater_equal,
    isnan,
    less_equal,
    logical_not,
    logical_or,
    where,
)
from shared.ops.reals import RealOp
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, as_number, is_weak

# --- asked for -----------------------------------------------------------------------------

isinf = elementwise(
    "isinf", np.isinf, "(abs({0}) == 1e999)", ZERO,
    doc="Whether x is infinite, of either sign, elementwise. Gives bool, and no gradient.",
)  # fmt: skip


def _equal_to(name: str, value: float, scalar: str, doc: str) -> Op:
    def dtype(x: Operand) -> np.dtype[Any]:
        if not is_weak(x) and x.dtype.kind == "c":
            raise DTypeError(f"{name}: {x.dtype} has no order, so no infinity of one sign; use isinf")
        return np.dtype(bool)

    def compute(x: Any, out: Any = None) -> Any:
        dtype(x)
        return np.equal(x, value, out=out, order="C")

    return elementwise(name, compute, scalar, ZERO, dtype=dtype, out=True, together=(), doc=doc)


isposinf = _equal_to(
    "isposinf", math.inf, "({0} == 1e999)",
    "Whether x is infinity, elementwise. Gives bool, and no gradient. Raises DTypeError for complex numbers.",
)  # fmt: skip
isneginf = _equal_to(
    "isneginf", -math.inf, "({0} == -1e999)",
    "Whether x is minus infinity, elementwise. Gives bool, and no gradient. Raises DTypeError for complex\n"
    "numbers.",
)  # fmt: skip

# --- replaced ------------------------------------------------------------------------------


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """`x` with `nan` in the place of NaN, `posinf` in that of infinity and `neginf` in that of minus
    infinity: by default the largest and the smallest number of x's dtype. Integers stay as they are.

    No gradient flows where a number was put. Raises SettingError for what is no number, DTypeError for
    complex dtypes.
    """
    x = as_tensor_like(x)
    if x.dtype.kind in "biu":
        return x
    if x.dtype.kind == "c":
        raise DTypeError(f"nan_to_num: {x.dtype} has two parts; replace those of each: it takes real numbers")
    most = float(np.finfo(x.dtype).max)

    def number(setting: str, value: float | None, default: float) -> float:
        return default if value is None else as_number("nan_to_num", setting, value)

    x = where(isneginf(x), number("neginf", neginf, -most), x)
    x = where(isposinf(x), number("posinf", posinf, most), x)
    return where(isnan(x), number("nan", nan, 0.0), x)


# --- passed over ---------------------------------------------------------------------------


def _first(a: Any, b: Any, better: Callable[[Any, Any], Any]) -> Any:
    """Whether a was chosen: ties are its, as in PyTorch."""
    return logical_or(better(a, b), isnan(b))


fmax = elementwise(
    "fmax", np.fmax, None,
    Rule(lambda g, y, a, b: gate(g, _first(a, b, greater_equal)), reads="a b"),
    Rule(lambda g, y, a, b: gate(g, logical_not(_first(a, b, greater_equal))), reads="a b"),
    kind=RealOp,
    doc="The larger of a and b, elementwise, or the one that is no NaN; of equal ones a has the gradient,\n"
    f"as in PyTorch. {BROADCAST} {PROMOTE}",
)  # fmt: skip

fmin = elementwise(
    "fmin", np.fmin, None,
    Rule(lambda g, y, a, b: gate(g, _first(a, b, less_equal)), reads="a b"),
    Rule(lambda g, y, a, b: gate(g, logical_not(_first(a, b, less_equal))), reads="a b"),
    kind=RealOp,
    doc="The smaller of a and b, elementwise, or the one that is no NaN; of equal ones a has the gradient,\n"
    f"as in PyTorch. {BROADCAST} {PROMOTE}",
)  # fmt: skip
