"""Elementwise ops that compare and choose: comparisons, logic, cast, where, maximum, clip."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import DTypeError, SettingError
from shared.op import ZERO, Op, Rule, array_module, elementwise, put
from shared.ops.reals import RealOp
from shared.ops.shapes import as_tensor_like
from shared.spec import (
    Operand,
    Spec,
    as_dtype,
    dtype_name,
    float_dtype,
    is_weak,
    promote,
    shape_of,
    spec_of,
    ufunc_dtype,
)

BROADCAST = "The arguments broadcast; raises ShapeError where they do not."
PROMOTE = (
    "Dtypes promote\nas in NumPy 2: a Python number takes the dtype of the array beside it, "
    "a Python float beside integers float32."
)

# --- comparisons and logic: no gradient ----------------------------------------------------


def _comparison(name: str, ufunc: np.ufunc, scalar: str, doc: str, kind: type[Op] = Op) -> Op:
    return elementwise(
        name, ufunc, scalar, ZERO, ZERO, together=(), kind=kind,
        doc=f"{doc} Gives bool, and no gradient.\n{BROADCAST}",
    )


equal = _comparison("equal", np.equal, "({0} == {1})", "`a == b`, elementwise; NaN equals nothing.")
not_equal = _comparison("not_equal", np.not_equal, "({0} != {1})", "`a != b`, elementwise.")
less = _comparison("less", np.less, "({0} < {1})", "`a < b`, elementwise.", RealOp)
less_equal = _comparison("less_equal", np.less_equal, "({0} <= {1})", "`a <= b`, elementwise.", RealOp)
greater = _comparison("greater", np.greater, "({0} > {1})", "`a > b`, elementwise.", RealOp)
greater_equal = _comparison(
    "greater_equal", np.greater_equal, "({0} >= {1})", "`a >= b`, elementwise.", RealOp
)

# What is not zero counts as true, NaN included; the expressions avoid Python's `and`, which would
# give the second operand and not its truth.
logical_and = _comparison(
    "logical_and", np.logical_and, "(({1} != 0) if ({0} != 0) else ({0} != 0))", "Both are true."
)
logical_or = _comparison(
    "logical_or", np.logical_or, "(({0} != 0) if ({0} != 0) else ({1} != 0))", "One is true, or both."
)
logical_xor = _comparison(
    "logical_xor", np.logical_xor, "(({0} != 0) != ({1} != 0))", "One is true and the other is not."
)
logical_not = elementwise(
    "logical_not", np.logical_not, "({0} == 0)", ZERO, doc="Not true: x is 0. Gives bool, and no gradient."
)
isnan = elementwise(
    "isnan", np.isnan, "isnan({0})", ZERO, doc="Whether x is NaN, elementwise. Gives bool, and no gradient."
)
isfinite = elementwise(
    "isfinite", np.isfinite, "(({0} - {0}) == 0)", ZERO,
    doc="Whether x is neither NaN nor infinite, elementwise. Gives bool, and no gradient.",
)  # fmt: skip

# --- cast ----------------------------------------------------------------------------------


def _compute_cast(x: Any, *, dtype: Any, out: Any = None) -> Any:
    _keeps_imaginary(x, dtype)
    if out is None:
        return array_module(x).asarray(x).astype(dtype, order="C")
    np.copyto(out, x, casting="unsafe")
    return out


def _keeps_imaginary(x: Operand, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that x is cast to; DTypeError if an imaginary part would be dropped."""
    if dtype.kind not in "cb" and (isinstance(x, complex) if is_weak(x) else x.dtype.kind == "c"):
        raise DTypeError(f"cast: {dtype} has no imaginary part; take ops.real(x), ops.imag(x) or ops.abs(x)")
    return dtype


_cast = Op(
    "cast",
    _compute_cast,
    lambda x, *, dtype: Spec(shape_of(x), _keeps_imaginary(x, dtype)),
    [Rule(lambda g, y, x, *, dtype: g)],  # the reverse loop gives it the argument's dtype
    out=True,
    scalar="cast({0}, {dtype})",
)


def cast(x: Any, dtype: Any) -> Any:
    """`x` in another dtype, always a fresh array. The cotangent is cast back.

    Floats lose their fraction on the way to integers, as in NumPy. Raises DTypeError if `dtype`
    does not name a dtype of numbers, or for complex numbers is a real one: `real` drops what is imaginary.
    """
    kind = as_dtype(dtype)
    if dtype is None or kind.kind not in "biufc":
        raise DTypeError(f"cast: {dtype!r} is no dtype of numbers; use a name such as 'float32'")
    return _cast(x, dtype=kind)


