"""The largest of each window, in LLVM's language: for `pooling`, and for what follows a convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from shared.kernels.emitter import Emitter

POOL = (
    "first", "last", "x_at", "height", "width", "out_height", "out_width", "rows_at", "row", "out_at",
    "argmax_at",
)  # fmt: skip
"""The planes from `first` up to `last` of x (planes, height, width), and of what they give; and room for
the rows of a window, `row` elements each, of which the last vector may read some beyond `width`."""


def pool(dtype: str, vector: int, window: tuple[int, int], name: str) -> str:
    """The largest of each window of so many rows and columns, side by side, and its number in it."""
    e = Emitter(np.dtype(dtype), vector // np.dtype(dtype).itemsize)
    down, across = window
    with e.loop(e.sub("%last", "%first")) as counted, e.loop("%out_height") as r:
        plane = e.add("%first", counted)
        above = e.add(e.mul(plane, "%height"), e.mul(r, down))
        rows = [e.at("%rows_at", e.mul("%row", i)) for i in range(down)]
        for i, row in enumerate(rows):
            x = e.at("%x_at", e.mul(e.add(above, i), "%width"))
            with e.loop("%width", e.lanes) as q:
                some = e.first(e.sub("%width", q))
                e.store_some(e.load_some(e.at(x, q), some), e.at(row, q), some)
        with e.loop("%out_width", e.lanes) as q:
            best, argmax = largest(
                e, [e.at(row, e.mul(q, across)) for row in rows], across, lambda value: value
            )
            offset = e.add(e.mul(e.add(e.mul(plane, "%out_height"), r), "%out_width"), q)
            some = e.first(e.sub("%out_width", q))
            e.store_some(best, e.at("%out_at", offset), some)
            e.store_some(argmax, e.at("%argmax_at", offset, "i8"), some, "i8")
    return e.text(name, POOL)


def largest(e: Emitter, rows: Sequence[str], across: int, follow: Callable[[str], str]) -> tuple[str, str]:
    """A vector of the largest of each window, whose rows begin at `rows`, and one of their numbers in
    it, as bytes; `follow` makes of the elements what is compared."""
    wide = f"<{e.lanes * across} x {e.element}>"
    best = argmax = ""
    for i, row in enumerate(rows):
        run = e.load(row, wide)
        for j in range(across):
            lanes = range(j, e.lanes * across, across)
            value = follow(run if across == 1 else e.shuffle(run, "poison", lanes, wide))
            best, argmax = larger(e, best, argmax, value, i * across + j)
    return best, argmax


def positive(e: Emitter, value: str) -> str:
    """relu, NaN included."""
    negative = e.new(f"fcmp olt {e.vector} {value}, zeroinitializer")
    return e.new(f"select {e.mask} {negative}, {e.vector} zeroinitializer, {e.vector} {value}")


def larger(e: Emitter, best: str, argmax: str, value: str, number: int) -> tuple[str, str]:
    """Of the best so far and a value the larger one, and its number: the first of equals; NaN is
    larger than all."""
    if not best:
        return value, "zeroinitializer"
    above = e.new(f"fcmp ugt {e.vector} {value}, {best}")
    known = e.new(f"fcmp ord {e.vector} {best}, {best}")
    better = e.new(f"and {e.mask} {above}, {known}")
    numbers, some = ", ".join([f"i8 {number}"] * e.lanes), f"<{e.lanes} x i8>"
    return (
        e.new(f"select {e.mask} {better}, {e.vector} {value}, {e.vector} {best}"),
        e.new(f"select {e.mask} {better}, {some} <{numbers}>, {some} {argmax}"),
    )
