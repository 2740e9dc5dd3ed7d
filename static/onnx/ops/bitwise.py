"""Rows for ops on bits. ONNX shifts unsigned integers alone, and says nothing of shifts by as many
places as there are bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from static.onnx.writer import Row, Writer


def _bits(on_integers: str, on_bools: str) -> Row:
    return lambda w, *xs: w(on_bools if w.dtype.kind == "b" else on_integers, *w.given(*xs))


def _shift(w: Writer, a: Any, places: Any, direction: str, turn: Any) -> str:
    """A shift as 64 unsigned bits: of all numbers that `turn` gives; the same turns the result back."""
    x, places = w.one(a, np.int64), w.one(places, np.int64)
    none, all_bits = w.constant(np.int64(0)), w.constant(np.int64(64))
    inside = w("And", w("GreaterOrEqual", places, none), w("Less", places, all_bits))
    by = w.cast(w("Where", inside, places, none), np.uint64)
    moved = w("BitShift", w.cast(turn(x, x), np.uint64), by, direction=direction)
    y = turn(x, w("Where", inside, w.cast(moved, np.int64), none))
    return y if w.dtype == np.int64 else w.cast(y, w.dtype)


def _left(w: Writer, a: Any, places: Any) -> str:
    return _shift(w, a, places, "LEFT", lambda x, y: y)


def _right(w: Writer, a: Any, places: Any) -> str:
    """Of a negative number the complement is shifted, which keeps the sign."""
    if w.dtype.kind == "u":
        return _shift(w, a, places, "RIGHT", lambda x, y: y)
    zero = w.constant(np.int64(0))
    return _shift(
        w, a, places, "RIGHT", lambda x, y: w("Where", w("Less", x, zero), w("BitwiseNot", y), y)
    )


BITWISE: dict[str, Row] = {
    "bitwise_and": _bits("BitwiseAnd", "And"), "bitwise_or": _bits("BitwiseOr", "Or"),
    "bitwise_xor": _bits("BitwiseXor", "Xor"), "bitwise_not": _bits("BitwiseNot", "Not"),
    "bitwise_left_shift": _left, "bitwise_right_shift": _right,
}  # fmt: skip
