"""Bits of integers, and the logic of bools by the same operators: `& | ^ ~ << >>`.

On integers they work on each bit, on bools they are the logical ops, which are what a mask wants
(and what can be fused). Floats are refused, as in NumPy and PyTorch: what is not zero would count
as true there and `6.0 & 3.0` be True. No gradient flows through any of them. `bitcast` reads the bits of a
number as another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import DTypeError
from shared.op import ZERO, Op, array_module, elementwise
from shared.ops.choosing import BROADCAST, PROMOTE, logical_and, logical_not, logical_or, logical_xor
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec, as_dtype, is_weak, promote, ufunc_dtype


def _bits_dtype(name: str, ufunc: np.ufunc, operands: Sequence[Operand], takes: str) -> np.dtype[Any]:
    """What a ufunc on bits gives these operands; DTypeError unless they promote to a kind that it takes."""
    if promote(*operands).kind not in takes:
        given = ", ".join(type(x).__name__ if is_weak(x) else x.dtype.name for x in operands)
        way_out = "cast to an integer" + (", or compare first, as in x > 0" if "b" in takes else "")
        raise DTypeError(f"{name}: ({given}) has no bits to work on; {way_out}")
    return ufunc_dtype(name, ufunc, operands)


def _logic(name: str, ufunc: np.ufunc) -> Op:
    return elementwise(
        name, ufunc, None, *[ZERO] * ufunc.nin,
        dtype=lambda *operands: _bits_dtype(name, ufunc, operands, "biu"),
        doc="The function of that name, on integers and bools alike.",
    )  # fmt: skip


def _shift(name: str, ufunc: np.ufunc, doc: str) -> Op:
    def dtype(a: Operand, b: Operand) -> np.dtype[Any]:
        return _bits_dtype(name, ufunc, (a, b), "iu")

    def compute(a: Any, b: Any, out: Any = None) -> Any:
        dtype(a, b)  # NumPy shifts bools too, as 8 bits
        return ufunc(a, b, out=out, order="C")

    return elementwise(
        name, compute, None, ZERO, ZERO, dtype=dtype, out=True, inplace=(0, 1),
        doc=f"{doc} Raises DTypeError for floats and bools. No gradient.\n{BROADCAST} {PROMOTE}",
    )  # fmt: skip


_bitwise_and = _logic("bitwise_and", np.bitwise_and)
_bitwise_or = _logic("bitwise_or", np.bitwise_or)
_bitwise_xor = _logic("bitwise_xor", np.bitwise_xor)
_bitwise_not = _logic("bitwise_not", np.bitwise_not)

bitwise_left_shift = _shift(
    "bitwise_left_shift", np.left_shift,
    "`a << b`: the bits of integers moved up by b places; what leaves at the top is lost, and all is 0\n"
    "where b is negative or as large as there are bits.",
)  # fmt: skip
bitwise_right_shift = _shift(
    "bitwise_right_shift", np.right_shift,
    "`a >> b`: the bits of integers moved down by b places, the sign kept: floor(a / 2**b). All is 0, or -1\n"
    "for negative a, where b is negative or as large as there are bits.",
)  # fmt: skip


def _is_bool(x: Any) -> bool:
    return isinstance(x, bool) or getattr(x, "dtype", None) == np.dtype(bool)


def bitwise_and(a: Any, b: Any) -> Any:
    """`a & b`: both bits are set, of integers; both are true, of bools (`logical_and`). No gradient.

    Raises DTypeError for floats. The arguments broadcast; raises ShapeError where they do not.
    """
    return (logical_and if _is_bool(a) and _is_bool(b) else _bitwise_and)(a, b)


def bitwise_or(a: Any, b: Any) -> Any:
    """`a | b`: one bit is set, or both, of integers; of bools `logical_or`. No gradient.

    Raises DTypeError for floats. The arguments broadcast; raises ShapeError where they do not.
    """
    return (logical_or if _is_bool(a) and _is_bool(b) else _bitwise_or)(a, b)


def bitwise_xor(a: Any, b: Any) -> Any:
    """`a ^ b`: one bit is set and the other is not, of integers; of bools `logical_xor`. No gradient.

    Raises DTypeError for floats. The arguments broadcast; raises ShapeError where they do not.
    """
    return (logical_xor if _is_bool(a) and _is_bool(b) else _bitwise_xor)(a, b)


def bitwise_not(x: Any) -> Any:
    """`~x`: each bit turned, of integers; of bools `logical_not`. No gradient.

    Raises DTypeError for floats.
    """
    return (logical_not if _is_bool(x) else _bitwise_not)(x)


def _compute_bitcast(x: Any, *, dtype: Any) -> Any:
    return array_module(x).ascontiguousarray(x).reshape(x.shape).view(dtype).copy()


def _infer_bitcast(x: Operand, *, dtype: Any) -> Spec:
    if x.dtype.itemsize != dtype.itemsize or dtype.kind not in "iuf" or x.dtype.kind not in "biuf":
        raise DTypeError(f"bitcast: the bits of {x.dtype} are not read as {dtype}: both must be as wide")
    return Spec(x.shape, dtype)


_bitcast = Op("bitcast", _compute_bitcast, _infer_bitcast, [ZERO], check=True)


def bitcast(x: Any, dtype: Any) -> Any:
    """The bits of `x`, read as another dtype of the same width: 1.0 in float32 is 0x3f800000 in int32. No
    gradient. DTypeError where the widths differ, and for complex numbers."""
    return _bitcast(as_tensor_like(x), dtype=as_dtype(dtype))
