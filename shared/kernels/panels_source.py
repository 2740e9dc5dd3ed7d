"""The two loop nests of `shared.kernels.panels`, in LLVM's language.

Each is a function of its arguments, 64-bit words of which those called `..._at` are places in memory. Both
walk through the rows of all images' outputs, row after row and image after image, a block of rows at a time:
what one tap sees of a block is a line, and lines side by side, cut to the width of a tile, are a panel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from shared.kernels.convolution_source import TILES, store_apart
from shared.kernels.emitter import Emitter, Value
from shared.kernels.pooling_source import positive


class Variant(NamedTuple):
    """What one function is made for.

    dtype    of all arrays, "f" or "d"
    bytes    of a vector
    stride   from one column of the output to the next, in columns of the image
    narrow   if a row of the output is one vector at most, those of the image that it sees; else 0
    relu     whether that follows (correlate alone)
    step     from column to column of what is written; 0 where rows follow each other too (correlate alone)
    """

    dtype: str
    bytes: int
    stride: int = 1
    narrow: int = 0
    relu: bool = False
    step: int = 0

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


LINES = (
    "first", "last", "at_once", "height", "width", "x_at", "x_image", "x_channel", "row_step", "channels",
    "taps", "table_at", "lines_at", "panels_at",
)  # fmt: skip
"""The rows from `first` up to `last`, so many at once, of outputs (height, width); x, the elements of one
image, of a channel, and of what lies between two rows; and of each tap five words (`panels.tap_table`)."""
CORRELATE = (
    *LINES, "depth", "channels_at_once", "o_first", "o_last", "w_at", "w_row", "w_offsets_at", "weights_at",
    "b_at", "sums_at", "run", "out_at", "out_image", "out_channel", "out_row",
)  # fmt: skip
WEIGHT = (
    *LINES, "line", "tap_first", "tap_last", "g_at", "g_image", "g_channel", "out_channels", "packed_at",
    "tile_at", "out_at", "out_row",
)  # fmt: skip


# --- lines ---------------------------------------------------------------------------------


@contextmanager
def _images(e: Emitter, begin: str, end: str) -> Iterator[tuple[str, str, str, str]]:
    """The lines within, for each image of which there are rows from `begin` up to `end`: its number, its
    first row among them, how many they are, and the number of places before it."""
    first = e.new(f"sdiv i64 {begin}, %height")
    behind = e.add(e.new(f"sdiv i64 {e.sub(end, 1)}, %height"), 1)
    with e.loop(e.sub(behind, first)) as counted:
        n = e.add(first, counted)
        above = e.mul(n, "%height")
        top = e.sub(begin, above)
        top = e.new(f"select i1 {e.less(top, 0)}, i64 0, i64 {top}")
        bottom = e.smaller(e.sub(end, above), "%height")
        yield n, top, e.sub(bottom, top), e.mul(e.sub(e.add(above, top), begin), "%width")


def _fill_line(
    e: Emitter, variant: Variant, line: str, channel: str, tap: str, begin: str, end: str
) -> None:
    """What a tap sees of a channel at all places of the rows, zero where it sees padding. The last vector
    of a row writes beyond it, where the next one comes."""
    words = e.at("%table_at", e.mul(tap, 5), "i64")
    offset, top, bottom, low, high = (e.load(e.at(words, k, "i64"), "i64") for k in range(5))
    offset = e.add(e.mul(channel, "%x_channel"), offset)
    with _images(e, begin, end) as (n, first, count, before):
        image = e.at("%x_at", e.add(e.mul(n, "%x_image"), offset))
        last = e.add(first, count)
        inside = (e.larger(first, e.smaller(edge, last)) for edge in (top, bottom))
        starts = [first, *inside, last]
        for part in range(3):  # above the image, in it, below
            with e.loop(e.sub(starts[part + 1], starts[part])) as counted:
                r = e.add(starts[part], counted)
                target = e.at(line, e.add(before, e.mul(e.sub(r, first), "%width")))
                row = e.at(image, e.mul(r, "%row_step"))
                with _columns(e, variant) as q:
                    value = "zeroinitializer"
                    if part == 1:
                        value = _seen(e, variant, row, e.mul(q, variant.stride), low, high)
                    e.store(value, e.at(target, q), e.vector)


@contextmanager
def _columns(e: Emitter, variant: Variant) -> Iterator[Value]:
    """The lines within, for each vector of a row; if there is just one, its masks are those of all rows."""
    if variant.narrow:
        yield 0
        return
    with e.loop("%width", e.lanes) as q:
        yield q


def _seen(e: Emitter, variant: Variant, row: str, at: str, low: str, high: str) -> str:
    """A vector of every so manyth element from `at` on; zeros for those not from `low` up to `high`."""
    found, stride = "", variant.stride
    for m in range(variant.narrow or 1 + (e.lanes - 1) * stride // e.lanes):
        k = e.add(at, m * e.lanes)
        outside = e.first(e.sub(low, k))
        every = f"<{e.lanes} x i1> {e.first(e.sub(high, k))}"
        some = e.new(f"select {every}, {e.mask} {_not(e, outside)}, {e.mask} zeroinitializer")
        loaded = e.load_some(e.at(row, k), some)
        if stride == 1:
            return loaded
        picked = [
            e.lanes + lane * stride - m * e.lanes if lane * stride // e.lanes == m else lane
            for lane in range(e.lanes)
        ]
        found = e.shuffle(found or "zeroinitializer", loaded, picked)
    return found


def _not(e: Emitter, mask: str) -> str:
    return e.new(f"xor {e.mask} {mask}, splat (i1 true)")


# --- sums of products ----------------------------------------------------------------------


def _add_products(e: Emitter, sums: list[list[str]], count: Value, rows: str, panel: str) -> None:
    """To the sums, of some rows by some vectors, so many products; `rows` holds one number for each of the
    rows, `panel` the vectors, both product after product."""
    with e.loop(count) as k:
        vectors = len(sums[0])
        seen = e.at(panel, e.mul(k, vectors * e.lanes))
        x = [e.load(e.at(seen, j * e.lanes), e.vector) for j in range(vectors)]
        weights = e.at(rows, e.mul(k, len(sums)))
        for i, row in enumerate(sums):
            weight = e.splat(e.load(e.at(weights, i)))
            for j, total in enumerate(row):
                value = e.multiply_add(x[j], weight, e.load(total, e.vector))
                e.store(value, total, e.vector)


def _pack_rows(
    e: Emitter, target: str, count: str, first: str, last: str, source: str, step: str, offset: str, rows: int
) -> None:
    """The numbers of some rows beside each other, so many times: of `source`, the rows `step` apart, from
    row `first` on and none behind `last`; the offset within a row is that many words on."""
    starts = [e.at(source, e.mul(e.smaller(e.add(first, i), last), step)) for i in range(rows)]
    with e.loop(count) as k:
        place = e.load(e.at(offset, k, "i64"), "i64") if offset else k
        packed = e.at(target, e.mul(k, rows))
        for i, start in enumerate(starts):
            e.store(e.load(e.at(start, place)), e.at(packed, i))


# --- the output ----------------------------------------------------------------------------


def correlate(variant: Variant, name: str) -> str:
    """For each block of rows, and in it for some channels of the image at a time: their panels, and for
    some channels of the output at a time the weights, and the products added to the sums. Then what
    follows while these are in the cache."""
    e = variant.emitter()
    tiles = TILES[variant.bytes]
    rows, wide = tiles.rows, tiles.vectors * e.lanes
    outputs = e.sub("%o_last", "%o_first")
    with e.loop(e.sub("%last", "%first"), "%at_once") as counted:
        begin = e.add("%first", counted)
        end = e.smaller(e.add(begin, "%at_once"), "%last")
        places = e.mul(e.sub(end, begin), "%width")
        with e.loop(outputs) as o, e.loop(places, e.lanes) as p:
            e.store("zeroinitializer", e.at("%sums_at", e.add(e.mul(o, "%run"), p)), e.vector)
        with e.loop("%channels", "%channels_at_once") as c:
            some = e.smaller(e.sub("%channels", c), "%channels_at_once")
            with e.loop(some) as i, e.loop("%taps") as tap:
                _fill_line(e, variant, "%lines_at", e.add(c, i), tap, begin, end)
                k = e.mul(e.add(e.mul(i, "%taps"), tap), wide)
                with e.loop(places, wide) as p:
                    panel = e.at("%panels_at", e.add(e.mul(p, "%depth"), k))
                    for j in range(tiles.vectors):
                        seen = e.load(e.at(e.at("%lines_at", p), j * e.lanes), e.vector)
                        e.store(seen, e.at(panel, j * e.lanes), e.vector)
            count = e.mul(some, "%taps")
            offsets = e.at("%w_offsets_at", e.mul(c, "%taps"), "i64")
            with e.loop(outputs, rows) as o:
                _pack_rows(
                    e, "%weights_at", count, e.add("%o_first", o), e.sub("%o_last", 1), "%w_at", "%w_row",
                    offsets, rows,
                )  # fmt: skip
                with e.loop(places, wide) as p:
                    at = e.at("%sums_at", e.add(e.mul(o, "%run"), p))
                    _to_sums(e, at, count, e.at("%panels_at", e.mul(p, "%depth")), rows, tiles.vectors)
        with e.loop(outputs) as o:
            _epilogue(e, variant, e.add("%o_first", o), e.at("%sums_at", e.mul(o, "%run")), begin, end)
    return e.text(name, CORRELATE)


def _to_sums(e: Emitter, at: str, count: str, panel: str, rows: int, vectors: int) -> None:
    """One tile of sums goes on."""
    sums = [[e.variable(e.vector) for _ in range(vectors)] for _ in range(rows)]
    places = [[e.at(e.at(at, e.mul("%run", i)), j * e.lanes) for j in range(vectors)] for i in range(rows)]
    for i in range(rows):
        for j in range(vectors):
            e.store(e.load(places[i][j], e.vector), sums[i][j], e.vector)
    _add_products(e, sums, count, "%weights_at", panel)
    for i in range(rows):
        for j in range(vectors):
            e.store(e.load(sums[i][j], e.vector), places[i][j], e.vector)


def _epilogue(e: Emitter, variant: Variant, o: str, sums: str, begin: str, end: str) -> None:
    """One channel's rows from the sums to where they belong."""
    bias = e.splat(e.load(e.at("%b_at", o)))
    with _images(e, begin, end) as (n, first, count, before):
        out = e.add(e.add(e.mul(n, "%out_image"), e.mul(o, "%out_channel")), e.mul(first, "%out_row"))
        target, source = e.at("%out_at", out), e.at(sums, before)
        if not variant.step:
            many = e.mul(count, "%width")
            with e.loop(many, e.lanes) as p:
                e.store_some(_followed(e, variant, source, p, bias), e.at(target, p), e.first(e.sub(many, p)))
            return
        with e.loop(count) as r, e.loop("%width", e.lanes) as q:
            value = _followed(e, variant, source, e.add(e.mul(r, "%width"), q), bias)
            row = e.at(target, e.mul(r, "%out_row"))
            store_apart(e, value, row, q, e.sub("%width", q), variant.step)


