"""The three loop nests of `shared.kernels.winograd`, in LLVM's language.

Each is a function of its arguments, 64-bit words of which those called `..._at` are places in memory. In all
of them a vector holds as many neighbouring channels as it has lanes: a chunk. What is transformed lies by
tap, chunk and tile, (taps, chunks, tiles, lanes), so that all that a product reads comes one after the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from shared.kernels.emitter import Emitter
from shared.kernels.pooling_source import larger, positive
from shared.kernels.winograd_planes import Pair, corner, from_planes, numbered, to_planes

Matrix = tuple[tuple[float, ...], ...]
Grid = list[list[str]]
"""Vectors by row and column."""

ROWS = {64: 8, 32: 6, 16: 6}
"""How many tiles are multiplied at a time, by the bytes of a vector."""
KERNEL = 3


class Variant(NamedTuple):
    """What one function is made for.

    dtype    of all arrays, "f" or "d"
    bytes    of a vector
    matrix   what an image's tiles, or the taps on their way back, are multiplied by from both sides
    weights  the same of a kernel (multiply alone)
    step     from one tile to the next (image and multiply)
    vectors  of channels of the output that are summed at a time
    turned   whether kernels are read from their end (multiply alone)
    relu     whether that follows (multiply alone); or whether gradients belong only where the pooled output
             is above zero, for it was before the pooling (image alone)
    pool     the windows of which the largest elements are wanted (multiply), or from whose largest elements
             the gradients are that an image is made of
    """

    dtype: str
    bytes: int
    matrix: Matrix
    weights: Matrix = ()
    step: int = 0
    vectors: int = 1
    turned: bool = False
    relu: bool = False
    pool: Pair = (1, 1)

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


GRID = ("area", "down", "across", "wide", "places_at", "planes_at")
"""The pixels of one image, as it comes or goes; its tiles, by row and column; planes with room for whole
tiles, so many columns wide; and where each pixel is in them, with a place that nobody reads for those of the
last vector behind."""
IMAGE = ("first", "last", "chunks", "x_at", "y_at", "argmax_at", *GRID, "tiles", "v_at", "v_tap")
"""Where x is a gradient of what was pooled: that, and which element of its window each one was."""
MULTIPLY = (
    "first", "last", "images", "channels", "outputs", "piece", "fresh", "w_at", "w_in", "w_out", "u_at",
    "u_block", "u_piece", "u_tap", "v_at", "v_tap", "tiles", "count", "m_at", "m_tap", "b_at", "out_at",
    "argmax_at", "numbers_at", *GRID,
)  # fmt: skip
WEIGHT = (
    "first", "last", "blocks", "channels", "count", "tiles", "fresh", "done", "v_at", "v_tap", "g_at",
    "g_tap", "u_at", "u_block", "u_tap", "out_at",
)  # fmt: skip
"""`first`, `last`: what of the work is this call's. `..._tap`, `..._block`, `..._piece`: from one to the
next."""


def image(variant: Variant, name: str) -> str:
    """For each chunk of each image: the tiles of its planes, multiplied from both sides."""
    e = variant.emitter()
    with e.loop(e.sub("%last", "%first")) as counted:
        unit = e.add("%first", counted)
        n, chunk = (e.new(f"{do} i64 {unit}, %chunks") for do in ("sdiv", "srem"))
        to_planes(e, e.mul(e.mul(unit, e.lanes), "%area"), variant.pool, variant.relu)
        above = e.add(e.mul(chunk, "%tiles"), e.mul(n, e.mul("%down", "%across")))
        with e.loop("%down") as r, e.loop("%across") as q:
            first = e.at("%planes_at", corner(e, r, q, (variant.step, variant.step)))
            size = len(variant.matrix[0])
            seen = [
                [e.load(e.at(first, e.mul(e.add(e.mul("%wide", i), j), e.lanes)), e.vector)
                 for j in range(size)] for i in range(size)
            ]  # fmt: skip
            target = e.at("%v_at", e.mul(e.add(above, e.add(e.mul(r, "%across"), q)), e.lanes))
            _store_taps(e, _both_sides(e, variant.matrix, seen), target, "%v_tap")
    return e.text(name, IMAGE)


def multiply(variant: Variant, name: str) -> str:
    """For some channels of the output at a time, and a piece of the image's: their weights, unless these are
    there already; tap by tap the products with all tiles. And of these what belongs to the output."""
    e = variant.emitter()
    wide = variant.vectors * e.lanes
    with e.loop(e.sub("%last", "%first")) as counted:
        block = e.add("%first", counted)
        o = e.mul(block, wide)
        with e.loop("%channels", "%piece") as some:
            piece = e.new(f"sdiv i64 {some}, %piece")
            u = e.at("%u_at", e.add(e.mul(block, "%u_block"), e.mul(piece, "%u_piece")))
            many = e.smaller(e.sub("%channels", some), "%piece")
            with e.loop(wide, e.lanes) as v, e.loop(e.mul(many, "%fresh")) as c:
                first = e.add(e.mul(e.add(o, v), "%w_out"), e.mul(e.add(some, c), "%w_in"))
                taps = _kernels(e, e.at("%w_at", first), "%w_out")
                taps = taps[::-1] if variant.turned else taps
                grid = [taps[KERNEL * i : KERNEL * (i + 1)] for i in range(KERNEL)]
                found = _both_sides(e, variant.weights, grid)
                _store_taps(e, found, e.at(u, e.add(e.mul(c, wide), v)), "%u_tap")
            with e.loop(len(variant.weights) ** 2) as tap, e.loop("%count", ROWS[variant.bytes]) as t:
                _tap_products(e, variant, u, tap, t, some, many)
        with e.loop(wide, e.lanes) as v:
            channel = e.add(o, v)
            bias = e.load(e.at("%b_at", channel), e.vector)
            with e.loop("%images") as n:
                above = e.mul(n, e.mul("%down", "%across"))
                with e.loop("%down") as r, e.loop("%across") as q:
                    tile = e.add(above, e.add(e.mul(r, "%across"), q))
                    _tile_out(e, variant, e.at("%m_at", e.add(e.mul(tile, wide), v)), bias, r, q)
                first = e.mul(e.add(e.mul(n, "%outputs"), channel), "%area")
                from_planes(e, e.at("%out_at", first))
                if variant.pool != (1, 1):
                    from_planes(e, e.at("%argmax_at", first, "i8"), "%numbers_at")
    return e.text(name, MULTIPLY)


def weight(variant: Variant, name: str) -> str:
    """For a chunk of the image's channels and some of the output's at a time: tap by tap the sum over all
    tiles, added to what is there unless it is fresh; when all is done, the kernels that belong to them."""
    e = variant.emitter()
    wide, size = variant.vectors * e.lanes, len(variant.matrix[0])
    with e.loop(e.sub("%last", "%first")) as counted, e.loop("%blocks") as block:
        chunk = e.add("%first", counted)
        u = e.at("%u_at", e.mul(e.add(e.mul(chunk, "%blocks"), block), "%u_block"))
        with e.loop(size * size) as tap:
            _tap_sums(e, variant, e.at(u, e.mul(tap, "%u_tap")), chunk, block, tap)
        with e.loop(e.mul("%done", e.lanes)) as c, e.loop(wide, e.lanes) as v:
            taps = e.at(u, e.add(e.mul(c, wide), v))
            found = _both_sides(e, variant.matrix, _load_taps(e, taps, "%u_tap", size))
            first = e.add(e.mul(e.add(e.mul(block, wide), v), "%channels"), e.add(e.mul(chunk, e.lanes), c))
            out = e.at("%out_at", e.mul(first, KERNEL * KERNEL))
            _store_kernels(e, _flat(found), out, e.mul("%channels", KERNEL * KERNEL))
    return e.text(name, WEIGHT)


# --- taps ----------------------------------------------------------------------------------


def _flat(grid: Grid) -> list[str]:
    return list(itertools.chain(*grid))


def _load_taps(e: Emitter, first: str, step: str, size: int) -> Grid:
    return [
        [e.load(e.at(first, e.mul(step, i * size + j)), e.vector) for j in range(size)] for i in range(size)
    ]


def _store_taps(e: Emitter, taps: Grid, first: str, step: str) -> None:
    for k, value in enumerate(_flat(taps)):
        e.store(value, e.at(first, e.mul(step, k)), e.vector)


def _kernels(e: Emitter, first: str, step: str) -> list[str]:
    """The nine numbers of the kernels of a chunk, `step` apart: a vector of each."""
    found: list[str] = []
    for start in range(0, KERNEL * KERNEL, e.lanes):
        some = e.first(KERNEL * KERNEL - start)
        rows = [e.load_some(e.at(first, e.add(e.mul(step, i), start)), some) for i in range(e.lanes)]
        found += e.transposed(rows)
    return found[: KERNEL * KERNEL]


def _store_kernels(e: Emitter, taps: Sequence[str], first: str, step: str) -> None:
    """The other way."""
    for start in range(0, len(taps), e.lanes):
        some = list(taps[start : start + e.lanes])
        mask = e.first(len(some))
        rows = e.transposed(some + ["zeroinitializer"] * (e.lanes - len(some)))
        for i, row in enumerate(rows):
            e.store_some(row, e.at(first, e.add(e.mul(step, i), start)), mask)


def _tile_out(e: Emitter, variant: Variant, products: str, bias: str, r: str, q: str) -> None:
    """Of the products of one tile the output's pixels, or the largest of each window of them and its number
    in it, into the planes."""
    taps = _load_taps(e, products, "%m_tap", len(variant.weights))
    grid, (down, across) = _both_sides(e, variant.matrix, taps), variant.pool
    rows, columns = variant.step // down, variant.step // across
    first = corner(e, r, q, (rows, columns))
    for i, j in itertools.product(range(rows), range(columns)):
        best = number = ""
        for k, (a, b) in enumerate(itertools.product(range(down), range(across))):
            value = e.arithmetic("fadd", grid[i * down + a][j * across + b], bias)
            value = positive(e, value) if variant.relu else value
            best, number = larger(e, best, number, value, k)
        place = e.add(first, e.mul(e.add(e.mul("%wide", i), j), e.lanes))
        e.store(best, e.at("%planes_at", place), e.vector)
        if variant.pool != (1, 1):
            e.store(numbered(e, number), e.at("%numbers_at", place), e.vector)


# --- products ------------------------------------------------------------------------------


def _summed(
    e: Emitter, rows: int, vectors: int, loop: Callable[[Callable[..., None]], None]
) -> list[list[str]]:
    """Places of sums, after `loop(add)` has said add(numbers, x) for each of some rows of numbers and
    vectors."""
    sums = [[e.variable(e.vector) for _ in range(vectors)] for _ in range(rows)]
    for place in _flat(sums):
        e.store("zeroinitializer", place, e.vector)

    def add(numbers: Sequence[str], x: Sequence[str]) -> None:
        for number, row in zip(numbers, sums, strict=True):
            factor = e.splat(e.load(number))
            for value, total in zip(x, row, strict=True):
                e.store(e.multiply_add(value, factor, e.load(total, e.vector)), total, e.vector)

    loop(add)
    return sums


def _add_sums(e: Emitter, sums: Grid, out: str, is_fresh: str) -> None:
    """To what is there, one after the other; or in its place, if that is so."""
    for k, place in enumerate(_flat(sums)):
        total, there = e.load(place, e.vector), e.at(out, k * e.lanes)
        both = e.arithmetic("fadd", e.load(there, e.vector), total)
        e.store(e.new(f"select i1 {is_fresh}, {e.vector} {total}, {e.vector} {both}"), there, e.vector)


def _tap_products(
    e: Emitter, variant: Variant, u: str, tap: str, t: str, first: str, count: str
) -> None:
    """At one tap, some tiles' sums over so many channels of the image, added to those of the ones before."""
    rows, wide = ROWS[variant.bytes], variant.vectors * e.lanes
    v_tap = e.at("%v_at", e.add(e.mul(tap, "%v_tap"), e.add(e.mul(first, "%tiles"), e.mul(t, e.lanes))))
    u_tap = e.at(u, e.mul(tap, "%u_tap"))

    def loop(add: Callable[..., None]) -> None:
        with e.loop(count, e.lanes) as chunk:
            seen = e.at(v_tap, e.mul(chunk, "%tiles"))
            weights = e.at(u_tap, e.mul(chunk, wide))
            with e.loop(e.lanes) as c:
                at = e.at(weights, e.mul(c, wide))
                x = [e.load(e.at(at, v * e.lanes), e.vector) for v in range(variant.vectors)]
                number = e.at(seen, c)
                add([e.at(number, i * e.lanes) for i in range(rows)], x)

    sums = _summed(e, rows, variant.vectors, loop)
    _add_sums(e, sums, e.at("%m_at", e.add(e.mul(tap, "%m_tap"), e.mul(t, wide))), e.less(first, 1))


