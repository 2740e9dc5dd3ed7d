"""Convolution without columns: each tap of the kernel multiplies the image itself, moved.

An image is laid out in planes that hold its padding, so that what a tap (c, i, j) sees at all places
is one run of memory: `offset[c, i, j] + pixel`. With a stride s, every s-th row and column has a
plane of its own, for the same reason. Then

    y[o, pixel]   = sum over taps of    w[o, tap] planes[offset[tap] + pixel]
    dw[tap, o]   = sum over pixels of  planes[offset[tap] + pixel] dy[pixel, o]

are two loop nests whose sums stay in registers, and whose only memory is one image's: the columns of
im2col, each pixel KH KW times over, are never written (Georganas et al. 2018, arXiv:1808.05567).
Places at the end of a row, where the window would hang over it, are computed and dropped.

What comes right before and after is done in the same pass, while an image is in the cache: bias, relu,
pooling (`Epilogue`), and their reverse (`Unpooling`) before the products of a gradient. So the image between
a convolution and its pooling is never in memory as a whole.

The sums have one order, whatever the number of threads. The twin is in `shared.ops.convolution`: columns
and a matrix product, whose sums have another order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import FLOATS, convolution_source, machine, threads
from shared.kernels.convolution_source import TILES, Epilogue, Variant
from shared.kernels.machine import Routine, address

Pair = tuple[int, int]

WORTH, WORTH_OF_FEW, FEWEST = 1 << 21, 1 << 18, 4
"""The number of products from which on the kernels are worth their loading: the second where fewer channels
come out of a group than the third, for then what a matrix product does is slow."""
LARGE, WEIGHTS = 400, 1 << 20
"""From so many places of an image on, and up to so many bytes of weights, one image is taken at a time."""
TAIL = 256
"""Elements behind what is laid out, which the last vectors read and nobody uses."""
PARTS, PARTS_BYTES = 8, 1 << 20
"""The gradient of the weights is summed in parts, each over some of the images: so many at most, and with
sums of so many bytes in all, but two at least. By sizes alone, so that the bits are those of one thread."""

NOTHING = Epilogue()


class PlaneGrid(NamedTuple):
    """How one image of some channels grid in planes, and where a window's taps find it.

    rows, columns   where each row of a channel begins, and each column within it
    channel, size   the elements of one channel's planes, and of all with the room behind them
    row, run        the places in one row of the output, those among them that are dropped, and in all
    offsets         where each tap (c, i, j) begins
    """

    rows: Any
    columns: Any
    channel: int
    size: int
    row: int
    run: int
    offsets: Any


@lru_cache(maxsize=256)
def plane_grid(
    channels: int, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, image: Pair, output: Pair
) -> PlaneGrid:
    """The layout of images (channels, *image) under a window that gives such an output."""
    seen = [(output[a] - 1) * stride[a] + dilation[a] * (kernel[a] - 1) + 1 for a in (0, 1)]
    held = [max(image[a] + padding[a], seen[a]) for a in (0, 1)]
    high, wide = (-(-held[a] // stride[a]) for a in (0, 1))
    channel = math.prod(stride) * high * wide
    down, across = (np.arange(size) for size in held)
    rows = down % stride[0] * stride[1] * high * wide + down // stride[0] * wide
    columns = across % stride[1] * high * wide + across // stride[1]
    taps = rows[:: dilation[0]][: kernel[0], None] + columns[:: dilation[1]][: kernel[1]]
    offsets = (channel * np.arange(channels)[:, None] + taps.reshape(-1)).reshape(-1)
    run = (output[0] - 1) * wide + output[1]
    inside = [slice(padding[a], padding[a] + image[a]) for a in (0, 1)]
    return PlaneGrid(
        rows[inside[0]].copy(), columns[inside[1]].copy(), channel, channels * channel + run + TAIL,
        wide, run, offsets,
    )  # fmt: skip


class Unpooling(NamedTuple):
    """Says of a gradient that it is the one by what `epilogue` gave: y, and of each window the number of
    its largest element. It belongs to that element, if relu let it through."""

    y: Any
    argmax: Any
    epilogue: Epilogue


class Geometry(NamedTuple):
    """A window over images: its own size and how it moves, the sizes of the image and of the output."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    image: Pair
    output: Pair

    def is_pointwise(self) -> bool:
        """Whether each place of the output sees one pixel, its own."""
        return self.kernel == self.stride == (1, 1) and self.padding == (0, 0)

    def grid(self, channels: int) -> PlaneGrid:
        return plane_grid(channels, *self)

    def suits(self, x: Any, w: Any, groups: int) -> bool:
        """Whether the correlation of x and w (Specs, or arrays) is one for these kernels: large enough, and
        with enough channels to fill registers."""
        products = x.shape[0] * math.prod(w.shape) * math.prod(self.output)
        return (
            x.dtype == w.dtype
            and x.dtype in FLOATS
            and products >= (WORTH if w.shape[0] // groups >= FEWEST else WORTH_OF_FEW)
            and not machine.available()
        )

    def at_once(self, w: Any, groups: int) -> bool:
        """Whether the correlation with w (O, C / groups, *kernel) of one image after the other is as fast as
        can be: little is dropped, and the weights stay in the cache."""
        few = w.shape[0] // groups < FEWEST
        size = math.prod(w.shape) // groups * w.dtype.itemsize
        return few or (math.prod(self.output) >= LARGE and size <= WEIGHTS)


# --- calls ---------------------------------------------------------------------------------


def correlate(
    x: Any, w: Any, b: Any, geometry: Geometry, groups: int, out: Any, epilogue: Epilogue = NOTHING,
    argmax: Any = None, unpooling: Unpooling | None = None,
) -> Any:  # fmt: skip
    """Fill `out` with the correlation of x (N, C, *image) and w (O, C / groups, *kernel), plus b (O,)
    unless it is None, and what `epilogue` says; give it.

    All arrays of one dtype and, but for `out`, in C order. `argmax`, bytes of out's shape, gets the number
    of the element that each pooled one was in its window. With `unpooling`, x is a pooled gradient of such
    images.
    """
    c, o = x.shape[1] // groups, len(w) // groups
    grid = geometry.grid(c)
    strides = [step // out.itemsize for step in out.strides]
    variant = _variant(x, geometry, unpooling)._replace(
        epilogue=epilogue, few=o if o < FEWEST else 0, step=strides[3] * (strides[2:] != [out.shape[3], 1])
    )
    run, (rows, _) = _run(x, grid, variant), variant.tile
    weights = _in_tiles(w.reshape(groups, o, -1), rows)
    bias = np.zeros(len(w), x.dtype) if b is None else b
    shared = _images(x, c, grid) | _output(o, geometry, grid)
    shared |= {
        "x_at": address(x), "x_image": math.prod(x.shape[1:]) // groups, "groups": groups, "run": run,
        "w_at": address(weights), "w_group": weights[0].size, "b_at": address(bias),
        "out_at": address(out), "out_image": strides[0] // groups, "out_channel": strides[1],
        "out_step_down": strides[2],
    }  # fmt: skip
    if argmax is not None:
        shared["argmax_at"] = address(argmax)
    held = [weights, bias]
    if unpooling is not None:
        ph, pw = unpooling.epilogue.pool
        held.append(tap := (np.arange(ph)[:, None] * grid.row + np.arange(pw)).reshape(-1))
        shared |= {
            "start": grid.rows[0] + grid.columns[0], "down": ph * grid.row, "across": pw,
            "tap_at": address(tap), "pooled_at": address(unpooling.y),
            "argmax_in_at": address(unpooling.argmax),
        }  # fmt: skip
    function = _routine(convolution_source.correlate, convolution_source.CORRELATE, variant)
    work = []
    for images in threads.share(len(x) * groups):
        planes, tile = np.zeros(grid.size, x.dtype), np.zeros(rows * run + TAIL, x.dtype)
        held += [planes, tile]
        own = {"first": images.start, "last": images.stop}
        own |= {"planes_at": address(planes), "tile_at": address(tile)}
        work.append([function.arguments(shared | own)])
    threads.run(function.each, work)
    return out


def correlate_weight(
    x: Any, g: Any, geometry: Geometry, groups: int, out: Any, unpooling: Unpooling | None = None
) -> Any:
    """Fill `out` (O, C / groups, *kernel) with the gradient of the correlation of x (N, C, *image) by its
    weights; g (N, O, *output) is that by its output, or, with `unpooling`, pooled. Give it.

    All arrays of one dtype, in C order.
    """
    n, c, o = x.shape[0], x.shape[1] // groups, g.shape[1] // groups
    grid = geometry.grid(c)
    vectors, padded, taps, channels_last = _weight_sizes(x, o, geometry, grid)
    offsets = np.concatenate([grid.offsets, np.zeros(taps - len(grid.offsets), np.int64)])
    shared = _images(x, c, grid) | _output(o, geometry, grid)
    shared |= {
        "taps": taps, "offsets_at": address(offsets), "padded": padded, "channels_last": channels_last,
        "g_image": math.prod(g.shape[1:]), "g_height": g.shape[2], "g_width": g.shape[3],
    }  # fmt: skip
    held = [offsets]
    if unpooling is not None:
        (ph, pw), wide = unpooling.epilogue.pool, geometry.output[1]
        held.append(tap := (np.arange(ph)[:, None] * wide + np.arange(pw)).reshape(-1) * padded)
        shared |= {"start": 0, "down": ph * wide * padded, "across": pw * padded, "tap_at": address(tap)}
    function = _routine(
        convolution_source.weight, convolution_source.WEIGHT,
        _variant(x, geometry, unpooling), vectors,
    )  # fmt: skip
    parts = _parts(n, taps * padded * x.itemsize)
    totals = np.zeros((groups, len(parts), taps, padded), x.dtype)
    work: list[list[Any]] = [[] for _ in threads.share(groups * len(parts))]
    room = [(np.zeros(grid.size, x.dtype), np.zeros(channels_last, x.dtype)) for _ in work]
    for group in range(groups):
        for k, images in enumerate(parts):
            thread = (group * len(parts) + k) % len(work)
            planes, rows = room[thread]
            own = shared | {"first": images.start, "last": images.stop, "total_at": address(totals[group, k])}
            own |= {"x_at": address(x[:, group * c :]), "g_at": address(g[:, group * o :])}
            own |= {"planes_at": address(planes), "channels_last_at": address(rows)}
            if unpooling is not None:
                own |= {
                    "pooled_at": address(unpooling.y[:, group * o :]),
                    "argmax_in_at": address(unpooling.argmax[:, group * o :]),
                }
            work[thread].append(function.arguments(own))
    threads.run(function.each, work)
    total = totals.sum(1)[:, : len(grid.offsets), :o]
    out.reshape(groups, o, -1)[...] = total.swapaxes(1, 2)
    return out


def bytes_to_correlate(x: Any, w: Any, geometry: Geometry, groups: int) -> int:
    """What `correlate` allocates meanwhile."""
    grid, o = geometry.grid(x.shape[1] // groups), w.shape[0] // groups
    variant = _variant(x, geometry, None)._replace(few=o if o < FEWEST else 0)
    run, (rows, _) = _run(x, grid, variant), variant.tile
    weights = _up(o, rows) * len(grid.offsets)
    scratch = len(threads.share(x.shape[0] * groups))
    return int((groups * weights + scratch * (grid.size + rows * run + TAIL)) * x.dtype.itemsize)


def bytes_to_correlate_weight(x: Any, g: Any, geometry: Geometry, groups: int) -> int:
    """What `correlate_weight` allocates meanwhile."""
    grid = geometry.grid(x.shape[1] // groups)
    _, padded, taps, channels_last = _weight_sizes(x, g.shape[1] // groups, geometry, grid)
    parts = len(_parts(x.shape[0], taps * padded * x.dtype.itemsize))
    scratch = len(threads.share(groups * parts))
    sums = (groups * parts + groups) * taps * padded
    return int((sums + scratch * (grid.size + channels_last)) * x.dtype.itemsize)


def _weight_sizes(x: Any, o: int, geometry: Geometry, grid: PlaneGrid) -> tuple[int, int, int, int]:
    """Vectors of channels that are summed at a time; channels and taps, filled up to whole tiles; the
    elements of one image's gradient with its channels last."""
    tiles, lanes = TILES[machine.vector_bytes()], machine.vector_bytes() // x.dtype.itemsize
    vectors = max(v for v in tiles.taps if v == 1 or v * lanes < 2 * o)
    padded, taps = _up(o, vectors * lanes), _up(len(grid.offsets), tiles.taps[vectors])
    return vectors, padded, taps, _up(math.prod(geometry.output), lanes) * padded


def _parts(n: int, size: int) -> list[range]:
    count = min(n, max(2, min(PARTS, PARTS_BYTES // size)))
    return [range(n * k // count, n * (k + 1) // count) for k in range(count)]


def _in_tiles(w: Any, rows: int) -> Any:
    """Weights (groups, O, taps) as (groups, blocks, taps, rows): of some channels, tap after tap; zeros fill
    the last."""
    groups, o, taps = w.shape
    if rows == 1:
        return np.ascontiguousarray(w)
    padded = np.zeros((groups, _up(o, rows), taps), w.dtype)
    padded[:, :o] = w
    return np.ascontiguousarray(padded.reshape(groups, -1, rows, taps).swapaxes(2, 3))


def _run(x: Any, grid: PlaneGrid, variant: Variant) -> int:
    """The places of one channel in whole vectors of a tile."""
    return _up(grid.run, variant.tile[1] * machine.vector_bytes() // int(x.dtype.itemsize))


def _images(x: Any, channels: int, grid: PlaneGrid) -> dict[str, int]:
    return {
        "x_image": math.prod(x.shape[1:]), "channels": channels,
        "x_height": x.shape[2], "x_width": x.shape[3],
        "rows_at": address(grid.rows), "columns_at": address(grid.columns), "channel": grid.channel,
        "size": grid.size, "offsets_at": address(grid.offsets), "taps": len(grid.offsets),
    }  # fmt: skip


def _output(channels: int, geometry: Geometry, grid: PlaneGrid) -> dict[str, int]:
    height, width = geometry.output
    return {"out_channels": channels, "out_height": height, "out_width": width, "row": grid.row}


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


def _variant(x: Any, geometry: Geometry, unpooling: Unpooling | None) -> Variant:
    gated = unpooling is not None and unpooling.epilogue.relu
    return Variant(x.dtype.char, machine.vector_bytes(), geometry.stride[1] > 1, unpooling is not None, gated)


@cache
def _routine(source: Callable[..., str], words: Sequence[str], variant: Variant, *more: int) -> Routine:
    key = (source.__name__, variant, *more)
    return machine.routine(key, words, lambda name: source(variant, *more, name))
