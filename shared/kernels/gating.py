"""The gradient of what cuts off at zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.kernels import FLOATS, compiled

LARGE = 1 << 20
"""The number of elements from which on a pass over memory less is worth the loading of Numba: below,
NumPy's passes read from the cache, and every net with a relu would load it."""


def worth_gating(g: Any, y: Any) -> bool:
    """Whether `gate_positive` takes these arrays, and is worth its loading."""
    return (
        type(g) is type(y) is np.ndarray
        and g.size >= LARGE
        and g.shape == y.shape
        and g.dtype == y.dtype
        and g.dtype in FLOATS
        and g.flags.c_contiguous
        and y.flags.c_contiguous
    )


def gate_positive(g: Any, y: Any, out: Any = None) -> Any:
    """g where y > 0, else 0, whatever g is there; `out` may be g. Its twin is `ops.gate(g, y > 0)`."""
    out = np.empty_like(g) if out is None else out
    if _place(out) == _place(g):
        compiled(_cut_positive)(out.reshape(-1), y.reshape(-1))
    else:
        compiled(_gate_positive)(out.reshape(-1), g.reshape(-1), y.reshape(-1))
    return out


def _place(array: Any) -> int:
    """Where an array's elements begin."""
    return array.__array_interface__["data"][0]


def _gate_positive(out: Any, g: Any, y: Any) -> None:
    for k in range(len(out)):
        out[k] = g[k] if y[k] > 0 else 0


def _cut_positive(g: Any, y: Any) -> None:
    """The same in place. Two names for one array would keep the loop above from being vectorised."""
    for k in range(len(g)):
        g[k] = g[k] if y[k] > 0 else 0
