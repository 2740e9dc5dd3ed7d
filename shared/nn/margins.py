"""Losses that ask for a margin, as modules. The ops of the same names say what they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.nn.losses import Loss, kept


class _MarginLoss(Loss):
    """What the losses of a margin and a reduction alone share."""

    def __init__(self, margin: float, reduction: str) -> None:
        super().__init__(reduction)
        self.margin = margin


class MarginRankingLoss(_MarginLoss):
    """Of two scores and which shall be the higher: see `ops.margin_ranking_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        return ops.margin_ranking_loss(x1, x2, target, self.margin, self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """Of distances, and whether they are of like things: see `ops.hinge_embedding_loss`."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x: Any, target: Any) -> Any:
        return ops.hinge_embedding_loss(x, target, self.margin, self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """Of two vectors, and whether they are of like things: see `ops.cosine_embedding_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin, reduction)

    def forward(self, x1: Any, x2: Any, target: Any) -> Any:
        return ops.cosine_embedding_loss(x1, x2, target, self.margin, self.reduction)


class SoftMarginLoss(Loss):
    """Of scores and targets of 1 and -1: see `ops.soft_margin_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.soft_margin_loss(x, target, self.reduction)


class MultiMarginLoss(_MarginLoss):
    """Of scores of classes, and the one that shall be above: see `ops.multi_margin_loss`. `weight` is a
    Buffer."""

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(margin, reduction)
        self.p, self.weight = p, kept(weight)

    def forward(self, x: Any, target: Any) -> Any:
        return ops.multi_margin_loss(x, target, self.p, self.margin, self.weight, self.reduction)


class MultiLabelMarginLoss(Loss):
    """Of scores of classes, and those that shall be above: see `ops.multilabel_margin_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.multilabel_margin_loss(x, target, self.reduction)


class MultiLabelSoftMarginLoss(Loss):
    """Of logits of classes, and for each whether it is one: see `ops.multilabel_soft_margin_loss`.
    `weight` is a Buffer."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = kept(weight)

    def forward(self, x: Any, target: Any) -> Any:
        return ops.multilabel_soft_margin_loss(x, target, self.weight, self.reduction)


class TripletMarginLoss(_MarginLoss):
    """Of a vector, one of a like thing and one of another: see `ops.triplet_margin_loss`."""

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False,
        reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, reduction)
        self.p, self.eps, self.swap = p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        settings = self.margin, self.p, self.eps, self.swap, self.reduction
        return ops.triplet_margin_loss(anchor, positive, negative, *settings)


class TripletMarginWithDistanceLoss(_MarginLoss):
    """The same, with a distance of one's own: see `ops.triplet_margin_with_distance_loss`."""

    def __init__(
        self, distance_function: Callable[[Any, Any], Any] | None = None, margin: float = 1.0,
        swap: bool = False, reduction: str = "mean",
    ) -> None:  # fmt: skip
        super().__init__(margin, reduction)
        self.distance_function, self.swap = distance_function, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        settings = self.distance_function, self.margin, self.swap, self.reduction
        return ops.triplet_margin_with_distance_loss(anchor, positive, negative, *settings)
