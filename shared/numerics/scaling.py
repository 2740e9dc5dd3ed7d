"""Sums of squares of what is so large, or so small, that its square leaves the range of its dtype."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.op import array_module


def magnitude(x: Any, axes: tuple[int, ...], least: float = 0.0) -> Any:
    """The power of two next below the largest |x| over some axes, which stay behind as sizes of 1, or below
    `least` where that is more: what x can be divided by without rounding. 1 where neither is a size."""
    top = np.maximum(np.absolute(x).max(axis=axes, keepdims=True, initial=0), least)
    exponent = np.frexp(top)[1] - 1
    ones = array_module(x).ones((), x.dtype)
    # Two factors, for the least subnormal number is further from 1 than one power of two of its format.
    half = exponent // 2
    power = np.ldexp(np.ldexp(ones, half), exponent - half)
    return array_module(x).where((top > 0) & np.isfinite(top), power, ones)


def squares_fit(y: Any) -> bool:
    """Whether sums of squares are neither infinite nor so small that squares among them were lost. On a GPU
    nobody asks, lest the host wait: there they never do."""
    if not isinstance(y, (np.ndarray, np.generic)):
        return False
    return bool(fitting(y).all())


def fitting(y: Any) -> Any:
    """Which sums of squares are neither infinite nor so small that squares among them were lost."""
    limits = np.finfo(y.dtype)
    return np.greater_equal(y, limits.tiny / limits.eps) & np.less(y, math.inf)
