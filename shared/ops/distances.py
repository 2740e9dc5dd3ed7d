"""Losses and measures that compare two arrays element by element: errors, entropies, angles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import divide, same_shape, same_size
from shared.errors import DTypeError, RangeError, SettingError, ShapeError
from shared.op import ZERO, Op, Rule, elementwise
from shared.ops.choosing import all_floating, cast, equal, maximum, minimum, where
from shared.ops.creation import full
from shared.ops.elementwise import abs, exp, log, neg, sqrt, square, sub
from shared.ops.norms import norm
from shared.ops.ranges import at_least
from shared.ops.reals import RealOp
from shared.ops.reductions import mean, sum
from shared.ops.shapes import as_tensor_like, expand_dims
from shared.ops.sigmoids import sigmoid
from shared.spec import (
    Operand,
    Spec,
    as_number,
    broadcast_shapes,
    is_weak,
    one_axis,
    promote,
    sizes_match,
    spec_of,
    str_shape,
)


def known_reduction(call: str, reduction: str, *more: str) -> str:
    """The setting `reduction`, checked."""
    names = ("mean", "sum", "none", *more)
    if reduction not in names:
        raise SettingError(f"{call}: reduction must be one of {', '.join(names)}, not {reduction!r}")
    return reduction


def _infer_of_shape(target: Operand, x: Operand, *, call: str) -> Spec:
    a, b = x.shape, target.shape
    if len(a) != len(b) or not all(map(sizes_match, a, b)):
        raise ShapeError(
            f"{call}: x {str_shape(a)} and target {str_shape(b)} must have one shape, since a loss "
            "over what broadcasting makes of them is seldom meant; reshape one, or broadcast_to it"
        )
    return Spec(a, target.dtype)


_of_shape = Op(
    "of_shape",
    lambda target, x, *, call: target,
    _infer_of_shape,
    [Rule(lambda g, y, target, x, *, call: g), ZERO],
    alias=(0,),
    check=True,
    doc="`target`, of which it is checked that it has the shape of `x`.",
)


def of_shape(call: str, target: Any, x: Any) -> Any:
    """`target`, or ShapeError unless it has the shape of `x`. Sizes that are unknown are compared
    when the graph runs, lest they broadcast."""
    if same_shape(tuple(target.shape), tuple(x.shape)):
        return target
    return _of_shape(target, x, call=call)


def pair(call: str, x: Any, target: Any) -> tuple[Any, Any]:
    """Both, of one shape and floating, since the difference of integers may leave their dtype; a number may
    stand for a target that is the same everywhere. Integers and bools to aim at (labels) take the dtype of
    `x`, lest they widen it."""
    x = as_tensor_like(x)
    if is_weak(target):
        if x.dtype.kind in "iub":
            x = cast(x, np.float32 if isinstance(target, float) else np.float64)
        return x, target
    target = of_shape(call, as_tensor_like(target), x)
    if x.dtype.kind == "f" and target.dtype.kind in "iub":
        target = cast(target, x.dtype)
    return all_floating(x, target)


def factor(value: Any) -> Any:
    """A number, which stays weak, or an array."""
    return value if is_weak(value) else as_tensor_like(value)


def reduced_by(reduction: str, losses: Any) -> Any:
    """The losses of all elements as one number, or as they are."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" else sum(losses)


def floating_pair(call: str, x: Any, target: Any) -> tuple[Any, Any]:
    """As `pair` gives them, or DTypeError for an x of another kind."""
    x = as_tensor_like(x)
    if x.dtype.kind != "f":
        raise DTypeError(f"{call}: x must be floating point, not {x.dtype}; cast it first")
    return pair(call, x, target)


# --- errors --------------------------------------------------------------------------------


def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """(x - target)^2, elementwise, then reduced ("mean", "sum" or "none").

    x and target of one shape; ShapeError else. A number may stand for a target. Of integers and bools alone
    the losses, here and in what is like it, are float64.
    """
    known_reduction("mse_loss", reduction)
    off = sub(*pair("mse_loss", x, target))
    if reduction == "none" or off.dtype != np.float16:
        return reduced_by(reduction, square(off))
    return cast(reduced_by(reduction, square(_in_single(off))), off.dtype)  # squares leave half's range


