"""The rows in PyTensor's words: graphs with its usual rewrites, run by its Python linker."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from speak import each, floating, serve

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": pt.max,
    "min-tie min-nan": pt.min,
    "max-tie-along-axis": lambda x: pt.max(x, axis=-1),
    "max-with-place-tie": lambda x: pt.max_and_argmax(x, axis=-1)[0],
    "maximum-tie maximum-nan": pt.maximum,
    "minimum-tie": pt.minimum,
    "median-even-count median-tie median-nan": pt.median,
    "sort-tie sort-nan": pt.sort,
    "argmax-tie argmax-of-nothing argmax-nan": pt.argmax,
    # pieces
    "abs-zero abs-second integer-abs-lowest": pt.abs,
    "sign-zero sign-nan sign-minus-zero": pt.sign,
    "maximum-of-zero": lambda x: pt.maximum(x, 0.0),
    "clip-bounds clip-nan": lambda x: pt.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: pt.clip(x, 2.0, 1.0),
    "l1_loss-zero": lambda x, y: pt.mean(pt.abs(x - y)),
    "floor-whole": pt.floor,
    "round-slope round-minus-zero": pt.round,
    "where-nan-branch": lambda x: pt.where(x > 0, pt.log(x), 0.0),
    "where-guarded": lambda x: pt.where(x > 0, pt.log(pt.where(x > 0, x, 1.0)), 0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": pt.sqrt,
    "sqrt-of-square-zero": lambda x: pt.sqrt(x * x),
    "reciprocal-zero": pt.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": pt.pow,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": lambda x: pt.linalg.norm(x, 2),
    "norm-1-zero": lambda x: pt.linalg.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: pt.linalg.norm(x, inf),
    "norm-3-zero": lambda x: pt.linalg.norm(x, 3),
    "atan2-zero atan2-zero-second": pt.arctan2,
    "log-zero log-negative": pt.log,
    "logaddexp-nothing logaddexp-inf": pt.logaddexp,
    "acos-end": pt.arccos,
    "acosh-end": pt.arccosh,
    "atanh-end": pt.arctanh,
    "erfinv-ends": pt.erfinv,
    "digamma-zero digamma-minus-one": pt.digamma,
    "lgamma-zero": pt.gammaln,
    "zero-to-the-x": lambda x: np.float32(0.0) ** x,
    "norm-squared-second": lambda x: pt.linalg.norm(x, 2) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": pt.prod,
    "cumprod-zero cumprod-two-zeros": pt.cumprod,
    "var-of-one": lambda x: pt.var(x, ddof=1),
    "std-of-one": lambda x: pt.std(x, ddof=1),
    "std-constant": pt.std,
    "sum-of-nothing sum-of-minus-zeros": pt.sum,
    "mean-of-nothing mean-of-integers half-mean": pt.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": pt.logsumexp,
    "softmax-masked-row softmax-one-inf softmax-one-masked": lambda x: pt.special.softmax(x, axis=-1),
    "log_softmax-masked-row": lambda x: pt.special.log_softmax(x, axis=-1),
    # places
    "index-repeated index-beyond index-negative": lambda x, i: x[i],
    "scatter-set-twice": lambda x, i, v: pt.set_subtensor(x[i], v),
    "scatter-add-twice": lambda x, i, v: pt.inc_subtensor(x[i], v),
    # matrices
    "det-singular det-zeros": pt.linalg.det,
    "slogdet-singular": lambda x: pt.linalg.slogdet(x)[1],
    "inv-singular": pt.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: pt.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: pt.linalg.svd(x, compute_uv=False),
    "cholesky-slope cholesky-not-positive": pt.linalg.cholesky,
    "eigh-vectors-equal": lambda x: pt.linalg.eigh(x)[1],
    "solve-singular": pt.linalg.solve,
    "pinv-zeros": pt.linalg.pinv,
    # numbers
    "softplus-inf": pt.softplus,
    "sigmoid-saturated": pt.sigmoid,
    "tanh-saturated": pt.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * np.float32(0.5),
    "subnormal-exp": pt.exp,
    "zero-plus-minus-zero": pt.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero": pt.mod,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": pt.floor_div,
    "nan-equal": lambda x: pt.eq(x, x),
    "nan-times-zero": pt.mul,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, a program for each."""
    mode = Mode(linker="py", optimizer="fast_run")
    xs = [pt.TensorType(a.dtype, (None,) * a.ndim)() for a in args]
    wanted = [xs[i] for i in floating(args)]
    y = call(*xs)
    if order == 2:
        y = pytensor.grad(y.sum(), xs[0])

    def run(outputs: Any) -> Any:
        return pytensor.function(xs, outputs, mode=mode, on_unused_input="ignore")(*args)

    def gradients() -> list[np.ndarray]:
        total = (y if seed is None else y * seed).sum()
        return run(pytensor.grad(total, wanted, disconnected_inputs="ignore"))

    return run(y), gradients


if __name__ == "__main__":
    serve(pytensor.__version__, CALLS, measure)
