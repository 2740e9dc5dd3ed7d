"""Connectionist temporal classification: the probability of a text, whatever its alignment with the input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.errors import DTypeError, GradientError, RangeError, ShapeError
from shared.kernels.scatter import scatter_along
from shared.numerics.half import rounded
from shared.op import ZERO, Op, PlannerHints, Rule, array_module
from shared.ops.choosing import cast, equal, maximum, where
from shared.ops.distances import known_reduction
from shared.ops.reductions import mean, sum
from shared.ops.shapes import as_tensor_like, expand_dims, reshape, squeeze
from shared.spec import Operand, Spec, sizes_match, str_shape

# --- what is given -------------------------------------------------------------------------


def _infer_ctc_loss(
    log_p: Operand, targets: Operand, input_lengths: Operand, target_lengths: Operand, *, blank: int
) -> tuple[Spec, Spec]:
    given = f"ctc_loss: log_probs {str_shape(log_p.shape)}, targets {str_shape(targets.shape)}"
    if log_p.dtype.kind != "f":
        raise DTypeError(f"{given}: log_probs must be floating point, not {log_p.dtype}; cast them first")
    if len(log_p.shape) != 3 or len(targets.shape) not in (1, 2):
        raise ShapeError(
            f"{given}: they must be (T, N, C) and (N, S), or (S,), one after another; of one (T, C) and (S,)"
        )
    n, classes = log_p.shape[1:]
    if len(targets.shape) == 2 and not sizes_match(targets.shape[0], n):
        raise ShapeError(f"{given}: there must be a row of targets for each of N = {n}")
    lengths = ("input_lengths", input_lengths), ("target_lengths", target_lengths)
    for name, x in (("targets", targets), *lengths):
        if x.dtype.kind not in "iu":
            raise DTypeError(f"{given}: {name} must be integers, not {x.dtype}; cast them")
    for name, x in lengths:
        if len(x.shape) != 1 or not sizes_match(x.shape[0], n):
            raise ShapeError(f"{given}: {name} {str_shape(x.shape)} must have shape ({n},), one for each")
    if isinstance(classes, int) and not 0 <= blank < classes:
        raise RangeError(f"{given}: blank {blank} is none of the {classes} classes")
    return Spec((n,), log_p.dtype), Spec(log_p.shape, log_p.dtype)


def _within(name: str, values: Any, most: int) -> None:
    """RangeError unless all values are from 0 to `most`."""
    wrong = (values < 0) | (values > most)
    if bool(wrong.any()):
        at = int(wrong.reshape(-1).argmax())
        raise RangeError(
            f"ctc_loss: {name} {int(values.reshape(-1)[at])} (at position {at}) is out of range; "
            f"it goes from 0 to {most}"
        )


def _rows(targets: Any, lengths: Any, classes: int, blank: int) -> Any:
    """Targets as rows (N, S), blank behind each one's end."""
    xp = array_module(targets)
    if targets.ndim == 2:
        _within("a target's length", lengths, targets.shape[1])
        width = targets.shape[1]
    else:
        _within("a target's length", lengths, targets.size)
        _within("the sum of the targets' lengths", lengths.sum(), targets.size)
        width = int(lengths.max(initial=0))
    own = xp.arange(width) < lengths[:, None]
    if targets.ndim == 1:
        places = (lengths.cumsum() - lengths)[:, None] + xp.arange(width)
        behind = xp.full(1, blank, targets.dtype)
        targets = xp.concatenate([targets, behind])[xp.where(own, places, -1)]
    rows = xp.where(own, targets, blank)
    _within("a target", rows, classes - 1)
    return rows


# --- the recursions ------------------------------------------------------------------------


