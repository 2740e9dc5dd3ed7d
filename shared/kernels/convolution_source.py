"""The two loop nests of `shared.kernels.convolution`, in LLVM's language.

Each is a function of its arguments, 64-bit words of which those called `..._at` are places in memory.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from shared.kernels.emitter import Emitter, Value
from shared.kernels.pooling_source import largest, positive

Pair = tuple[int, int]


class Tiles(NamedTuple):
    """How many sums stay in registers: of an output, some channels (`rows`) by some vectors of places;
    of weights, some vectors of channels by so many taps each."""

    rows: int
    vectors: int
    taps: dict[int, int]


TILES = {
    64: Tiles(8, 2, {1: 9, 2: 9, 4: 6}),  # 32 registers
    32: Tiles(6, 2, {1: 9, 2: 6}),  # 16 registers
    16: Tiles(6, 2, {1: 9, 2: 6}),
}
"""By the bytes of a vector."""
FEW_VECTORS = 4
"""How many vectors of places a tile of few rows has."""


class Epilogue(NamedTuple):
    """What follows a convolution in the same pass: relu, and the largest of each window of so many
    rows and columns, which do not overlap ((1, 1): no pooling)."""

    relu: bool = False
    pool: Pair = (1, 1)

    @property
    def pools(self) -> bool:
        return self.pool != (1, 1)


class Variant(NamedTuple):
    """What one function is made for.

    dtype    of all arrays, "f" or "d"
    bytes    of a vector
    strided  whether the columns of an image lie apart in the planes
    pooled   whether what is laid out (of weights: the gradient) comes as the gradient of what was
             pooled, with the pooled output and its argmax
    gated    whether it belongs only where that output is above zero, for relu was before the pooling
    epilogue   what follows (correlate alone)
    few      how many channels come out of a group, if these are fewer than a tile has rows (correlate alone)
    step     from column to column of what is written; 0 where rows follow each other too (correlate alone)
    """

    dtype: str
    bytes: int
    strided: bool = False
    pooled: bool = False
    gated: bool = False
    epilogue: Epilogue = Epilogue()
    few: int = 0
    step: int = 0

    @property
    def tile(self) -> Pair:
        """The rows and the vectors of an output's sums that stay in registers."""
        tiles = TILES[self.bytes]
        return (self.few, FEW_VECTORS) if self.few else (tiles.rows, tiles.vectors)

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


IMAGES = (
    "first", "last", "x_at", "x_image", "channels", "x_height", "x_width", "rows_at", "columns_at",
    "planes_at", "channel", "size", "offsets_at", "taps",
)  # fmt: skip
"""The images from `first` up to `last`: x, the elements of one, its sizes; then the layout."""
POOLED = ("pooled_at", "argmax_in_at", "start", "down", "across", "tap_at")
"""Beside the gradient of what was pooled: the pooled output, and for each element the number of the
one that it was in its window. That one stands at start + down row + across column + tap[number]."""
OUTPUT = ("out_channels", "out_height", "out_width", "row")
"""The sizes of the output, and the places in one of its rows in the planes."""
CORRELATE = (
    *IMAGES, *POOLED, *OUTPUT, "groups", "w_at", "w_group", "b_at", "tile_at", "run", "out_at", "out_image",
    "out_channel", "out_step_down", "argmax_at",
)  # fmt: skip
"""Each group of an image counts as an image of its own. `run`: the places of one row of the tile."""
WEIGHT = (
    *IMAGES, *POOLED, *OUTPUT, "g_at", "g_image", "g_height", "g_width", "channels_last_at", "channels_last",
    "padded", "total_at",
)  # fmt: skip


# --- an image into its planes --------------------------------------------------------------


def fill_planes(e: Emitter, n: str, strided: bool) -> None:
    """Image n of x, row by row."""
    image = e.at("%x_at", e.mul(n, "%x_image"))
    with e.loop("%channels") as c:
        planes = e.at("%planes_at", e.mul(c, "%channel"))
        with e.loop("%x_height") as r:
            source = e.at(image, e.mul(e.add(e.mul(c, "%x_height"), r), "%x_width"))
            row = e.at(planes, e.load(e.at("%rows_at", r, "i64"), "i64"))
            if strided:
                with e.loop("%x_width") as q:
                    column = e.load(e.at("%columns_at", q, "i64"), "i64")
                    e.store(e.load(e.at(source, q)), e.at(row, column))
            else:
                first = e.at(row, e.load("%columns_at", "i64"))
                with e.loop("%x_width", e.lanes) as q:
                    some = e.first(e.sub("%x_width", q))
                    e.store_some(e.load_some(e.at(source, q), some), e.at(first, q), some)


