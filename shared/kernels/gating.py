"""The gradient of what cuts off at zero."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import FLOATS, machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of

LARGE, LOADED = 1 << 20, 1 << 14
"""The number of elements from which on a pass over memory less is worth the loading of LLVM: below,
NumPy's passes read from the cache, and every net with a relu would load it. The second where something else,
such as a convolution, has loaded it."""


def worth_gating(g: Any, y: Any) -> bool:
    """Whether `gate_positive` takes these arrays, and is worth its loading."""
    return (
        type(g) is type(y) is np.ndarray
        and g.size >= (LOADED if machine.loaded() else LARGE)
        and g.shape == y.shape
        and g.dtype == y.dtype
        and g.dtype in FLOATS
        and g.flags.c_contiguous
        and y.flags.c_contiguous
        and not machine.available()
    )


def gate_positive(g: Any, y: Any, out: Any = None) -> Any:
    """g where y > 0, else 0, whatever g is there; `out` may be g. Its twin is `ops.gate(g, y > 0)`."""
    out = np.empty_like(g) if out is None else out
    if not _kernel(g.dtype.name)(out, g, y):
        np.copyto(out, np.where(y > 0, g, g.dtype.type(0)))
    return out


@cache
def _kernel(dtype: str) -> Callable[..., bool]:
    whole = Input(dtype, (True,))
    form = Element("(a0 if a1 > 0 else 0)", (0, 1), dtype)
    return kernel_of(Recipe(None, (whole, whole), (form,), ((2,),)))