def floating(x: Any) -> Any:
    """`x` if it is floating point; integers and bools as float64."""
    x = as_tensor_like(x)
    return x if x.dtype.kind in "fc" else cast(x, np.float64)


def all_floating(*xs: Any, short: bool = False) -> tuple[Any, ...]:
    """The `xs` in floating point, so that no difference of them leaves its dtype: integers and bools in what
    they promote to beside the others. Without a float among them that is float64 or, if `short`, what
    NumPy's exp makes of them."""
    xs = tuple(as_tensor_like(x) for x in xs)
    dtype = promote(*map(spec_of, xs))
    if dtype.kind in "iub":
        dtype = float_dtype(Spec((), dtype)) if short else np.dtype(np.float64)
    return tuple(cast(x, dtype) if x.dtype.kind in "iub" else x for x in xs)


# --- choosing by a mask --------------------------------------------------------------------

_BITS = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
"""The integers as wide as an element. Choosing is done on bits: np.where branches on each
element, which on a random mask costs ten times what a pass over memory does."""
_SHORT = 1024
"""Up to about this size np.where is as fast."""


def check_mask(name: str, mask: Any) -> None:
    """DTypeError unless the mask holds bools."""
    if not isinstance(mask, bool) and (is_weak(mask) or mask.dtype.kind != "b"):
        kind = type(mask).__name__ if is_weak(mask) else dtype_name(mask.dtype)
        raise DTypeError(f"{name}: the mask must be bool, not {kind}; compare first, as in x != 0")


def _select(xp: Any, mask: Any, a: Any, b: Any) -> Any:
    """The array module's own `where`, in C order."""
    y = xp.where(mask, a, b)
    return y if y.flags.c_contiguous else y.copy(order="C")


def _bits_of(out: Any, bits: Any) -> Any:
    return None if out is None else out.view(bits)


def _compute_gate(x: Any, mask: Any, out: Any = None) -> Any:
    check_mask("gate", mask)
    xp = array_module(x)
    mask = xp.asarray(mask)
    bits = _BITS.get(x.dtype.itemsize)
    if bits is None or xp is not np:
        return put(_select(xp, mask, x, xp.zeros((), x.dtype)), out)
    every = np.negative(mask.view(np.int8))
    chosen = np.bitwise_and(x.view(bits), every, out=_bits_of(out, bits), order="C")
    return chosen.view(x.dtype) if out is None else out


def _gate_dtype(x: Operand, mask: Operand) -> np.dtype[Any]:
    check_mask("gate", mask)
    return x.dtype


gate = elementwise(
    "gate", _compute_gate, "({0} if {1} else 0)",
    Rule(lambda g, y, x, mask: gate(g, mask), reads="mask"),
    ZERO,
    dtype=_gate_dtype, out=True, inplace=(0,),
    doc=f"`x` where `mask` (bool) is true, else 0, whatever x is there: what `where` and the ops\n"
    f"with a kink send back. {BROADCAST} Raises DTypeError for a mask that is not bool.",
)  # fmt: skip


def _admit_numbers(a: Any, b: Any) -> None:
    """OverflowError for a Python integer that the dtype beside it does not hold; NumPy's `where` wraps it."""
    for number in (a, b):
        if type(number) is int and not 0 <= number < 128:
            np.asarray(number, np.result_type(a, b))


def _compute_where(mask: Any, a: Any, b: Any, out: Any = None) -> Any:
    check_mask("where", mask)
    if type(a) is int or type(b) is int:
        _admit_numbers(a, b)
    xp = np
    if type(mask) is not np.ndarray:
        xp = array_module(next((v for v in (mask, a, b) if not is_weak(v)), mask))
        mask = xp.asarray(mask)
    if mask.size < _SHORT or xp is not np:
        return put(_select(xp, mask, a, b), out)
    dtype = np.result_type(a, b)
    bits = _BITS.get(dtype.itemsize)
    if bits is None:
        return put(_select(xp, mask, a, b), out)
    a, b = np.asarray(a, dtype).view(bits), np.asarray(b, dtype).view(bits)
    to = _bits_of(out, bits)
    chosen = np.bitwise_xor(a, b, out=to if out is not None and out.shape in (a.shape, b.shape) else None)
    chosen = np.bitwise_and(chosen, np.negative(mask.view(np.int8)), out=to, order="C")
    chosen ^= b
    return chosen.view(dtype) if out is None else out


