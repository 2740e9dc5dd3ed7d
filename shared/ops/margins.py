"""Losses that ask for a margin: of scores in an order, of classes above others, of like things beside others.

All end with `reduction`: "mean", "sum" or "none". Names and settings are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.errors import DTypeError, SettingError, ShapeError
from shared.ops.activations import relu
from shared.ops.choosing import (
    cast,
    clip,
    equal,
    greater,
    less,
    logical_not,
    logical_or,
    minimum,
    not_equal,
    where,
)
from shared.ops.distances import (
    binary_cross_entropy_with_logits,
    cosine_similarity,
    factor,
    known_reduction,
    pair,
    reduced_by,
)
from shared.ops.elementwise import neg
from shared.ops.lookup import gather, one_hot, scatter_sum
from shared.ops.pairs import difference, pairwise_distance
from shared.ops.reductions import cumsum, mean, sum
from shared.ops.shapes import as_tensor_like, expand_dims, of_one_size, squeeze
from shared.ops.sigmoids import softplus
from shared.spec import as_number, sizes_match, str_shape

# --- scores --------------------------------------------------------------------------------


def margin_ranking_loss(
    x1: Any, x2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """max(0, margin - target (x1 - x2)), then reduced: x1 shall be the higher where target is 1, x2 where it
    is -1. The three broadcast."""
    known_reduction("margin_ranking_loss", reduction)
    ahead, sign = difference(x1, x2), factor(target)
    if getattr(sign, "dtype", ahead.dtype).kind in "iu":
        sign = cast(sign, ahead.dtype)
    ahead = ahead * sign
    return reduced_by(reduction, clip(as_number("margin_ranking_loss", "margin", margin) - ahead, 0))


def hinge_embedding_loss(x: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """x where target is 1, max(0, margin - x) where it is -1, then reduced: of distances, those of like
    things shall be small and those of others large. Where target is neither, both.

    Shapes as in `mse_loss`.
    """
    known_reduction("hinge_embedding_loss", reduction)
    x, target = pair("hinge_embedding_loss", x, target)
    apart = clip(as_number("hinge_embedding_loss", "margin", margin) - x, 0)
    losses = where(not_equal(target, 1), apart, 0) + where(not_equal(target, -1), x, 0)
    return reduced_by(reduction, losses)


def soft_margin_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """log(1 + exp(-target x)), then reduced, for a target of 1 or -1; nothing overflows. Shapes as in
    `mse_loss`."""
    known_reduction("soft_margin_loss", reduction)
    x, target = pair("soft_margin_loss", x, target)
    return reduced_by(reduction, softplus(neg(x * target)))


# --- classes -------------------------------------------------------------------------------


def _scores(call: str, x: Any, target: Any, ndim: int) -> tuple[Any, Any, bool]:
    """Scores (N, C) and class numbers that go with the first `ndim` of their axes; and whether they were
    those of one row, without N."""
    x, target = as_tensor_like(x), as_tensor_like(target)
    given = f"{call}: x {str_shape(tuple(x.shape))} with target {str_shape(tuple(target.shape))}"
    if x.dtype.kind != "f":
        raise DTypeError(f"{given}: x must be floating point, not {x.dtype}; cast it first")
    if target.dtype.kind not in "iu":
        raise DTypeError(f"{given}: target must hold class numbers, integers, not {target.dtype}; cast them")
    alone = len(x.shape) == 1
    if alone:
        x = expand_dims(x, 0)
        target = expand_dims(target, 0) if len(target.shape) == ndim - 1 else target
    if len(x.shape) != 2 or len(target.shape) != ndim or not all(map(sizes_match, target.shape, x.shape)):
        wanted = "(N,)" if ndim == 1 else "(N, C)"
        raise ShapeError(f"{given}: they must be (N, C) and {wanted}, or the same without N")
    for axis in range(ndim):
        x, target = of_one_size(call, x, axis, target, axis)
    return x, target, alone


def _of_rows(losses: Any, reduction: str, alone: bool) -> Any:
    return reduced_by(reduction, squeeze(losses, 0) if alone else losses)


def multi_margin_loss(
    x: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Any:
    """sum_j max(0, margin - x[target] + x[j])^p / C over all other classes j, then reduced: the class of the
    target shall be above all others by the margin. Crammer and Singer 2001.

    x (N, C) scores, or (C,); target (N,) integers from 0 to C - 1, or (). p: 1 or 2. weight (C,), if given,
    multiplies the losses of each class. SettingError for another p, RangeError for a class that there is not.
    """
    call = "multi_margin_loss"
    known_reduction(call, reduction)
    if p not in (1, 2):
        raise SettingError(f"{call}: p must be 1 or 2, not {p!r}")
    x, target, alone = _scores(call, x, target, 1)
    classes, places = x.shape[1], expand_dims(target, 1)
    own = one_hot(target, classes, bool)  # which refuses what is no class
    short = relu(as_number(call, "margin", margin) - gather(x, places, 1) + x)
    short = where(own, 0, short if p == 1 else short * short)
    if weight is not None:
        short = short * gather(expand_dims(as_tensor_like(weight), 1), places, 0)
    return _of_rows(sum(short, 1) / classes, reduction, alone)


def multilabel_margin_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """sum_ij max(0, 1 - x[i] + x[j]) / C over each class i that is named and each j that is not, then
    reduced: the classes that are named shall be above all others.

    x (N, C) scores, or (C,); target of that shape: integers from 0 to C - 1, up to the first negative one,
    which ends the list. RangeError for a class that there is not.
    """
    call = "multilabel_margin_loss"
    known_reduction(call, reduction)
    x, target, alone = _scores(call, x, target, 2)
    classes = x.shape[1]
    named = equal(cumsum(cast(less(target, 0), np.int64), 1), 0)
    places = where(named, target, 0)
    among = greater(scatter_sum(cast(named, x.dtype), places, 1, classes), 0)
    short = relu(1 - expand_dims(gather(x, places, 1), 2) + expand_dims(x, 1))
    left_out = logical_or(expand_dims(logical_not(named), 2), expand_dims(among, 1))
    return _of_rows(sum(where(left_out, 0, short), (1, 2)) / classes, reduction, alone)


def multilabel_soft_margin_loss(
    x: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The mean over classes, the last axis, of `binary_cross_entropy_with_logits`, then reduced; weight (C,)
    multiplies the losses of each class. Shapes as in `mse_loss`."""
    known_reduction("multilabel_soft_margin_loss", reduction)
    return reduced_by(reduction, mean(binary_cross_entropy_with_logits(x, target, weight, "none"), -1))


