"""Products of few rows with a weight that is laid out for them beforehand.

BLAS brings a weight into an order of its own in every product. Where the same weight is multiplied
by a few rows at a time, time step after time step, that costs more than the arithmetic: of (32, 128) and
(128, 512) in float32, 40 us of which the products themselves are 17. `packed` does it once:

    tile t, k, j  ->  b[k, t width + j]      b (K, N), tiles (N / width, K, width)

and the kernel reads the tiles from one end to the other, with the sums in registers. Each is added up
in the order of k, whatever the number of rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, support
from shared.kernels.emitter import Emitter

ROWS, FEWER = {64: 8, 32: 6, 16: 6}, 2
"""How many rows are multiplied at a time, by the bytes of a vector; and of those that are left."""
VECTORS = 2
"""How many vectors a tile is wide."""


def width(dtype: Any) -> int:
    """The columns of a tile."""
    return VECTORS * machine.vector_bytes() // np.dtype(dtype).itemsize


def packed_shape(k: int, n: int, dtype: Any) -> tuple[int, int, int]:
    """The shape of what `packed` makes of (k, n)."""
    return -(-n // width(dtype)), k, width(dtype)


def packed(b: Any, out: Any = None) -> Any:
    """b (K, N) in tiles; zeros fill the last one."""
    k, n = b.shape
    tiles = np.empty(packed_shape(k, n, b.dtype), b.dtype) if out is None else out
    wide = tiles.shape[2]
    whole = n // wide
    tiles[:whole] = b[:, : whole * wide].reshape(k, whole, wide).swapaxes(0, 1)
    if whole < len(tiles):
        tiles[whole, :, : n - whole * wide] = b[:, whole * wide :]
        tiles[whole, :, n - whole * wide :] = 0
    return tiles


@cache
def multiplier(dtype: Any, biased: bool) -> Callable[..., bool]:
    """The kernel `multiply(out, x, tiles)`, or with a bias (N,) behind: out (M, N) is x (M, K) times what
    the tiles were made of. It gives True; or False, and has written nothing, if the arrays are not plain
    ones of this dtype and such shapes. `out` must share no memory with the others."""
    variant = np.dtype(dtype).name, machine.vector_bytes(), biased
    return machine.function(("product", variant), lambda name: _source(*variant, name), vectors=True)


# --- the source ----------------------------------------------------------------------------


def _source(dtype: str, vector: int, biased: bool, name: str) -> str:
    e = Emitter(np.dtype(dtype), vector // np.dtype(dtype).itemsize)
    wide = VECTORS * e.lanes
    _look(e, dtype, biased, wide)
    rows = ROWS[vector]
    last, most = e.sub("%m", 1), e.mul(e.new(f"sdiv i64 %m, {rows}"), rows)
    with e.loop("%n", wide) as j:
        tile = e.at("%tiles", e.mul(j, "%k"))
        masks = [e.first(e.sub(e.sub("%n", j), v * e.lanes)) for v in range(VECTORS)]
        with e.loop(most, rows) as i:
            _tile(e, tile, j, masks, [e.add(i, r) for r in range(rows)], biased)
        with e.loop(e.sub("%m", most), FEWER) as i:  # the last row stands for those behind it
            rest = [e.smaller(e.add(e.add(most, i), r), last) for r in range(FEWER)]
            _tile(e, tile, j, masks, rest, biased)
    end = ["%yes = call ptr %answer(i64 1)", "ret ptr %yes"]
    end += ["refuse:", "%no = call ptr %answer(i64 0)", "ret ptr %no"]
    return e.module(f"define ptr @{name}(ptr %self, ptr %arguments, i64 %given)", end)


def _look(e: Emitter, dtype: str, biased: bool, wide: int) -> None:
    """The sizes %m, %k, %n and the data of the arguments, if these are as the kernel needs them."""
    axes = {"out": "mn", "x": "mk", "tiles": "tkw"} | ({"bias": "n"} if biased else {})
    table = e.new(f"load ptr, ptr {e.at('%self', support.HEAD, 'i8')}")
    for entry in ("answer", "plain"):
        e.say(f"%{entry} = load ptr, ptr {e.at(table, support.ENTRIES.index(entry), 'ptr')}")
    _demand(e, e.new(f"icmp eq i64 %given, {len(axes)}"))
    sizes = {"w": str(wide)}
    for position, (name, letters) in enumerate(axes.items()):
        array = e.new(f"load ptr, ptr {e.at('%arguments', position, 'ptr')}")
        number, flags = support.ENTRIES.index(dtype), support.PLAIN if position else support.WRITABLE
        looked = f"ptr {array}, ptr {table}, i64 {number}, i64 {len(letters)}, i32 {flags}"
        _demand(e, e.new(f"call i1 %plain({looked})"))
        e.say(f"%{name} = load ptr, ptr {e.at(array, support.DATA, 'i8')}")
        shape = e.new(f"load ptr, ptr {e.at(array, support.SIZES, 'i8')}")
        for axis, letter in enumerate(letters):
            size = e.new(f"load i64, ptr {e.at(shape, axis, 'i64')}")
            if letter in sizes:
                _demand(e, e.new(f"icmp eq i64 {size}, {sizes[letter]}"))
            else:
                sizes[letter] = f"%{letter}"
                e.say(f"%{letter} = add i64 {size}, 0")
    _demand(e, e.new(f"icmp sge i64 {e.mul('%t', wide)}, %n"))


def _demand(e: Emitter, condition: str) -> None:
    """Refuse the arguments, unless this holds."""
    fine = e.label()
    e.say(f"br i1 {condition}, label %{fine}, label %refuse", f"{fine}:")


def _tile(e: Emitter, tile: str, j: str, masks: Sequence[str], rows: Sequence[str], biased: bool) -> None:
    """Some rows of the answer in the columns of one tile."""
    x = [e.at("%x", e.mul(row, "%k")) for row in rows]
    sums = [[e.variable(e.vector) for _ in range(VECTORS)] for _ in rows]
    for place in itertools.chain(*sums):
        e.store("zeroinitializer", place, e.vector)
    with e.loop("%k") as k:
        b_at = e.at(tile, e.mul(k, VECTORS * e.lanes))
        b = [e.load(e.at(b_at, v * e.lanes), e.vector) for v in range(VECTORS)]
        for r in range(len(rows)):
            a = e.splat(e.load(e.at(x[r], k)))
            for v in range(VECTORS):
                e.store(e.multiply_add(a, b[v], e.load(sums[r][v], e.vector)), sums[r][v], e.vector)
    for v in range(VECTORS):
        column = e.add(j, v * e.lanes)
        bias = e.load_some(e.at("%bias", column), masks[v]) if biased else ""
        for r, row in enumerate(rows):
            total = e.load(sums[r][v], e.vector)
            if biased:
                total = e.new(f"fadd {e.vector} {total}, {bias}")
            e.store_some(total, e.at("%out", e.add(e.mul(row, "%n"), column)), masks[v])
