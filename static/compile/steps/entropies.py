"""Cross-entropies of several batches of one size as one op, and one loss for each.

Unlisted: the pass `rows` puts it in the place of `cross_entropy` at every step of an unrolled loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import RangeError
from shared.numerics.summing import total
from shared.op import TABLE, Op, put
from shared.spec import Operand, Spec

_one = TABLE["cross_entropy"]


def _compute(
    logits: Any, labels: Any, *, reduction: str, out: Any = (None, None, None), **settings: Any
) -> tuple[Any, Any, Any]:
    try:
        out, into = (None, *out[1:]), out[0]
        losses, slope, share = _one.compute(logits, labels, reduction="none", out=out, **settings)
    except RangeError:  # the batch itself tells which of its labels it is
        for batch, own in zip(logits, labels, strict=True):
            _one.compute(batch, own, reduction=reduction, **settings)
        raise
    if reduction == "none":
        return put(losses, into), slope, share
    axes = tuple(range(1, losses.ndim))
    y = total(losses, axes)
    if reduction == "mean":
        number = total(share, axes)
        with np.errstate(invalid="ignore"):  # of no label that counts the mean is NaN
            y = y / number
        each = (1 / np.maximum(number, 1)).reshape(-1, *[1] * len(axes))
        share *= each
        slope *= each[..., None]
    return put(y, into), slope, share


def _infer(
    logits: Operand, labels: Operand, *, reduction: str, **settings: Any
) -> tuple[Spec, Spec, Spec]:
    y, slope, share = _one.infer(logits, labels, reduction="none", **settings)
    return y if reduction == "none" else Spec(y.shape[:1], y.dtype), slope, share


cross_entropies = Op(
    "cross_entropies", _compute, _infer, outputs=_one.outputs, constant=_one.constant, out=True, check=True,
    listed=False,
    doc="`cross_entropy` of each batch: logits (batches, ..., classes), labels (batches, ...).",
)  # fmt: skip