# --- likeness ------------------------------------------------------------------------------


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """`triplet_margin_with_distance_loss` with `pairwise_distance(..., p, eps)` for the distance.

    anchor, positive and negative (..., D).
    """

    def distance(a: Any, b: Any) -> Any:
        return pairwise_distance(a, b, p, eps)

    return triplet_margin_with_distance_loss(anchor, positive, negative, distance, margin, swap, reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), then reduced: the negative shall be further
    away than the positive by the margin.

    `distance_function` is d, by default `pairwise_distance`. `swap`: the negative is held against the
    nearer of anchor and positive. Balntas, Riba, Ponsa and Mikolajczyk 2016.
    """
    call = "triplet_margin_with_distance_loss"
    known_reduction(call, reduction)
    margin, distance = as_number(call, "margin", margin), distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced_by(reduction, clip(near - far + margin, 0))


def cosine_embedding_loss(
    x1: Any, x2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1, then reduced; cos is that of the angle
    between the rows of x1 and x2 (N, D), or (D,), with target (N,), or (). See `cosine_similarity`."""
    known_reduction("cosine_embedding_loss", reduction)
    cosine, target = cosine_similarity(x1, x2, -1, 1e-6), as_tensor_like(target)
    apart = clip(cosine - as_number("cosine_embedding_loss", "margin", margin), 0)
    losses = where(equal(target, 1), 1 - cosine, where(equal(target, -1), apart, 0))
    return reduced_by(reduction, losses)
