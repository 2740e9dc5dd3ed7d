"""Losses as modules. The ops of the same names say what they compute and what they refuse."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.module import Module
from shared.state import Buffer


def kept(weight: Any) -> Buffer | None:
    """Weights as a Buffer, so that they are saved with the model."""
    return None if weight is None else Buffer(weight)


class Loss(Module):
    """`loss(x, target)`, reduced: "mean", "sum" or "none"."""

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction

    def settings(self) -> str:
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class CrossEntropyLoss(Loss):
    """Of logits (..., classes) and labels (...), or probabilities like the logits; with `axis=1`, of
    PyTorch's (N, classes, ...): see `ops.cross_entropy`. `weight` (classes,) is a Buffer, so that it
    is saved with the model."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean",
        label_smoothing: float = 0.0, axis: int = -1,
    ) -> None:  # fmt: skip
        super().__init__(reduction)
        self.weight = kept(weight)
        self.ignore_index, self.label_smoothing, self.axis = ignore_index, label_smoothing, axis

    def forward(self, logits: Any, labels: Any) -> Any:
        return ops.cross_entropy(
            logits, labels, self.weight, self.ignore_index, self.reduction, self.label_smoothing, self.axis
        )


class NLLLoss(Loss):
    """Of log-probabilities (..., classes) and labels (...): see `ops.nll_loss`. `weight` as in
    CrossEntropyLoss."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", axis: int = -1
    ) -> None:
        super().__init__(reduction)
        self.weight = kept(weight)
        self.ignore_index, self.axis = ignore_index, axis

    def forward(self, log_probabilities: Any, labels: Any) -> Any:
        return ops.nll_loss(
            log_probabilities, labels, self.weight, self.ignore_index, self.reduction, self.axis
        )


class MSELoss(Loss):
    """The squared error: see `ops.mse_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.mse_loss(x, target, self.reduction)


class L1Loss(Loss):
    """The absolute error: see `ops.l1_loss`."""

    def forward(self, x: Any, target: Any) -> Any:
        return ops.l1_loss(x, target, self.reduction)


class HuberLoss(Loss):
    """Squared where it is small, absolute where it is large: see `ops.huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, x: Any, target: Any) -> Any:
        return ops.huber_loss(x, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """Squared where it is small, absolute where it is large, with a slope of 1: see `ops.smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, x: Any, target: Any) -> Any:
        return ops.smooth_l1_loss(x, target, self.reduction, self.beta)


class GaussianNLLLoss(Loss):
    """Of means, targets and variances: see `ops.gaussian_nll_loss`."""

    def __init__(self, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, x: Any, target: Any, var: Any) -> Any:
        return ops.gaussian_nll_loss(x, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(Loss):
    """Of logarithms of expected counts, or of such counts, and counts: see `ops.poisson_nll_loss`."""

    def __init__(
        self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, x: Any, target: Any) -> Any:
        return ops.poisson_nll_loss(x, target, self.log_input, self.full, self.eps, self.reduction)


class CTCLoss(Loss):
    """Of log-probabilities (T, N, C), texts and both their lengths: see `ops.ctc_loss`."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction)
        self.blank, self.zero_infinity = blank, zero_infinity

    def forward(self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any) -> Any:
        return ops.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )


class BCELoss(Loss):
    """Of probabilities and targets from 0 to 1: see `ops.binary_cross_entropy`. `weight` is a Buffer."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = kept(weight)

    def forward(self, p: Any, target: Any) -> Any:
        return ops.binary_cross_entropy(p, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """Of logits and targets from 0 to 1: see `ops.binary_cross_entropy_with_logits`. `weight` and
    `pos_weight` are Buffers."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight, self.pos_weight = kept(weight), kept(pos_weight)

    def forward(self, x: Any, target: Any) -> Any:
        return ops.binary_cross_entropy_with_logits(
            x, target, self.weight, self.reduction, self.pos_weight
        )


class KLDivLoss(Loss):
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


class PairwiseDistance(Module):
    """The p-norm of the difference of vectors along the last axis: see `ops.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        self.p, self.eps, self.keepdims = p, eps, keepdims

    def settings(self) -> str:
        return f"p={self.p}"

    def forward(self, x1: Any, x2: Any) -> Any:
        return ops.pairwise_distance(x1, x2, self.p, self.eps, self.keepdims)
