"""Rows for the cells of recurrent layers."""

from __future__ import annotations

from typing import Any

from static.onnx.writer import Row, Writer


def _parts(w: Writer, z: str, count: int) -> list[str]:
    """The gates, which stand side by side."""
    return w("Split", z, axis=-1, num_outputs=count, outputs=count)


def _rnn_cell(w: Writer, zx: Any, zh: Any = None, *, nonlinearity: str) -> str:
    z = w.one(zx) if zh is None else w("Add", *w.given(zx, zh))
    return w("Tanh" if nonlinearity == "tanh" else "Relu", z)


def _lstm_cell(w: Writer, z: Any, c: Any) -> list[str]:
    z, c = w.given(z, c)
    i, f, n, o = _parts(w, z, 4)
    i, f, n, o = w("Sigmoid", i), w("Sigmoid", f), w("Tanh", n), w("Sigmoid", o)
    c_next = w("Add", w("Mul", f, c), w("Mul", i, n))
    return [w("Mul", o, w("Tanh", c_next)), c_next]


def _gru_cell(w: Writer, zx: Any, zh: Any, h: Any) -> list[str]:
    zx, zh, h = w.given(zx, zh, h)
    (xr, xu, xn), (hr, hu, hn) = _parts(w, zx, 3), _parts(w, zh, 3)
    r, u = w("Sigmoid", w("Add", xr, hr)), w("Sigmoid", w("Add", xu, hu))
    n = w("Tanh", w("Add", xn, w("Mul", r, hn)))
    return [w("Add", n, w("Mul", u, w("Sub", h, n)))]


RECURRENT: dict[str, Row] = {"rnn_cell": _rnn_cell, "lstm_cell": _lstm_cell, "gru_cell": _gru_cell}
