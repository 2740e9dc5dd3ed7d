"""Losses."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.table import onnx_op


@onnx_op("NegativeLogLikelihoodLoss", since=12)
def negative_log_likelihood(
    x: Any, labels: Any, weight: Any = None, *, ignore_index: int | None = None, reduction: str = "mean"
) -> Any:
    """-x at each label, of (N, C, ...), each by the weight of its class; a mean is by weights too."""
    kept = None if ignore_index is None else ops.not_equal(labels, ignore_index)
    index = labels if kept is None else ops.where(kept, labels, ops.mul(labels, 0))
    index = ops.cast(index, "int64")
    loss = ops.neg(ops.squeeze(ops.gather(x, ops.expand_dims(index, 1), 1), 1))
    each = None if weight is None else ops.take(weight, index, 0)
    if kept is not None:
        share = ops.cast(kept, x.dtype)
        each = share if each is None else ops.mul(each, share)
    loss = loss if each is None else ops.mul(loss, each)
    if reduction == "none":
        return loss
    total = ops.sum(loss)
    if reduction == "sum":
        return total
    return ops.mean(loss) if each is None else ops.div(total, ops.sum(each))


@onnx_op("SoftmaxCrossEntropyLoss", since=12)
def softmax_cross_entropy(
    scores: Any, labels: Any, weights: Any = None, *, ignore_index: int | None = None,
    reduction: str = "mean", outputs: int = 1,
) -> Any:  # fmt: skip
    """The same of the logarithm of softmax over axis 1, which is given too, if asked for."""
    logs = ops.log_softmax(scores, 1)
    loss = negative_log_likelihood(logs, labels, weights, ignore_index=ignore_index, reduction=reduction)
    return (loss, logs) if outputs > 1 else loss