def _followed(e: Emitter, variant: Variant, source: str, at: str, bias: str) -> str:
    value = e.new(f"fadd {e.vector} {e.load(e.at(source, at), e.vector)}, {bias}")
    return positive(e, value) if variant.relu else value


# --- the gradient of the weights -----------------------------------------------------------


def weight(variant: Variant, name: str) -> str:
    """For each block of rows: the gradient with some channels side by side; and for as many taps at a time
    as a tile is wide their panel, place after place, and the products with all channels."""
    e = variant.emitter()
    tiles = TILES[variant.bytes]
    rows, wide = tiles.rows, tiles.vectors * e.lanes
    with e.loop(e.sub("%last", "%first"), "%at_once") as counted:
        begin = e.add("%first", counted)
        end = e.smaller(e.add(begin, "%at_once"), "%last")
        places = e.mul(e.sub(end, begin), "%width")
        last = e.sub("%out_channels", 1)
        with e.loop("%out_channels", rows) as o, _images(e, begin, end) as (n, first, count, before):
            g = e.at("%g_at", e.add(e.mul(n, "%g_image"), e.mul(first, "%width")))
            packed = e.at("%packed_at", e.add(e.mul(o, "%line"), e.mul(before, rows)))
            _pack_rows(e, packed, e.mul(count, "%width"), o, last, g, "%g_channel", "", rows)
        with e.loop(e.sub("%tap_last", "%tap_first"), wide) as t:
            k = e.add("%tap_first", t)
            some = e.smaller(e.sub("%tap_last", k), wide)
            with e.loop(some) as i:
                number = e.add(k, i)
                channel, tap = (e.new(f"{do} i64 {number}, %taps") for do in ("sdiv", "srem"))
                line = e.at("%lines_at", e.mul(i, "%line"))
                _fill_line(e, variant, line, channel, tap, begin, end)
            _side_by_side(e, places, tiles.vectors)
            with e.loop("%out_channels", rows) as o:
                _to_total(e, o, k, some, places, counted, rows, tiles.vectors)
    return e.text(name, WEIGHT)


