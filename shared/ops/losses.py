"""Losses of classifiers: cross-entropy and its kin. Classes stand last unless a call says `axis=`.

Losses that compare arrays element by element are in `shared.ops.distances`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.device.capture import capturing, refuse_if
from shared.dims import Size, same_size
from shared.errors import DTypeError, RangeError, SettingError, ShapeError
from shared.numerics.half import in_single
from shared.numerics.summing import average, total
from shared.op import ZERO, Op, Rule, array_module, put
from shared.ops.choosing import cast, equal, floating, where
from shared.ops.distances import known_reduction, of_shape, reduced_by
from shared.ops.elementwise import neg
from shared.ops.indexing import getitem
from shared.ops.lookup import extremes, gather, scatter_sum
from shared.ops.reductions import argmax, mean, sum
from shared.ops.shapes import as_tensor_like, expand_dims, squeeze, transpose
from shared.ops.softmaxes import log_softmax
from shared.spec import Operand, Spec, as_number, one_axis, sizes_match, str_shape

IGNORED = -100
"""The label that does not count, unless a call says otherwise: PyTorch's number."""


# --- labels --------------------------------------------------------------------------------


def _check_labels(call: str, scores: Operand, labels: Operand) -> None:
    given = f"{call}: logits {str_shape(scores.shape)} with labels {str_shape(labels.shape)}"
    if labels.dtype.kind not in "iu":
        raise DTypeError(
            f"{given}: labels must be integers (class numbers), not {labels.dtype}; "
            "cast them, or give cross_entropy probabilities in the logits' shape"
        )
    if scores.dtype.kind != "f":
        raise DTypeError(f"{given}: logits must be floating point, not {scores.dtype}; cast them first")
    if not scores.shape or same_size(scores.shape[-1], 0):
        raise ShapeError(f"{given}: logits need an axis of classes, the last, that is not empty")
    lead = scores.shape[:-1]
    if len(lead) != len(labels.shape) or not all(map(sizes_match, lead, labels.shape)):
        raise ShapeError(
            f"{given}: labels need the logits' shape without the last axis, the classes: {str_shape(lead)}; "
            "of classes that stand on another axis say which, as in axis=1"
        )


def _classes_last(call: str, scores: Any, axis: int) -> Any:
    """Scores with their classes on the last axis."""
    ndim = len(scores.shape)
    axis = one_axis(call, axis, ndim) if ndim else -1  # of a single number the check below says more
    if axis in (-1, ndim - 1):
        return scores
    return transpose(scores, (*range(axis), *range(axis + 1, ndim), axis))


def _counted(call: str, labels: Any, classes: int, ignored: int) -> Any:
    """Which labels count, as bools; None if all do. RangeError for one that is no class."""
    if labels.size == 0:
        return None
    if not capturing():
        low, high = extremes(labels)
        if 0 <= low and high < classes and not low <= ignored <= high:
            return None
    counts = labels != ignored
    flat = labels.reshape(-1)
    wrong = counts.reshape(-1) & ((flat < 0) | (flat >= classes))

    def error() -> RangeError:
        at = int(wrong.argmax())
        return RangeError(
            f"{call}: label {int(flat[at])} (at position {at}) is out of range for "
            f"{classes} classes; labels go from 0 to {classes - 1}, and {ignored} is ignored"
        )

    refuse_if(wrong.any(), error)
    return counts


# --- cross-entropy -------------------------------------------------------------------------


@in_single
def _compute_cross_entropy(
    logits: Any, labels: Any, *, ignored: int, smoothing: float, reduction: str,
    out: Any = (None, None, None),
) -> tuple[Any, Any, Any]:  # fmt: skip
    xp, classes, dtype = array_module(logits), logits.shape[-1], logits.dtype
    counts = _counted("cross_entropy", labels, classes, ignored)
    flat = (labels if counts is None else xp.where(counts, labels, 0)).reshape(-1)
    aims = xp.arange(0, flat.size * classes, classes)
    aims += flat.astype(aims.dtype, copy=False)  # where the labels' own are, row behind row

    x = logits.reshape(flat.size, classes)
    largest = np.maximum.reduce(x, axis=1, keepdims=True, initial=-np.inf)
    e = np.subtract(x, largest, out=None if out[1] is None else out[1].reshape(x.shape), order="C")
    every = e.reshape(-1)
    hit = every[aims]
    aimed = (1 - smoothing) * hit + smoothing * average(e, (1,)) if smoothing else hit
    np.exp(e, out=e)
    every[aims] = 0  # the label's own is kept apart: beside it, the others may be lost
    rest = total(e, (1,))
    more = np.expm1(hit)
    more += rest
    losses = np.log1p(more) - aimed
    more += 1  # the sum of all exponentials

    share = xp.empty(flat.size, dtype)
    share.fill(1)
    number: Any = flat.size
    if counts is not None:
        counts = counts.reshape(-1)
        number = counts.sum(dtype=dtype) if capturing() else int(counts.sum())
        losses, share = xp.where(counts, losses, 0), counts.astype(dtype)
    if reduction == "mean" and (capturing() or number):
        share /= np.maximum(number, 1) if capturing() else number
    e *= (share / more)[:, None]
    every[aims] = share * (smoothing - rest / more)
    if smoothing:
        e -= (share * (smoothing / classes))[:, None]
    y = losses.reshape(labels.shape)
    if reduction != "none":
        y = total(losses, (0,))
        if reduction == "mean":
            y = y / number if capturing() or number else xp.asarray(np.nan, dtype)
    slope = e.reshape(logits.shape) if out[1] is None else out[1]
    return put(y, out[0]), slope, put(share.reshape(labels.shape), out[2])


