"""The rows in JAX's words, of jax.numpy, jax.nn and jax.scipy."""

from __future__ import annotations

from math import inf
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special
from speak import each, floating, serve

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": jnp.max,
    "min-tie min-nan": jnp.min,
    "max-tie-along-axis": lambda x: jnp.max(x, -1),
    "maximum-tie maximum-nan": jnp.maximum,
    "minimum-tie": jnp.minimum,
    "median-even-count median-tie median-nan": jnp.median,
    "sort-tie sort-nan": jnp.sort,
    "argsort-descending-tie": lambda x: jnp.argsort(x, descending=True),
    "topk-tie topk-nan max-with-place-tie": lambda x: jax.lax.top_k(x, 1)[0],
    "cummax-tie": jax.lax.cummax,
    "argmax-tie argmax-of-nothing argmax-nan": jnp.argmax,
    "fmax-nan": jnp.fmax,
    "nanmean-all-nan": jnp.nanmean,
    # pieces
    "abs-zero abs-second integer-abs-lowest": jnp.abs,
    "sign-zero sign-nan sign-minus-zero": jnp.sign,
    "relu-zero relu-nan": jax.nn.relu,
    "maximum-of-zero": lambda x: jnp.maximum(x, 0.0),
    "relu-squared-second": lambda x: jax.nn.relu(x) ** 2,
    "clip-bounds clip-nan": lambda x: jnp.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: jnp.clip(x, 2.0, 1.0),
    "leaky_relu-zero": lambda x: jax.nn.leaky_relu(x, 0.1),
    "elu-zero": lambda x: jax.nn.elu(x, 2.0),
    "selu-zero": jax.nn.selu,
    "relu6-ends": jax.nn.relu6,
    "hardtanh-ends": jax.nn.hard_tanh,
    "hardsigmoid-ends": jax.nn.hard_sigmoid,
    "hardswish-ends": jax.nn.hard_swish,
    "l1_loss-zero": lambda x, y: jnp.mean(jnp.abs(x - y)),
    "floor-whole": jnp.floor,
    "round-slope round-minus-zero": jnp.round,
    "where-nan-branch": lambda x: jnp.where(x > 0, jnp.log(x), 0.0),
    "where-guarded": lambda x: jnp.where(x > 0, jnp.log(jnp.where(x > 0, x, 1.0)), 0.0),
    "clip-nan-bound": lambda x, low: jnp.clip(x, low, None),
    # powers
    "sqrt-zero sqrt-minus-zero": jnp.sqrt,
    "sqrt-of-square-zero": lambda x: jnp.sqrt(x * x),
    "rsqrt-zero": jax.lax.rsqrt,
    "reciprocal-zero": jnp.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": jnp.power,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": jnp.linalg.norm,
    "norm-1-zero": lambda x: jnp.linalg.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: jnp.linalg.norm(x, inf),
    "norm-3-zero": lambda x: jnp.linalg.norm(x, 3),
    "hypot-zero hypot-zero-second": jnp.hypot,
    "atan2-zero atan2-zero-second": jnp.arctan2,
    "log-zero log-negative": jnp.log,
    "xlogy-zero-zero": special.xlogy,
    "logaddexp-nothing logaddexp-inf": jnp.logaddexp,
    "logit-ends": special.logit,
    "acos-end": jnp.arccos,
    "acosh-end": jnp.arccosh,
    "atanh-end": jnp.arctanh,
    "erfinv-ends": special.erfinv,
    "digamma-zero digamma-minus-one": special.digamma,
    "lgamma-zero": special.gammaln,
    "sinc-zero sinc-zero-second": jnp.sinc,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: jnp.linalg.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": jnp.prod,
    "cumprod-zero cumprod-two-zeros": jnp.cumprod,
    "var-of-one": lambda x: jnp.var(x, ddof=1),
    "std-of-one": lambda x: jnp.std(x, ddof=1),
    "std-constant": jnp.std,
    "sum-of-nothing sum-of-minus-zeros": jnp.sum,
    "mean-of-nothing mean-of-integers half-mean": jnp.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": special.logsumexp,
    "softmax-masked-row softmax-one-inf softmax-one-masked": jax.nn.softmax,
    "log_softmax-masked-row": jax.nn.log_softmax,
    "logcumsumexp-masked logcumsumexp-inf": jax.lax.cumlogsumexp,
    "attention-masked-row":
        lambda q, k, v, mask: jax.nn.dot_product_attention(
            q[None, :, None], k[None, :, None], v[None, :, None], mask=mask[None, None])[0, :, 0],
    # losses
    "kl_div-zero-target": lambda x, t: jnp.sum(special.xlogy(t, t) - t * x),
    # places
    "index-repeated index-beyond": lambda x, i: x[i],
    "index-negative": jnp.take,
    "scatter-set-twice": lambda x, i, v: x.at[i].set(v),
    "scatter-add-twice": lambda x, i, v: x.at[i].add(v),
    "scatter-max-tie": lambda x, i, v: x.at[i].max(v),
    "one_hot-beyond": lambda i: jax.nn.one_hot(i, 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf":
        lambda x: jax.lax.reduce_window(x, -inf, jax.lax.max, (1, 1, 2), (1, 1, 2), "VALID"),
    # matrices
    "det-singular det-zeros": jnp.linalg.det,
    "slogdet-singular": lambda x: jnp.linalg.slogdet(x)[1],
    "inv-singular": jnp.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: jnp.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: jnp.linalg.svd(x, compute_uv=False),
    "cholesky-slope cholesky-not-positive": jnp.linalg.cholesky,
    "eigh-vectors-equal": lambda x: jnp.linalg.eigh(x)[1],
    "solve-singular": jnp.linalg.solve,
    "pinv-zeros": jnp.linalg.pinv,
    # numbers
    "gelu-inf": lambda x: jax.nn.gelu(x, approximate=False),
    "silu-inf": jax.nn.silu,
    "softplus-inf": jax.nn.softplus,
    "log_sigmoid-inf": jax.nn.log_sigmoid,
    "sigmoid-saturated": jax.nn.sigmoid,
    "tanh-saturated": jnp.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": jnp.exp,
    "zero-plus-minus-zero": jnp.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        jnp.remainder,
    "fmod-signs": jnp.fmod,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": jnp.floor_divide,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": jnp.multiply,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, op by op, not jitted."""
    places, xs = floating(args), [jnp.asarray(a) for a in args]

    def of(*floats: Any) -> Any:
        full = list(xs)
        for place, x in zip(places, floats, strict=True):
            full[place] = x
        return call(*full)

    floats = [xs[i] for i in places]
    if not slopes:
        return np.asarray(call(*xs)), None
    function = jax.grad(lambda *z: jnp.sum(of(*z))) if order == 2 else of
    y = function(*floats)

    def gradients() -> list[np.ndarray]:
        value, back = jax.vjp(function, *floats)
        return [np.asarray(g) for g in back(jnp.ones_like(value) if seed is None else jnp.asarray(seed))]

    return np.asarray(y), gradients


if __name__ == "__main__":
    serve(jax.__version__, CALLS, measure)
