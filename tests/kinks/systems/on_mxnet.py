"""The rows in MXNet's words: mx.np, and mx.npx beside it."""

from __future__ import annotations

from typing import Any

import mxnet
import numpy as np
from mxnet import autograd, np as mnp, npx
from speak import each, floating, serve

npx.set_np()

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": mnp.max,
    "min-tie min-nan": mnp.min,
    "max-tie-along-axis": lambda x: mnp.max(x, axis=-1),
    "max-with-place-tie topk-tie topk-nan": lambda x: npx.topk(x, k=1, ret_typ="value"),
    "maximum-tie maximum-nan": mnp.maximum,
    "minimum-tie": mnp.minimum,
    "sort-tie sort-nan": mnp.sort,
    "argmax-tie argmax-of-nothing argmax-nan": mnp.argmax,
    # pieces
    "abs-zero abs-second integer-abs-lowest": mnp.abs,
    "sign-zero sign-nan sign-minus-zero": mnp.sign,
    "relu-zero relu-nan": npx.relu,
    "maximum-of-zero": lambda x: mnp.maximum(x, 0.0),
    "relu-squared-second": lambda x: npx.relu(x) ** 2,
    "clip-bounds clip-nan": lambda x: mnp.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: mnp.clip(x, 2.0, 1.0),
    "leaky_relu-zero": lambda x: npx.leaky_relu(x, slope=0.1),
    "prelu-zero": lambda x, a: npx.leaky_relu(x, a, act_type="prelu"),
    "elu-zero": lambda x: npx.leaky_relu(x, act_type="elu", slope=2.0),
    "selu-zero": lambda x: npx.leaky_relu(x, act_type="selu"),
    "l1_loss-zero": lambda x, y: mnp.mean(mnp.abs(x - y)),
    "huber-corner huber-corner-second": lambda x: npx.smooth_l1(x, scalar=1.0),
    "floor-whole": mnp.floor,
    "round-slope round-minus-zero": mnp.rint,
    "where-nan-branch": lambda x: mnp.where(x > 0, mnp.log(x), mnp.zeros_like(x)),
    "where-guarded":
        lambda x: mnp.where(
            x > 0, mnp.log(mnp.where(x > 0, x, mnp.ones_like(x))), mnp.zeros_like(x)),
    # powers
    "sqrt-zero sqrt-minus-zero": mnp.sqrt,
    "sqrt-of-square-zero": lambda x: mnp.sqrt(x * x),
    "reciprocal-zero": mnp.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": mnp.power,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": mnp.linalg.norm,
    "norm-1-zero": lambda x: mnp.linalg.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: mnp.linalg.norm(x, np.inf),
    "norm-3-zero": lambda x: mnp.linalg.norm(x, 3),
    "hypot-zero hypot-zero-second": mnp.hypot,
    "atan2-zero atan2-zero-second": mnp.arctan2,
    "log-zero log-negative": mnp.log,
    "acos-end": mnp.arccos,
    "acosh-end": mnp.arccosh,
    "atanh-end": mnp.arctanh,
    "erfinv-ends": npx.erfinv,
    "lgamma-zero": npx.gammaln,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: mnp.linalg.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": mnp.prod,
    "var-of-one": lambda x: mnp.var(x, ddof=1),
    "std-of-one": lambda x: mnp.std(x, ddof=1),
    "std-constant": mnp.std,
    "sum-of-nothing sum-of-minus-zeros": mnp.sum,
    "mean-of-nothing mean-of-integers half-mean": mnp.mean,
    "softmax-masked-row softmax-one-inf softmax-one-masked": npx.softmax,
    "log_softmax-masked-row": npx.log_softmax,
    # losses
    "layer_norm-of-one": lambda x: npx.layer_norm(x, mnp.ones((1,)), mnp.zeros((1,))),
    # places
    "index-repeated": lambda x, i: x[i],
    "one_hot-beyond": lambda i: npx.one_hot(i, 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf": lambda x: npx.pooling(x, kernel=(2,), stride=(2,)),
    # matrices
    "det-singular det-zeros": mnp.linalg.det,
    "slogdet-singular": lambda x: mnp.linalg.slogdet(x)[1],
    "inv-singular": mnp.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: mnp.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: mnp.linalg.svd(x)[1],
    "cholesky-slope cholesky-not-positive": mnp.linalg.cholesky,
    "eigh-vectors-equal": lambda x: mnp.linalg.eigh(x)[1],
    "solve-singular": mnp.linalg.solve,
    "pinv-zeros": mnp.linalg.pinv,
    # numbers
    "gelu-inf": lambda x: npx.leaky_relu(x, act_type="gelu"),
    "softplus-inf": lambda x: npx.activation(x, act_type="softrelu"),
    "sigmoid-saturated": npx.sigmoid,
    "tanh-saturated": mnp.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": mnp.exp,
    "zero-plus-minus-zero": mnp.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero": mnp.mod,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": mnp.multiply,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, recorded and gone back."""
    xs = [mnp.array(a, dtype=a.dtype) for a in args]
    wanted = [xs[i] for i in floating(args)]
    for x in wanted:
        x.attach_grad()
    with autograd.record():
        y = call(*xs)
        if order == 2:
            (y,) = autograd.grad(y.sum(), xs[:1], create_graph=True)

    def gradients() -> list[np.ndarray]:
        y.backward(None if seed is None else mnp.array(seed, dtype=seed.dtype))
        return [x.grad.asnumpy() for x in wanted]

    return y.asnumpy(), gradients


if __name__ == "__main__":
    serve(mxnet.__version__, CALLS, measure)
