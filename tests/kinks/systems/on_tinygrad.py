"""The rows in tinygrad's words, on its CPU device."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

os.environ.setdefault("DEV", "CPU")

import numpy as np
from speak import each, floating, serve
from tinygrad import Tensor, dtypes

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": lambda x: x.max(),
    "min-tie min-nan": lambda x: x.min(),
    "max-tie-along-axis": lambda x: x.max(-1),
    "max-with-place-tie topk-tie topk-nan": lambda x: x.topk(1)[0],
    "maximum-tie maximum-nan": lambda x, y: x.maximum(y),
    "minimum-tie": lambda x, y: x.minimum(y),
    "sort-tie sort-nan": lambda x: x.sort()[0],
    "argsort-descending-tie": lambda x: x.argsort(descending=True),
    "cummax-tie": lambda x: x.cummax(0)[0],
    "argmax-tie argmax-of-nothing argmax-nan": lambda x: x.argmax(),
    # pieces
    "abs-zero abs-second integer-abs-lowest": lambda x: x.abs(),
    "sign-zero sign-nan sign-minus-zero": lambda x: x.sign(),
    "relu-zero relu-nan": lambda x: x.relu(),
    "maximum-of-zero": lambda x: x.maximum(0.0),
    "relu-squared-second": lambda x: x.relu() ** 2,
    "clip-bounds clip-nan": lambda x: x.clip(-1.0, 1.0),
    "clip-crossed": lambda x: x.clip(2.0, 1.0),
    "leaky_relu-zero": lambda x: x.leaky_relu(0.1),
    "elu-zero": lambda x: x.elu(2.0),
    "selu-zero": lambda x: x.selu(),
    "relu6-ends": lambda x: x.relu6(),
    "hardtanh-ends": lambda x: x.hardtanh(),
    "hardsigmoid-ends": lambda x: x.hardsigmoid(),
    "hardswish-ends": lambda x: x.hardswish(),
    "l1_loss-zero": lambda x, y: (x - y).abs().mean(),
    "floor-whole": lambda x: x.floor(),
    "round-slope round-minus-zero": lambda x: x.round(),
    "where-nan-branch": lambda x: (x > 0).where(x.log(), 0.0),
    "where-guarded": lambda x: (x > 0).where((x > 0).where(x, 1.0).log(), 0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": lambda x: x.sqrt(),
    "sqrt-of-square-zero": lambda x: (x * x).sqrt(),
    "rsqrt-zero": lambda x: x.rsqrt(),
    "reciprocal-zero": lambda x: x.reciprocal(),
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": lambda x, y: x.pow(y),
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "log-zero log-negative": lambda x: x.log(),
    "logaddexp-nothing logaddexp-inf": lambda x, y: x.logaddexp(y),
    "acos-end": lambda x: x.acos(),
    "acosh-end": lambda x: x.acosh(),
    "atanh-end": lambda x: x.atanh(),
    "zero-to-the-x": lambda x: 0.0**x,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": lambda x: x.prod(),
    "cumprod-zero cumprod-two-zeros": lambda x: x.cumprod(0),
    "var-of-one": lambda x: x.var(),
    "std-of-one std-constant": lambda x: x.std(),
    "sum-of-nothing sum-of-minus-zeros": lambda x: x.sum(),
    "mean-of-nothing mean-of-integers half-mean": lambda x: x.mean(),
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": lambda x: x.logsumexp(),
    "softmax-masked-row softmax-one-inf softmax-one-masked": lambda x: x.softmax(),
    "log_softmax-masked-row": lambda x: x.log_softmax(),
    "logcumsumexp-masked logcumsumexp-inf": lambda x: x.logcumsumexp(0),
    "attention-masked-row":
        lambda q, k, v, mask: q[None].scaled_dot_product_attention(k[None], v[None], attn_mask=mask[None])[0],
    # losses
    "cross_entropy-all-ignored":
        lambda x, labels: x.sparse_categorical_crossentropy(labels, ignore_index=-100),
    "cross_entropy-label-beyond cross_entropy-impossible": lambda x, labels: x.cross_entropy(labels),
    "nll-no-weight": lambda x, labels, weight: x.nll_loss(labels, weight=weight),
    "bce-wrong-ends bce-right-ends": lambda p, t: p.binary_crossentropy(t),
    "bce_logits-sure": lambda x, t: x.binary_crossentropy_logits(t),
    "bce_logits-wrong": lambda x: x.binary_crossentropy_logits(Tensor.zeros(*x.shape)),
    "normalize-zeros": lambda x: x.normalize(),
    "layer_norm-of-one": lambda x: x.layernorm(),
    # places
    "index-repeated index-beyond index-negative": lambda x, i: x[i],
    "scatter-set-twice": lambda x, i, v: x.scatter(0, i, v),
    "scatter-add-twice": lambda x, i, v: x.scatter_reduce(0, i, v, "sum"),
    "scatter-max-tie": lambda x, i, v: x.scatter_reduce(0, i, v, "amax"),
    "one_hot-beyond": lambda i: i.one_hot(2),
    "max_pool-tie max_pool-nan max_pool-minus-inf":
        lambda x: x[:, :, None].max_pool2d((1, 2))[:, :, 0],
    # numbers
    "gelu-inf": lambda x: x.gelu(),
    "silu-inf": lambda x: x.silu(),
    "softplus-inf": lambda x: x.softplus(),
    "log_sigmoid-inf": lambda x: x.logsigmoid(),
    "sigmoid-saturated": lambda x: x.sigmoid(),
    "tanh-saturated": lambda x: x.tanh(),
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": lambda x: x.exp(),
    "zero-plus-minus-zero": lambda x, y: x + y,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf": lambda x, y: x % y,
    "fmod-signs": lambda x, y: x.fmod(y),
    "floor_divide-tenth floor_divide-zero": lambda x, y: x // y,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": lambda x, y: x * y,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, each realised by itself."""
    xs = [Tensor(a).realize() for a in args]
    wanted = [xs[i] for i in floating(args)]
    y = call(*xs)
    if order == 2:
        (y,) = y.sum().gradient(xs[0])

    def gradients() -> list[np.ndarray]:
        total = y if seed is None else y * Tensor(seed)
        if total.dtype in dtypes.ints:
            return [np.zeros(x.shape) for x in wanted]
        return [g.numpy() for g in total.sum().gradient(*wanted)]

    return y.numpy(), gradients


if __name__ == "__main__":
    serve(version("tinygrad"), CALLS, measure)
