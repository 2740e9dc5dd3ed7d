"""The largest element of each window, and what undoes choosing one."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, plain, pooling_source, scatter_source, threads, worth_a_kernel
from shared.kernels.machine import Routine, address, routine
from shared.kernels.scatter import zeroed
from shared.op import array_module, put

WIDEST = 8
"""Rows and columns of a window that `pool` takes, at most."""


def worth_pooling(x: Any, window: Any) -> bool:
    """Whether `pool` takes these images and is worth its loading: windows stand side by side."""
    return (
        worth_a_kernel(x)
        and window.kernel == window.stride
        and window.far is None
        and (window.padding, window.dilation, window.ceil) == ((0, 0), (1, 1), False)
        and max(window.kernel) <= WIDEST
        and x.flags.c_contiguous
        and x.flags.aligned
    )


def pool(x: Any, window: Any, y: Any, argmax: Any) -> None:
    """Into y (N, C, H // rows, W // columns), the largest of each window of x (N, C, H, W); into `argmax`,
    bytes, which element of the window it was: the first of equals; NaN is larger than all. In C order."""
    run = _pool_routine(x.dtype.name, window.kernel)
    row = x.shape[3] + WIDEST * machine.vector_bytes()
    sizes = {
        "height": x.shape[2], "width": x.shape[3], "out_height": y.shape[2], "out_width": y.shape[3],
        "row": row, "x_at": address(x), "out_at": address(y), "argmax_at": address(argmax),
    }  # fmt: skip
    shares = threads.share(x.shape[0] * x.shape[1])
    scratch = np.zeros((len(shares), window.kernel[0], row), x.dtype)
    threads.run(run, [
        run.arguments(sizes | {"first": planes.start, "last": planes.stop, "rows_at": address(room)})
        for planes, room in zip(shares, scratch, strict=True)
    ])  # fmt: skip


@cache
def _pool_routine(dtype: str, kernel: tuple[int, int]) -> Routine:
    vector = machine.vector_bytes()
    key = "pool", dtype, vector, kernel
    return routine(key, pooling_source.POOL, lambda name: pooling_source.pool(dtype, vector, kernel, name))


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
    places = [address(array) for array in (g, taps, *numbers, padded)]
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
        image[tap.image] += xp.where(taps[tap.output] == k, g[tap.output], g.dtype.type(0))
    return image


@cache
def _routine(dtype: str) -> Routine:
    return routine(("unpool", dtype), scatter_source.UNPOOL, lambda name: scatter_source.unpool(dtype, name))
