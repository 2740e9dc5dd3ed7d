"""Cases of the losses of margins, likelihoods and alignments, and of distances of all pairs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, between, distinct, integers, normal, positive
from tests.cases.convolution import torch_nn

_signs = np.where(integers(0, 2, 3, 4), 1, -1)
_each_sign = np.array([1, -1, 1])
_named = np.array([[1, 3, -1, 0], [2, -1, -1, -1], [-1, 2, 2, 2], [0, 1, 2, 3]])
_weight = positive(4)
_narrow = _weight.astype("float32")


def _tensor(array: Any) -> Any:
    import torch

    return torch.tensor(array)


def _ctc(name: str, targets: Any, inputs: Any, lengths: Any, x: Any = None, **settings: Any) -> list[Case]:
    """Of log-probabilities, against finite differences; of logits, against PyTorch, whose gradient by
    log-probabilities counts on the log_softmax before it."""
    arguments = [np.array(value) for value in (targets, inputs, lengths)]
    x = normal(5, 3, 4) if x is None else x
    sizes = [("t", "n", 4) if x.ndim == 3 else ("t", 4), *(a.shape for a in arguments)]
    return [
        Case("ctc_loss", lambda x, *a: ops.ctc_loss(x, *a, **settings), [x, *arguments], unknown=sizes,
             second=False, name=name),
        Case("ctc_loss", lambda x, *a: ops.ctc_loss(ops.log_softmax(x), *a, **settings), [x, *arguments],
             torch=lambda x, *a: torch_nn().ctc_loss(x.log_softmax(-1), *a, **settings), second=False,
             smooth=not settings.get("zero_infinity"), name=f"{name}, of logits"),
    ]  # fmt: skip


CASES = [
    # margins
    Case("clip", lambda a, b, y: ops.margin_ranking_loss(a, b, y, 0.3),
         [distinct(3, 4), distinct(3, 4) + 0.03, _signs],
         torch=lambda a, b, y: torch_nn().margin_ranking_loss(a, b, y, 0.3),
         unknown=[("n", "m"), ("n", "m"), ("n", "m")], name="margin_ranking_loss"),
    Case("clip", lambda a, b: ops.margin_ranking_loss(a, b, 1, reduction="none"), [np.ones(2), np.ones(2)],
         torch=lambda a, b: torch_nn().margin_ranking_loss(a, b, a.detach(), reduction="none"), smooth=False,
         name="margin_ranking_loss on its bend"),
    Case("clip", lambda x, y: ops.hinge_embedding_loss(x, y, 0.75), [distinct(3, 4), _signs],
         torch=lambda x, y: torch_nn().hinge_embedding_loss(x, y, 0.75), unknown=[("n", "m"), ("n", "m")],
         name="hinge_embedding_loss"),
    Case("softplus", lambda x, y: ops.soft_margin_loss(x, y, "sum"), [normal(3, 4), _signs],
         torch=lambda x, y: torch_nn().soft_margin_loss(x, y, reduction="sum"),
         unknown=[("n", "m"), ("n", "m")], name="soft_margin_loss"),
    *(
        Case("gather", lambda x, y, p=p: ops.multi_margin_loss(x, y, p, 0.75, _weight, "none"),
             [distinct(3, 4), np.array([2, 0, 3])],
             torch=lambda x, y, p=p: torch_nn().multi_margin_loss(
                 x, y, p, 0.75, _tensor(_weight), reduction="none"
             ),
             unknown=[("n", 4), ("n",)], second=False, name=f"multi_margin_loss, {p}")
        for p in (1, 2)
    ),
    Case("gather", lambda x, y: ops.multi_margin_loss(x, y, 2), [distinct(4), np.array(2)],
         torch=lambda x, y: torch_nn().multi_margin_loss(x, y, 2), second=False,
         unknown=[("c",), ()], name="multi_margin_loss of one"),
    Case("scatter_sum", lambda x, y: ops.multilabel_margin_loss(x, y, "none"), [distinct(4, 4) * 0.9, _named],
         torch=lambda x, y: torch_nn().multilabel_margin_loss(x, y, reduction="none"), second=False,
         unknown=[("n", "c"), ("n", "c")], name="multilabel_margin_loss"),
    Case("scatter_sum", lambda x, y: ops.multilabel_margin_loss(x, y), [distinct(4) * 0.9, _named[0]],
         torch=lambda x, y: torch_nn().multilabel_margin_loss(x, y), second=False,
         unknown=[("c",), ("c",)], name="multilabel_margin_loss of one"),
    Case("bce_with_logits", lambda x, y: ops.multilabel_soft_margin_loss(x, y, _narrow),
         [normal(3, 4), between(0, 1, 3, 4)],
         torch=lambda x, y: torch_nn().multilabel_soft_margin_loss(x, y, _tensor(_narrow)),
         unknown=[("n", 4), ("n", 4)], name="multilabel_soft_margin_loss"),
    *(
        Case("norm", lambda a, b, c, s=swap: ops.triplet_margin_loss(a, b, c, 0.7, 3.0, swap=s),
             [normal(3, 4), normal(3, 4), normal(3, 4)], unknown=[("n", "m"), ("n", "m"), ("n", "m")],
             torch=lambda a, b, c, s=swap: torch_nn().triplet_margin_loss(a, b, c, 0.7, 3.0, swap=s),
             name=f"triplet_margin_loss{', swapped' * swap}")
        for swap in (False, True)
    ),
    Case("square", lambda a, b, c: ops.triplet_margin_with_distance_loss(a, b, c, ops.mse_loss, 2.0),
         [normal(3), normal(3), normal(3)],
         torch=lambda a, b, c: torch_nn().triplet_margin_with_distance_loss(
             a, b, c, distance_function=torch_nn().mse_loss, margin=2.0
         ), name="triplet_margin_with_distance_loss"),
    Case("norm", lambda a, b, y: ops.cosine_embedding_loss(a, b, y, 0.1, "none"),
         [normal(3, 4), normal(3, 4), _each_sign],
         torch=lambda a, b, y: torch_nn().cosine_embedding_loss(a, b, y, 0.1, reduction="none"),
         unknown=[("n", "m"), ("n", "m"), ("n",)], name="cosine_embedding_loss"),
    # likelihoods
    Case("variance", lambda x, t, v: ops.gaussian_nll_loss(x, t, v, full=True),
         [normal(3, 4), normal(3, 4), positive(3, 1)],
         torch=lambda x, t, v: torch_nn().gaussian_nll_loss(x, t, v, full=True),
         unknown=[("n", "m"), ("n", "m"), ("n", 1)]),
    Case("variance", lambda x, v: ops.gaussian_nll_loss(x, 1.0, v, eps=0.5, reduction="none"),
         [normal(3), np.array([0.0, 0.2, 1.0])],
         torch=lambda x, v: torch_nn().gaussian_nll_loss(x, x.detach() * 0 + 1, v, eps=0.5, reduction="none"),
         smooth=False, unknown=[("n",), ("n",)], name="held"),
    Case("variance", lambda x, t, v: ops.gaussian_nll_loss(x, t, v),
         [normal(3, 3), normal(3, 3), positive(3)],
         torch=lambda x, t, v: torch_nn().gaussian_nll_loss(x, t, v),
         unknown=[("n", "m"), ("n", "m"), ("n",)], name="of each row"),
    Case("exp", lambda x, t: ops.poisson_nll_loss(x, t, full=True), [normal(3, 4), integers(0, 9, 3, 4)],
         torch=lambda x, t: torch_nn().poisson_nll_loss(x, t.to(x.dtype), full=True),
         unknown=[("n", "m"), ("n", "m")], name="poisson_nll_loss"),
    Case("log", lambda x, t: ops.poisson_nll_loss(x, t, False, reduction="sum"),
         [positive(3, 4), positive(3, 4)],
         torch=lambda x, t: torch_nn().poisson_nll_loss(x, t, False, reduction="sum"),
         unknown=[("n", "m"), ("n", "m")], name="poisson_nll_loss of counts"),
    Case("bce_with_logits", lambda x, t: ops.sigmoid_focal_loss(x, t), [normal(3, 4), between(0, 1, 3, 4)],
         torch=lambda x, t: _focal(x, t, 0.25, 2.0), unknown=[("n", "m"), ("n", "m")],
         name="sigmoid_focal_loss"),
    Case("bce_with_logits", lambda x, t: ops.sigmoid_focal_loss(x, t, -1, 1.5, "mean"),
         [normal(3, 4), between(0, 1, 3, 4)], torch=lambda x, t: _focal(x, t, -1, 1.5).mean(),
         unknown=[("n", "m"), ("n", "m")], name="sigmoid_focal_loss without shares"),
    # alignments
    *_ctc("rows", [[1, 2, 0], [3, 3, 1], [2, 0, 0]], [5, 5, 4], [2, 3, 1]),
    *_ctc("one behind the other", [1, 2, 3, 3, 2], [5, 5, 3], [2, 2, 1], reduction="none"),
    *_ctc("another blank, and nothing to say", [[1, 0], [0, 0], [2, 2]], [5, 2, 5], [2, 0, 1], blank=3,
          reduction="sum"),
    *_ctc("impossible ones", [[1, 1], [2, 1], [1, 2]], [2, 0, 5], [2, 2, 2], zero_infinity=True),
    *_ctc("of one", [1, 2], 5, 2, normal(5, 4)),
    # distances of pairs
    *(
        Case("max" if p == math.inf else "sum" if p == 1 else "norm",
             lambda a, b, p=p: ops.cdist(a, b, p), [normal(2, 3, 4), normal(5, 4)],
             torch=lambda a, b, p=p: __import__("torch").cdist(
                 a, b, p, compute_mode="donot_use_mm_for_euclid_dist"
             ), unknown=[("n", "p", "d"), ("r", "d")], second=False, name=f"cdist, {p}")
        for p in (1, 2.0, 3.0, 0.5, math.inf)
    ),
    Case("sign", lambda a, b: ops.cdist(a, b, 0), [distinct(3, 2), distinct(2, 2)], smooth=False,
         torch=lambda a, b: __import__("torch").cdist(a, b, 0), unknown=[("p", "d"), ("r", "d")],
         second=False, name="cdist, 0"),
    Case("norm", lambda a: ops.cdist(a, a), [normal(3, 2)], unknown=[("n", "d")], second=False, smooth=False,
         torch=lambda a: __import__("torch").cdist(a, a), name="cdist to itself"),
    Case("norm", lambda x: ops.pdist(x, 3.0), [normal(5, 3)], torch=lambda x: torch_nn().pdist(x, 3.0),
         unknown=[("n", "d")], second=False, name="pdist"),
    Case("norm", lambda x: ops.pdist(x), [normal(1, 3)], torch=lambda x: torch_nn().pdist(x), second=False,
         unknown=[("n", "d")], name="pdist of one"),
    Case("norm", lambda a, b: ops.pairwise_distance(a, b, 3.0, keepdims=True), [normal(2, 3), normal(3)],
         torch=lambda a, b: torch_nn().pairwise_distance(a, b, 3.0, keepdim=True),
         unknown=[("n", "d"), ("d",)], name="pairwise_distance"),
    Case("norm", lambda a, b: ops.pairwise_distance(a, b, eps=0.0), [np.ones((2, 3)), np.ones((2, 3))],
         torch=lambda a, b: torch_nn().pairwise_distance(a, b, eps=0.0), smooth=False, second=False,
         name="pairwise_distance of 0"),
]  # fmt: skip


def _focal(x: Any, t: Any, alpha: float, gamma: float) -> Any:
    """torchvision's, by its formula."""
    p = x.sigmoid()
    losses = torch_nn().binary_cross_entropy_with_logits(x, t, reduction="none")
    losses = losses * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
    return losses * (alpha * t + (1 - alpha) * (1 - t)) if alpha >= 0 else losses
