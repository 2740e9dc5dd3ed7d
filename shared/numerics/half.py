"""Half precision is stored in 16 bits and computed in 32: sums and squares soon leave its range."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from shared.op import put

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def in_single(compute: Callable[..., Any]) -> Callable[..., Any]:
    """A compute that takes a first argument of half precision in single, and rounds what comes out."""

    @wraps(compute)
    def wide(x: Any, *others: Any, out: Any = None, **settings: Any) -> Any:
        if x.dtype != HALF:
            return compute(x, *others, **settings, **({} if out is None else {"out": out}))
        made = compute(x.astype(SINGLE), *others, **settings)
        if not isinstance(made, tuple):
            return put(rounded(made, HALF), out)
        outs = (None,) * len(made) if out is None else out
        return tuple([put(rounded(y, HALF), to) for y, to in zip(made, outs, strict=True)])

    return wide


def rounded(y: Any, dtype: Any) -> Any:
    """y in a dtype that may be narrower; what leaves its range is infinite, as any other overflow is."""
    if y.dtype == dtype:
        return y
    with np.errstate(over="ignore"):
        return y.astype(dtype)