def _unpool(
    e: Emitter, n: str, of: str, channels: str, target: str, size: str, step: Value, gated: bool
) -> None:
    """Into zeros, the pooled gradients (`of`: x or g) of image n, each to the element that its window
    chose. `step`: from one channel to the next."""
    with e.loop(size) as k:
        e.store("0.0", e.at(target, k))
    height, width = f"%{of}_height", f"%{of}_width"
    with e.loop(channels) as c, e.loop(height) as r, e.loop(width) as q:
        row = e.add(e.mul(c, height), r)
        k = e.add(e.mul(n, f"%{of}_image"), e.add(e.mul(row, width), q))
        g = e.load(e.at(f"%{of}_at", k))
        number = e.new(f"zext i8 {e.load(e.at('%argmax_in_at', k, 'i8'), 'i8')} to i64")
        offset = e.add(e.mul(c, step), e.add("%start", e.add(e.mul(r, "%down"), e.mul(q, "%across"))))
        offset = e.add(offset, e.load(e.at("%tap_at", number, "i64"), "i64"))
        if gated:
            some = e.new(f"fcmp ogt {e.element} {e.load(e.at('%pooled_at', k))}, 0.0")
            g = e.new(f"select i1 {some}, {e.element} {g}, {e.element} 0.0")
        e.store(g, e.at(target, offset))


# --- the output ----------------------------------------------------------------------------


def correlate(variant: Variant, name: str) -> str:
    """For each image: its planes, the sums of products for some channels at a time, and what follows
    while these are in the cache."""
    e = variant.emitter()
    rows, vectors = variant.tile
    with e.loop(e.sub("%last", "%first")) as counted:
        n = e.add("%first", counted)
        group = e.new(f"srem i64 {n}, %groups")
        w, b = e.at("%w_at", e.mul(group, "%w_group")), e.at("%b_at", e.mul(group, "%out_channels"))
        if variant.pooled:
            _unpool(e, n, "x", "%channels", "%planes_at", "%size", "%channel", variant.gated)
        else:
            fill_planes(e, n, variant.strided)
        with e.loop("%out_channels", rows) as o:
            _sums(e, e.at(w, e.mul(o, "%taps")), rows, vectors)
            left = e.smaller(e.sub("%out_channels", o), rows)
            with e.loop(left) as k:
                channel = e.add(o, k)
                bias = e.splat(e.load(e.at(b, channel)))
                first = e.add(e.mul(n, "%out_image"), e.mul(channel, "%out_channel"))
                _epilogue(e, variant, bias, first, e.at("%tile_at", e.mul(k, "%run")))
    return e.text(name, CORRELATE)


def _sums(e: Emitter, w: str, rows: int, vectors: int) -> None:
    """The output of some channels at all places, into the tile; the weights w: tap after tap."""
    with e.loop("%run", vectors * e.lanes) as p:
        planes, tile = e.at("%planes_at", p), e.at("%tile_at", p)
        sums = [[e.variable(e.vector) for _ in range(vectors)] for _ in range(rows)]
        for slot in itertools.chain(*sums):
            e.store("zeroinitializer", slot, e.vector)
        with e.loop("%taps") as tap:
            seen = e.at(planes, e.load(e.at("%offsets_at", tap, "i64"), "i64"))
            x = [e.load(e.at(seen, j * e.lanes), e.vector) for j in range(vectors)]
            weights = e.at(w, e.mul(tap, rows))
            for i in range(rows):
                weight = e.splat(e.load(e.at(weights, i)))
                for j in range(vectors):
                    total = e.load(sums[i][j], e.vector)
                    e.store(e.multiply_add(x[j], weight, total), sums[i][j], e.vector)
        for i in range(rows):
            row = e.at(tile, e.mul("%run", i))
            for j in range(vectors):
                e.store(e.load(sums[i][j], e.vector), e.at(row, j * e.lanes), e.vector)