def _compute_ctc_loss(
    log_p: Any, targets: Any, input_lengths: Any, target_lengths: Any, *, blank: int
) -> tuple[Any, Any]:
    """Graves and others 2006, section 4.1, in logarithms of double precision: alpha sums the ways to a state,
    beta those from it to the end. States are blank, target, blank, target, ..., blank."""
    xp, (steps, n, classes) = array_module(log_p), log_p.shape
    input_lengths, target_lengths = input_lengths.astype(np.int64), target_lengths.astype(np.int64)
    _within("an input's length", input_lengths, steps)
    rows = _rows(targets, target_lengths, classes, blank)
    states = 2 * rows.shape[1] + 1
    labels = xp.full((n, states), blank, np.int64)
    labels[:, 1::2] = rows
    may_skip = xp.zeros((n, states), bool)
    may_skip[:, 3::2] = rows[:, 1:] != rows[:, :-1]
    every = xp.arange(n)
    said = log_p[:, every[:, None], labels].astype(np.float64)

    # States have two more before them, from which nothing comes, and steps have one more: before the first
    # one every way is in the first blank.
    alpha = xp.full((steps + 1, n, states + 2), -np.inf)
    alpha[0, :, 2] = 0
    for t in range(steps):
        come = np.logaddexp(alpha[t, :, 2:], alpha[t, :, 1:-1])
        come = np.logaddexp(come, xp.where(may_skip, alpha[t, :, :-2], -np.inf))
        alpha[t + 1, :, 2:] = come + said[t]
    alpha = alpha[:, :, 2:]

    last, before = 2 * target_lengths, np.maximum(2 * target_lengths - 1, 0)
    end = xp.full((n, states), -np.inf)
    end[every, last] = 0
    end[every, before] = 0
    total = np.logaddexp(
        alpha[input_lengths, every, last], xp.where(last > 0, alpha[input_lengths, every, before], -np.inf)
    )
    known = xp.where(np.isfinite(total), total, 0)[:, None]  # of what has no way, every way's share is 0
    after = xp.full((n, states + 2), -np.inf)
    may_skip = xp.concatenate([may_skip[:, 2:], xp.zeros((n, 2), bool)], axis=1)[:, :states]
    for t in range(steps, 0, -1):
        beta = np.logaddexp(after[:, :-2], after[:, 1:-1])
        beta = np.logaddexp(beta, xp.where(may_skip, after[:, 2:], -np.inf))
        beta = xp.where((input_lengths == t)[:, None], end, beta)
        alpha[t] += beta - known
        after[:, :-2] = beta + said[t - 1]
    shares = np.exp(alpha[1:]).reshape(steps * n, states, 1)
    places = xp.broadcast_to(labels, (steps, n, states)).reshape(shares.shape)
    slope = np.negative(scatter_along(shares, places, classes)).reshape(log_p.shape)
    return rounded(-total, log_p.dtype), rounded(slope, log_p.dtype)


def _ctc_workspace(log_p: Spec, targets: Spec, *lengths: Spec, blank: int) -> int:
    """Three numbers in double precision for each step and state, and one for each class."""
    steps, n, classes = (int(size) for size in log_p.shape)
    return 8 * steps * n * (3 * (2 * int(targets.shape[-1]) + 3) + classes)


def _ctc_rule(
    g: Any, y: Any, log_p: Any, targets: Any, input_lengths: Any, target_lengths: Any, *, blank: int
) -> Any:
    if g[1] is not None:
        raise GradientError(
            "ctc_loss: its second derivative is not written, nor has PyTorch one; detach the first"
        )
    return y[1] * expand_dims(g[0], 1)


_ctc_loss = Op(
    "ctc_loss",
    _compute_ctc_loss,
    _infer_ctc_loss,
    [Rule(_ctc_rule, reads="slope"), ZERO, ZERO, ZERO],
    outputs=("y", "slope"),
    check=True,
    judges=(1, 2, 3),
    hints=PlannerHints(workspace=_ctc_workspace),
)


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0,
    reduction: str = "mean", zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """-log of the probability of each target, over all its alignments with its input, as
    `torch.nn.functional.ctc_loss`. Graves, Fernandez, Gomez and Schmidhuber 2006.

    log_probs       (T, N, C) as log_softmax gives them, or (T, C) of one
    targets         class numbers: (N, S), of which a row counts up to its length, or (sum of lengths,), one
                    behind the other; `blank` is none of them
    input_lengths, target_lengths  (N,) integers, or () of one: how many steps, and classes, count
    reduction       "mean" over N, each loss divided by its target's length (1 for none), "sum" or "none"
    zero_infinity   0 for infinite losses, as of a target that is longer than its input

    The gradient is that of the formula, minus the share of each class at each step; PyTorch's adds
    exp(log_probs), which log_softmax takes off again. Of an infinite loss it is 0, where PyTorch's is NaN.
    There is no second derivative (GradientError). RangeError for lengths and classes out of range, ShapeError
    for what does not fit.
    """
    known_reduction("ctc_loss", reduction)
    log_probs, targets = as_tensor_like(log_probs), as_tensor_like(targets)
    input_lengths, target_lengths = as_tensor_like(input_lengths), as_tensor_like(target_lengths)
    alone = len(log_probs.shape) == 2
    if alone:
        log_probs, targets = expand_dims(log_probs, 1), reshape(targets, (1, -1))
        input_lengths, target_lengths = (reshape(x, (1,)) for x in (input_lengths, target_lengths))
    losses = _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=int(blank))[0]
    if zero_infinity:
        losses = where(equal(losses, math.inf), 0, losses)
    if reduction == "mean":
        return mean(losses / cast(maximum(target_lengths, 1), losses.dtype))
    return sum(losses) if reduction == "sum" else squeeze(losses, 0) if alone else losses
