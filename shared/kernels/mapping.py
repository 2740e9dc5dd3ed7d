"""Functions of one argument for which NumPy makes some twenty passes over memory, in one pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import FLOATS, machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of

WORTH_MAPPING = 1 << 16
"""The number of elements from which on one pass, of a nanosecond for each, is worth the loading of LLVM."""


def worth_mapping(x: Any) -> bool:
    """Whether `mapped` takes this array, and is worth its loading."""
    return (
        type(x) is np.ndarray
        and x.size >= WORTH_MAPPING
        and x.dtype in FLOATS
        and x.flags.c_contiguous
        and x.flags.aligned
        and not machine.available()
    )


def mapped(text: str, x: Any, out: Any = None) -> Any:
    """The function of this scalar form, of a0, at each element; `out` may be x. Its twin is the op's own
    way, and it is as far from that as `fast_math` says."""
    y = np.empty_like(x) if out is None else out
    if _kernel(text, x.dtype.name)(y, x):
        return y
    y[...] = mapped(text, x)  # an `out` that is not as kernels take it
    return y


@cache
def _kernel(text: str, dtype: str) -> Callable[..., bool]:
    whole = Input(dtype, (True,))
    return kernel_of(Recipe(None, (whole,), (Element(text, (0,), dtype),), ((1,),)))
