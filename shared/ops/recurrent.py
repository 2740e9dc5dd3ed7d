"""Cells of recurrent networks, each one fused op beside a composed twin that is its oracle.

They take the products with weights as they are, so that the products with the inputs of all
time steps can be one product outside of the loop. The gates are an extra output: the gradient
reads them, and honours their own cotangents. Gates stand side by side on the last axis, in
PyTorch's order.

A cell's gradient is a fused op as well, whose own rule is written in plain ops: so is every
higher order. The gated recurrent unit is in `shared.ops.gru`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DTypeError, SettingError, ShapeError
from shared.op import Joint, Op, PlannerHints
from shared.ops.activations import relu, relu_grad
from shared.ops.creation import zeros
from shared.ops.elementwise import add
from shared.ops.joining import concatenate, split
from shared.ops.shapes import as_tensor_like
from shared.ops.sigmoids import sigmoid, tanh
from shared.spec import Operand, Spec, broadcast_shapes, promote, sizes_match, str_shape


def check_floating(call: str, *operands: Operand) -> None:
    """DTypeError for what is no floating point."""
    for x in operands:
        if x.dtype.kind != "f":
            raise DTypeError(f"{call}: it takes floating point, not {x.dtype}; cast it first")


def cut(values: Any, size: int, count: int) -> list[Any]:
    """The gates of a raw array, each of `size`, as views."""
    return [values[..., k * size : (k + 1) * size] for k in range(count)]


def join(*gates: Any) -> Any:
    """The gates side by side again."""
    return concatenate(gates, -1)


def half(values: Any) -> None:
    """tanh(x / 2) to sigmoid(x), in place."""
    values *= 0.5
    values += 0.5


# --- RNN -----------------------------------------------------------------------------------


def _compute_rnn_cell(zx: Any, zh: Any = None, *, nonlinearity: str, out: Any = None) -> Any:
    if zx.dtype.kind != "f" or (zh is not None and zh.dtype.kind != "f"):
        _infer_rnn_cell(zx, zh, nonlinearity=nonlinearity)
    z = zx if zh is None else np.add(zx, zh, out=out)
    if nonlinearity == "tanh":
        return np.tanh(z, out=out, order="C")
    return np.maximum(z, 0, out=out, order="C")


def _infer_rnn_cell(zx: Operand, zh: Operand = None, *, nonlinearity: str) -> Spec:
    products = [zx] if zh is None else [zx, zh]
    check_floating("rnn_cell", *products)
    return Spec(broadcast_shapes("rnn_cell", *products), promote(*products))


def _rnn_cell_rule(
    g: Any, y: Any, zx: Any, zh: Any = None, *, wanted: Any, nonlinearity: str
) -> tuple[Any, Any]:
    g_z = g * (1 - y * y) if nonlinearity == "tanh" else relu_grad(g, y)
    return g_z, g_z


_rnn_cell = Op(
    "rnn_cell", _compute_rnn_cell, _infer_rnn_cell, Joint(_rnn_cell_rule, reads="y"),
    out=True, hints=PlannerHints(inplace=(0, 1)),
)  # fmt: skip


def rnn_cell(zx: Any, zh: Any = None, nonlinearity: str = "tanh") -> Any:
    """One step of a simple recurrent network (Elman 1990): tanh(zx + zh), or relu.

    zx (..., H) holds the products with the input, zh those with the state before, biases
    included; or zx holds both already. They broadcast.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise SettingError(f"rnn_cell: nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
    products = [as_tensor_like(z) for z in (zx, zh) if z is not None]
    return _rnn_cell(*products, nonlinearity=nonlinearity)


def rnn_cell_composed(zx: Any, zh: Any, nonlinearity: str = "tanh") -> Any:
    """What `rnn_cell` computes, out of plain ops."""
    return tanh(add(zx, zh)) if nonlinearity == "tanh" else relu(add(zx, zh))


# --- LSTM ----------------------------------------------------------------------------------


def _compute_lstm_cell(z: Any, c: Any, out: Any = (None, None, None)) -> tuple[Any, Any, Any]:
    h = c.shape[-1]
    if z.shape != (*c.shape[:-1], 4 * h) or z.dtype.kind != "f" or c.dtype.kind != "f":
        _infer_lstm_cell(z, c)  # here, where it costs nothing, and not before each step
    gates = np.multiply(z, 0.5, out=out[2], order="C")
    gates[..., 2 * h : 3 * h] = z[..., 2 * h : 3 * h]
    np.tanh(gates, out=gates)
    half(gates[..., : 2 * h])
    half(gates[..., 3 * h :])
    i, f, n, o = cut(gates, h, 4)
    same = z.dtype == c.dtype  # then h may hold i n first
    y = np.multiply(i, n, out=out[0] if same else None, order="C")
    c_next = np.multiply(f, c, out=out[1], order="C")
    c_next += y
    y = np.tanh(c_next, out=y if same else out[0])
    y *= o
    return y, c_next, gates


def _infer_lstm_cell(z: Operand, c: Operand) -> tuple[Spec, Spec, Spec]:
    check_floating("lstm_cell", z, c)
    fits = len(z.shape) == len(c.shape) >= 1 and sizes_match(z.shape[-1], 4 * c.shape[-1])
    if not fits or not all(map(sizes_match, z.shape[:-1], c.shape[:-1])):
        raise ShapeError(
            f"lstm_cell: z {str_shape(z.shape)} must hold four gates side by side for c "
            f"{str_shape(c.shape)}: (..., 4 H) with (..., H)"
        )
    dtype = promote(z, c)
    return Spec(c.shape, dtype), Spec(c.shape, dtype), Spec(z.shape, z.dtype)


def _lstm_slopes(i: Any, f: Any, n: Any, o: Any) -> tuple[Any, ...]:
    """The derivative of each gate by what went into it."""
    return i * (1 - i), f * (1 - f), 1 - n * n, o * (1 - o)


def _lstm_cell_rule(g: Any, y: Any, z: Any, c: Any, *, wanted: Any) -> tuple[Any, Any]:
    g_h, g_c, g_gates = g
    _, c_next, gates = y
    g_z = g_before = None
    if g_h is not None or g_c is not None:
        g_h, g_c = (zeros(c.shape, c_next.dtype, like=c_next) if v is None else v for v in (g_h, g_c))
        g_z, g_before = _lstm_cell_grad(g_h, g_c, c, c_next, gates)
    if g_gates is not None:
        through = g_gates * join(*_lstm_slopes(*split(gates, [c.shape[-1]] * 4, -1)))
        g_z = through if g_z is None else g_z + through
    return g_z, g_before


_lstm_cell = Op(
    "lstm_cell",
    _compute_lstm_cell,
    _infer_lstm_cell,
    Joint(_lstm_cell_rule, reads="c c_next gates"),
    outputs=("h", "c_next", "gates"),
    out=True,
)


def _compute_lstm_cell_grad(
    g_h: Any, g_c: Any, c: Any, c_next: Any, gates: Any, out: Any = (None, None)
) -> tuple[Any, Any]:
    size, dtype = c.shape[-1], np.result_type(g_h.dtype, g_c.dtype, c.dtype, c_next.dtype, gates.dtype)
    i, f, n, o = cut(gates, size, 4)
    t = np.tanh(c_next)
    d = np.subtract(1, t * t, out=out[1], dtype=dtype, order="C")  # becomes the cotangent of c_next
    d *= o
    d *= g_h
    d += g_c
    g_z = np.subtract(1, gates, out=out[0], dtype=dtype, order="C")  # becomes the slopes, then the cotangent
    g_z *= gates
    of_i, of_f, of_n, of_o = cut(g_z, size, 4)
    np.subtract(1, n * n, out=of_n)
    of_i *= d * n
    of_f *= d * c
    of_n *= d * i
    of_o *= g_h * t
    d *= f
    return g_z, d


def _infer_lstm_cell_grad(
    g_h: Operand, g_c: Operand, c: Operand, c_next: Operand, gates: Operand
) -> tuple[Spec, Spec]:
    dtype = promote(g_h, g_c, c, c_next, gates)
    return Spec(gates.shape, dtype), Spec(c.shape, dtype)


def _lstm_cell_grad_rule(
    g: Any, y: Any, g_h: Any, g_c: Any, c: Any, c_next: Any, gates: Any, *, wanted: Any
) -> tuple[Any, ...]:
    """With d = g_c + g_h o (1 - t^2), t = tanh(c_next) and the gates' slopes s, the op gives
    (d n s_i, d c s_f, d i s_n, g_h t s_o) and d f. This is the derivative of that."""
    size = c.shape[-1]
    i, f, n, o = split(gates, [size] * 4, -1)
    s_i, s_f, s_n, s_o = _lstm_slopes(i, f, n, o)
    t = tanh(c_next)
    s_t = 1 - t * t
    d = g_c + g_h * o * s_t
    g_z, to_f = g
    a_i, a_f, a_n, a_o = split(zeros(gates.shape, d.dtype, like=d) if g_z is None else g_z, [size] * 4, -1)
    to_d = a_i * n * s_i + a_f * c * s_f + a_n * i * s_n
    of_f = a_f * d * c * (1 - 2 * f)
    if to_f is not None:
        to_d, of_f = to_d + to_f * f, of_f + to_f * d
    to_t = a_o * g_h * s_o - 2 * t * g_h * o * to_d
    of_gates = join(
        a_i * d * n * (1 - 2 * i) + a_n * d * s_n,
        of_f,
        a_i * d * s_i - 2 * n * a_n * d * i,
        a_o * g_h * t * (1 - 2 * o) + to_d * g_h * s_t,
    )
    return to_d * o * s_t + a_o * t * s_o, to_d, a_f * d * s_f, to_t * s_t, of_gates


_lstm_cell_grad = Op(
    "lstm_cell_grad",
    _compute_lstm_cell_grad,
    _infer_lstm_cell_grad,
    Joint(_lstm_cell_grad_rule, reads="g_h g_c c c_next gates"),
    outputs=("g_z", "g_before"),
    out=True,
)


def lstm_cell(z: Any, c: Any) -> tuple[Any, Any]:
    """One step of an LSTM from the sum of its products: gives (h, c_next).

    z (..., 4 H) holds x W + h U + b for the input, forget, cell and output gate; c (..., H) is
    the cell state. Hochreiter and Schmidhuber 1997 with the forget gate of Gers, Schmidhuber
    and Cummins 2000: i, f, o = sigmoid(z_i, z_f, z_o); c_next = f c + i tanh(z_n);
    h = o tanh(c_next). ShapeError and DTypeError for what does not fit.
    """
    h, c_next, _ = _lstm_cell(as_tensor_like(z), as_tensor_like(c))
    return h, c_next


def lstm_cell_composed(z: Any, c: Any) -> tuple[Any, Any]:
    """What `lstm_cell` computes, out of plain ops."""
    i, f, n, o = split(z, 4, -1)
    c_next = sigmoid(f) * c + sigmoid(i) * tanh(n)
    return sigmoid(o) * tanh(c_next), c_next