def _tap_sums(e: Emitter, variant: Variant, u: str, chunk: str, block: str, tap: str) -> None:
    """At one tap, the sums over all tiles for a chunk of the image's channels and some of the output's."""
    rows, wide = min(e.lanes, 8 if variant.bytes == 64 else 4), variant.vectors * e.lanes
    x = e.at("%v_at", e.add(e.mul(tap, "%v_tap"), e.mul(e.mul(chunk, "%tiles"), e.lanes)))
    g_chunks = [e.add(e.mul(block, variant.vectors), v) for v in range(variant.vectors)]
    g_tap = e.at("%g_at", e.mul(tap, "%g_tap"))
    g = [e.at(g_tap, e.mul(e.mul(each, "%tiles"), e.lanes)) for each in g_chunks]
    is_fresh = e.less(0, "%fresh")

    def loop(first: int, add: Callable[..., None]) -> None:
        with e.loop("%count") as t:
            at = e.mul(t, e.lanes)
            number = e.at(x, at)
            add([e.at(number, first + i) for i in range(rows)],
                [e.load(e.at(each, at), e.vector) for each in g])  # fmt: skip

    for first in range(0, e.lanes, rows):
        sums = _summed(e, rows, variant.vectors, partial(loop, first))
        _add_sums(e, sums, e.at(u, first * wide), is_fresh)


