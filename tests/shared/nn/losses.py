"""The entries of the losses in the table of layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import nn, ops
from tests.shared.nn.entry import Entry, integers, normal, rng


def losses() -> list[Entry]:
    """An entry for each loss, and more where it has settings."""
    x, target = normal(4, 3), rng.random((4, 3)).astype(np.float32)
    other, third = normal(4, 3), normal(4, 3)
    log_p = np.log(target / target.sum(1, keepdims=True))
    labels, weight = np.array([2, 0, 1, 2]), [0.5, 2.0, 1.0]
    signs = np.array([1, -1, -1, 1])
    each_sign = np.where(target > 0.5, 1, -1)
    texts, lengths = np.array([[1, 2], [3, 3], [2, 0]]), [np.array([5, 5, 4]), np.array([2, 2, 1])]

    def torch_weighted(name: str, **settings: Any) -> Callable[[Any], Any]:
        def make(t: Any) -> Any:
            import torch

            keys = {key: torch.tensor(weight) for key in ("weight", "pos_weight") if key in settings}
            return getattr(t, name)(**{**settings, **keys})

        return make

    def entry(layer: type, inputs: list[Any], name: str = "", unknown: Any = None, **settings: Any) -> Entry:
        words = {"axis": "dim", "keepdims": "keepdim"}
        twin = torch_weighted(layer.__name__, **{words.get(k, k): v for k, v in settings.items()})
        return Entry(layer, lambda: layer(**settings), inputs, unknown, torch=twin, name=name)

    def by_axis(layer: type, *inputs: Any) -> Entry:
        """Of PyTorch's form, (N, classes, ...)."""
        make = torch_weighted(layer.__name__)
        return Entry(layer, lambda: layer(axis=1), inputs, torch=make, name="axis 1")

    return [
        entry(nn.CrossEntropyLoss, [x, labels]),
        entry(
            nn.CrossEntropyLoss, [x, labels], "all",
            weight=weight, ignore_index=1, label_smoothing=0.1, reduction="sum",
        ),
        entry(nn.CrossEntropyLoss, [x, target], "probabilities", weight=weight, label_smoothing=0.1),
        by_axis(nn.CrossEntropyLoss, normal(4, 3, 2), integers(3, 4, 2)),
        entry(nn.NLLLoss, [log_p, labels]),
        entry(nn.NLLLoss, [log_p, labels], "all", weight=weight, ignore_index=1, reduction="none"),
        by_axis(nn.NLLLoss, normal(4, 3, 2), integers(3, 4, 2)),
        entry(nn.MSELoss, [x, target]),
        entry(nn.L1Loss, [x, target], reduction="none"),
        entry(nn.SmoothL1Loss, [x, target], beta=0.5),
        entry(nn.HuberLoss, [x, target], delta=0.5),
        entry(nn.BCELoss, [target, 1 - target]),
        entry(nn.BCELoss, [target, 1 - target], "weighted", weight=weight),
        entry(nn.BCEWithLogitsLoss, [x, target]),
        entry(
            nn.BCEWithLogitsLoss, [x, target], "weighted", weight=weight, pos_weight=weight, reduction="sum"
        ),
        entry(nn.KLDivLoss, [log_p, target], reduction="batchmean"),
        entry(nn.GaussianNLLLoss, [x, target, target[:, :1] + 0.1], full=True),
        entry(nn.PoissonNLLLoss, [x, target * 5], full=True),
        entry(nn.CosineSimilarity, [x, target], axis=0),
        entry(nn.PairwiseDistance, [x, target], p=3.0, keepdims=True),
        entry(nn.MarginRankingLoss, [x[:, 0], x[:, 1], signs], margin=0.5),
        entry(nn.HingeEmbeddingLoss, [x, each_sign], margin=0.5, reduction="sum"),
        entry(nn.SoftMarginLoss, [x, each_sign]),
        entry(nn.MultiMarginLoss, [x, labels], p=2, margin=0.5, weight=weight),
        entry(nn.MultiLabelMarginLoss, [x, np.array([[1, -1, 0], [2, 0, -1], [-1, 0, 0], [0, 1, 2]])]),
        entry(nn.MultiLabelSoftMarginLoss, [x, target], weight=weight),
        entry(nn.TripletMarginLoss, [x, other, third], p=3.0, swap=True),
        entry(nn.TripletMarginWithDistanceLoss, [x, other, third], margin=0.5, reduction="none"),
        entry(nn.CosineEmbeddingLoss, [x, other, signs], margin=0.1),
        Entry(
            nn.CTCLoss, lambda: nn.CTCLoss(reduction="sum"), [normal(5, 3, 4), texts, *lengths],
            [("T", "N", 4), ("N", "S"), ("N",), ("N",)], calling=lambda m, x, *a: m(ops.log_softmax(x), *a),
            torch=lambda t: t.CTCLoss(reduction="sum"),
            torch_calling=lambda m, x, *a: m(x.log_softmax(-1), *a),
        ),
    ]  # fmt: skip