def l1_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """|x - target|, elementwise, then reduced. Shapes as in `mse_loss`; the derivative at 0 is 0."""
    known_reduction("l1_loss", reduction)
    return reduced_by(reduction, abs(sub(*pair("l1_loss", x, target))))


def _compute_huber(d: Any, *, delta: float) -> Any:
    size = np.abs(d, order="C")
    near = np.minimum(size, delta)
    return near * (size - near * 0.5)


_huber = elementwise(
    "huber", _compute_huber, "(min(abs({0}), {delta}) * (abs({0}) - min(abs({0}), {delta}) * 0.5))",
    Rule(lambda g, y, d, *, delta: g * maximum(minimum(d, delta), -delta), reads="d"),
    kind=RealOp, dtype=lambda d, *, delta: promote(d, delta),
    doc="d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), elementwise.",
)  # fmt: skip


def smooth_l1_loss(x: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """huber_loss with a delta of `beta`, divided by it: with d = x - target, d^2 / (2 beta) where |d| <=
    beta, else |d| - beta / 2. Girshick 2015.

    Shapes as in `mse_loss`. A beta of 0 makes l1_loss of it; SettingError for one below.
    """
    known_reduction("smooth_l1_loss", reduction)
    beta = as_number("smooth_l1_loss", "beta", beta)
    if not 0 <= beta < math.inf:
        raise SettingError(f"smooth_l1_loss: beta must be a number from 0 on, not {beta!r}")
    d = sub(*pair("smooth_l1_loss", x, target))
    return reduced_by(reduction, abs(d) if beta == 0 else _huber(d, delta=beta) / beta)


def huber_loss(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """The square of small errors and the size of large ones (Huber 1964), then reduced: with
    d = x - target, d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2).

    Shapes as in `mse_loss`. SettingError for a delta that is not positive.
    """
    known_reduction("huber_loss", reduction)
    delta = as_number("huber_loss", "delta", delta)
    if not 0 < delta < math.inf:
        raise SettingError(f"huber_loss: delta must be a positive number, not {delta!r}")
    return reduced_by(reduction, _huber(sub(*pair("huber_loss", x, target)), delta=delta))


# --- entropies -----------------------------------------------------------------------------


def _compute_bce_with_logits(x: Any, t: Any) -> Any:
    known = np.maximum(x, 0) * (1 - t) - np.minimum(x, 0) * t
    return np.add(known, np.log1p(np.exp(-np.abs(x))), order="C")


_bce_with_logits = elementwise(
    "bce_with_logits", _compute_bce_with_logits,
    "(max({0}, 0) * (1 - {1}) - min({0}, 0) * {1} + log1p(exp(-abs({0}))))",
    Rule(lambda g, y, x, t: g * (sigmoid(x) * (1 - t) - sigmoid(neg(x)) * t), reads="x t"),
    Rule(lambda g, y, x, t: neg(g * x), reads="x"),
    doc="max(x, 0) (1 - t) - min(x, 0) t + log(1 + exp(-|x|)), elementwise: no part can overflow, and for t\n"
    "from 0 to 1 none takes digits from another. Nor does the derivative for t = 0 and 1.",
)  # fmt: skip


def binary_cross_entropy_with_logits(
    x: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Any:
    """-t log sigmoid(x) - (1 - t) log(1 - sigmoid(x)), elementwise, then reduced.

    x (any floating dtype) and target (numbers from 0 to 1) of one shape; a number may stand for
    a target. `weight` multiplies each loss, `pos_weight` the part of the positives (t); both
    broadcast. Finite for any finite x: see the op `bce_with_logits`.
    """
    call = "binary_cross_entropy_with_logits"
    known_reduction(call, reduction)
    x, target = floating_pair(call, x, target)
    if pos_weight is None:
        losses = _bce_with_logits(x, target)
    else:  # -log sigmoid(x) is the loss of a target that is 1
        positive = factor(pos_weight) * target * _bce_with_logits(x, 1)
        losses = positive + (1 - target) * _bce_with_logits(x, 0)
    return reduced_by(reduction, losses if weight is None else losses * factor(weight))


def _admit_probabilities(p: Any, t: Any) -> None:
    if not bool(((p >= 0) & (p <= 1)).all()):
        wrong = p[~((p >= 0) & (p <= 1))]
        raise RangeError(
            f"binary_cross_entropy: {wrong.size} of {p.size} probabilities are not from 0 to 1, the "
            f"first is {float(wrong[0])}; for logits there is binary_cross_entropy_with_logits"
        )


def _compute_bce(p: Any, t: Any) -> Any:
    _admit_probabilities(p, t)
    with np.errstate(divide="ignore"):
        yes, no = np.maximum(np.log(p), -100), np.maximum(np.log1p(-p), -100)
    return np.negative(t * yes + (1 - t) * no, order="C")


def _in_single(x: Any) -> Any:
    """Half precision in single."""
    return cast(x, np.float32) if x.dtype == np.float16 else x


_bce = elementwise(
    "bce", _compute_bce, None,
    Rule(lambda g, y, p, t: g * ((p - t) / maximum(_in_single(p * (1 - p)), 1e-12)), reads="p t"),
    Rule(lambda g, y, p, t: g * (_bce(p, 1) - _bce(p, 0)), reads="p"),
    judges=(0,), admits=_admit_probabilities,
    doc="-t log p - (1 - t) log(1 - p), elementwise, its logarithms no less than -100 and the\n"
    "denominator of its derivative no less than 1e-12, as in PyTorch.",
)  # fmt: skip


def binary_cross_entropy(p: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """-t log p - (1 - t) log(1 - p), elementwise, then reduced. The logarithms are held above
    -100, as in PyTorch, so that the loss stays finite at 0 and 1.

    p (probabilities in floating point) and target of one shape; a number may stand for a target.
    RangeError for a p outside [0, 1]. Of logits, `binary_cross_entropy_with_logits` is exact.
    """
    known_reduction("binary_cross_entropy", reduction)
    p, target = floating_pair("binary_cross_entropy", p, target)
    losses = _bce(p, target)
    return reduced_by(reduction, losses if weight is None else losses * factor(weight))


def kl_div(x: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """target (log target - x), elementwise, then reduced: the Kullback-Leibler divergence of the
    distribution whose logarithms are x from `target`, 0 where target is 0.

    With `log_target`, target holds logarithms too. reduction: as elsewhere, and "batchmean", the
    sum over the first size, which alone is the divergence proper (as in PyTorch).
    """
    known_reduction("kl_div", reduction, "batchmean")
    x, target = pair("kl_div", x, target)
    if log_target:
        losses = exp(target) * (target - x)
    else:
        losses = target * (log(where(equal(target, 0), 1, target)) - x)
    if reduction == "batchmean":
        return sum(losses) / (losses.shape[0] if losses.shape else 1)
    return reduced_by(reduction, losses)


# --- angles --------------------------------------------------------------------------------


def cosine_similarity(x1: Any, x2: Any, axis: int = 1, eps: float = 1e-8) -> Any:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `axis`, as `torch.nn.functional.cosine_similarity`.

    x1 and x2 broadcast; the axis is taken away. Vectors shorter than eps (or than the smallest normal number,
    where that is more) have a gradient too. Each is scaled to length 1 first, so that no product is out of
    range where the lengths are not.
    """
    x1, x2 = all_floating(x1, x2, short=True)
    shape = broadcast_shapes("cosine_similarity", spec_of(x1), spec_of(x2))
    axis = one_axis("cosine_similarity", axis, len(shape))

    dtype = promote(spec_of(x1), spec_of(x2))

    def direction(x: Any) -> Any:
        """Scaled to length 1, as one with as many elements as the other has: a single one may stand for
        all of them."""
        missing = tuple(range(len(shape) - len(x.shape)))
        x = _in_single(expand_dims(x, missing) if missing else x)
        length, own = norm(x, axis=axis, keepdims=True), x.shape[axis]
        if not same_size(own, shape[axis]):
            times: Any = divide(shape[axis], at_least(own, 1))
            length = length * sqrt(full((), times, length.dtype, like=x))
        least = float(np.finfo(length.dtype).tiny)
        return x / maximum(length, max(eps, least))

    y = sum(direction(x1) * direction(x2), axis)
    return y if dtype.itemsize > 2 or dtype.kind != "f" else cast(y, dtype)
