"""Loops that NumPy has no fast word for, compiled by Numba; and those of fused ops, by LLVM alone.

Each of Numba's modules holds a kernel, written as a plain Python loop, beside its twin in NumPy. The twin is
the kernel's oracle, gives the same bits, and does the work where the kernel can not: for arrays
of other modules, for other dtypes, and for arrays so small that loading Numba would cost more
than it saves. These kernels run on one thread, so that the order of every sum is fixed.

What static fuses is known only at run, so it is written as LLVM's own text: `scalars` turns ops' forms
into instructions, `fast_math` has exp and its like, `fused` writes the loops around them, `support` looks
at the arguments, `machine` compiles, and `store` keeps the code on disk. The ops one by one are the twin.

Convolutions (`convolution`, its loops in `convolution_source`, written with `emitter`) share images among
`threads`; their sums have an order of their own, the same for any number of these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

WORTH_COMPILING = 1 << 14
"""The number of elements from which on a kernel is worth its loading."""

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


@cache
def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """The machine code of a loop. Numba is imported here, at the first kernel that is used;
    what it compiles is kept on disk, beside this file or in the user's cache directory."""
    import numba

    try:
        return numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # there is no directory that it may write to
        return numba.njit(nogil=True)(loop)


def worth_a_kernel(array: Any) -> bool:
    """Whether a kernel, and not its twin, shall work on this array of floats."""
    return isinstance(array, np.ndarray) and array.size >= WORTH_COMPILING and array.dtype in FLOATS


def plain(array: Any, dtype: Any = None) -> Any:
    """Contiguous and aligned, so that one compiled version fits all."""
    return np.require(array, dtype, ["C", "A"])