def _epilogue(e: Emitter, variant: Variant, bias: str, first: str, tile: str) -> None:
    """One channel of an image from the tile to where it belongs, from element `first` on."""
    epilogue = variant.epilogue
    down, across = epilogue.pool
    height, width = (e.new(f"sdiv i64 %out_{size}, {k}") for size, k in (("height", down), ("width", across)))

    def follow(value: str) -> str:
        value = e.new(f"fadd {e.vector} {value}, {bias}")
        return positive(e, value) if epilogue.relu else value

    with e.loop(height) as r, e.loop(width, e.lanes) as q:
        window = e.at(tile, e.add(e.mul(e.mul(r, down), "%row"), e.mul(q, across)))
        rows = [e.at(window, e.mul("%row", i)) for i in range(down)]
        best, argmax = largest(e, rows, across, follow)
        if variant.step:
            row = e.at("%out_at", e.add(first, e.mul(r, "%out_step_down")))
            store_apart(e, best, row, q, e.sub(width, q), variant.step)
        else:
            at, some = e.add(first, e.add(e.mul(r, width), q)), e.first(e.sub(width, q))
            e.store_some(best, e.at("%out_at", at), some)
            if epilogue.pools:
                e.store_some(argmax, e.at("%argmax_at", at, "i8"), some, "i8")


def store_apart(e: Emitter, value: str, row: str, first: str, count: str, step: int) -> None:
    """So many lanes of a vector, or all, in a row of elements `step` apart, from the one numbered `first`:
    vectors in which some lanes are written."""
    some, target = e.first(count), e.at(row, e.mul(first, step))
    for part in range(step):
        places = range(part * e.lanes, (part + 1) * e.lanes)
        lanes = [place // step if place % step == 0 else e.lanes for place in places]
        mask = e.shuffle(some, "zeroinitializer", lanes, e.mask)
        e.store_some(e.shuffle(value, value, lanes), e.at(target, part * e.lanes), mask)


# --- the gradient of the weights -----------------------------------------------------------


def weight(variant: Variant, vectors: int, name: str) -> str:
    """For each image: its planes, the gradient with its channels side by side, and their products
    added to the totals (taps, padded channels), for so many vectors of channels at a time."""
    e = variant.emitter()
    with e.loop(e.sub("%last", "%first")) as counted:
        n = e.add("%first", counted)
        fill_planes(e, n, variant.strided)
        if variant.pooled:
            _unpool(e, n, "g", "%out_channels", "%channels_last_at", "%channels_last", 1, variant.gated)
        else:
            _to_channels_last(e, n)
        _add_products(e, TILES[variant.bytes].taps[vectors], vectors)
    return e.text(name, WEIGHT)


def _to_channels_last(e: Emitter, n: str) -> None:
    """The gradient of image n, pixel by pixel with its channels side by side."""
    image, area = e.at("%g_at", e.mul(n, "%g_image")), e.mul("%out_height", "%out_width")
    last = e.sub("%out_channels", 1)
    with e.loop("%out_channels", e.lanes) as o, e.loop(area, e.lanes) as p:
        some = e.first(e.sub(area, p))
        channels = (e.smaller(e.add(o, i), last) for i in range(e.lanes))
        rows = [e.load_some(e.at(image, e.add(e.mul(c, area), p)), some) for c in channels]
        for i, column in enumerate(e.transposed(rows)):
            offset = e.add(e.mul(e.add(p, i), "%padded"), o)
            e.store(column, e.at("%channels_last_at", offset), e.vector)


def _add_products(e: Emitter, taps: int, vectors: int) -> None:
    """To the totals, what some taps and some channels have at all places of one image."""
    with e.loop("%taps", taps) as tap, e.loop("%padded", vectors * e.lanes) as o:
        seen = [
            e.at("%planes_at", e.load(e.at("%offsets_at", e.add(tap, i), "i64"), "i64")) for i in range(taps)
        ]
        totals = [e.at("%total_at", e.add(e.mul(e.add(tap, i), "%padded"), o)) for i in range(taps)]
        sums = [[e.variable(e.vector) for _ in range(vectors)] for _ in range(taps)]
        for i in range(taps):
            for j in range(vectors):
                e.store(e.load(e.at(totals[i], j * e.lanes), e.vector), sums[i][j], e.vector)
        with e.loop("%out_height") as r, e.loop("%out_width") as q:
            g_at = e.at("%channels_last_at", e.add(e.mul(e.add(e.mul(r, "%out_width"), q), "%padded"), o))
            g = [e.load(e.at(g_at, j * e.lanes), e.vector) for j in range(vectors)]
            offset = e.add(e.mul(r, "%row"), q)
            for i in range(taps):
                x = e.splat(e.load(e.at(seen[i], offset)))
                for j in range(vectors):
                    total = e.load(sums[i][j], e.vector)
                    e.store(e.multiply_add(x, g[j], total), sums[i][j], e.vector)
        for i in range(taps):
            for j in range(vectors):
                e.store(e.load(sums[i][j], e.vector), e.at(totals[i], j * e.lanes), e.vector)
