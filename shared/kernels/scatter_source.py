"""Loops that add to places which numbers name, in LLVM's language: for `scatter` and `pooling`.

Each is a function of its arguments, 64-bit words of which those called `..._at` are places in memory.
"""

from __future__ import annotations

import numpy as np

from shared.kernels import machine
from shared.kernels.emitter import Emitter

SCATTER = ("lead", "count", "trail", "size", "values_at", "index_at", "out_at", "outside_at")
"""out (lead, size, trail), which may be of a wider dtype, to which values (lead, count, trail) are added,
where index (count,), or (lead, count, trail), says: from -size to size - 1. Whether any was outside is left
at outside_at, a word; the sums are right only if none was. `size` is at least 1."""
UNPOOL = (
    "planes", "height", "width", "elements", "g_at", "taps_at", "down_at", "across_at", "offsets_at",
    "out_at",
)  # fmt: skip
"""out (planes, elements) to which g (planes, height, width) is added: that of a window at row oh and
column ow at down[oh] + across[ow] + offsets[tap]."""

SHORT = {"float32": "float", "float64": "double"}
"""LLVM's names."""


def rows(dtype: str, name: str, total: str) -> str:
    """For a row at a time: the index is one number for all of it."""
    e = Emitter(np.dtype(dtype), machine.vector_bytes() // np.dtype(dtype).itemsize)
    outside = _none(e)
    rest = e.new(f"urem i64 %trail, {e.lanes}")
    vectors = e.sub("%trail", rest)
    with e.loop("%lead") as at, e.loop("%count") as k:
        place = _place(e, e.at("%index_at", k, "i64"), outside)
        to = e.at("%out_at", e.mul(e.add(e.mul(at, "%size"), place), "%trail"), SHORT[total])
        values = e.at("%values_at", e.mul(e.add(e.mul(at, "%count"), k), "%trail"))
        with e.loop(vectors, e.lanes) as t:
            _add(e, e.at(to, t, SHORT[total]), e.at(values, t), total, e.lanes)
        with e.loop(rest) as t:
            last = e.add(vectors, t)
            _add(e, e.at(to, last, SHORT[total]), e.at(values, last), total)
    e.store(e.load(outside, "i64"), "%outside_at", "i64")
    return e.text(name, SCATTER)


def along(dtype: str, name: str, total: str) -> str:
    """For an element at a time: each has an index of its own."""
    e = Emitter(np.dtype(dtype), 1)
    outside = _none(e)
    with e.loop("%lead") as at, e.loop("%count") as k:
        first, begin = e.mul(at, "%size"), e.mul(e.add(e.mul(at, "%count"), k), "%trail")
        with e.loop("%trail") as t:
            each = e.add(begin, t)
            place = _place(e, e.at("%index_at", each, "i64"), outside)
            to = e.add(e.mul(e.add(first, place), "%trail"), t)
            _add(e, e.at("%out_at", to, SHORT[total]), e.at("%values_at", each), total)
    e.store(e.load(outside, "i64"), "%outside_at", "i64")
    return e.text(name, SCATTER)


def along_last(dtype: str, name: str, total: str) -> str:
    """The same where `trail` is 1: a loop over one element would cost more than the element."""
    e = Emitter(np.dtype(dtype), 1)
    outside = _none(e)
    with e.loop("%lead") as at:
        first, begin = e.mul(at, "%size"), e.mul(at, "%count")
        with e.loop("%count") as k:
            each = e.add(begin, k)
            place = _place(e, e.at("%index_at", each, "i64"), outside)
            _add(e, e.at("%out_at", e.add(first, place), SHORT[total]), e.at("%values_at", each), total)
    e.store(e.load(outside, "i64"), "%outside_at", "i64")
    return e.text(name, SCATTER)


def unpool(dtype: str, name: str) -> str:
    """Backwards through the places, which for each pixel is forwards through the kernel: the order of
    the twin."""
    e = Emitter(np.dtype(dtype), 1)
    with e.loop("%planes") as plane, e.loop("%height") as above:
        oh = e.sub(e.sub("%height", 1), above)
        begin = e.mul(e.add(e.mul(plane, "%height"), oh), "%width")
        row = e.add(e.mul(plane, "%elements"), e.load(e.at("%down_at", oh, "i64"), "i64"))
        with e.loop("%width") as before:
            ow = e.sub(e.sub("%width", 1), before)
            each = e.add(begin, ow)
            tap = e.new(f"zext i8 {e.load(e.at('%taps_at', each, 'i8'), 'i8')} to i64")
            corner = e.add(row, e.load(e.at("%across_at", ow, "i64"), "i64"))
            to = e.add(corner, e.load(e.at("%offsets_at", tap, "i64"), "i64"))
            _add(e, e.at("%out_at", to), e.at("%g_at", each), dtype)
    return e.text(name, UNPOOL)


def _none(e: Emitter) -> str:
    """A variable that says whether an index was outside: none was so far."""
    outside = e.variable("i64")
    e.store("0", outside, "i64")
    return outside


def _place(e: Emitter, at: str, outside: str) -> str:
    """The index that stands there, counted from the end where it is negative; 0 if it is outside."""
    index = e.load(at, "i64")
    place = e.new(f"select i1 {e.less(index, 0)}, i64 {e.add(index, '%size')}, i64 {index}")
    inside = e.new(f"icmp ult i64 {place}, %size")
    wrong = e.new(f"select i1 {inside}, i64 0, i64 1")
    e.store(e.new(f"or i64 {e.load(outside, 'i64')}, {wrong}"), outside, "i64")
    return e.new(f"select i1 {inside}, i64 {place}, i64 0")


def _add(e: Emitter, to: str, value: str, total: str, lanes: int = 0) -> None:
    """To an element (or so many) of the dtype `total` adds one of the emitter's, which may be shorter."""
    given, sums = (f"<{lanes} x {x}>" if lanes else x for x in (e.element, SHORT[total]))
    more = e.load(value, given)
    if given != sums:
        more = e.new(f"fpext {given} {more} to {sums}")
    e.store(e.new(f"fadd {sums} {e.load(to, sums)}, {more}"), to, sums)
