"""The rows in the words of `shared.ops`, run by each engine."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops
from tests.kinks.systems.speak import each, floating

MASKED: Any = lambda q, k, v, mask: ops.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # noqa: E731

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": ops.max,
    "max-tie-along-axis": lambda x: ops.max(x, axis=-1),
    "min-tie min-nan": ops.min,
    "max-with-place-tie": lambda x: ops.max_with_indices(x, axis=-1)[0],
    "maximum-tie maximum-nan": ops.maximum,
    "minimum-tie": ops.minimum,
    "median-even-count median-tie median-nan": ops.median,
    "sort-tie sort-nan": ops.sort,
    "argsort-descending-tie": lambda x: ops.argsort(x, descending=True),
    "topk-tie topk-nan": lambda x: ops.topk(x, 1)[0],
    "cummax-tie": lambda x: ops.cummax(x, axis=0)[0],
    "argmax-tie argmax-of-nothing argmax-nan": ops.argmax,
    "fmax-nan": ops.fmax,
    "nanmean-all-nan": ops.nanmean,
    # pieces
    "abs-zero abs-second integer-abs-lowest": ops.abs,
    "sign-zero sign-nan sign-minus-zero": ops.sign,
    "relu-zero relu-nan": ops.relu,
    "maximum-of-zero": lambda x: ops.maximum(x, 0.0),
    "relu-squared-second": lambda x: ops.square(ops.relu(x)),
    "clip-bounds clip-nan": lambda x: ops.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: ops.clip(x, 2.0, 1.0),
    "leaky_relu-zero": lambda x: ops.leaky_relu(x, 0.1),
    "prelu-zero": ops.prelu,
    "elu-zero": lambda x: ops.elu(x, alpha=2.0),
    "selu-zero": ops.selu,
    "relu6-ends": ops.relu6,
    "hardtanh-ends": ops.hardtanh,
    "hardsigmoid-ends": ops.hardsigmoid,
    "hardswish-ends": ops.hardswish,
    "hardshrink-ends": lambda x: ops.hardshrink(x, 0.5),
    "softshrink-ends": lambda x: ops.softshrink(x, 0.5),
    "threshold-end": lambda x: ops.threshold(x, 1.0, 9.0),
    "l1_loss-zero": ops.l1_loss,
    "huber-corner-second huber-corner": lambda x: ops.huber_loss(x, ops.zeros_like(x)),
    "margin_ranking-corner": lambda a, b: ops.margin_ranking_loss(a, b, ops.ones_like(a)),
    "floor-whole": ops.floor,
    "round-slope round-minus-zero": ops.round,
    "where-nan-branch": lambda x: ops.where(x > 0, ops.log(x), 0.0),
    "where-guarded": lambda x: ops.where(x > 0, ops.log(ops.where(x > 0, x, 1.0)), 0.0),
    "clip-nan-bound": lambda x, low: ops.clip(x, low, None),
    "smooth_l1-sharp": lambda x, y: ops.smooth_l1_loss(x, y, beta=0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": ops.sqrt,
    "sqrt-of-square-zero": lambda x: ops.sqrt(x * x),
    "rsqrt-zero": ops.rsqrt,
    "reciprocal-zero": ops.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": ops.pow,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": ops.norm,
    "norm-1-zero": lambda x: ops.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: ops.norm(x, inf),
    "norm-3-zero": lambda x: ops.norm(x, 3),
    "hypot-zero hypot-zero-second": ops.hypot,
    "atan2-zero atan2-zero-second": ops.atan2,
    "log-zero log-negative": ops.log,
    "xlogy-zero-zero": ops.xlogy,
    "logaddexp-nothing logaddexp-inf": ops.logaddexp,
    "logit-ends": ops.logit,
    "acos-end": ops.acos,
    "acosh-end": ops.acosh,
    "atanh-end": ops.atanh,
    "erfinv-ends": ops.erfinv,
    "digamma-zero digamma-minus-one": ops.digamma,
    "lgamma-zero": ops.lgamma,
    "sinc-zero sinc-zero-second": ops.sinc,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: ops.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": ops.prod,
    "cumprod-zero cumprod-two-zeros": lambda x: ops.cumprod(x, axis=0),
    "var-of-one": lambda x: ops.var(x, correction=1),
    "std-of-one": lambda x: ops.std(x, correction=1),
    "std-constant": ops.std,
    "sum-of-nothing sum-of-minus-zeros": ops.sum,
    "mean-of-nothing mean-of-integers half-mean": ops.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": ops.logsumexp,
    "softmax-masked-row softmax-one-inf softmax-one-masked": ops.softmax,
    "log_softmax-masked-row": ops.log_softmax,
    "logcumsumexp-masked logcumsumexp-inf": lambda x: ops.logcumsumexp(x, axis=0),
    "attention-masked-row": MASKED,
    # losses
    "cross_entropy-all-ignored cross_entropy-label-beyond cross_entropy-impossible": ops.cross_entropy,
    "nll-no-weight": lambda x, labels, weight: ops.nll_loss(x, labels, weight=weight),
    "bce-wrong-ends bce-right-ends": ops.binary_cross_entropy,
    "bce_logits-sure": lambda x, t: ops.binary_cross_entropy_with_logits(x, t),
    "bce_logits-wrong": lambda x: ops.binary_cross_entropy_with_logits(x, ops.zeros_like(x)),
    "kl_div-zero-target": lambda x, t: ops.kl_div(x, t, reduction="sum"),
    "cosine_similarity-zeros cosine_similarity-both-zeros": ops.cosine_similarity,
    "normalize-zeros": ops.normalize,
    "pairwise_distance-equal": ops.pairwise_distance,
    "cdist-equal": ops.cdist,
    "batch_norm-of-one": lambda x: ops.batch_norm(x, *_channels(x))[0],
    "layer_norm-of-one": lambda x: ops.layer_norm(x, 1),
    "group_norm-constant": lambda x: ops.group_norm(x, 1),
    "cdist-inf-tie": lambda a, b: ops.cdist(a, b, p=inf),
    "rms_norm-zeros": lambda x: ops.rms_norm(x, 2, eps=1e-5),
    # places
    "index-repeated index-beyond": lambda x, i: x[i],
    "index-negative": lambda x, i: ops.take(x, i),
    "scatter-set-twice": lambda x, i, v: ops.scatter(x, i, v, axis=0),
    "scatter-add-twice": lambda x, i, v: ops.scatter_add(x, i, v, axis=0),
    "scatter-max-tie": lambda x, i, v: ops.scatter(x, i, v, axis=0, reduce="max"),
    "embedding-padding": lambda ids, w: ops.embedding(ids, w, padding_idx=0),
    "one_hot-beyond": lambda i: ops.one_hot(i, 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf": lambda x: ops.max_pool1d(x, 2),
    "lp_pool-zeros": lambda x: ops.lp_pool1d(x, 2.0, 2),
    # matrices
    "det-singular det-zeros": ops.linalg.det,
    "slogdet-singular": lambda x: ops.linalg.slogdet(x)[1],
    "inv-singular": ops.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: ops.linalg.eigh(x)[0],
    "svdvals-equal": ops.linalg.svdvals,
    "cholesky-slope cholesky-not-positive": ops.linalg.cholesky,
    "eigh-vectors-equal": lambda x: ops.linalg.eigh(x)[1],
    "solve-singular": ops.linalg.solve,
    "pinv-zeros": ops.linalg.pinv,
    # numbers
    "gelu-inf": ops.gelu,
    "silu-inf": ops.silu,
    "softplus-inf": ops.softplus,
    "log_sigmoid-inf": ops.log_sigmoid,
    "sigmoid-saturated": ops.sigmoid,
    "tanh-saturated": ops.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": ops.exp,
    "zero-plus-minus-zero": ops.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        ops.remainder,
    "fmod-signs": ops.fmod,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": ops.floor_divide,
    "nan-equal": lambda x: ops.equal(x, x),
    "nan-times-zero": ops.mul,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def _channels(x: Any) -> list[Any]:
    """Scale, shift and running statistics for batch norm of two features."""
    return [ops.ones((2,), like=x), ops.zeros((2,), like=x), ops.zeros((2,), like=x), ops.ones((2,), like=x)]


def on_dynamic(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, computed as Python reaches them."""
    xs = [dynamic.tensor(a, requires_grad=slopes and a.dtype.kind == "f") for a in args]
    wanted = [xs[i] for i in floating(args)]
    y = call(*xs)
    if order == 2:
        (y,) = dynamic.grad(ops.sum(y), [xs[0]], create_graph=True)
    cotangent = None if seed is None else dynamic.tensor(seed)

    def gradients() -> list[np.ndarray]:
        if not y.requires_grad:
            return [np.zeros(x.shape) for x in wanted]
        total = ops.sum(y if seed is None else y * cotangent)
        found = dynamic.grad(total, wanted, allow_unused=True)
        return [_or_zeros(g, x) for g, x in zip(found, wanted, strict=True)]

    return y.numpy(), gradients


def on_static(level: str) -> Any:
    """The measure of one level of optimisation."""

    def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
        with static.Graph().as_default() as graph:
            xs = [static.placeholder(a.dtype, a.shape) for a in args]
            feeds = dict(zip(xs, args, strict=True))
            y = call(*xs)
            if order == 2:
                (y,) = static.gradients(ops.sum(y), [xs[0]])
            wanted, found = [xs[i] for i in floating(args)] if slopes else [], list[Any]()
            if wanted:
                found = static.gradients(ops.sum(y if seed is None else y * static.constant(seed)), wanted)
        with static.Session(graph=graph, optimize=level) as session:
            value, *rest = session.run([y, *(g for g in found if g is not None)], feeds)
        made = iter(rest)
        pairs = zip(found, wanted, strict=True)
        gradients = [np.zeros(x.shape) if g is None else next(made) for g, x in pairs]
        return value, lambda: gradients

    return measure


def _or_zeros(gradient: Any, x: Any) -> np.ndarray:
    return np.zeros(x.shape) if gradient is None else gradient.numpy()


ENGINES = {"dynamic": on_dynamic, "exact": on_static("exact"), "fast": on_static("fast")}
"""How each engine measures a row."""
