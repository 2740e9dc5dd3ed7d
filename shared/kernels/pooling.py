"""What undoes choosing one element of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.kernels import compiled, plain, worth_a_kernel
from shared.kernels.scatter import zeroed
from shared.op import array_module, put


def unpool(g: Any, taps: Any, window: Any, size: tuple[int, int], out: Any = None) -> Any:
    """An image (N, C, *size) of zeros to which each element of g (N, C, OH, OW) is added where its
    window chose; `taps`, of g's shape, says which element of the kernel it was.

    Where windows overlap, those further down and to the right are added first.
    """
    if not worth_a_kernel(g) or taps.max() >= window.kernel[0] * window.kernel[1]:
        return unpool_twin(g, taps, window, size, out)
    (down, across), (rows, columns) = window.corners(g.shape[2:]), window.offsets()
    top, left = window.padding
    height = max(size[0], int(down[-1] + rows[-1]) + 1) + top
    width = max(size[1], int(across[-1] + columns[-1]) + 1) + left
    fits = (height, width) == tuple(size)
    padded = zeroed(np, (*g.shape[:2], height, width), g.dtype, out if fits else None)
    compiled(_unpool)(
        padded.reshape(-1, height * width),
        *(plain(v.reshape(-1, *v.shape[2:])) for v in (g, taps)),
        (down + top) * width, across + left, rows * width + columns,
    )  # fmt: skip
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


def _unpool(planes: Any, g: Any, taps: Any, down: Any, across: Any, offsets: Any) -> None:
    """Into images with their padding, so that every element of the kernel is over a pixel. Backwards
    through the places, which for each pixel is forwards through the kernel: the twin's order."""
    for at in range(len(planes)):
        plane = planes[at]
        for oh in range(len(down) - 1, -1, -1):
            row, chosen, start = g[at, oh], taps[at, oh], down[oh]
            for ow in range(len(across) - 1, -1, -1):
                plane[start + across[ow] + offsets[chosen[ow]]] += row[ow]
