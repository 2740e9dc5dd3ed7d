"""Images as `winograd_source` reads and writes them, in LLVM's language: a chunk of channels, pixel by pixel.

The planes hold whole tiles, and around the image its padding. What is pooled is not written out in between:
of an output there are planes of the largest elements, and of their numbers; and a gradient that belongs to
such elements is put at their places among zeros.
"""

from __future__ import annotations

import math

from shared.kernels.emitter import Emitter, Value

Pair = tuple[int, int]


def corner(e: Emitter, r: Value, q: Value, step: Pair) -> str:
    """The number of the element where a tile begins in the planes; `step`: from one to the next."""
    place = e.add(e.mul("%wide", e.mul(r, step[0])), e.mul(q, step[1]))
    return e.mul(place, e.lanes)


def to_planes(e: Emitter, first: str, pool: Pair, gated: bool) -> None:
    """A chunk of an image's channels, from its element `first` on, into the planes. If windows are pooled,
    x is the gradient by their largest elements y, and argmax tells which these were: there it goes, if y is
    above zero or it is not `gated`, and zeros to the others."""
    taps = range(math.prod(pool))
    with e.loop("%area", e.lanes) as p:
        some = e.first(e.sub("%area", p))
        offsets = [e.add(e.add(first, p), e.mul("%area", i)) for i in range(e.lanes)]
        rows = [e.load_some(e.at("%x_at", offset), some) for offset in offsets]
        if gated:
            rows = [_gate(e, row, e.at("%y_at", k), some) for row, k in zip(rows, offsets, strict=True)]
        columns = e.transposed(rows)
        if len(taps) == 1:
            for column, place in zip(columns, _places(e, p, "%planes_at"), strict=True):
                e.store(column, place, e.vector)
            return
        bytes_ = [e.load_some(e.at("%argmax_at", offset, "i8"), some, "i8") for offset in offsets]
        numbers = e.transposed([numbered(e, row) for row in bytes_])
        for column, number, place in zip(columns, numbers, _places(e, p, "%planes_at"), strict=True):
            for k in taps:
                is_it = e.new(f"icmp eq {_whole(e)} {_as_whole(e, number)}, {_constant(e, k)}")
                g = e.new(f"select {e.mask} {is_it}, {e.vector} {column}, {e.vector} zeroinitializer")
                apart = e.add(e.mul("%wide", k // pool[1]), k % pool[1])
                e.store(g, e.at(place, e.mul(apart, e.lanes)), e.vector)


def from_planes(e: Emitter, target: str, planes: str = "%planes_at") -> None:
    """The other way; from the planes of numbers, as bytes."""
    with e.loop("%area", e.lanes) as p:
        some = e.first(e.sub("%area", p))
        columns = e.transposed([e.load(place, e.vector) for place in _places(e, p, planes)])
        for i, column in enumerate(columns):
            offset = e.add(e.mul("%area", i), p)
            if planes == "%planes_at":
                e.store_some(column, e.at(target, offset), some)
            else:
                number = e.new(f"trunc {_whole(e)} {_as_whole(e, column)} to <{e.lanes} x i8>")
                e.store_some(number, e.at(target, offset, "i8"), some, "i8")


def numbered(e: Emitter, numbers: str) -> str:
    """Bytes in the lanes of a vector, as wide as these: their bits alone, to be moved like others."""
    wide = e.new(f"zext <{e.lanes} x i8> {numbers} to {_whole(e)}")
    return e.new(f"bitcast {_whole(e)} {wide} to {e.vector}")


def _places(e: Emitter, p: str, planes: str) -> list[str]:
    words = (e.load(e.at("%places_at", e.add(p, i), "i64"), "i64") for i in range(e.lanes))
    return [e.at(planes, word) for word in words]


def _gate(e: Emitter, g: str, y: str, some: str) -> str:
    """A gradient where what it belongs to is above zero."""
    above = e.new(f"fcmp ogt {e.vector} {e.load_some(y, some)}, zeroinitializer")
    return e.new(f"select {e.mask} {above}, {e.vector} {g}, {e.vector} zeroinitializer")


def _whole(e: Emitter) -> str:
    """The type of vectors of whole numbers as wide as the elements."""
    return f"<{e.lanes} x i{8 * e.align}>"


def _as_whole(e: Emitter, vector: str) -> str:
    return e.new(f"bitcast {e.vector} {vector} to {_whole(e)}")


def _constant(e: Emitter, number: int) -> str:
    return f"<{', '.join([f'i{8 * e.align} {number}'] * e.lanes)}>"
