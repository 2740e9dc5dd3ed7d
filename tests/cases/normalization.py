"""Cases of softmax and of the normalisations, beside those among the awkward ops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from shared.ops.batch_normalization import batch_norm_grad_composed
from shared.ops.layer_normalization import layer_norm_grad_composed
from tests.cases.case import Case, distinct, integers, normal, positive
from tests.cases.convolution import torch_nn


def _of_batch(*shape: int) -> list[Any]:
    """A gradient, x, and what stands for its mean and 1 / sqrt(var + eps)."""
    return [normal(*shape), normal(*shape), normal(shape[1]), positive(shape[1])]


def _of_rows(*shape: int, axes: int = 1) -> list[Any]:
    """The same for each row, made of its last axes, then a weight."""
    draw, row = np.random.default_rng(len(shape)), (*shape[:-axes], *(1,) * axes)
    gradients, numbers = draw.standard_normal((2, *shape)), draw.uniform(0.5, 2.0, (2, *row))
    return [*gradients, *numbers, draw.uniform(0.5, 2.0, shape[-axes:])]


CASES = [
    Case("softmax", lambda x: ops.softmax(x), [normal(2, 3, 4)], torch=lambda x: torch_nn().softmax(x, -1),
         unknown=[("a", "b", "c")]),
    Case("softmax", lambda x: ops.softmax(x * 1e4, axis=0), [normal(3, 4)],
         torch=lambda x: torch_nn().softmax(x * 1e4, 0), smooth=False, name="saturated, first axis"),
    Case("softmax", lambda x: ops.softmax(x), [integers(-3, 4, 2, 3)], smooth=False, name="integers"),
    Case("softmax", lambda x: ops.softmax(x), [normal(2, 0)], name="of nothing"),
    Case("log_softmax", lambda x: ops.log_softmax(x, axis=-2), [normal(2, 3, 4)],
         torch=lambda x: torch_nn().log_softmax(x, -2), unknown=[("a", "b", "c")]),
    Case("log_softmax", lambda x: ops.log_softmax(x * 1e4), [normal(3, 4)],
         torch=lambda x: torch_nn().log_softmax(x * 1e4, -1), smooth=False, name="saturated"),
    Case("log_softmax", lambda x: ops.log_softmax(x), [integers(-3, 4, 2, 3)], smooth=False, name="integers"),
    Case(
        "batch_norm", lambda x, m, v: TABLE["batch_norm"](x, m, v, momentum=0.3, eps=1e-3),
        [normal(4, 3, 2, 2), normal(3), positive(3)], unknown=[("n", 3, "h", "w"), (3,), (3,)],
        name="every output, without weight and bias",
    ),
    Case(
        "batch_norm", lambda x, b, m, v: ops.batch_norm(x, None, b, m, v),
        [normal(5, 2, 3), normal(2), normal(2), positive(2)],
        torch=lambda x, b, m, v: _torch_batch_norm(x, b.new_ones(2), b, m, v),
        unknown=[("n", 2, "t"), (2,), (2,), (2,)], name="bias alone, with the running statistics",
    ),
    Case("batch_norm", lambda x, w, m, v: ops.batch_norm(x, w, None, m, v)[0],
         [normal(1, 2, 3), positive(2), normal(2), positive(2)],
         torch=lambda x, w, m, v: torch_nn().batch_norm(x, None, None, w, None, training=True),
         name="weight alone"),
    Case("batch_norm_grad", lambda *a: TABLE["batch_norm_grad"](*a), [*_of_batch(3, 2, 4), positive(2)],
         composed=batch_norm_grad_composed, unknown=[("n", 2, "t"), ("n", 2, "t"), (2,), (2,), (2,)]),
    Case("batch_norm_grad", lambda *a: TABLE["batch_norm_grad"](*a), _of_batch(4, 3),
         composed=batch_norm_grad_composed, name="without weight"),
    Case(
        "sqrt", lambda *a: ops.batch_norm(*a, training=False),
        [normal(3, 2, 2), positive(2), normal(2), normal(2), positive(2)],
        torch=lambda x, w, b, m, v: (_plain(x, m, v) * w[:, None] + b[:, None], m, v),
        unknown=[("n", 2, "t"), (2,), (2,), (2,), (2,)], name="batch_norm in evaluation",
    ),
    Case("sqrt", lambda x, m, v: ops.batch_norm(x, None, None, m, v, training=False)[0],
         [normal(3, 2, 1), normal(2), positive(2)], torch=lambda x, m, v: _plain(x, m, v),
         name="batch_norm in evaluation, without weight and bias"),
    Case("layer_norm", lambda *a: TABLE["layer_norm"](*a, shape=a[1].shape, eps=1e-3),
         [normal(2, 3, 4), positive(3, 4), normal(3, 4)],
         unknown=[("n", "a", "b"), ("a", "b"), ("a", "b")], name="every output"),
    Case("layer_norm", lambda x: TABLE["layer_norm"](x, shape=(4,), eps=1e-3), [normal(2, 3, 4)],
         unknown=[("n", "a", "b")], name="every output, without weight and bias"),
    Case("layer_norm", lambda x, w, b: ops.layer_norm(x, 4, w, b), [normal(2, 3, 4), positive(4), normal(4)],
         torch=lambda x, w, b: torch_nn().layer_norm(x, (4,), w, b),
         unknown=[("n", "t", 4), (4,), (4,)], name="as PyTorch"),
    Case("layer_norm", lambda x, w: ops.layer_norm(x, (3, 4), w), [normal(2, 3, 4), positive(3, 4)],
         torch=lambda x, w: torch_nn().layer_norm(x, (3, 4), w, w.new_zeros(3, 4)), name="weight alone"),
    Case("layer_norm", lambda x, b: ops.layer_norm(x, x.shape[1:], None, b), [normal(2, 3), normal(3)],
         torch=lambda x, b: torch_nn().layer_norm(x, (3,), b.new_ones(3), b), unknown=[("n", "c"), ("c",)],
         name="bias alone"),
    Case("layer_norm_grad", lambda *a: TABLE["layer_norm_grad"](*a, axes=(2,)),
         _of_rows(2, 3, 4),
         composed=lambda *a: layer_norm_grad_composed(*a, axes=(2,)),
         unknown=[("n", "t", 4), ("n", "t", 4), ("n", "t", 1), ("n", "t", 1), (4,)]),
    Case("layer_norm_grad", lambda *a: TABLE["layer_norm_grad"](*a, axes=(0, 1)),
         _of_rows(3, 2, axes=2)[:-1], composed=lambda *a: layer_norm_grad_composed(*a, axes=(0, 1)),
         name="of a single row, without weight"),
    # of each example by itself
    Case("layer_norm", lambda x, w, b: ops.group_norm(x, 2, w, b), [normal(3, 4, 5), positive(4), normal(4)],
         torch=lambda x, w, b: torch_nn().group_norm(x, 2, w, b),
         unknown=[("n", 4, "t"), (4,), (4,)], name="group_norm"),
    Case("layer_norm", lambda x: ops.group_norm(x, 2, eps=1e-3), [normal(3, 4)],
         torch=lambda x: torch_nn().group_norm(x, 2, eps=1e-3), unknown=[("n", "c")],
         name="group_norm, plain"),
    Case("layer_norm", lambda x, w, b: ops.instance_norm(x, w, b)[0],
         [normal(2, 3, 4), positive(3), normal(3)],
         torch=lambda x, w, b: torch_nn().instance_norm(x, weight=w, bias=b),
         unknown=[("n", "c", "t"), ("c",), ("c",)], name="instance_norm"),
    Case("batch_norm", lambda x, m, v: ops.instance_norm(x, None, None, m, v, momentum=0.3),
         [normal(2, 3, 4, 2), normal(3), positive(3)], torch=lambda *a: _torch_instance_norm(*a),
         unknown=[("n", 3, "h", "w"), (3,), (3,)], name="instance_norm, with the running statistics"),
    Case("sqrt", lambda x, m, v: ops.instance_norm(x, None, None, m, v, training=False)[0],
         [normal(2, 3, 4), normal(3), positive(3)], torch=lambda x, m, v: _plain(x, m, v),
         unknown=[("n", 3, "t"), (3,), (3,)], name="instance_norm in evaluation"),
    Case("rms_norm", lambda x: TABLE["rms_norm"](x, shape=(3, 4), eps=1e-3), [normal(2, 3, 4)],
         unknown=[("n", "a", "b")], name="every output"),
    Case("rms_norm", lambda x, w: ops.rms_norm(x, 4, w, 1e-3), [normal(2, 3, 4), positive(4)],
         torch=lambda x, w: x / ((x * x).mean(-1, keepdim=True) + 1e-3).sqrt() * w,
         unknown=[("n", "t", 4), (4,)], name="by its formula"),
    Case("rms_norm", lambda x, w: ops.rms_norm(x, x.shape[1:], w), [normal(2, 3, 4), positive(3, 4)],
         torch=lambda x, w: torch_nn().rms_norm(x, (3, 4), w), second=False, name="as PyTorch"),
    Case("pow", lambda x: ops.local_response_norm(x, 3, 0.5, 0.7, 2.0), [normal(2, 5, 4)],
         torch=lambda x: torch_nn().local_response_norm(x, 3, 0.5, 0.7, 2.0),
         unknown=[("n", 5, "t")], name="local_response_norm"),
    Case("pow", lambda x: ops.local_response_norm(x, 4), [normal(2, 3, 2, 2)],
         torch=lambda x: torch_nn().local_response_norm(x, 4), unknown=[("n", "c", "h", "w")],
         name="local_response_norm of an even size"),
    *(
        Case("maximum", lambda x, p=p, a=axis: ops.normalize(x, p, a), [distinct(2, 3, 4)],
             torch=lambda x, p=p, a=axis: torch_nn().normalize(x, p, a), unknown=[("n", "a", "b")],
             second=p != math.inf, name=f"normalize by {p}")
        for p, axis in ((2.0, 1), (1, -1), (3.0, 0), (math.inf, 2))
    ),
    Case("maximum", ops.normalize, [np.zeros((2, 3))], torch=lambda x: torch_nn().normalize(x), smooth=False,
         second=False, name="normalize of zero"),
]  # fmt: skip


def _torch_instance_norm(x: Any, mean: Any, var: Any) -> Any:
    """PyTorch moves the running statistics in place."""
    mean, var = mean.detach().clone(), var.detach().clone()
    return torch_nn().instance_norm(x, mean, var, momentum=0.3), mean, var


def _torch_batch_norm(x: Any, w: Any, b: Any, mean: Any, var: Any) -> Any:
    """PyTorch moves the running statistics in place."""
    mean, var = mean.detach().clone(), var.detach().clone()
    return torch_nn().batch_norm(x, mean, var, w, b, training=True), mean, var


def _plain(x: Any, mean: Any, var: Any) -> Any:
    """PyTorch's own function has no gradient by the running statistics."""
    return (x - mean[:, None]) / (var[:, None] + 1e-5).sqrt()
