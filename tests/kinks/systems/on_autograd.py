"""The rows in autograd's words: NumPy's, and SciPy's special functions where it has them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, make_vjp
from autograd.scipy import special
from speak import each, floating, serve

CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": anp.max,
    "min-tie min-nan": anp.min,
    "max-tie-along-axis": lambda x: anp.max(x, axis=-1),
    "maximum-tie maximum-nan": anp.maximum,
    "minimum-tie": anp.minimum,
    "sort-tie sort-nan": anp.sort,
    "argmax-tie argmax-of-nothing argmax-nan": anp.argmax,
    "fmax-nan": anp.fmax,
    # pieces
    "abs-zero abs-second integer-abs-lowest": anp.abs,
    "sign-zero sign-nan sign-minus-zero": anp.sign,
    "maximum-of-zero": lambda x: anp.maximum(x, 0.0),
    "clip-bounds clip-nan": lambda x: anp.clip(x, -1.0, 1.0),
    "clip-crossed": lambda x: anp.clip(x, 2.0, 1.0),
    "l1_loss-zero": lambda x, y: anp.mean(anp.abs(x - y)),
    "floor-whole": anp.floor,
    "round-slope round-minus-zero": anp.round,
    "where-nan-branch": lambda x: anp.where(x > 0, anp.log(x), 0.0),
    "where-guarded": lambda x: anp.where(x > 0, anp.log(anp.where(x > 0, x, 1.0)), 0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": anp.sqrt,
    "sqrt-of-square-zero": lambda x: anp.sqrt(x * x),
    "reciprocal-zero": anp.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": anp.power,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": anp.linalg.norm,
    "norm-1-zero": lambda x: anp.linalg.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: anp.linalg.norm(x, np.inf),
    "norm-3-zero": lambda x: anp.linalg.norm(x, 3),
    "atan2-zero atan2-zero-second": anp.arctan2,
    "log-zero log-negative": anp.log,
    "logaddexp-nothing logaddexp-inf": anp.logaddexp,
    "acos-end": anp.arccos,
    "acosh-end": anp.arccosh,
    "atanh-end": anp.arctanh,
    "logit-ends": special.logit,
    "erfinv-ends": special.erfinv,
    "digamma-zero digamma-minus-one": special.digamma,
    "lgamma-zero": special.gammaln,
    "sinc-zero sinc-zero-second": anp.sinc,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: anp.linalg.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": anp.prod,
    "var-of-one": lambda x: anp.var(x, ddof=1),
    "std-of-one": lambda x: anp.std(x, ddof=1),
    "std-constant": anp.std,
    "sum-of-nothing sum-of-minus-zeros": anp.sum,
    "mean-of-nothing mean-of-integers half-mean": anp.mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": special.logsumexp,
    # places
    "index-repeated index-beyond index-negative": lambda x, i: x[i],
    # matrices
    "det-singular det-zeros": anp.linalg.det,
    "slogdet-singular": lambda x: anp.linalg.slogdet(x)[1],
    "inv-singular": anp.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: anp.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: anp.linalg.svd(x, compute_uv=False),
    "cholesky-slope cholesky-not-positive": anp.linalg.cholesky,
    "eigh-vectors-equal": lambda x: anp.linalg.eigh(x)[1],
    "solve-singular": anp.linalg.solve,
    "pinv-zeros": anp.linalg.pinv,
    # numbers
    "sigmoid-saturated": special.expit,
    "tanh-saturated": anp.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": anp.exp,
    "zero-plus-minus-zero": anp.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        anp.remainder,
    "fmod-signs": anp.fmod,
    "floor_divide-tenth floor_divide-zero integer-divide-zero": anp.floor_divide,
    "nan-equal": lambda x: x == x,
    "nan-times-zero": anp.multiply,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, one argument after the other."""
    function = grad(lambda *xs: anp.sum(call(*xs))) if order == 2 else call

    def gradients() -> list[np.ndarray]:
        found = []
        for place in floating(args):
            back, y = make_vjp(function, place)(*args)
            found.append(back(np.ones_like(y) if seed is None else seed.astype(y.dtype)))
        return found

    return function(*args), gradients


if __name__ == "__main__":
    serve(version("autograd"), CALLS, measure)
