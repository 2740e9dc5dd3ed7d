"""Cells of recurrent networks, each one fused op."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.op import Joint, Op
from shared.ops.elementwise import sigmoid, tanh
from shared.ops.shapes import concatenate, split
from shared.spec import Operand, Spec, promote, sizes_match, str_shape


def _compute_lstm_cell(z: Any, c: Any) -> tuple[Any, Any, Any]:
    h = c.shape[-1]
    gates = np.multiply(z, 0.5)
    gates[..., 2 * h : 3 * h] = z[..., 2 * h : 3 * h]
    np.tanh(gates, out=gates)
    for part in (gates[..., : 2 * h], gates[..., 3 * h :]):
        part *= 0.5
        part += 0.5
    i, f, cell, o = (gates[..., k * h : (k + 1) * h] for k in range(4))
    c_next = f * c + i * cell
    return o * np.tanh(c_next), c_next, gates


def _infer_lstm_cell(z: Operand, c: Operand) -> tuple[Spec, Spec, Spec]:
    fits = len(z.shape) == len(c.shape) >= 1 and sizes_match(z.shape[-1], 4 * c.shape[-1])
    if not fits or not builtins.all(map(sizes_match, z.shape[:-1], c.shape[:-1])):
        raise ShapeError(
            f"lstm_cell: z {str_shape(z.shape)} must hold four gates side by side for c "
            f"{str_shape(c.shape)}: (..., 4 H) with (..., H)"
        )
    dtype = promote(z, c)
    return Spec(c.shape, dtype), Spec(c.shape, dtype), Spec(z.shape, z.dtype)


def _lstm_cell_rule(g: Any, y: Any, z: Any, c: Any, *, wanted: Any) -> tuple[Any, Any]:
    g_h, g_c, g_gates = g
    _, c_next, gates = y
    size = c.shape[-1]
    i, f, cell, o = split(gates, [size] * 4, -1)
    g_o = None
    if g_h is not None:
        t = tanh(c_next)
        g_o = g_h * t
        through = g_h * o * (1 - t * t)
        g_c = through if g_c is None else g_c + through
    g_before = None
    if g_c is not None:
        if g_o is None:
            g_o = o * 0
        parts = [g_c * cell, g_c * c, g_c * i, g_o]
        g_all = concatenate(parts, -1)
        g_gates = g_all if g_gates is None else g_gates + g_all
        g_before = g_c * f
    g_i, g_f, g_cell, g_o = split(g_gates, [size] * 4, -1)
    g_z = concatenate(
        [g_i * (i * (1 - i)), g_f * (f * (1 - f)), g_cell * (1 - cell * cell), g_o * (o * (1 - o))],
        -1,
    )
    return g_z, g_before


_lstm_cell = Op(
    "lstm_cell",
    _compute_lstm_cell,
    _infer_lstm_cell,
    Joint(_lstm_cell_rule, reads="c c_next gates"),
    outputs=("h", "c_next", "gates"),
)


def lstm_cell(z: Any, c: Any) -> tuple[Any, Any]:
    """One step of an LSTM from the sum of its products: gives (h, c_next).

    z (..., 4 H) holds x W + h U + b for the input, forget, cell and output gate in PyTorch's
    order; c (..., H) is the cell state. Hochreiter and Schmidhuber 1997 with the forget gate of
    Gers, Schmidhuber and Cummins 2000:
    i, f, o = sigmoid(z_i, z_f, z_o); c_next = f c + i tanh(z_c); h = o tanh(c_next).
    """
    h, c_next, _ = _lstm_cell(z, c)
    return h, c_next


def lstm_cell_composed(z: Any, c: Any) -> tuple[Any, Any]:
    """What `lstm_cell` computes, out of plain ops: easy to read, and its oracle in the tests."""
    i, f, cell, o = split(z, 4, -1)
    c_next = sigmoid(f) * c + sigmoid(i) * tanh(cell)
    return sigmoid(o) * tanh(c_next), c_next
