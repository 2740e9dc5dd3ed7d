"""Convolution by columns in panels: for small images and large weights, for windows that move by steps.

Where images are small, `shared.kernels.convolution`, which takes one at a time, reads all weights for each
and computes many places that are dropped. Here the columns of a block of images stand side by side,

    y[o, place]   = sum over taps of    w[o, tap] columns[tap, place]
    dw[o, tap]    = sum over places of  dy[o, place] columns[tap, place]

so that the weights are read once a block, and nothing is dropped. Columns exist for some channels at a
time, cut into panels as wide as a tile of sums, which lie in the cache as they are read (Goto and van de
Geijn 2008, "Anatomy of high-performance matrix multiplication").

A gradient by images is a correlation for each phase of the stride: the pixels s r + a see those taps that
steps of s lead to (`backward`), so no zeros are multiplied. Each output's sum is that of the taps in order,
as in `shared.kernels.convolution`, to the bit, whatever the blocks and the threads; the gradient by weights
is the sum of the blocks' sums, whose sizes are known beforehand.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import machine, panels_source, threads
from shared.kernels.convolution_source import TILES
from shared.kernels.machine import Routine, address
from shared.kernels.panels_source import Variant

Pair = tuple[int, int]

PLACES, DEPTH = 512, 256
"""How many places, and how many taps of some channels, a block has at least, if there are so many: their
columns fill half of a middling second cache."""
TAIL = 64
"""Elements behind what is laid out, which the last vectors reach and nobody uses."""


class Reach(NamedTuple):
    """What a window sees: places (height, width) of the output, `stride` apart in the image; and by axis the
    offsets of its taps."""

    output: Pair
    stride: Pair
    offsets: tuple[tuple[int, ...], tuple[int, ...]]
    image: Pair

    def flat(self) -> Reach:
        """The same over images of one row, where each place sees just itself; for what is in C order."""
        if self.offsets != ((0,), (0,)) or self.stride != (1, 1) or self.output != self.image:
            return self
        row = 1, math.prod(self.image)
        return self._replace(output=row, image=row)

    @property
    def taps(self) -> int:
        return len(self.offsets[0]) * len(self.offsets[1])

    @property
    def rows_at_once(self) -> int:
        return max(PLACES // self.output[1], 1)

    @property
    def line(self) -> int:
        """The places of a block, and what the last vectors write behind."""
        return self.rows_at_once * self.output[1] + TAIL


class Phase(NamedTuple):
    """Of the gradient by an image, the pixels of one phase of the stride: the first of them, what of the
    gradient by the output they come from, and the taps of the kernel that lead there."""

    first: Pair
    reach: Reach
    taps: tuple[tuple[int, ...], tuple[int, ...]]


def forward(kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, image: Pair, output: Pair) -> Reach:
    """What a convolution sees, of images in C order."""
    down, across = (tuple(i * dilation[a] - padding[a] for i in range(kernel[a])) for a in (0, 1))
    return Reach(output, stride, (down, across), image).flat()


@lru_cache(maxsize=256)
def backward(
    kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, image: Pair, output: Pair
) -> tuple[Phase, ...]:
    """The phases of a convolution's gradient by its image; those of no taps, whose gradient is zero, are
    left out."""
    axes: list[list[Any]] = []
    for a in (0, 1):
        phases: list[Any] = []
        axes.append(phases)
        for first in range(min(stride[a], image[a])):
            at = {i: first + padding[a] - dilation[a] * i for i in reversed(range(kernel[a]))}
            taps = tuple(i for i, offset in at.items() if offset % stride[a] == 0)
            count = -(-(image[a] - first) // stride[a])
            phases.append((first, count, taps, tuple(at[i] // stride[a] for i in taps)))
    found = []
    for first, high, down, rows in axes[0]:
        for start, wide, across, columns in axes[1]:
            reach = Reach((high, wide), (1, 1), (rows, columns), output)
            if stride == (1, 1):
                reach = reach.flat()
            if reach.taps:
                found.append(Phase((first, start), reach, (down, across)))
    return tuple(found)


# --- calls ---------------------------------------------------------------------------------


def correlate(x: Any, w: Any, b: Any, reach: Reach, groups: int, out: Any, relu: bool = False) -> Any:
    """Fill `out` (N, O, *output) with the correlation of x (N, C, *image) and w (O, C / groups, KH, KW),
    plus b (O,) unless it is None, relu behind it or not; give it. All of one dtype, in C order."""
    steps = math.prod(w.shape[2:]), math.prod(w.shape[1:])
    offsets = _offsets(w.shape[1], steps[0], tuple(range(steps[0])))
    return _correlate(x, w, b, reach, groups, out, relu, steps[1], w.shape[0] // groups * steps[1], offsets)


def correlate_input(g: Any, w: Any, phases: tuple[Phase, ...], stride: Pair, groups: int, out: Any) -> Any:
    """Fill `out` (N, C, *image) with the gradient by the image that belongs to g (N, O, *output), by the
    output of a convolution by w (O, C / groups, *kernel). Give it. All of one dtype, in C order."""
    if len(phases) < math.prod(stride):
        out[...] = 0
    size, wide = math.prod(w.shape[2:]), w.shape[3]
    for (down, across), reach, taps in phases:
        places = tuple(i * wide + j for i in taps[0] for j in taps[1])
        offsets = _offsets(w.shape[0] // groups, math.prod(w.shape[1:]), places)
        part = out[:, :, down :: stride[0], across :: stride[1]]
        _correlate(g, w, None, reach, groups, part, False, size, len(w) // groups * w[0].size, offsets)
    return out


def _correlate(
    x: Any, w: Any, b: Any, reach: Reach, groups: int, out: Any, relu: bool, row: int, group_step: int,
    offsets: Any,
) -> Any:  # fmt: skip
    """`row`: from one output channel's weights to the next one's; `group_step`: from one group's."""
    n, c, o = x.shape[0], x.shape[1] // groups, out.shape[1] // groups
    some, run, _ = _correlate_sizes(x, c, reach)
    shared, held = _lines(x, reach, c)
    strides = [step // x.itemsize for step in out.strides]
    apart = strides[3] != 1 or (reach.output[0] > 1 and strides[2] != reach.output[1])
    shared |= {
        "depth": some * reach.taps, "channels_at_once": some, "w_row": row, "w_offsets_at": address(offsets),
        "run": run, "out_image": strides[0], "out_channel": strides[1], "out_row": strides[2],
    }  # fmt: skip
    variant = _variant(x, reach)._replace(relu=relu, step=strides[3] * apart)
    function = _routine(panels_source.correlate, panels_source.CORRELATE, variant)
    shares = _shares(n * reach.output[0], o, reach)
    scratch = [_scratch(x, c, reach, len(channels)) for _, channels in shares]
    work: list[list[Any]] = [[] for _ in shares]
    for group in range(groups):
        bias = np.zeros(o, x.dtype) if b is None else b[group * o : (group + 1) * o]
        held += [bias]
        own = shared | {"x_at": address(x[:, group * c :]), "out_at": address(out[:, group * o :])}
        own |= {"w_at": address(w) + group * group_step * w.itemsize, "b_at": address(bias)}
        for (rows, channels), room, calls in zip(shares, scratch, work, strict=True):
            own |= {"first": rows.start, "last": rows.stop}
            own |= {"o_first": channels.start, "o_last": channels.stop}
            names = ("lines_at", "panels_at", "weights_at", "sums_at")
            own |= {name: address(part) for name, part in zip(names, room, strict=True)}
            calls.append(function.arguments(own))
    threads.run(function.each, work)
    return out


def correlate_weight(x: Any, g: Any, reach: Reach, groups: int, out: Any) -> Any:
    """Fill `out` (O, C / groups, *kernel) with the gradient of the correlation of x (N, C, *image) by its
    weights; g (N, O, *output) is that by its output. Give it. All of one dtype, in C order."""
    n, c, o = x.shape[0], x.shape[1] // groups, g.shape[1] // groups
    shared, held = _lines(x, reach, c)
    taps = c * reach.taps
    area = math.prod(reach.output)
    shared |= {
        "first": 0, "last": n * reach.output[0], "line": reach.line, "g_image": area * g.shape[1],
        "g_channel": area, "out_channels": o, "out_row": taps,
    }  # fmt: skip
    function = _routine(panels_source.weight, panels_source.WEIGHT, _variant(x, reach))
    tiles, wide = TILES[machine.vector_bytes()], _wide(x)
    shares = threads.share(-(-taps // wide))
    work: list[list[Any]] = [[] for _ in shares]
    for share, calls in zip(shares, work, strict=True):
        panel, packed = reach.line * wide, reach.line * _up(o, tiles.rows)
        room = [np.empty(size, x.dtype) for size in (panel, panel, packed, tiles.rows * wide)]
        held += room
        names = ("lines_at", "panels_at", "packed_at", "tile_at")
        own = shared | {name: address(part) for name, part in zip(names, room, strict=True)}
        own |= {"tap_first": share.start * wide, "tap_last": min(share.stop * wide, taps)}
        for group in range(groups):
            own |= {"x_at": address(x[:, group * c :]), "g_at": address(g[:, group * o :])}
            own |= {"out_at": address(out[group * o :])}
            calls.append(function.arguments(own))
    threads.run(function.each, work)
    return out


# --- sizes ---------------------------------------------------------------------------------


def bytes_to_correlate(x: Any, o: int, reach: Reach, groups: int) -> int:
    """What `correlate`, and `correlate_input` for one phase, allocates meanwhile."""
    c = x.shape[1] // groups
    shares = _shares(x.shape[0] * reach.output[0], o // groups, reach)
    return sum(_scratch_size(x, c, reach, len(channels)) for _, channels in shares) * x.dtype.itemsize


def bytes_to_correlate_weight(x: Any, o: int, reach: Reach, groups: int) -> int:
    """What `correlate_weight` allocates meanwhile."""
    tiles, wide = TILES[machine.vector_bytes()], _wide(x)
    each = reach.line * (2 * wide + _up(o // groups, tiles.rows)) + tiles.rows * wide
    shares = threads.share(-(-x.shape[1] // groups * reach.taps // wide))
    return int(len(shares) * each * x.dtype.itemsize)


def _correlate_sizes(x: Any, c: int, reach: Reach) -> tuple[int, int, int]:
    """Channels at once; places in a row of sums; elements of a panel's worth of those channels' columns."""
    some = min(max(DEPTH // reach.taps, 1), c)
    run = _up(reach.line - TAIL, _wide(x))
    return some, run, some * reach.taps * run


def _scratch_sizes(x: Any, c: int, reach: Reach, o: int) -> tuple[int, ...]:
    some, run, panels = _correlate_sizes(x, c, reach)
    rows = TILES[machine.vector_bytes()].rows
    return run + TAIL, panels, some * reach.taps * rows, _up(o, rows) * run + TAIL


def _scratch_size(x: Any, c: int, reach: Reach, o: int) -> int:
    return sum(_scratch_sizes(x, c, reach, o))


def _scratch(x: Any, c: int, reach: Reach, o: int) -> list[Any]:
    """A line, panels, packed weights, sums."""
    return [np.empty(size, x.dtype) for size in _scratch_sizes(x, c, reach, o)]


def _shares(rows: int, o: int, reach: Reach) -> list[tuple[range, range]]:
    """What each thread does: some rows, where each has whole blocks of them, or else some channels."""
    if rows >= threads.count() * reach.rows_at_once:
        return [(share, range(o)) for share in threads.share(rows)]
    step = TILES[machine.vector_bytes()].rows
    return [
        (range(rows), range(share.start * step, min(share.stop * step, o)))
        for share in threads.share(-(-o // step))
    ]


def _variant(x: Any, reach: Reach) -> Variant:
    lanes = machine.vector_bytes() // int(x.dtype.itemsize)
    last, stride = reach.output[1] - 1, reach.stride[1]
    return Variant(
        x.dtype.char, machine.vector_bytes(), stride, 1 + last * stride // lanes if last < lanes else 0
    )


def _wide(x: Any) -> int:
    """The places in a tile."""
    return TILES[machine.vector_bytes()].vectors * machine.vector_bytes() // int(x.dtype.itemsize)


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


# --- tables --------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def tap_table(reach: Reach) -> Any:
    """Of each tap: where it begins, counted from an image's first pixel; the first and the last row of the
    output from which it sees the image; and the first and the last column of the image that it sees, counted
    from where it begins."""
    (height, width), table = reach.image, []
    for down in reach.offsets[0]:
        top, bottom = (max(-(-(edge - down) // reach.stride[0]), 0) for edge in (0, height))
        for across in reach.offsets[1]:
            table.append((down * width + across, top, bottom, max(-across, 0), max(width - across, 0)))
    return np.array(table, np.int64)


@lru_cache(maxsize=64)
def _offsets(channels: int, step: int, taps: tuple[int, ...]) -> Any:
    """Where each channel's taps are among the weights."""
    return (step * np.arange(channels)[:, None] + np.array(taps, np.int64)).reshape(-1)


def _lines(x: Any, reach: Reach, channels: int) -> tuple[dict[str, int], list[Any]]:
    table = tap_table(reach)
    height, width = reach.output
    return {
        "at_once": reach.rows_at_once, "height": height, "width": width, "x_image": math.prod(x.shape[1:]),
        "x_channel": math.prod(x.shape[2:]), "row_step": reach.stride[0] * reach.image[1],
        "channels": channels, "taps": reach.taps, "table_at": address(table),
    }, [table]  # fmt: skip


@cache
def _routine(source: Any, words: Any, variant: Variant) -> Routine:
    key = ("panels", source.__name__, variant)
    return machine.routine(key, words, lambda name: source(variant, name))
