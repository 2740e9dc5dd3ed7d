"""The rows in PyTorch's words."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from speak import each, floating, serve

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": lambda x: x.max(),
    "min-tie min-nan": lambda x: x.min(),
    "max-tie-along-axis": lambda x: x.amax(-1),
    "max-with-place-tie": lambda x: x.max(-1)[0],
    "maximum-tie maximum-nan": torch.maximum,
    "minimum-tie": torch.minimum,
    "median-even-count median-tie median-nan": torch.median,
    "sort-tie sort-nan": lambda x: x.sort(stable=True)[0],
    "argsort-descending-tie": lambda x: x.argsort(descending=True, stable=True),
    "topk-tie topk-nan": lambda x: x.topk(1)[0],
    "cummax-tie": lambda x: x.cummax(0)[0],
    "argmax-tie argmax-of-nothing argmax-nan": torch.argmax,
    "fmax-nan": torch.fmax,
    "nanmean-all-nan": torch.nanmean,
    # pieces
    "abs-zero abs-second integer-abs-lowest": torch.abs,
    "sign-zero sign-nan sign-minus-zero": torch.sign,
    "relu-zero relu-nan": torch.relu,
    "maximum-of-zero": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "relu-squared-second": lambda x: torch.relu(x) ** 2,
    "clip-bounds clip-nan": lambda x: x.clamp(-1.0, 1.0),
    "clip-crossed": lambda x: x.clamp(2.0, 1.0),
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
    "threshold-end": lambda x: F.threshold(x, 1.0, 9.0),
    "l1_loss-zero": F.l1_loss,
    "huber-corner huber-corner-second": lambda x: F.huber_loss(x, torch.zeros_like(x)),
    "margin_ranking-corner": lambda a, b: F.margin_ranking_loss(a, b, torch.ones_like(a)),
    "floor-whole": torch.floor,
    "round-slope round-minus-zero": torch.round,
    "where-nan-branch": lambda x: torch.where(x > 0, torch.log(x), 0.0),
    "where-guarded": lambda x: torch.where(x > 0, torch.log(torch.where(x > 0, x, 1.0)), 0.0),
    "clip-nan-bound": lambda x, low: x.clamp(min=low),
    "smooth_l1-sharp": lambda x, y: F.smooth_l1_loss(x, y, beta=0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": torch.sqrt,
    "sqrt-of-square-zero": lambda x: torch.sqrt(x * x),
    "rsqrt-zero": torch.rsqrt,
    "reciprocal-zero": torch.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": torch.pow,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": torch.linalg.vector_norm,
    "norm-1-zero": lambda x: torch.linalg.vector_norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: torch.linalg.vector_norm(x, inf),
    "norm-3-zero": lambda x: torch.linalg.vector_norm(x, 3),
    "hypot-zero hypot-zero-second": torch.hypot,
    "atan2-zero atan2-zero-second": torch.atan2,
    "log-zero log-negative": torch.log,
    "xlogy-zero-zero": torch.xlogy,
    "logaddexp-nothing logaddexp-inf": torch.logaddexp,
    "logit-ends": torch.logit,
    "acos-end": torch.acos,
    "acosh-end": torch.acosh,
    "atanh-end": torch.atanh,
    "erfinv-ends": torch.erfinv,
    "digamma-zero digamma-minus-one": torch.digamma,
    "lgamma-zero": torch.lgamma,
    "sinc-zero sinc-zero-second": torch.sinc,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: torch.linalg.vector_norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": torch.prod,
    "cumprod-zero cumprod-two-zeros": lambda x: x.cumprod(0),
    "var-of-one": lambda x: x.var(correction=1),
    "std-of-one": lambda x: x.std(correction=1),
    "std-constant": lambda x: x.std(correction=0),
    "sum-of-nothing sum-of-minus-zeros": torch.sum,
    "mean-of-nothing mean-of-integers half-mean": torch.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": lambda x: x.logsumexp(0),
    "softmax-masked-row softmax-one-inf softmax-one-masked": lambda x: x.softmax(-1),
    "log_softmax-masked-row": lambda x: x.log_softmax(-1),
    "logcumsumexp-masked logcumsumexp-inf": lambda x: x.logcumsumexp(0),
    "attention-masked-row":
        lambda q, k, v, mask: F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=mask)[0],
    # losses
    "cross_entropy-all-ignored cross_entropy-label-beyond cross_entropy-impossible":
        lambda x, labels: F.cross_entropy(x, labels.long()),
    "nll-no-weight": lambda x, labels, weight: F.nll_loss(x, labels.long(), weight=weight),
    "bce-wrong-ends bce-right-ends": F.binary_cross_entropy,
    "bce_logits-sure": F.binary_cross_entropy_with_logits,
    "bce_logits-wrong": lambda x: F.binary_cross_entropy_with_logits(x, torch.zeros_like(x)),
    "kl_div-zero-target": lambda x, t: F.kl_div(x, t, reduction="sum"),
    "cosine_similarity-zeros cosine_similarity-both-zeros": F.cosine_similarity,
    "normalize-zeros": F.normalize,
    "pairwise_distance-equal": F.pairwise_distance,
    "cdist-equal": torch.cdist,
    "batch_norm-of-one": lambda x: F.batch_norm(x, torch.zeros(2), torch.ones(2), training=True),
    "layer_norm-of-one": lambda x: F.layer_norm(x, (1,)),
    "group_norm-constant": lambda x: F.group_norm(x, 1),
    "cdist-inf-tie": lambda a, b: torch.cdist(a, b, p=inf),
    "rms_norm-zeros": lambda x: F.rms_norm(x, (2,), eps=1e-5),
    # places
    "index-repeated index-beyond": lambda x, i: x[i],
    "index-negative": lambda x, i: torch.take(x, i.long()),
    "scatter-set-twice": lambda x, i, v: x.scatter(0, i.long(), v),
    "scatter-add-twice": lambda x, i, v: x.scatter_add(0, i.long(), v),
    "scatter-max-tie": lambda x, i, v: x.scatter_reduce(0, i.long(), v, "amax"),
    "embedding-padding": lambda ids, w: F.embedding(ids, w, padding_idx=0),
    "one_hot-beyond": lambda i: F.one_hot(i.long(), 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf": lambda x: F.max_pool1d(x, 2),
    "lp_pool-zeros": lambda x: F.lp_pool1d(x, 2.0, 2),
    # matrices
    "det-singular det-zeros": torch.linalg.det,
    "slogdet-singular": lambda x: torch.linalg.slogdet(x)[1],
    "inv-singular": torch.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: torch.linalg.eigh(x)[0],
    "svdvals-equal": torch.linalg.svdvals,
    "cholesky-slope cholesky-not-positive": torch.linalg.cholesky,
    "eigh-vectors-equal": lambda x: torch.linalg.eigh(x)[1],
    "solve-singular": torch.linalg.solve,
    "pinv-zeros": torch.linalg.pinv,
    # numbers
    "gelu-inf": F.gelu,
    "silu-inf": F.silu,
    "softplus-inf": F.softplus,
    "log_sigmoid-inf": F.logsigmoid,
    "sigmoid-saturated": torch.sigmoid,
    "tanh-saturated": torch.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": torch.exp,
    "zero-plus-minus-zero": torch.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        torch.remainder,
    "fmod-signs": torch.fmod,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": torch.floor_divide,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": torch.mul,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, eagerly."""
    xs = [torch.tensor(a, requires_grad=slopes and a.dtype.kind == "f") for a in args]
    wanted = [xs[i] for i in floating(args)]
    y = call(*xs)
    if order == 2:
        (y,) = torch.autograd.grad(y.sum(), xs[:1], create_graph=True)

    def gradients() -> list[np.ndarray]:
        if not y.requires_grad:
            return [np.zeros(x.shape) for x in wanted]
        cotangent = torch.ones_like(y) if seed is None else torch.tensor(seed)
        found = torch.autograd.grad(y, wanted, cotangent, allow_unused=True)
        pairs = zip(found, wanted, strict=True)
        return [np.zeros(x.shape) if g is None else g.numpy(force=True) for g, x in pairs]

    return y.detach().numpy(), gradients


if __name__ == "__main__":
    serve(torch.__version__, CALLS, measure)
