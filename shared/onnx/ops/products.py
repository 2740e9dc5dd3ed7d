"""Products of matrices."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.onnx.table import onnx_op


@onnx_op("MatMul", weights=("a", "b"))
def matmul(a: Any, b: Any) -> Any:
    """By NumPy's rules."""
    return ops.matmul(a, b)


@onnx_op("Gemm", weights=("a", "b", "c"))
def gemm(
    a: Any, b: Any, c: Any = None, *, alpha: float = 1.0, beta: float = 1.0, transA: int = 0, transB: int = 0,
    broadcast: int = 0,
) -> Any:  # fmt: skip
    """alpha a b + beta c, either transposed first; as layers have it, where it is a layer."""
    if transB and not transA and alpha == beta == 1.0 and (c is None or len(c.shape) == 1):
        return ops.linear(a, b, c)
    y = ops.matmul(ops.transpose(a) if transA else a, ops.transpose(b) if transB else b)
    y = y if alpha == 1.0 else ops.mul(y, _factor(y, alpha))
    if c is None:
        return y
    return ops.add(y, c if beta == 1.0 else ops.mul(c, _factor(c, beta)))


def _factor(x: Any, number: float) -> float | int:
    return number if x.dtype.kind == "f" else int(number)


@onnx_op("Einsum", weights=("xs",))
def einsum(*xs: Any, equation: str) -> Any:
    """Sums of products over labelled axes."""
    return ops.einsum(equation.replace(" ", ""), *xs)


@onnx_op("Det")
def det(x: Any) -> Any:
    """The determinants of matrices."""
    return ops.linalg.det(x)


@onnx_op("Trilu", known=("k",))
def trilu(x: Any, k: Any = None, *, upper: int = 1) -> Any:
    """What stands on the k-th diagonal and above it, or below."""
    return (ops.triu if upper else ops.tril)(x, 0 if k is None else int(k))
