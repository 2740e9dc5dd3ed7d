"""Products of a few rows of queries with a chunk of keys, in LLVM's language: what `attention_source` is made
of.

The sums of a few rows stay in registers. A row's are added up in an order that the other rows do not change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from shared.kernels.emitter import Emitter, Value

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
ROWS = {64: 8, 32: 4, 16: 4}
"""How many queries are taken at a time, by the bytes of a vector."""
VECTORS = 2
"""How many vectors of keys, or of features, their sums stand in."""
CHUNK = 256
"""How many keys are taken before all queries have passed by."""


class Width(NamedTuple):
    """How many vectors of features are taken at a time, and whether they come out even."""

    vectors: int
    even: bool


def width(size: int, lanes: int) -> Width:
    """That of so many features."""
    vectors = 1 if size <= lanes else VECTORS
    return Width(vectors, size % (vectors * lanes) == 0)


class Chunk(NamedTuple):
    """Some keys: the first of them, how many."""

    first: str
    size: str


class Group(NamedTuple):
    """Some queries beside a chunk: the chunk, the first query, the rows that are read (the last one stands
    for those behind it), and how many keys any of them sees."""

    chunk: Chunk
    first: str
    rows: list[str]
    width: str


def row_of(e: Emitter, group: Group, r: str, base: str, size: Value, beyond: str) -> str:
    """Where the group's row r begins in an array of such rows; that of a row behind the last: `beyond`."""
    row = e.add(group.first, r)
    there = e.less(row, "%queries")
    return e.new(f"select i1 {there}, ptr {e.at(base, e.mul(row, size))}, ptr {beyond}")


def lay_out(
    e: Emitter, chunk: Chunk, data: str, stride: str, size: str, padded: str, tiles: str, scale: str
) -> None:
    """A chunk's rows in tiles, feature by feature: tile, feature, key. The last row stands for those behind
    it, and is hidden later."""
    wide, last = VECTORS * e.lanes, e.sub(chunk.size, 1)
    with e.loop(chunk.size, e.lanes) as j:
        rows = [
            e.at(data, e.mul(e.add(chunk.first, e.smaller(e.add(j, lane), last)), stride))
            for lane in range(e.lanes)
        ]
        tile = e.new(f"udiv i64 {j}, {wide}")
        base = e.add(e.mul(e.mul(tile, wide), padded), e.new(f"urem i64 {j}, {wide}"))
        with e.loop(size, e.lanes) as f:
            some = e.first(e.sub(size, f))
            block = e.transposed([e.load_some(e.at(row, f), some) for row in rows])
            for k, vector in enumerate(block):
                scaled = e.arithmetic("fmul", vector, scale) if scale else vector
                e.store(scaled, e.at(tiles, e.add(base, e.mul(e.add(f, k), wide))), e.vector)


def products(
    e: Emitter, group: Group, j: str, data: str, stride: str, size: str, padded: str, tiles: str, to: str,
    last: Callable[[str, int, int], str] = lambda total, r, v: total,
) -> None:  # fmt: skip
    """The products of the group's rows with the keys of one tile, each handed to `last` with its row and
    vector."""
    rows = [e.at(data, e.mul(row, stride)) for row in group.rows]
    tile = e.at(tiles, e.mul(j, padded))
    sums = [[e.variable(e.vector) for _ in range(VECTORS)] for _ in rows]
    for place in itertools.chain(*sums):
        e.store("zeroinitializer", place, e.vector)
    with e.loop(size) as f:
        at = e.at(tile, e.mul(f, VECTORS * e.lanes))
        keys = [e.load(e.at(at, v * e.lanes), e.vector) for v in range(VECTORS)]
        for r, row in enumerate(rows):
            one = e.splat(e.load(e.at(row, f)))
            for v in range(VECTORS):
                total = e.load(sums[r][v], e.vector)
                e.store(e.multiply_add(one, keys[v], total), sums[r][v], e.vector)
    for r in range(len(rows)):
        for v in range(VECTORS):
            total = last(e.load(sums[r][v], e.vector), r, v)
            e.store(total, e.at(to, e.add(r * CHUNK + v * e.lanes, j)), e.vector)


def weighted(
    e: Emitter, group: Group, data: str, stride: str, size: str, wide: Width, weights: str, to: str,
    factors: str,
) -> None:  # fmt: skip
    """To the group's rows of an array (queries, size), after these have shrunk by the factors, the keys' rows
    of the data by their weights."""
    rows = range(len(group.rows))
    places = [row_of(e, group, str(r), to, size, "%waste_at") for r in rows]
    with _features(e, size, wide) as f:
        sums = [[e.variable(e.vector) for _ in range(wide.vectors)] for _ in rows]
        for r in rows:
            factor = e.splat(e.load(e.at(factors, r))) if factors else ""
            for begun, sum_ in zip(f.load(places[r]), sums[r], strict=True):
                e.store(e.arithmetic("fmul", begun, factor) if factors else begun, sum_, e.vector)
        with e.loop(group.width) as j:
            values = f.load(e.at(data, e.mul(e.add(group.chunk.first, j), stride)))
            for r in rows:
                one = e.splat(e.load(e.at(weights, e.add(r * CHUNK, j))))
                for value, sum_ in zip(values, sums[r], strict=True):
                    e.store(e.multiply_add(one, value, e.load(sum_, e.vector)), sum_, e.vector)
        for r in rows:
            f.store(places[r], [e.load(sum_, e.vector) for sum_ in sums[r]])


def spread(
    e: Emitter, group: Group, data: str, stride: str, size: str, wide: Width, weights: str, to: str
) -> None:
    """To the keys' rows of an array (keys, size), the group's rows of the data by their weights."""
    with _features(e, size, wide) as f:
        held = [f.load(e.at(data, e.mul(row, stride))) for row in group.rows]
        with e.loop(group.width) as j:
            row = e.at(to, e.mul(e.add(group.chunk.first, j), size))
            sums = f.load(row)
            for r, values in enumerate(held):
                one = e.splat(e.load(e.at(weights, e.add(r * CHUNK, j))))
                sums = [e.multiply_add(one, *pair) for pair in zip(values, sums, strict=True)]
            f.store(row, sums)


class _Features:
    """Some vectors of features, from the same one on in every row."""

    def __init__(self, e: Emitter, first: str, size: str, wide: Width) -> None:
        self.e = e
        self.offsets = [e.add(first, v * e.lanes) for v in range(wide.vectors)]
        self.some = ["" if wide.even else e.first(e.sub(size, offset)) for offset in self.offsets]

    def load(self, row: str) -> list[str]:
        e, pairs = self.e, zip(self.offsets, self.some, strict=True)
        return [
            e.load_some(e.at(row, offset), some) if some else e.load(e.at(row, offset), e.vector)
            for offset, some in pairs
        ]

    def store(self, row: str, vectors: Sequence[str]) -> None:
        e = self.e
        for vector, offset, some in zip(vectors, self.offsets, self.some, strict=True):
            if some:
                e.store_some(vector, e.at(row, offset), some)
            else:
                e.store(vector, e.at(row, offset), e.vector)


@contextmanager
def _features(e: Emitter, size: str, wide: Width) -> Iterator[_Features]:
    """A loop over all features."""
    with e.loop(size, wide.vectors * e.lanes) as first:
        yield _Features(e, first, size, wide)


