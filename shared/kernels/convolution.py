"""Convolution without columns: each tap of the kernel multiplies the image itself, moved.

An image is laid out in planes that hold its padding, so that what a tap (c, i, j) sees at all places
is one run of memory: `offset[c, i, j] + place`. With a stride s, every s-th row and column has a
plane of its own, for the same reason. Then

    y[o, place]  = sum over taps of    w[o, tap] planes[offset[tap] + place]
    dw[tap, o]   = sum over places of  planes[offset[tap] + place] dy[place, o]

are two loop nests whose sums stay in registers, and whose only memory is one image's: the columns of
im2col, each pixel KH KW times over, are never written (Georganas et al. 2018, arXiv:1808.05567).
Places at the end of a row, where the window would hang over it, are computed and dropped.

What comes right before and after is done in the same pass, while an image is in the cache: bias, relu,
pooling (`Finish`), and their undoing before the products of a gradient. So the image between a
convolution and its pooling is never in memory as a whole.

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
from shared.kernels.convolution_source import TILES, Finish, Kind
from shared.kernels.machine import Routine, place

Pair = tuple[int, int]

WORTH, FEWEST = 1 << 21, 4
"""The number of products, and of channels in a group, from which on the kernels are worth their loading."""
ROOM = 256
"""Elements behind what is laid out, which the last vectors read and nobody uses."""
PARTS, PARTS_BYTES = 8, 1 << 20
"""The gradient of the weights is summed in parts, each over some of the images: so many at most, and with
sums of so many bytes in all, but two at least. By sizes alone, so that the bits are those of one thread."""

PLAIN = Finish()


class Layout(NamedTuple):
    """How one image of some channels lies in planes, and where a window's taps find it.

    rows, columns   where each row of a channel begins, and each column within it
    channel, size   the elements of one channel's planes, and of all with the room behind them
    row, run        the places in one row of the answer, those among them that are dropped, and in all
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
def layout(
    channels: int, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, image: Pair, places: Pair
) -> Layout:
    """The layout of images (channels, *image) under a window that takes so many places."""
    held = [max(image[a] + 2 * padding[a], dilation[a] * (kernel[a] - 1) + 1) for a in (0, 1)]
    high, wide = (-(-held[a] // stride[a]) for a in (0, 1))
    channel = math.prod(stride) * high * wide
    down, across = (np.arange(size) for size in held)
    rows = down % stride[0] * stride[1] * high * wide + down // stride[0] * wide
    columns = across % stride[1] * high * wide + across // stride[1]
    taps = rows[:: dilation[0]][: kernel[0], None] + columns[:: dilation[1]][: kernel[1]]
    offsets = (channel * np.arange(channels)[:, None] + taps.reshape(-1)).reshape(-1)
    run = (places[0] - 1) * wide + places[1]
    inside = [slice(padding[a], padding[a] + image[a]) for a in (0, 1)]
    return Layout(
        rows[inside[0]].copy(), columns[inside[1]].copy(), channel, channels * channel + run + ROOM,
        wide, run, offsets,
    )  # fmt: skip


class Undone(NamedTuple):
    """Says of a gradient that it is the one by what `finish` gave: y, and which element was taken. It
    belongs to that element, if relu let it through."""

    y: Any
    taken: Any
    finish: Finish


class Move(NamedTuple):
    """A window over images: its own size and how it moves, the image's size, the places it takes."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    image: Pair
    places: Pair

    def layout(self, channels: int) -> Layout:
        return layout(channels, *self)

    def suits(self, x: Any, w: Any, groups: int) -> bool:
        """Whether the correlation of x and w (Specs, or arrays) is one for these kernels: large enough, and
        with enough channels to fill registers."""
        o = w.shape[0]
        return (
            x.dtype == w.dtype
            and x.dtype in FLOATS
            and o // groups >= FEWEST
            and x.shape[0] * o * w.shape[1] * math.prod(self.kernel) * math.prod(self.places) >= WORTH
            and not machine.available()
        )

    def turned(self) -> Move:
        """The window with which a gradient by the answer becomes one by the image; of stride 1."""
        padding = [self.dilation[a] * (self.kernel[a] - 1) - self.padding[a] for a in (0, 1)]
        return Move(self.kernel, (1, 1), (padding[0], padding[1]), self.dilation, self.places, self.image)


# --- calls ---------------------------------------------------------------------------------


def correlate(
    x: Any, w: Any, b: Any, move: Move, groups: int, out: Any, finish: Finish = PLAIN, taken: Any = None,
    undone: Undone | None = None,
) -> Any:  # fmt: skip
    """Fill `out` with the correlation of x (N, C, *image) and w (O, C / groups, *kernel), plus b (O,)
    unless it is None, and what `finish` says; give it.

    All arrays of one dtype, in C order. `taken`, bytes of out's shape, gets the number of the element
    that each pooled one was in its window. With `undone`, x is a pooled gradient of such images.
    """
    n, c = x.shape[0], x.shape[1] // groups
    o = w.shape[0] // groups
    lies, tiles = move.layout(c), TILES[machine.vector_bytes()]
    lanes = machine.vector_bytes() // x.itemsize
    run = _up(lies.run, tiles.vectors * lanes)
    shared = _images(x, c, lies) | _answer(o, move, lies)
    shared |= {"run": run, "out_image": math.prod(out.shape[1:])}
    held = []
    if undone is not None:
        ph, pw = undone.finish.pool
        held.append(tap := (np.arange(ph)[:, None] * lies.row + np.arange(pw)).reshape(-1))
        shared |= {
            "start": lies.rows[0] + lies.columns[0], "down": ph * lies.row, "across": pw, "tap_at": place(tap)
        }  # fmt: skip
    function = _routine(
        convolution_source.correlate, convolution_source.CORRELATE,
        _kind(x, move, undone)._replace(finish=finish),
    )  # fmt: skip
    shares = threads.share(n)
    rooms = [(np.zeros(lies.size, x.dtype), np.zeros(tiles.rows * run + ROOM, x.dtype)) for _ in shares]
    work: list[list[Any]] = [[] for _ in shares]
    for group in range(groups):
        weights = _in_blocks(w[group * o : (group + 1) * o].reshape(o, -1), tiles.rows)
        bias = np.zeros(o, x.dtype) if b is None else b[group * o : (group + 1) * o]
        held += [weights, bias]
        own = shared | {"w_at": place(weights), "b_at": place(bias)}
        own |= {"x_at": place(x[:, group * c :]), "out_at": place(out[:, group * o :])}
        if taken is not None:
            own["taken_at"] = place(taken[:, group * o :])
        if undone is not None:
            own |= {
                "pooled_at": place(undone.y[:, group * c :]), "choice_at": place(undone.taken[:, group * c :])
            }  # fmt: skip
        for images, (planes, tile), frames in zip(shares, rooms, work, strict=True):
            own |= {"first": images.start, "last": images.stop}
            own |= {"planes_at": place(planes), "tile_at": place(tile)}
            frames.append(function.frame(own))
    threads.run(function.each, work)
    return out


def correlate_weight(x: Any, g: Any, move: Move, groups: int, out: Any, undone: Undone | None = None) -> Any:
    """Fill `out` (O, C / groups, *kernel) with the gradient of the correlation of x (N, C, *image) by its
    weights; g (N, O, *places) is that by its answer, or, with `undone`, pooled. Give it.

    All arrays of one dtype, in C order.
    """
    n, c, o = x.shape[0], x.shape[1] // groups, g.shape[1] // groups
    lies = move.layout(c)
    vectors, padded, taps, turned = _weight_sizes(x, o, move, lies)
    offsets = np.concatenate([lies.offsets, np.zeros(taps - len(lies.offsets), np.int64)])
    shared = _images(x, c, lies) | _answer(o, move, lies)
    shared |= {
        "taps": taps, "offsets_at": place(offsets), "padded": padded, "turned": turned,
        "g_image": math.prod(g.shape[1:]), "g_height": g.shape[2], "g_width": g.shape[3],
    }  # fmt: skip
    held = [offsets]
    if undone is not None:
        (ph, pw), wide = undone.finish.pool, move.places[1]
        held.append(tap := (np.arange(ph)[:, None] * wide + np.arange(pw)).reshape(-1) * padded)
        shared |= {"start": 0, "down": ph * wide * padded, "across": pw * padded, "tap_at": place(tap)}
    function = _routine(
        convolution_source.weight, convolution_source.WEIGHT,
        _kind(x, move, undone), vectors,
    )  # fmt: skip
    parts = _parts(n, taps * padded * x.itemsize)
    totals = np.zeros((groups, len(parts), taps, padded), x.dtype)
    work: list[list[Any]] = [[] for _ in threads.share(groups * len(parts))]
    room = [(np.zeros(lies.size, x.dtype), np.zeros(turned, x.dtype)) for _ in work]
    for group in range(groups):
        for k, images in enumerate(parts):
            thread = (group * len(parts) + k) % len(work)
            planes, rows = room[thread]
            own = shared | {"first": images.start, "last": images.stop, "total_at": place(totals[group, k])}
            own |= {"x_at": place(x[:, group * c :]), "g_at": place(g[:, group * o :])}
            own |= {"planes_at": place(planes), "turned_at": place(rows)}
            if undone is not None:
                own |= {
                    "pooled_at": place(undone.y[:, group * o :]),
                    "choice_at": place(undone.taken[:, group * o :]),
                }
            work[thread].append(function.frame(own))
    threads.run(function.each, work)
    total = totals.sum(1)[:, : len(lies.offsets), :o]
    out.reshape(groups, o, -1)[...] = total.swapaxes(1, 2)
    return out


def bytes_to_correlate(x: Any, w: Any, move: Move, groups: int) -> int:
    """What `correlate` allocates meanwhile."""
    lies, tiles = move.layout(x.shape[1] // groups), TILES[machine.vector_bytes()]
    run = _up(lies.run, tiles.vectors * machine.vector_bytes() // x.dtype.itemsize)
    weights = _up(w.shape[0] // groups, tiles.rows) * len(lies.offsets)
    rooms = len(threads.share(x.shape[0]))
    return int((groups * weights + rooms * (lies.size + tiles.rows * run + ROOM)) * x.dtype.itemsize)


def bytes_to_correlate_weight(x: Any, g: Any, move: Move, groups: int) -> int:
    """What `correlate_weight` allocates meanwhile."""
    lies = move.layout(x.shape[1] // groups)
    _, padded, taps, turned = _weight_sizes(x, g.shape[1] // groups, move, lies)
    parts = len(_parts(x.shape[0], taps * padded * x.dtype.itemsize))
    rooms = len(threads.share(groups * parts))
    sums = (groups * parts + groups) * taps * padded
    return int((sums + rooms * (lies.size + turned)) * x.dtype.itemsize)


def _weight_sizes(x: Any, o: int, move: Move, lies: Layout) -> tuple[int, int, int, int]:
    """Vectors of channels that are summed at a time; channels and taps, filled up to whole tiles; the
    elements of one image's gradient, turned."""
    tiles, lanes = TILES[machine.vector_bytes()], machine.vector_bytes() // x.dtype.itemsize
    vectors = max(v for v in tiles.taps if v == 1 or v * lanes < 2 * o)
    padded, taps = _up(o, vectors * lanes), _up(len(lies.offsets), tiles.taps[vectors])
    return vectors, padded, taps, _up(math.prod(move.places), lanes) * padded


def _parts(n: int, size: int) -> list[range]:
    count = min(n, max(2, min(PARTS, PARTS_BYTES // size)))
    return [range(n * k // count, n * (k + 1) // count) for k in range(count)]


def _in_blocks(w: Any, rows: int) -> Any:
    """Weights (O, taps) as (blocks, taps, rows): of some channels, tap after tap; zeros fill the last."""
    blocks = -(-len(w) // rows)
    padded = np.zeros((blocks * rows, w.shape[1]), w.dtype)
    padded[: len(w)] = w
    return np.ascontiguousarray(padded.reshape(blocks, rows, -1).swapaxes(1, 2))


def _images(x: Any, channels: int, lies: Layout) -> dict[str, int]:
    return {
        "x_image": math.prod(x.shape[1:]), "channels": channels,
        "x_height": x.shape[2], "x_width": x.shape[3],
        "rows_at": place(lies.rows), "columns_at": place(lies.columns), "channel": lies.channel,
        "size": lies.size, "offsets_at": place(lies.offsets), "taps": len(lies.offsets),
    }  # fmt: skip


def _answer(channels: int, move: Move, lies: Layout) -> dict[str, int]:
    height, width = move.places
    return {"out_channels": channels, "out_height": height, "out_width": width, "row": lies.row}


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


def _kind(x: Any, move: Move, undone: Undone | None) -> Kind:
    gated = undone is not None and undone.finish.relu
    return Kind(x.dtype.name, machine.vector_bytes(), move.stride[1] > 1, undone is not None, gated)


@cache
def _routine(source: Callable[..., str], words: Sequence[str], kind: Kind, *more: int) -> Routine:
    key = (source.__name__, kind, *more)
    return machine.routine(key, words, lambda name: source(kind, *more, name))