def _infer_cross_entropy(
    logits: Operand, labels: Operand, *, ignored: int, smoothing: float, reduction: str
) -> tuple[Spec, Spec, Spec]:
    _check_labels("cross_entropy", logits, labels)
    y = labels.shape if reduction == "none" else ()
    dtype = logits.dtype
    return Spec(y, dtype), Spec(logits.shape, dtype), Spec(labels.shape, dtype)


def _cross_entropy_rule(
    g: Any, y: Any, logits: Any, labels: Any, *, ignored: int, smoothing: float, reduction: str
) -> Any:
    """slope = share (softmax(logits) - target) is the derivative itself. Its own cotangent, which
    second derivatives bring, goes back through softmax: share p (h - sum(h p))."""
    g_y, g_slope, _ = g
    _, slope, share = y
    found = None
    if g_y is not None:
        found = slope * (expand_dims(g_y, -1) if reduction == "none" else g_y)
    if g_slope is not None:
        axis = len(labels.shape)
        share, classes = expand_dims(share, axis), slope.shape[axis]
        counts = equal(labels, ignored)
        index = expand_dims(where(counts, 0, labels), axis)
        target = scatter_sum((1 - smoothing) * share, index, axis, classes)
        if smoothing:
            target = target + share * smoothing / classes
        p = slope + target  # share p; no row of no share has any
        through = p * g_slope - p * (sum(p * g_slope, axis, keepdims=True) / where(equal(share, 0), 1, share))
        found = through if found is None else found + through
    return found


_cross_entropy = Op(
    "cross_entropy",
    _compute_cross_entropy,
    _infer_cross_entropy,
    [Rule(_cross_entropy_rule, reads="labels slope share"), ZERO],
    outputs=("y", "slope", "share"),
    constant=("share",),
    out=True,
    check=True,
    judges=(1,),
    admits=lambda logits, labels, *, ignored, smoothing, reduction: _counted(
        "cross_entropy", labels, logits.shape[-1], ignored
    ),
)


def cross_entropy(
    logits: Any, labels: Any, weight: Any = None, ignore_index: int = IGNORED,
    reduction: str = "mean", label_smoothing: float = 0.0, axis: int = -1,
) -> Any:  # fmt: skip
    """-log softmax(logits)[label], as `torch.nn.functional.cross_entropy`, but classes last.

    logits (..., classes) in floating point, labels (...) integers from 0 to classes - 1, or
    `ignore_index`: such a label counts for nothing. weight (classes,), if given, says how much
    each class counts. `label_smoothing` takes that share off the label and spreads it evenly
    over all classes (Szegedy et al. 2016). reduction: "mean" (over what counts, by weight; NaN
    if nothing does) and "sum" give a 0-d value, "none" one for each label. Finite for any
    finite logits.

    axis    where the classes stand: PyTorch's (N, C, d1, ...) is axis=1. Which axis is meant is
            never guessed from the labels' shape, since (N, C, d) with C = d has two that fit
    labels  may be probabilities instead, in floating point and the logits' shape: then the loss is
            -sum(labels log softmax(logits)) over the classes, and "mean" is over all of them

    Raises RangeError for a label outside, ShapeError and DTypeError for arguments that do not
    fit, SettingError for a smoothing that is no share.
    """
    logits, labels = as_tensor_like(logits), as_tensor_like(labels)
    known_reduction("cross_entropy", reduction)
    logits = _classes_last("cross_entropy", logits, axis)
    label_smoothing = as_number("cross_entropy", "label_smoothing", label_smoothing)
    if not 0 <= label_smoothing <= 1:
        raise SettingError(f"cross_entropy: label_smoothing must be from 0 to 1, not {label_smoothing!r}")
    if labels.dtype.kind == "f" and len(labels.shape) == len(logits.shape):
        labels = _classes_last("cross_entropy", labels, axis)
        return _of_probabilities(logits, labels, weight, reduction, label_smoothing)
    if weight is None:
        return _cross_entropy(
            logits, labels, ignored=int(ignore_index), smoothing=label_smoothing,
            reduction=reduction,
        )[0]  # fmt: skip
    _check_labels("cross_entropy", logits, labels)
    return _weighted("cross_entropy", log_softmax(logits), labels, weight, ignore_index, reduction,
                     label_smoothing)  # fmt: skip


