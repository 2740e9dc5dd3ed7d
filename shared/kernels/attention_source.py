"""The loop nests of `shared.kernels.attention`, in LLVM's language.

Keys are taken a chunk at a time, which stays in the cache while all queries pass by; queries, a few rows at
a time, whose sums stay in registers. A row's sums are added up in an order that neither the other rows nor
the number of threads changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from shared.kernels import fast_math
from shared.kernels.attention_tiles import (
    CHUNK,
    ROWS,
    VECTORS,
    Chunk,
    Group,
    Width,
    lay_out,
    products,
    row_of,
    spread,
    weighted,
)
from shared.kernels.emitter import Emitter
from shared.kernels.scalars import Code, Term

_SIZES = ("first", "last", "queries", "keys", "features", "values", "padded", "padded_values", "scale_at")
_GIVEN = ("q", "k", "v")
_ROOMS = ("tiles_at", "scores_at", "factors_at", "waste_at")


def _words(*names: str) -> tuple[str, ...]:
    """Of arrays whose heads lie anywhere: the first element, where each head begins, from row to row."""
    return tuple(f"{name}_{word}" for name in names for word in ("at", "heads_at", "row"))


FORWARD = (*_SIZES, *_words(*_GIVEN, "bias"), "y_at", "largest_at", "inverse_at", *_ROOMS)
"""y (heads, queries, values), of zeros; largest of minus infinity, inverse of zeros (heads, queries)."""
BACKWARD = (
    *_SIZES, *_words("g", *_GIVEN, "bias"), "largest_at", "inverse_at", "means_at",
    "g_q_at", "g_k_at", "g_v_at", *_ROOMS, "value_tiles_at", "slopes_at",
)  # fmt: skip
"""The gradients are of zeros, in C order; `means` (heads, queries) holds what g y adds up to."""


class Variant(NamedTuple):
    """What one function is made for: the dtype, a vector's bytes, whether no query sees later keys, whether
    something is added to the scores, and how wide queries and values are."""

    dtype: str
    bytes: int
    causal: bool
    biased: bool
    features: Width
    values: Width

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


def forward(variant: Variant, name: str) -> str:
    """Scores of a chunk, their exponentials beside what the row's largest score is by then, and the values
    weighted by these: what was added up before shrinks where a score is larger (Dao and others 2022)."""
    e = variant.emitter()
    rows = ROWS[variant.bytes]
    with e.loop(e.sub("%last", "%first")) as head:
        nest = _Nest(e, variant, e.add("%first", head), ("q", "k", "v"))
        y = e.at("%y_at", e.mul(e.mul(nest.head, "%queries"), "%values"))
        largest, total = nest.of_head("largest"), nest.of_head("inverse")
        with nest.chunks() as chunk:
            lay_out(e, chunk, nest.data["k"], "%k_row", "%features", "%padded", "%tiles_at", nest.scale)
            with nest.groups(chunk, rows) as group:
                with e.loop(group.width, VECTORS * e.lanes) as j:
                    _scores(e, nest, group, j)
                with e.loop(rows) as r:
                    _exponentials(e, group, r, largest, total)
                weighted(
                    e, group, nest.data["v"], "%v_row", "%values", variant.values, "%scores_at", y,
                    "%factors_at",
                )  # fmt: skip
        with e.loop("%queries") as i:
            _divide(e, e.at(total, i), e.at(y, e.mul(i, "%values")))
    return e.text(name, FORWARD)


def backward(variant: Variant, name: str) -> str:
    """The weights again, from the same scores, and with them all gradients of a chunk."""
    e = variant.emitter()
    rows = ROWS[variant.bytes]
    with e.loop(e.sub("%last", "%first")) as head:
        nest = _Nest(e, variant, e.add("%first", head), ("g", "q", "k", "v"))
        g_q = e.at("%g_q_at", e.mul(e.mul(nest.head, "%queries"), "%features"))
        g_k = e.at("%g_k_at", e.mul(e.mul(nest.head, "%keys"), "%features"))
        g_v = e.at("%g_v_at", e.mul(e.mul(nest.head, "%keys"), "%values"))
        largest, inverse, means = map(nest.of_head, ("largest", "inverse", "means"))
        with nest.chunks() as chunk:
            lay_out(e, chunk, nest.data["k"], "%k_row", "%features", "%padded", "%tiles_at", nest.scale)
            lay_out(
                e, chunk, nest.data["v"], "%v_row", "%values", "%padded_values", "%value_tiles_at", ""
            )
            with nest.groups(chunk, rows) as group:
                with e.loop(group.width, VECTORS * e.lanes) as j:
                    _scores(e, nest, group, j)
                    products(
                        e, group, j, nest.data["g"], "%g_row", "%values", "%padded_values",
                        "%value_tiles_at", "%slopes_at",
                    )  # fmt: skip
                with e.loop(rows) as r:
                    _slopes(e, group, r, largest, inverse, means, nest.scale)
                wide, slopes = variant.features, "%slopes_at"
                weighted(e, group, nest.data["k"], "%k_row", "%features", wide, slopes, g_q, "")
                spread(e, group, nest.data["q"], "%q_row", "%features", wide, slopes, g_k)
                spread(e, group, nest.data["g"], "%g_row", "%values", variant.values, "%scores_at", g_v)
    return e.text(name, BACKWARD)


# --- where one is --------------------------------------------------------------------------


class _Nest:
    """The loops over chunks of keys and groups of queries of one head."""

    def __init__(self, e: Emitter, variant: Variant, head: str, names: tuple[str, ...]) -> None:
        self.e, self.variant, self.head = e, variant, head
        names = (*names, "bias") if variant.biased else names
        self.data = {
            name: e.at(f"%{name}_at", e.load(e.at(f"%{name}_heads_at", head, "i64"), "i64"))
            for name in names
        }
        self.scale = e.splat(e.load("%scale_at"))

    def of_head(self, name: str) -> str:
        """Where the numbers of its queries begin."""
        return self.e.at(f"%{name}_at", self.e.mul(self.head, "%queries"))

    @contextmanager
    def chunks(self) -> Iterator[Chunk]:
        with self.e.loop("%keys", CHUNK) as j:
            yield Chunk(j, self.e.smaller(self.e.sub("%keys", j), CHUNK))

    @contextmanager
    def groups(self, chunk: Chunk, rows: int) -> Iterator[Group]:
        """Queries that see any key of the chunk."""
        e = self.e
        start = chunk.first if self.variant.causal else "0"
        last = e.sub("%queries", 1)
        with e.loop(e.sub("%queries", start), rows) as step:
            i = e.add(start, step)
            width = chunk.size
            if self.variant.causal:
                width = e.smaller(width, e.sub(e.add(i, rows), chunk.first))
            yield Group(chunk, i, [e.smaller(e.add(i, r), last) for r in range(rows)], width)


# --- parts ---------------------------------------------------------------------------------


def _hidden(dtype: np.dtype[np.floating]) -> float:
    """The score of what is hidden: a finite number below all that scores are."""
    return float(np.finfo(dtype).min) / 2


def _scores(e: Emitter, nest: _Nest, group: Group, j: str) -> None:
    """The scores of one tile, with what is added to them; HIDDEN where a query does not see the key."""
    hidden, nothing = e.constant(_hidden(e.dtype)), e.constant(-math.inf)

    def shown(score: str, r: int, v: int) -> str:
        key = e.add(j, v * e.lanes)
        seen = e.sub(group.chunk.size, key)
        if nest.variant.causal:
            seen = e.smaller(seen, e.sub(e.add(group.rows[r], 1), e.add(group.chunk.first, key)))
        some = e.first(seen)
        if nest.variant.biased:
            place = e.add(e.mul(group.rows[r], "%bias_row"), e.add(group.chunk.first, key))
            bias = e.load_some(e.at(nest.data["bias"], place), some)
            visible = e.new(f"fcmp une {e.vector} {bias}, {nothing}")
            some = e.new(f"and {e.mask} {some}, {visible}")
            score = e.arithmetic("fadd", score, bias)
        return e.new(f"select {e.mask} {some}, {e.vector} {score}, {e.vector} {hidden}")

    products(
        e, group, j, nest.data["q"], "%q_row", "%features", "%padded", "%tiles_at", "%scores_at", shown
    )  # fmt: skip


def _larger(e: Emitter, a: str, b: str) -> str:
    more = e.new(f"fcmp ogt {e.vector} {a}, {b}")
    return e.new(f"select {e.mask} {more}, {e.vector} {a}, {e.vector} {b}")


def _weight(code: Code, score: Term, largest: Term) -> Term:
    """exp(score - largest); nothing of what is hidden."""
    return code.select(score == _hidden(score.dtype), 0.0, fast_math.exp(code, score - largest))


def _exponentials(e: Emitter, group: Group, r: str, largest: str, total: str) -> None:
    """A row's scores become weights; its largest and its total become those of all keys so far, and the
    factor is kept by which what was added up before shrinks."""
    scores = e.at("%scores_at", e.mul(r, CHUNK))
    waste = e.at("%waste_at", "%values")
    largest, total = (row_of(e, group, r, base, 1, waste) for base in (largest, total))
    top, sum_ = e.variable(e.vector), e.variable(e.vector)
    before = e.splat(e.load(largest))
    e.store(before, top, e.vector)
    e.store("zeroinitializer", sum_, e.vector)
    with e.loop(group.width, e.lanes) as j:
        score = e.load(e.at(scores, j), e.vector)
        e.store(_larger(e, score, e.load(top, e.vector)), top, e.vector)
    now = e.gathered(lambda a, b: _larger(e, a, b), e.load(top, e.vector))
    with e.loop(group.width, e.lanes) as j:
        place = e.at(scores, j)
        weight = e.computed(_weight, e.load(place, e.vector), now)
        e.store(weight, place, e.vector)
        e.store(e.arithmetic("fadd", e.load(sum_, e.vector), weight), sum_, e.vector)
    added = e.gathered(lambda a, b: e.arithmetic("fadd", a, b), e.load(sum_, e.vector))
    factor = e.computed(lambda code, a, b: fast_math.exp(code, a - b), before, now)
    changed = e.arithmetic("fadd", e.arithmetic("fmul", e.splat(e.load(total)), factor), added)
    for vector, place in ((now, largest), (changed, total), (factor, e.at("%factors_at", r))):
        e.store(e.new(f"extractelement {e.vector} {vector}, i64 0"), place)


def _slopes(
    e: Emitter, group: Group, r: str, largest: str, inverse: str, means: str, scale: str
) -> None:
    """A row's scores become weights w, and the cotangents g of these those of the scores:
    w (g - mean) scale. A row behind the last weighs nothing."""
    row = e.smaller(e.add(group.first, r), e.sub("%queries", 1))
    there = e.less(e.add(group.first, r), "%queries")
    top, mean = (e.splat(e.load(e.at(base, row))) for base in (largest, means))
    one = e.load(e.at(inverse, row))
    share = e.splat(e.new(f"select i1 {there}, {e.element} {one}, {e.element} 0.0"))
    with e.loop(group.width, e.lanes) as j:
        offset = e.add(e.mul(r, CHUNK), j)
        score_at, slope_at = e.at("%scores_at", offset), e.at("%slopes_at", offset)
        weight = e.arithmetic("fmul", e.computed(_weight, e.load(score_at, e.vector), top), share)
        slope = e.arithmetic("fmul", weight, e.arithmetic("fsub", e.load(slope_at, e.vector), mean))
        e.store(weight, score_at, e.vector)
        e.store(e.arithmetic("fmul", slope, scale), slope_at, e.vector)


def _divide(e: Emitter, total: str, row: str) -> None:
    """A total becomes its inverse, that of nothing 0, and the row is multiplied by it."""
    sum_ = e.load(total)
    none = e.new(f"fcmp oeq {e.element} {sum_}, 0.0")
    one = e.new(f"fdiv {e.element} 1.0, {sum_}")
    inverse = e.new(f"select i1 {none}, {e.element} 0.0, {e.element} {one}")
    e.store(inverse, total)
    factor = e.splat(inverse)
    with e.loop("%values", e.lanes) as f:
        some = e.first(e.sub("%values", f))
        place = e.at(row, f)
        e.store_some(e.arithmetic("fmul", e.load_some(place, some), factor), place, some)
