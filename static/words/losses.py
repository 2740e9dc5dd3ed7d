"""`static.losses`: one number for each loss, weighted, and kept in a collection; and `static.metrics`."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from static.graph.collections import (
    LOCAL_VARIABLES,
    REGULARIZATION_LOSSES,
    GraphKeys,
    add_to_collection,
    get_collection,
    local_variables,
)
from static.graph.create import group
from static.graph.graph import Node
from static.graph.operands import as_tensor
from static.graph.variables import Variable
from static.words import nn


def compute_weighted_loss(losses: Any, weights: Any = 1.0) -> Any:
    """sum(losses weights) over the number of weights that are not zero."""
    losses = as_tensor(losses)
    spread = ops.broadcast_to(ops.cast(as_tensor(weights), losses.dtype), losses.shape)
    counted = ops.sum(ops.cast(ops.not_equal(spread, 0), losses.dtype))
    loss = ops.sum(losses * spread) / ops.maximum(counted, 1)
    add_to_collection(GraphKeys.LOSSES, loss)
    return loss


def softmax_cross_entropy(onehot_labels: Any, logits: Any, weights: Any = 1.0) -> Any:
    """See `nn.softmax_cross_entropy_with_logits`."""
    each = nn.softmax_cross_entropy_with_logits(labels=onehot_labels, logits=logits)
    return compute_weighted_loss(each, weights)


def sparse_softmax_cross_entropy(labels: Any, logits: Any, weights: Any = 1.0) -> Any:
    """See `nn.sparse_softmax_cross_entropy_with_logits`."""
    each = nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return compute_weighted_loss(each, weights)


def sigmoid_cross_entropy(multi_class_labels: Any, logits: Any, weights: Any = 1.0) -> Any:
    """See `nn.sigmoid_cross_entropy_with_logits`."""
    each = nn.sigmoid_cross_entropy_with_logits(labels=multi_class_labels, logits=logits)
    return compute_weighted_loss(each, weights)


def mean_squared_error(labels: Any, predictions: Any, weights: Any = 1.0) -> Any:
    """(predictions - labels)^2."""
    return compute_weighted_loss(ops.square(_float(predictions) - _float(labels)), weights)


def absolute_difference(labels: Any, predictions: Any, weights: Any = 1.0) -> Any:
    """|predictions - labels|."""
    return compute_weighted_loss(ops.abs(_float(predictions) - _float(labels)), weights)


def huber_loss(labels: Any, predictions: Any, weights: Any = 1.0, delta: float = 1.0) -> Any:
    """See `ops.huber_loss`."""
    each = ops.huber_loss(_float(predictions), _float(labels), reduction="none", delta=delta)
    return compute_weighted_loss(each, weights)


def _float(x: Any) -> Any:
    x = as_tensor(x)
    return x if x.dtype.kind == "f" else ops.cast(x, "float32")


def sequence_loss(
    logits: Any, targets: Any, weights: Any, average_across_timesteps: bool = True,
    average_across_batch: bool = True,
) -> Any:  # fmt: skip
    """Cross-entropy of logits (N, T, classes) with targets (N, T), weighted (N, T): averaged over both axes
    by weight, or left as it is along one."""
    each = nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits) * weights
    averaged = average_across_batch, average_across_timesteps
    axes = [axis for axis in (0, 1) if averaged[axis]]
    if not axes:
        return each
    weights = ops.broadcast_to(as_tensor(weights), each.shape)
    return ops.sum(each, tuple(axes)) / (ops.sum(weights, tuple(axes)) + 1e-12)


def get_losses(scope: str | None = None) -> list[Any]:
    """What the functions of this file have made."""
    return get_collection(GraphKeys.LOSSES, scope)


def get_regularization_losses(scope: str | None = None) -> list[Any]:
    """What regularizers have made."""
    return get_collection(REGULARIZATION_LOSSES, scope)


def get_regularization_loss(scope: str | None = None) -> Any:
    """Their sum; 0 if there are none."""
    return sum(get_regularization_losses(scope), as_tensor(np.float32(0)))


def get_total_loss(add_regularization_losses: bool = True) -> Any:
    """The sum of all losses, and of what regularizers have made."""
    more = get_regularization_losses() if add_regularization_losses else []
    return sum([*get_losses(), *more], as_tensor(np.float32(0)))


# --- metrics ---------------------------------------------------------------------------------------


def _counter(name: str) -> Variable:
    made = Variable(np.float32(0), trainable=False, name=name)
    add_to_collection(LOCAL_VARIABLES, made)
    return made


def mean(values: Any, weights: Any = None) -> tuple[Any, Any]:
    """(the mean of all values so far, the same after these ones, which are counted by fetching it)."""
    values = _float(values)
    shares = ops.ones_like(values) if weights is None else ops.broadcast_to(_float(weights), values.shape)
    total, count = _counter("mean/total"), _counter("mean/count")
    so_far = total.value() / ops.maximum(count.value(), 1e-12)
    moved = total.assign_add(ops.sum(values * shares)), count.assign_add(ops.sum(shares))
    return so_far, moved[0] / ops.maximum(moved[1], 1e-12)


def accuracy(labels: Any, predictions: Any, weights: Any = None) -> tuple[Any, Any]:
    """(the share of predictions so far that are the labels, the same after these, which are counted by
    fetching it)."""
    labels, predictions = as_tensor(labels), as_tensor(predictions)
    return mean(ops.equal(predictions, ops.cast(labels, predictions.dtype)), weights)


def mean_metric_squared_error(labels: Any, predictions: Any, weights: Any = None) -> tuple[Any, Any]:
    """The same of (predictions - labels)^2."""
    return mean(ops.square(_float(predictions) - _float(labels)), weights)


def local_variables_initializer() -> Node:
    """The operation that sets what metrics count in back to 0."""
    return group(*[variable.initializer for variable in local_variables()], name="init_local")