# --- out of plain ops ----------------------------------------------------------------------


def _compute_class_index(
    scores: Any, labels: Any, weight: Any = None, *, ignored: int, call: str
) -> tuple[Any, Any]:
    xp = array_module(labels)
    counts = _counted(call, labels, scores.shape[-1], ignored)
    if counts is None:
        return labels.astype(np.int64), xp.ones(labels.shape, bool)
    return xp.where(counts, labels, 0).astype(np.int64), counts


def check_weight(call: str, weight: Operand, classes: Size) -> None:
    """ShapeError unless there is one weight for each class."""
    if len(weight.shape) != 1 or not sizes_match(weight.shape[0], classes):
        raise ShapeError(
            f"{call}: weight {str_shape(tuple(weight.shape))} must have shape ({classes},), one for each "
            "class"
        )


def _infer_class_index(
    scores: Operand, labels: Operand, weight: Operand = None, *, ignored: int, call: str
) -> tuple[Spec, Spec]:
    _check_labels(call, scores, labels)
    classes = scores.shape[-1]
    if weight is not None:
        check_weight(call, weight, classes)
    return Spec(labels.shape, np.dtype(np.int64)), Spec(labels.shape, np.dtype(bool))


_class_index = Op(
    "class_index",
    _compute_class_index,
    _infer_class_index,
    [ZERO, ZERO, ZERO],
    outputs=("index", "counts"),
    check=True,
    judges=(1,),
    admits=lambda scores, labels, weight=None, *, ignored, call: _counted(
        call, labels, scores.shape[-1], ignored
    ),
)


def _weighted(
    call: str, log_p: Any, labels: Any, weight: Any, ignored: int, reduction: str, smoothing: float = 0.0
) -> Any:
    """-log p[label], each label counting by its class's weight; a part `smoothing` of it spread."""
    if log_p.dtype == np.float16:  # the sums of many labels leave its range
        given = labels, weight, ignored, reduction, smoothing
        return cast(_weighted(call, cast(log_p, np.float32), *given), log_p.dtype)
    weights = () if weight is None else (as_tensor_like(weight),)
    index, counts = _class_index(log_p, labels, *weights, ignored=int(ignored), call=call)
    shares: Any = cast(counts, log_p.dtype)
    picked = neg(squeeze(gather(log_p, expand_dims(index, -1), -1), -1))
    for weight in weights:
        chosen = getitem(weight, index)
        shares, picked = shares * chosen, picked * chosen
    if smoothing:
        spread = neg(sum(log_p if weight is None else log_p * weight, -1)) * smoothing / log_p.shape[-1]
        picked = picked * (1 - smoothing) + spread
    losses = where(counts, picked, 0)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return sum(losses)
    counted = sum(shares)
    return sum(losses) / where(equal(counted, 0), np.nan, counted)  # without NumPy's warning of 0 / 0


def _of_probabilities(logits: Any, target: Any, weight: Any, reduction: str, smoothing: float) -> Any:
    """Cross-entropy with a distribution over the classes, the last axis."""
    call = "cross_entropy"
    if logits.dtype.kind != "f" or not logits.shape:
        _check_labels(call, logits, as_tensor_like(np.int64(0)))  # which says what is wrong with them
    target, classes, log_p = of_shape(call, target, logits), logits.shape[-1], log_softmax(logits)
    if weight is not None:
        weight = as_tensor_like(weight)
        check_weight(call, weight, classes)
        log_p = log_p * weight
    losses = neg(sum(target * log_p, -1))
    if smoothing:
        losses = losses * (1 - smoothing) - sum(log_p, -1) * smoothing / classes
    return reduced_by(reduction, losses)


def nll_loss(
    log_probabilities: Any, labels: Any, weight: Any = None, ignore_index: int = IGNORED,
    reduction: str = "mean", axis: int = -1,
) -> Any:  # fmt: skip
    """-log_probabilities[label], as `torch.nn.functional.nll_loss`, but classes last.

    log_probabilities (..., classes), as log_softmax gives them; the rest as in `cross_entropy`,
    which does both at once and is faster.
    """
    scores, labels = as_tensor_like(log_probabilities), as_tensor_like(labels)
    scores = _classes_last("nll_loss", scores, axis)
    return _weighted("nll_loss", scores, labels, weight, ignore_index,
                     known_reduction("nll_loss", reduction))  # fmt: skip


def accuracy(logits: Any, labels: Any) -> Any:
    """The share of rows whose largest element is the label's: float32, 0-d, without gradient.

    logits (..., classes), any real scores; labels (...) integers. Of equal largest the first counts.
    """
    scores, labels = floating(logits), as_tensor_like(labels)
    _check_labels("accuracy", scores, labels)
    chosen = argmax(scores, -1)
    return mean(cast(equal(chosen, of_shape("accuracy", labels, chosen)), np.float32))
