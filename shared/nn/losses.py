"""Losses as modules. The ops of the same names say what they compute and what they refuse."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.module import Module
from shared.state import Buffer


class _Loss(Module):
    """`loss(x, target)`, reduced: "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def settings(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class CrossEntropyLoss(_Loss):
    """Of logits (..., classes) and labels (...): see `ops.cross_entropy`. `weight` (classes,) is
    a Buffer, so that it is saved with the model."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        self.weight = None if weight is None else Buffer(weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, logits: Any, labels: Any) -> Any:
        return ops.cross_entropy(
            logits, labels, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(_Loss):
    """Of log-probabilities (..., classes) and labels (...): see `ops.nll_loss`. `weight` as in
    CrossEntropyLoss."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = None if weight is None else Buffer(weight)
        self.ignore_index = ignore_index

    def forward(self, log_probabilities: Any, labels: Any) -> Any:
        return ops.nll_loss(log_probabilities, labels, self.weight, self.ignore_index, self.reduction)


class MSELoss(_Loss):
    """The squared error: see `ops.mse_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.mse_loss(x, target, self.reduction)


class L1Loss(_Loss):
    """The absolute error: see `ops.l1_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.l1_loss(x, target, self.reduction)


class HuberLoss(_Loss):
    """Squared where it is small, absolute where it is large: see `ops.huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, x: Any, target: Any) -> Any:
        return ops.huber_loss(x, target, self.reduction, self.delta)


class BCELoss(_Loss):
    """Of probabilities and targets from 0 to 1: see `ops.binary_cross_entropy`."""

    def forward(self, p: Any, target: Any) -> Any:
        return ops.binary_cross_entropy(p, target, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Of logits and targets from 0 to 1: see `ops.binary_cross_entropy_with_logits`. `pos_weight`
    is a Buffer."""

    def __init__(self, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.pos_weight = None if pos_weight is None else Buffer(pos_weight)

    def forward(self, x: Any, target: Any) -> Any:
        return ops.binary_cross_entropy_with_logits(
            x, target, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """Of log-probabilities and a target distribution: see `ops.kl_div`; "batchmean" is the
    divergence proper."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, x: Any, target: Any) -> Any:
        return ops.kl_div(x, target, self.reduction, self.log_target)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `axis`: see `ops.cosine_similarity`."""

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        self.axis, self.eps = axis, eps

    def settings(self) -> str:
        return f"axis={self.axis}"

    def forward(self, x1: Any, x2: Any) -> Any:
        return ops.cosine_similarity(x1, x2, self.axis, self.eps)
