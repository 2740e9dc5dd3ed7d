"""The gated recurrent unit as one fused op; see `shared.ops.recurrent` for what cells have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.op import Joint, Op, array_module, put
from shared.ops.creation import zeros
from shared.ops.elementwise import neg
from shared.ops.joining import split
from shared.ops.recurrent import check_floating, cut, half, join
from shared.ops.shapes import as_tensor_like
from shared.ops.sigmoids import sigmoid, tanh
from shared.spec import Operand, Spec, promote, sizes_match, str_shape


def _compute_gru_cell(zx: Any, zh: Any, h: Any, out: Any = (None, None)) -> tuple[Any, Any]:
    size = h.shape[-1]
    kinds = zx.dtype.kind + zh.dtype.kind + h.dtype.kind
    if zx.shape != (*h.shape[:-1], 3 * size) or zx.shape != zh.shape or kinds != "fff":
        _infer_gru_cell(zx, zh, h)
    gates = np.add(zx, zh, out=out[1], order="C")
    both, n = gates[..., : 2 * size], gates[..., 2 * size :]
    both *= 0.5
    np.tanh(both, out=both)
    half(both)
    r, u = both[..., :size], both[..., size:]
    np.multiply(r, zh[..., 2 * size :], out=n)
    n += zx[..., 2 * size :]
    np.tanh(n, out=n)
    y = np.subtract(h, n, out=out[0], order="C")
    y *= u
    y += n
    return y, gates


def _infer_gru_cell(zx: Operand, zh: Operand, h: Operand) -> tuple[Spec, Spec]:
    check_floating("gru_cell", zx, zh, h)
    for z in (zx, zh):
        fits = len(z.shape) == len(h.shape) >= 1 and sizes_match(z.shape[-1], 3 * h.shape[-1])
        if not fits or not all(map(sizes_match, z.shape[:-1], h.shape[:-1])):
            raise ShapeError(
                f"gru_cell: zx {str_shape(zx.shape)} and zh {str_shape(zh.shape)} must hold three gates "
                f"side by side for h {str_shape(h.shape)}: (..., 3 H) with (..., H)"
            )
    return Spec(h.shape, promote(zx, zh, h)), Spec(zx.shape, promote(zx, zh))


def _through_gru_gates(g_gates: Any, zh: Any, gates: Any) -> tuple[Any, Any]:
    """From the gates' cotangents to those of zx and zh: n = tanh(zx_n + r zh_n)."""
    g_r, g_u, g_n = split(g_gates, 3, -1)
    r, u, n = split(gates, 3, -1)
    a_n = g_n * (1 - n * n)
    a_r = (g_r + a_n * split(zh, 3, -1)[2]) * (r * (1 - r))
    a_u = g_u * (u * (1 - u))
    return join(a_r, a_u, a_n), join(a_r, a_u, a_n * r)


def _gru_cell_rule(g: Any, y: Any, zx: Any, zh: Any, h: Any, *, wanted: Any) -> tuple[Any, ...]:
    g_y, g_gates = g
    gates = y[1]
    g_zx = g_zh = g_h = None
    if g_y is not None:
        g_zx, g_zh, g_h = _gru_cell_grad(g_y, zh, h, gates)
    if g_gates is not None:
        to_zx, to_zh = _through_gru_gates(g_gates, zh, gates)
        g_zx, g_zh = (to_zx, to_zh) if g_zx is None else (g_zx + to_zx, g_zh + to_zh)
    return g_zx, g_zh, g_h


_gru_cell = Op(
    "gru_cell",
    _compute_gru_cell,
    _infer_gru_cell,
    Joint(_gru_cell_rule, reads="zh h gates"),
    outputs=("y", "gates"),
    out=True,
)


