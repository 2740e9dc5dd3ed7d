"""Products with a weight that was laid out for them once, as ops.

Unlisted: the pass `pack` puts them in the place of `linear`, `linear_input` and `matmul`. Where the
kernel of `shared.kernels.products` can not take the arrays, or they are of so many rows that BLAS is
as good, the product is made of the weight itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from shared.kernels.products import multiplier, packed, packed_shape
from shared.op import TABLE, Op
from shared.spec import Operand, Spec

MOST_ROWS = 96
"""Up to which a product is left to the kernel."""


def _infer_pack(weight: Operand, *, turned: bool) -> Spec:
    n, k = weight.shape if turned else weight.shape[::-1]
    return Spec(packed_shape(k, n, weight.dtype), weight.dtype)


pack = Op(
    "pack",
    lambda weight, *, turned, out=None: packed(weight.T if turned else weight, out),
    _infer_pack,
    out=True,
    listed=False,
    doc="A weight in tiles, from which products of few rows are made; `turned`: of its transpose.",
)


@cache
def packed_product(name: str, dtype: np.dtype[Any], biased: bool) -> Op:
    """`name` of the table, on what `pack` gives of its weight, too. With the op comes its kernel."""
    multiply, op, axis = multiplier(dtype, biased), TABLE[name], 0 if name == "linear" else 1

    def compute(x: Any, weight: Any, tiles: Any, *bias: Any, out: Any = None) -> Any:
        if len(x) <= MOST_ROWS:
            y = np.empty((len(x), weight.shape[axis]), dtype) if out is None else out
            if multiply(y, x, tiles, *bias):
                return y
        return op.compute(x, weight, *bias, out=out)

    def infer(x: Operand, weight: Operand, tiles: Operand, *bias: Operand) -> Spec:
        found: Spec = op.infer(x, weight, *bias)
        return found

    return Op(
        f"packed_{name}", compute, infer, out=True, check=op.check, listed=False,
        doc=f"{name}(x, weight, ...), from the weight's tiles.",
    )  # fmt: skip
