"""Losses: what training makes small."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DTypeError, RangeError, ShapeError
from shared.op import Joint, Op, array_module
from shared.ops.creation import full
from shared.ops.lookup import scatter_sum
from shared.ops.reductions import sum
from shared.ops.shapes import as_tensor_like, expand_dims
from shared.spec import Operand, Spec, float_dtype, sizes_match, str_shape


def _check_labels(labels: Any, classes: int) -> None:
    if labels.size and not (0 <= int(labels.min()) and int(labels.max()) < classes):
        flat = labels.reshape(-1)
        at = int(np.flatnonzero((flat < 0) | (flat >= classes))[0])
        raise RangeError(
            f"cross_entropy: label {int(flat[at])} (at position {at}) is out of range for "
            f"{classes} classes; labels go from 0 to {classes - 1}"
        )


def _compute_cross_entropy(logits: Any, labels: Any) -> tuple[Any, Any]:
    xp = array_module(logits)
    classes = logits.shape[-1]
    _check_labels(labels, classes)
    x, flat = logits.reshape(-1, classes), labels.reshape(-1)
    top = np.maximum.reduce(x, axis=1, keepdims=True)
    e = np.exp(x - top)
    total = np.add.reduce(e, axis=1, keepdims=True)
    chosen = x[xp.arange(flat.size), flat][:, None]
    losses = np.log(total) + top - chosen
    return xp.mean(losses), (e / total).reshape(logits.shape)


def _infer_cross_entropy(logits: Operand, labels: Operand) -> tuple[Spec, Spec]:
    given = f"cross_entropy: logits {str_shape(logits.shape)} with labels {str_shape(labels.shape)}"
    if labels.dtype.kind not in "iu":
        raise DTypeError(
            f"{given}: labels must be integers (class numbers), not {labels.dtype}; "
            "cast them, or take argmax of one-hot rows"
        )
    lead = logits.shape[:-1]
    if len(lead) != len(labels.shape) or not all(map(sizes_match, lead, labels.shape)):
        raise ShapeError(
            f"{given}: labels need the logits' shape without the last axis, the classes: "
            f"{str_shape(lead)}"
        )
    dtype = float_dtype(logits)
    return Spec((), dtype), Spec(logits.shape, dtype)


def _cross_entropy_rule(
    g: Any, y: Any, logits: Any, labels: Any, *, wanted: Any
) -> tuple[Any, None]:
    """d loss / d logits = (p - onehot) / count. The rule reads p, which is an output, so p's
    own cotangent (second derivatives bring it) goes back through softmax: p (h - sum(h p))."""
    g_loss, g_p = g
    p = y[1]
    found = None
    if g_loss is not None:
        hits = full(labels.shape, 1, p.dtype, like=p)
        axis = len(labels.shape)
        onehot = scatter_sum(expand_dims(hits, axis), expand_dims(labels, axis), axis, p.shape[-1])
        found = (p - onehot) * (g_loss / labels.size)
    if g_p is not None:
        through = p * (g_p - sum(g_p * p, -1, keepdims=True))
        found = through if found is None else found + through
    return found, None


_cross_entropy = Op(
    "cross_entropy",
    _compute_cross_entropy,
    _infer_cross_entropy,
    Joint(_cross_entropy_rule, reads="labels p"),
    outputs=("y", "p"),
)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The mean of -log softmax(logits)[label], a 0-d value.

    logits (..., classes) in floating point, labels (...) integers from 0 to classes - 1.
    Finite for any finite logits. Raises RangeError for a label outside, ShapeError and
    DTypeError for arguments that do not fit.
    """
    logits, labels = as_tensor_like(logits), as_tensor_like(labels)
    return _cross_entropy(logits, labels)[0]
