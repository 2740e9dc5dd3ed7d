"""Numbers as narrow formats hold them, which NumPy has no dtypes for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from shared.errors import DTypeError, SettingError
from shared.op import Op, Rule, array_module
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec


@dataclass(frozen=True)
class Format:
    """A format of floating-point numbers.

    digits    binary digits of a number, the first 1 counted
    least     the exponent of the least number that has all of them
    largest   the largest number
    beyond    what becomes of what is larger
    negative  whether there is a zero with a sign
    nan       whether there is a NaN; else it becomes 0
    """

    digits: int
    least: int
    largest: float
    beyond: float
    negative: bool = True
    nan: bool = True


FORMATS = {
    "bfloat16": Format(8, -126, (2 - 2**-7) * 2.0**127, math.inf),
    "float8_e4m3fn": Format(4, -6, 448.0, math.nan),
    "float8_e4m3fnuz": Format(4, -7, 240.0, math.nan, False),
    "float8_e5m2": Format(3, -14, 57344.0, math.inf),
    "float8_e5m2fnuz": Format(3, -15, 57344.0, math.nan, False),
    "float4_e2m1fn": Format(2, 0, 6.0, 6.0, nan=False),
}
"""By their names in the package ml_dtypes, which rounds in the same way."""


def _compute_round_to(x: Any, *, format: str) -> Any:
    """On whole numbers of the last digit, of which a number has 2**(digits - 1) and more, or, where it is
    smaller than the least with all digits, fewer."""
    xp, kind = array_module(x), FORMATS[format]
    if x.dtype.itemsize == 2:  # whose own range may be too small on the way
        return _compute_round_to(x.astype("float32"), format=format).astype(x.dtype)
    exponent = xp.frexp(x)[1]
    last = xp.maximum(exponent, kind.least + 1) - kind.digits
    y = xp.ldexp(xp.rint(xp.ldexp(x, -last)), last)
    beyond = xp.copysign(xp.asarray(kind.beyond, x.dtype), x)
    y = xp.where(xp.abs(y) > kind.largest, beyond, y)
    if not kind.nan:
        y = xp.where(xp.isnan(x), xp.copysign(xp.asarray(0.0, x.dtype), -x), y)
    if not kind.negative:
        y = y + xp.asarray(0.0, x.dtype)
    return xp.ascontiguousarray(y).reshape(x.shape)


def _infer_round_to(x: Operand, *, format: str) -> Spec:
    if x.dtype.kind != "f":
        raise DTypeError(f"round_to: floating-point numbers are rounded, not {x.dtype}; cast them first")
    return Spec(x.shape, x.dtype)


_round_to = Op(
    "round_to", _compute_round_to, _infer_round_to, [Rule(lambda g, y, x, *, format: g)], check=True
)


def round_to(x: Any, format: str) -> Any:
    """`x`, each number rounded to the nearest that a narrow format holds, ties to even, in x's own dtype.

    format: "bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz" or
    "float4_e2m1fn". What is too large becomes infinite in "bfloat16" and "float8_e5m2", the largest in
    "float4_e2m1fn", which has no NaN either and makes 0 of it, NaN in the others. The cotangent goes through
    as it is, as through a cast. DTypeError for what is not floating point.
    """
    if format not in FORMATS:
        raise SettingError(f"round_to: {format!r} is no format; there are {', '.join(FORMATS)}")
    return _round_to(as_tensor_like(x), format=format)
