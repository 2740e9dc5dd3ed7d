"""Cases of the losses of both kinds: by class numbers, and element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, between, distinct, integers, normal, positive
from tests.cases.convolution import torch_nn

_some = np.array([2, -100, 0, 3, -100])
_weight = positive(4)
_huge = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 1e4], [3e4, 0.0, 1.0]])


def _torch_ce(logits: Any, labels: Any, weight: Any = None, **settings: Any) -> Any:
    """PyTorch's, with the classes moved from the last axis to the second."""
    if weight is not None:
        settings["weight"] = weight if hasattr(weight, "detach") else __import__("torch").tensor(weight)
    return torch_nn().cross_entropy(logits.movedim(-1, 1) if logits.ndim > 2 else logits, labels, **settings)


def _log_sigmoid(x: Any) -> Any:
    return torch_nn().logsigmoid(x)


def _ones(x: Any) -> Any:
    """Class weights that change nothing, but that the way of weighted classes is taken."""
    return np.ones(4, x.dtype)


_smooth = {"ignored": -100, "smoothing": 0.2}
_plain = {"ignored": 1, "smoothing": 0.0}

CASES = [
    # by class numbers
    Case("cross_entropy", lambda x, y: TABLE["cross_entropy"](x, y, reduction="none", **_smooth),
         [normal(5, 4), _some], unknown=[("n", "c"), ("n",)], name="every output, of each"),
    Case("cross_entropy", lambda x, y: TABLE["cross_entropy"](x, y, reduction="sum", **_plain),
         [normal(2, 3, 4), integers(0, 4, 2, 3)], unknown=[("n", "t", 4), ("n", "t")],
         name="every output, of the sum"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y, label_smoothing=0.1, reduction="none"),
         [normal(5, 4), _some], torch=lambda x, y: _torch_ce(x, y, label_smoothing=0.1, reduction="none"),
         composed=lambda x, y: ops.cross_entropy(x, y, _ones(x), label_smoothing=0.1, reduction="none"),
         name="smoothed, of each"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y, ignore_index=2),
         [normal(2, 3, 4), integers(0, 4, 2, 3)],
         torch=lambda x, y: _torch_ce(x, y, ignore_index=2),
         composed=lambda x, y: ops.cross_entropy(x, y, _ones(x), ignore_index=2),
         unknown=[("n", "t", "c"), ("n", "t")], name="one class ignored"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y, reduction="sum"), [normal(5, 4), _some],
         torch=lambda x, y: _torch_ce(x, y, reduction="sum"), name="the sum"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y), [_huge, np.array([1, 0, 2])],
         torch=lambda x, y: _torch_ce(x, y), smooth=False, name="saturated"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y), [normal(3, 4), np.full(3, -100)],
         torch=lambda x, y: _torch_ce(x, y), smooth=False, second=False, name="all ignored"),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y, label_smoothing=1.0),
         [normal(4), np.array(2, np.uint8)], name="of one, smoothed wholly"),
    Case("class_index", lambda x, y, w: ops.cross_entropy(x, y, w, label_smoothing=0.3),
         [normal(5, 4), _some, _weight], unknown=[("n", "c"), ("n",), ("c",)],
         name="cross_entropy with class weights"),
    Case("class_index", lambda x, y: ops.cross_entropy(x, y, _weight, ignore_index=1, label_smoothing=0.3),
         [normal(2, 3, 4), integers(0, 4, 2, 3)],
         torch=lambda x, y: _torch_ce(x, y, _weight, ignore_index=1, label_smoothing=0.3),
         unknown=[("n", "t", 4), ("n", "t")], name="cross_entropy with class weights, as PyTorch"),
    Case("class_index", lambda x, y: ops.nll_loss(x, y), [normal(5, 4), integers(0, 4, 5)],
         torch=lambda x, y: torch_nn().nll_loss(x, y), unknown=[("n", "c"), ("n",)], second=False,
         name="nll_loss"),
    Case("class_index", lambda x, y: ops.nll_loss(x, y, _weight, reduction="none"), [normal(5, 4), _some],
         torch=lambda x, y: torch_nn().nll_loss(x, y, __import__("torch").tensor(_weight), reduction="none"),
         unknown=[("n", 4), ("n",)], second=False, name="nll_loss of each"),
    Case("class_index", lambda x, y: ops.nll_loss(x, y, reduction="sum"), [normal(5, 4), _some], second=False,
         torch=lambda x, y: torch_nn().nll_loss(x, y, reduction="sum"), name="nll_loss, the sum"),
    Case("class_index", lambda x, y: ops.nll_loss(x, y), [normal(2, 3), np.full(2, -100)], smooth=False,
         torch=lambda x, y: torch_nn().nll_loss(x, y), second=False, name="nll_loss, all ignored"),
    Case("class_index", lambda x, y: TABLE["class_index"](x, y, ignored=-1, call="nll_loss"),
         [normal(3, 2), np.array([0, -1, 1], np.int8)], smooth=False, unknown=[("n", "c"), ("n",)]),
    Case("cross_entropy", lambda x, y: ops.cross_entropy(x, y, axis=1),
         [normal(2, 3, 3), integers(0, 3, 2, 3)],
         torch=lambda x, y: torch_nn().cross_entropy(x, y), unknown=[("n", 3, "t"), ("n", "t")],
         name="classes on axis 1"),
    Case("class_index", lambda x, y: ops.nll_loss(x, y, _weight, axis=1),
         [normal(2, 4, 3), integers(0, 4, 2, 3)], second=False, unknown=[("n", 4, "t"), ("n", "t")],
         torch=lambda x, y: torch_nn().nll_loss(x, y, __import__("torch").tensor(_weight)),
         name="nll_loss, classes on axis 1"),
    *(
        Case("log_softmax", lambda x, t, r=reduction: ops.cross_entropy(x, t, reduction=r),
             [normal(3, 4), between(0, 1, 3, 4)], unknown=[("n", "c"), ("n", "c")],
             torch=lambda x, t, r=reduction: torch_nn().cross_entropy(x, t, reduction=r),
             name=f"cross_entropy with probabilities, {reduction}")
        for reduction in ("mean", "sum", "none")
    ),
    Case("log_softmax",
         lambda x, t: ops.cross_entropy(x, t, _weight, label_smoothing=0.2, axis=1),
         [normal(2, 4, 3), between(0, 1, 2, 4, 3)], unknown=[("n", 4, "t"), ("n", 4, "t")],
         torch=lambda x, t: torch_nn().cross_entropy(
             x, t, __import__("torch").tensor(_weight), label_smoothing=0.2
         ), name="cross_entropy with probabilities, weighted and smoothed"),
    Case("argmax", lambda x, y: ops.accuracy(x, y), [distinct(4, 3), integers(0, 3, 4)], smooth=False,
         unknown=[("n", "c"), ("n",)], name="accuracy"),
    # element by element
    Case("of_shape", lambda t, x: TABLE["of_shape"](t, x, call="mse_loss"), [normal(3), normal(3)],
         unknown=[("n",), ("m",)]),
    Case("square", lambda x, y: ops.mse_loss(x, y), [normal(3, 4), normal(3, 4)],
         torch=lambda x, y: torch_nn().mse_loss(x, y), unknown=[("n", "m"), ("n", "m")], name="mse_loss"),
    Case("square", lambda x, y: ops.mse_loss(x, y, "sum"), [normal(3), integers(0, 2, 3)],
         unknown=[("n",), ("n",)], name="mse_loss to integers"),
    Case("abs", lambda x, y: ops.l1_loss(x, y, reduction="none"), [distinct(3, 4), distinct(3, 4) + 0.03],
         torch=lambda x, y: torch_nn().l1_loss(x, y, reduction="none"), second=False, name="l1_loss of each"),
    Case("huber", lambda x, y: ops.huber_loss(x, y, delta=0.7), [distinct(3, 4), distinct(3, 4) + 0.03],
         torch=lambda x, y: torch_nn().huber_loss(x, y, delta=0.7), unknown=[("n", "m"), ("n", "m")]),
    Case("huber", lambda d: ops.huber_loss(d, 0.0, reduction="none"), [np.array([0.0, 2.0, -0.5])],
         torch=lambda d: torch_nn().huber_loss(d, d * 0, reduction="none"),
         name="zero and a number to aim at"),
    *(
        Case("huber", lambda x, y, b=beta: ops.smooth_l1_loss(x, y, beta=b),
             [distinct(3, 4), distinct(3, 4) + 0.03], unknown=[("n", "m"), ("n", "m")],
             torch=lambda x, y, b=beta: torch_nn().smooth_l1_loss(x, y, beta=b),
             name=f"smooth_l1_loss, {beta}")
        for beta in (1.0, 0.3)
    ),
    Case("abs", lambda x, y: ops.smooth_l1_loss(x, y, "sum", 0.0), [distinct(3, 4), distinct(3, 4) + 0.03],
         torch=lambda x, y: torch_nn().smooth_l1_loss(x, y, reduction="sum", beta=0.0), second=False,
         name="smooth_l1_loss, 0"),
    Case("bce_with_logits", lambda x, t: ops.binary_cross_entropy_with_logits(x, t),
         [normal(3, 4), between(0, 1, 3, 4)],
         torch=lambda x, t: torch_nn().binary_cross_entropy_with_logits(x, t),
         unknown=[("n", "m"), ("n", "m")]),
    Case(
        "bce_with_logits",
        lambda x, t, w, p: ops.binary_cross_entropy_with_logits(x, t, w, "none", p),
        [normal(3, 4), between(0, 1, 3, 4), positive(3, 1), positive(4)],
        torch=lambda x, t, w, p: -w * (p * t * _log_sigmoid(x) + (1 - t) * _log_sigmoid(-x)),
        unknown=[("n", "m"), ("n", "m"), ("n", 1), ("m",)], name="weights",
    ),
    Case("bce_with_logits", lambda x: ops.binary_cross_entropy_with_logits(x, 1.0, pos_weight=3.0),
         [_huge], torch=lambda x: torch_nn().binary_cross_entropy_with_logits(x, x * 0 + 1) * 3,
         smooth=False, name="saturated"),
    Case("bce", lambda p, t: ops.binary_cross_entropy(p, t), [between(0.1, 0.9, 3, 4), between(0, 1, 3, 4)],
         torch=lambda p, t: torch_nn().binary_cross_entropy(p, t), unknown=[("n", "m"), ("n", "m")]),
    Case("bce", lambda p: ops.binary_cross_entropy(p, np.array([0, 1, 0, 1]), 2.0, "sum"),
         [np.array([0.0, 1.0, 1.0, 0.0])], smooth=False, second=False,
         name="certain"),
    Case("exp", lambda x, t: ops.kl_div(x, t, "batchmean", log_target=True), [normal(3, 4), normal(3, 4)],
         torch=lambda x, t: torch_nn().kl_div(x, t, reduction="batchmean", log_target=True),
         unknown=[("n", "m"), ("n", "m")], name="kl_div of logarithms"),
    Case("log", lambda x, t: ops.kl_div(x, t), [normal(3, 4), positive(3, 4)],
         torch=lambda x, t: torch_nn().kl_div(x, t, reduction="none").mean(),
         unknown=[("n", "m"), ("n", "m")], name="kl_div"),
    Case("log", lambda x, t: ops.kl_div(x, t * 0, "none"), [normal(3), normal(3)], second=False,
         torch=lambda x, t: torch_nn().kl_div(x, t.detach() * 0, reduction="none") + 0 * t,
         smooth=False, name="kl_div from what is impossible"),
    Case("norm", lambda a, b: ops.cosine_similarity(a, b), [normal(3, 4), normal(1, 4)],
         torch=lambda a, b: torch_nn().cosine_similarity(a, b), unknown=[("n", "m"), (1, "m")],
         name="cosine_similarity"),
    Case("norm", lambda a, b: ops.cosine_similarity(a, b, axis=-2), [normal(3, 4), normal(4)],
         torch=lambda a, b: torch_nn().cosine_similarity(a, b, dim=-2), name="cosine_similarity, broadcast"),
    Case("norm", lambda a: ops.cosine_similarity(a, np.ones(3), 0), [np.zeros(3)], smooth=False,
         torch=lambda a: torch_nn().cosine_similarity(a, a.new_ones(3), 0), second=False,
         name="cosine_similarity of zero"),
]  # fmt: skip