# --- matrices ------------------------------------------------------------------------------


def _both_sides(e: Emitter, matrix: Matrix, grid: Grid) -> Grid:
    """matrix grid matrix^T."""
    columns = [_times(e, matrix, [row[j] for row in grid]) for j in range(len(grid[0]))]
    return [_times(e, matrix, [column[i] for column in columns]) for i in range(len(matrix))]


def _times(e: Emitter, matrix: Matrix, x: Sequence[str]) -> list[str]:
    """A matrix times some vectors. Rows that differ in the signs of every other number, as those of a point
    and its opposite do, share their two halves."""
    found: dict[int, str] = {}
    for i, row in enumerate(matrix):
        if i in found:
            continue
        opposite = tuple(-a if k % 2 else a for k, a in enumerate(row))
        if opposite == row or opposite not in matrix:
            found[i] = _dot(e, row, x)
            continue
        even, odd = (_dot(e, row[k::2], x[k::2]) for k in (0, 1))
        found[i] = e.arithmetic("fadd", even, odd)
        found[matrix.index(opposite)] = e.arithmetic("fsub", even, odd)
    return [found[i] for i in range(len(matrix))]


def _dot(e: Emitter, row: Sequence[float], x: Sequence[str]) -> str:
    """The sum of products with numbers that stand in the code; ones, and there is one, come first."""
    terms = sorted(((a, v) for a, v in zip(row, x, strict=True) if a), key=lambda term: term[0] != 1)
    total: Any = None
    for a, v in terms:
        if total is None:
            total = v if a == 1 else e.arithmetic("fmul", v, e.constant(a))
        elif a == 1:
            total = e.arithmetic("fadd", total, v)
        else:
            total = e.multiply_add(v, e.constant(a), total)
    return str(total)