def _where_dtype(mask: Operand, a: Operand, b: Operand) -> np.dtype[Any]:
    check_mask("where", mask)
    return promote(a, b)


where = elementwise(
    "where", _compute_where, "({1} if {0} else {2})",
    ZERO,
    Rule(lambda g, y, mask, a, b: gate(g, mask), reads="mask"),
    Rule(lambda g, y, mask, a, b: gate(g, logical_not(mask)), reads="mask"),
    dtype=_where_dtype, out=True, inplace=(1,), together=(1, 2),
    doc=f"`a` where `mask` (bool) is true, else `b`. {BROADCAST}\n"
    "Dtypes of a and b promote. Where a value was not chosen its cotangent is zero (which is not\n"
    "enough to hide a NaN that was made further back). Raises DTypeError for a mask that is not bool.",
)  # fmt: skip

# --- choosing by size ----------------------------------------------------------------------


def _share(g: Any, wins: Any, ties: Any) -> Any:
    """All of the cotangent where this argument was chosen, half of it where both were."""
    return gate(g, wins) + gate(g * 0.5, ties)


maximum = elementwise(
    "maximum", np.maximum, "max({0}, {1})",
    Rule(lambda g, y, a, b: _share(g, greater(a, b), equal(a, b)), reads="a b"),
    Rule(lambda g, y, a, b: _share(g, less(a, b), equal(a, b)), reads="a b"),
    kind=RealOp,
    doc="The larger of a and b, elementwise; equal ones share the gradient evenly, as in PyTorch.\n"
    f"NaN in either gives NaN, without a gradient. {BROADCAST}",
)  # fmt: skip

minimum = elementwise(
    "minimum", np.minimum, "min({0}, {1})",
    Rule(lambda g, y, a, b: _share(g, less(a, b), equal(a, b)), reads="a b"),
    Rule(lambda g, y, a, b: _share(g, greater(a, b), equal(a, b)), reads="a b"),
    kind=RealOp,
    doc="The smaller of a and b, elementwise; equal ones share the gradient evenly, as in PyTorch.\n"
    f"NaN in either gives NaN, without a gradient. {BROADCAST}",
)  # fmt: skip


def _inside(x: Any, low: Any, high: Any) -> Any:
    return logical_and(greater_equal(x, low), less_equal(x, high))


def _clip_dtype(x: Operand, low: Operand, high: Operand) -> np.dtype[Any]:
    return ufunc_dtype("clip", np.minimum, (Spec((), ufunc_dtype("clip", np.maximum, (x, low))), high))


_clip = elementwise(
    "clip",
    lambda x, low, high, out=None: np.minimum(np.maximum(x, low), high, out=out, order="C"),
    "min(max({0}, {1}), {2})",
    Rule(lambda g, y, x, low, high: gate(g, _inside(x, low, high)), reads="x low high"),
    Rule(
        lambda g, y, x, low, high: gate(g, logical_and(less(x, low), less_equal(low, high))),
        reads="x low high",
    ),
    Rule(
        lambda g, y, x, low, high: gate(g, logical_or(greater(x, high), greater(low, high))),
        reads="x low high",
    ),
    dtype=_clip_dtype, out=True, inplace=(0,), kind=RealOp,
)  # fmt: skip


def clip(x: Any, low: Any = None, high: Any = None) -> Any:
    """`x` held between `low` and `high`: numbers, arrays or Tensors that broadcast with x; None
    for no bound on that side.

    min(max(x, low), high), so NaN stays NaN, and `high` wins where low > high. A cotangent goes
    to x where low <= x <= high, bounds included (as in PyTorch's clamp), else to the bound that
    was taken. Raises SettingError if there is no bound, DTypeError for bools, ShapeError for
    shapes that do not broadcast.
    """
    if low is None and high is None:
        raise SettingError("clip: give low, high, or both")
    x = as_tensor_like(x)
    kind = x.dtype
    if kind.kind == "b":
        raise DTypeError("clip: bools are between their bounds already; cast them to numbers first")
    least: Any = int(np.iinfo(kind).min) if kind.kind in "iu" else -math.inf
    most: Any = int(np.iinfo(kind).max) if kind.kind in "iu" else math.inf
    return _clip(x, least if low is None else low, most if high is None else high)