def _side_by_side(e: Emitter, places: str, vectors: int) -> None:
    """The lines of a panel's taps, place by place."""
    with e.loop(places, e.lanes) as p:
        for j in range(vectors):
            lines = [e.at("%lines_at", e.add(e.mul("%line", j * e.lanes + i), p)) for i in range(e.lanes)]
            columns = e.transposed([e.load(line, e.vector) for line in lines])
            for i, column in enumerate(columns):
                at = e.add(e.mul(e.add(p, i), vectors * e.lanes), j * e.lanes)
                e.store(column, e.at("%panels_at", at), e.vector)


def _to_total(
    e: Emitter, o: str, tap: str, some: str, places: str, block: str, rows: int, vectors: int
) -> None:
    """What some channels and a panel's taps have at all places of a block; added to what the blocks before
    it have."""
    sums = [[e.variable(e.vector) for _ in range(vectors)] for _ in range(rows)]
    for total in itertools.chain(*sums):
        e.store("zeroinitializer", total, e.vector)
    _add_products(e, sums, places, e.at("%packed_at", e.mul(o, "%line")), "%panels_at")
    for k, total in enumerate(itertools.chain(*sums)):
        e.store(e.load(total, e.vector), e.at("%tile_at", k * e.lanes), e.vector)
    is_first = e.less(block, 1)
    with e.loop(e.smaller(e.sub("%out_channels", o), rows)) as i, e.loop(some, e.lanes) as t:
        found = e.load(e.at("%tile_at", e.add(e.mul(i, vectors * e.lanes), t)), e.vector)
        out = e.at("%out_at", e.add(e.mul(e.add(o, i), "%out_row"), e.add(tap, t)))
        mask = e.first(e.sub(some, t))
        both = e.new(f"fadd {e.vector} {e.load_some(out, mask)}, {found}")
        value = e.new(f"select i1 {is_first}, {e.vector} {found}, {e.vector} {both}")
        e.store_some(value, out, mask)
