"""What undoes choosing one element of each window."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from shared.kernels import plain, scatter_source, worth_a_kernel
from shared.kernels.machine import Routine, place, routine
from shared.kernels.scatter import zeroed
from shared.op import array_module, put


def unpool(g: Any, taps: Any, window: Any, size: tuple[int, int], out: Any = None) -> Any:
    """An image (N, C, *size) of zeros to which each element of g (N, C, OH, OW) is added where its
    window chose; `taps`, of g's shape, says which element of the kernel it was.

    Where windows overlap, those further down and to the right are added first.
    """
    known = taps.dtype == np.uint8 and taps.max(initial=0) < window.kernel[0] * window.kernel[1]
    if not worth_a_kernel(g) or not known:
        return unpool_twin(g, taps, window, size, out)
    (down, across), (rows, columns) = window.corners(g.shape[2:]), window.offsets()
    top, left = window.padding
    height = max(size[0], int(down[-1] + rows[-1]) + 1) + top
    width = max(size[1], int(across[-1] + columns[-1]) + 1) + left
    fits = (height, width) == tuple(size)
    padded = zeroed(np, (*g.shape[:2], height, width), g.dtype, out if fits else None)
    g, taps = plain(g), plain(taps)
    numbers = [plain(v, np.int64) for v in ((down + top) * width, across + left, rows * width + columns)]
    places = [place(array) for array in (g, taps, *numbers, padded)]
    sizes = g.shape[0] * g.shape[1], g.shape[2], g.shape[3], height * width
    _routine(g.dtype.name)(np.array((*sizes, *places), np.int64))
    if fits:
        return padded
    image = padded[:, :, top : top + size[0], left : left + size[1]]
    return np.ascontiguousarray(image) if out is None else put(image, out)


def unpool_twin(g: Any, taps: Any, window: Any, size: tuple[int, int], out: Any = None) -> Any:
    """What unpool gives, in the arrays' own module."""
    xp = array_module(g)
    image = zeroed(xp, (*g.shape[:2], *size), g.dtype, out)
    for k, tap in enumerate(window.taps(size, g.shape[2:])):
        image[tap.image] += xp.where(taps[tap.places] == k, g[tap.places], g.dtype.type(0))
    return image


@cache
def _routine(dtype: str) -> Routine:
    return routine(("unpool", dtype), scatter_source.UNPOOL, lambda name: scatter_source.unpool(dtype, name))