def _compute_gru_cell_grad(
    g: Any, zh: Any, h: Any, gates: Any, out: Any = (None, None, None)
) -> tuple[Any, Any, Any]:
    xp, size = array_module(g), h.shape[-1]
    dtype = np.result_type(g.dtype, zh.dtype, h.dtype, gates.dtype)
    r, u, n = cut(gates, size, 3)
    g_zx = xp.empty(gates.shape, dtype) if out[0] is None else out[0]
    a_r, a_u, a_n = cut(g_zx, size, 3)
    g_h = np.multiply(g, u, out=out[2], dtype=dtype, order="C")
    np.subtract(g, g_h, out=a_n)
    a_n *= 1 - n * n
    np.subtract(h, n, out=a_u)
    a_u *= g_h
    a_u *= 1 - u
    np.multiply(a_n, zh[..., 2 * size :], out=a_r)
    a_r *= r * (1 - r)
    g_zh = put(g_zx.copy() if out[1] is None else g_zx, out[1])
    g_zh[..., 2 * size :] *= r
    return g_zx, g_zh, g_h


def _infer_gru_cell_grad(g: Operand, zh: Operand, h: Operand, gates: Operand) -> tuple[Spec, ...]:
    dtype = promote(g, zh, h, gates)
    return Spec(gates.shape, dtype), Spec(gates.shape, dtype), Spec(h.shape, dtype)


def _gru_cell_grad_rule(
    g: Any, y: Any, g_y: Any, zh: Any, h: Any, gates: Any, *, wanted: Any
) -> tuple[Any, ...]:
    """With k = zh_n and the gates' slopes s, the op gives a_n = g_y (1 - u) s_n, a_r = a_n k s_r,
    a_u = g_y (h - n) s_u; (a_r, a_u, a_n), (a_r, a_u, a_n r) and g_y u. This is the derivative."""
    size = h.shape[-1]
    nothing = zeros(gates.shape, gates.dtype, like=gates)
    to_zx, to_zh = (split(nothing if v is None else v, [size] * 3, -1) for v in g[:2])
    r, u, n = split(gates, [size] * 3, -1)
    k = split(zh, [size] * 3, -1)[2]
    s_r, s_u, s_n = r * (1 - r), u * (1 - u), 1 - n * n
    a_n = g_y * (1 - u) * s_n
    to_r, to_u = to_zx[0] + to_zh[0], to_zx[1] + to_zh[1]
    to_n = to_zx[2] + to_zh[2] * r + to_r * k * s_r
    of_y = to_n * (1 - u) * s_n + to_u * s_u * (h - n)
    of_u = to_u * g_y * (h - n) * (1 - 2 * u) - to_n * g_y * s_n
    if g[2] is not None:
        of_y, of_u = of_y + g[2] * u, of_u + g[2] * g_y
    of_h = to_u * g_y * s_u
    of_gates = join(
        to_r * a_n * k * (1 - 2 * r) + to_zh[2] * a_n,
        of_u,
        neg(of_h) - 2 * n * to_n * g_y * (1 - u),
    )
    none = zeros(h.shape, a_n.dtype, like=a_n)
    return of_y, join(none, none, to_r * a_n * s_r), of_h, of_gates


_gru_cell_grad = Op(
    "gru_cell_grad",
    _compute_gru_cell_grad,
    _infer_gru_cell_grad,
    Joint(_gru_cell_grad_rule, reads="g_y zh h gates"),
    outputs=("g_zx", "g_zh", "g_h"),
    out=True,
)


def gru_cell(zx: Any, zh: Any, h: Any) -> Any:
    """One step of a gated recurrent unit from its products: gives the next state.

    zx (..., 3 H) holds x W + b and zh (..., 3 H) h U + c for the reset, update and new gate;
    h (..., H) is the state. Cho et al. 2014, with the reset gate after the product, as PyTorch
    and cuDNN have it: r, u = sigmoid(zx + zh); n = tanh(zx_n + r zh_n); (1 - u) n + u h.
    ShapeError and DTypeError for what does not fit.
    """
    return _gru_cell(as_tensor_like(zx), as_tensor_like(zh), as_tensor_like(h))[0]


def gru_cell_composed(zx: Any, zh: Any, h: Any) -> Any:
    """What `gru_cell` computes, out of plain ops."""
    (xr, xu, xn), (hr, hu, hn) = split(zx, 3, -1), split(zh, 3, -1)
    r, u = sigmoid(xr + hr), sigmoid(xu + hu)
    n = tanh(xn + r * hn)
    return (1 - u) * n + u * h
