"""Loops that NumPy has no fast word for, and those of fused ops, compiled by LLVM.

`scatter`, `pooling`, `gating` and `recurrence` hold such loops (some written in `scatter_source` and
`pooling_source`), each beside its twin in NumPy. The twin is the kernel's oracle, gives the same bits, and
does the work where the kernel can not: for arrays of other modules, for other dtypes, where there is no
LLVM, and for arrays so small that loading it would cost more than it saves. The order of every sum is fixed.

What static fuses is known only at run, so it is written as LLVM's own text: `scalars` turns ops' forms
into instructions, `fast_math` has exp and its like, `fused` writes the loops around them, `support` looks
at the arguments, `machine` compiles, and `store` keeps the code on disk. The ops one by one are the twin;
`on_gpu` writes the same loops for a GPU.

Convolutions (`convolution`, its loops in `convolution_source`, written with `emitter`) share images among
`threads`; their sums have an order of their own, the same for any number of these. So have those of
`products`, for a weight that is multiplied again and again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.kernels import machine

WORTH_COMPILING = 1 << 14
"""The number of elements from which on a kernel is worth its loading."""

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def worth_a_kernel(array: Any) -> bool:
    """Whether a kernel, and not its twin, shall work on this array of floats."""
    return (
        isinstance(array, np.ndarray)
        and array.size >= WORTH_COMPILING
        and array.dtype in FLOATS
        and not machine.available()
    )


def plain(array: Any, dtype: Any = None) -> Any:
    """Contiguous and aligned, so that one compiled version fits all."""
    return np.require(array, dtype, ["C", "A"])
