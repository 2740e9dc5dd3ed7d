"""The rows in Paddle's words, in its dynamic mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from speak import each, floating, serve

CALLS = each({
    # order
    "max-tie max-nan": paddle.amax,  # of nothing it is what stood in memory, another number each time
    "min-tie min-nan": paddle.amin,
    "max-tie-along-axis": lambda x: paddle.amax(x, -1),
    "max-with-place-tie topk-tie topk-nan": lambda x: paddle.topk(x, 1)[0],
    "maximum-tie maximum-nan": paddle.maximum,
    "minimum-tie": paddle.minimum,
    "median-even-count median-tie median-nan": paddle.median,
    "sort-tie sort-nan": lambda x: paddle.sort(x, stable=True),
    "argsort-descending-tie": lambda x: paddle.argsort(x, descending=True, stable=True),
    "cummax-tie": lambda x: paddle.cummax(x, 0)[0],
    "argmax-tie argmax-nan": paddle.argmax,
    "fmax-nan": paddle.fmax,
    "nanmean-all-nan": paddle.nanmean,
    # pieces
    "abs-zero abs-second integer-abs-lowest": paddle.abs,
    "sign-zero sign-nan sign-minus-zero": paddle.sign,
    "relu-zero relu-nan": F.relu,
    "maximum-of-zero": lambda x: paddle.maximum(x, paddle.zeros_like(x)),
    "relu-squared-second": lambda x: F.relu(x) ** 2,
    "clip-bounds clip-nan": lambda x: paddle.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: paddle.clip(x, 2.0, 1.0),
    "leaky_relu-zero": lambda x: F.leaky_relu(x, 0.1),
    "prelu-zero": F.prelu,
    "elu-zero": lambda x: F.elu(x, 2.0),
    "selu-zero": F.selu,
    "relu6-ends": F.relu6,
    "hardtanh-ends": F.hardtanh,
    "hardsigmoid-ends": F.hardsigmoid,
    "hardswish-ends": F.hardswish,
    "hardshrink-ends": lambda x: F.hardshrink(x, 0.5),
    "softshrink-ends": lambda x: F.softshrink(x, 0.5),
    "threshold-end": lambda x: F.thresholded_relu(x, 1.0, 9.0),
    "l1_loss-zero": F.l1_loss,
    "huber-corner huber-corner-second": lambda x: F.smooth_l1_loss(x, paddle.zeros_like(x)),
    "margin_ranking-corner": lambda a, b: F.margin_ranking_loss(a, b, paddle.ones_like(a)),
    "floor-whole": paddle.floor,
    "round-slope round-minus-zero": paddle.round,
    "where-nan-branch": lambda x: paddle.where(x > 0, paddle.log(x), paddle.zeros_like(x)),
    "where-guarded":
        lambda x: paddle.where(
            x > 0, paddle.log(paddle.where(x > 0, x, paddle.ones_like(x))), paddle.zeros_like(x)),
    # powers
    "sqrt-zero sqrt-minus-zero": paddle.sqrt,
    "sqrt-of-square-zero": lambda x: paddle.sqrt(x * x),
    "rsqrt-zero": paddle.rsqrt,
    "reciprocal-zero": paddle.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": paddle.pow,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": paddle.linalg.norm,
    "norm-1-zero": lambda x: paddle.linalg.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: paddle.linalg.norm(x, np.inf),
    "norm-3-zero": lambda x: paddle.linalg.norm(x, 3),
    "hypot-zero hypot-zero-second": paddle.hypot,
    "atan2-zero atan2-zero-second": paddle.atan2,
    "log-zero log-negative": paddle.log,
    "logaddexp-nothing logaddexp-inf": paddle.logaddexp,
    "logit-ends": paddle.logit,
    "acos-end": paddle.acos,
    "acosh-end": paddle.acosh,
    "atanh-end": paddle.atanh,
    "erfinv-ends": paddle.erfinv,
    "digamma-zero digamma-minus-one": paddle.digamma,
    "lgamma-zero": paddle.lgamma,
    "sinc-zero sinc-zero-second": paddle.sinc,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: paddle.linalg.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": paddle.prod,
    "cumprod-zero cumprod-two-zeros": lambda x: paddle.cumprod(x, 0),
    "var-of-one": paddle.var,
    "std-of-one": paddle.std,
    "std-constant": paddle.std,
    "sum-of-nothing sum-of-minus-zeros": paddle.sum,
    "mean-of-nothing mean-of-integers half-mean": paddle.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": paddle.logsumexp,
    "softmax-masked-row softmax-one-inf softmax-one-masked": F.softmax,
    "log_softmax-masked-row": F.log_softmax,
    "logcumsumexp-masked logcumsumexp-inf": lambda x: paddle.logcumsumexp(x, 0),
    "attention-masked-row":
        lambda q, k, v, mask: F.scaled_dot_product_attention(
            q[None, :, None], k[None, :, None], v[None, :, None], attn_mask=mask[None, None])[0, :, 0],
    # losses
    "cross_entropy-all-ignored cross_entropy-label-beyond cross_entropy-impossible":
        lambda x, labels: F.cross_entropy(x, labels.astype("int64")),
    "nll-no-weight": lambda x, labels, weight: F.nll_loss(x, labels.astype("int64"), weight=weight),
    "bce-wrong-ends bce-right-ends": F.binary_cross_entropy,
    "bce_logits-sure": F.binary_cross_entropy_with_logits,
    "bce_logits-wrong": lambda x: F.binary_cross_entropy_with_logits(x, paddle.zeros_like(x)),
    "kl_div-zero-target": lambda x, t: F.kl_div(x, t, reduction="sum"),
    "cosine_similarity-zeros cosine_similarity-both-zeros": F.cosine_similarity,
    "normalize-zeros": F.normalize,
    "pairwise_distance-equal": F.pairwise_distance,
    "cdist-equal": paddle.cdist,
    "batch_norm-of-one":
        lambda x: F.batch_norm(
            x, paddle.zeros([2]), paddle.ones([2]), paddle.ones([2]), paddle.zeros([2]), training=True),
    "layer_norm-of-one": lambda x: F.layer_norm(x, [1]),
    "group_norm-constant": lambda x: F.group_norm(x, 1),
    "cdist-inf-tie": lambda a, b: paddle.cdist(a, b, p=np.inf),
    # places
    "index-repeated index-beyond": lambda x, i: paddle.gather(x, i),
    "index-negative": paddle.take,
    "scatter-set-twice": lambda x, i, v: paddle.put_along_axis(x, i.astype("int64"), v, 0),
    "scatter-add-twice": lambda x, i, v: paddle.put_along_axis(x, i.astype("int64"), v, 0, reduce="add"),
    "scatter-max-tie": lambda x, i, v: paddle.put_along_axis(x, i.astype("int64"), v, 0, reduce="amax"),
    "embedding-padding": lambda ids, w: F.embedding(ids, w, padding_idx=0),
    "one_hot-beyond": lambda i: F.one_hot(i.astype("int64"), 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf": lambda x: F.max_pool1d(x, 2),
    "lp_pool-zeros": lambda x: F.lp_pool1d(x, 2.0, 2),
    # matrices
    "det-singular det-zeros": paddle.linalg.det,
    "slogdet-singular": lambda x: paddle.linalg.slogdet(x)[1],
    "inv-singular": paddle.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: paddle.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: paddle.linalg.svd(x)[1],
    "cholesky-slope cholesky-not-positive": paddle.linalg.cholesky,
    "eigh-vectors-equal": lambda x: paddle.linalg.eigh(x)[1],
    "solve-singular": paddle.linalg.solve,
    "pinv-zeros": paddle.linalg.pinv,
    # numbers
    "gelu-inf": F.gelu,
    "silu-inf": F.silu,
    "softplus-inf": F.softplus,
    "log_sigmoid-inf": F.log_sigmoid,
    "sigmoid-saturated": F.sigmoid,
    "tanh-saturated": paddle.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": paddle.exp,
    "zero-plus-minus-zero": paddle.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        paddle.remainder,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": paddle.floor_divide,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": paddle.multiply,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, line by line."""
    xs = [paddle.to_tensor(a, stop_gradient=not (slopes and a.dtype.kind == "f")) for a in args]
    wanted = [xs[i] for i in floating(args)]
    y = call(*xs)
    if order == 2:
        (y,) = paddle.grad(y.sum(), xs[:1], create_graph=True)

    def gradients() -> list[np.ndarray]:
        if y.stop_gradient:
            return [np.zeros(x.shape) for x in wanted]
        cotangent = paddle.ones_like(y) if seed is None else paddle.to_tensor(seed)
        found = paddle.grad([y], wanted, [cotangent], allow_unused=True)
        pairs = zip(found, wanted, strict=True)
        return [np.zeros(x.shape) if g is None else g.numpy() for g, x in pairs]

    return y.numpy(), gradients


if __name__ == "__main__":
    serve(paddle.__version__, CALLS, measure)
