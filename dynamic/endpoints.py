"""Where a differentiation starts, and where it shall arrive: what a user passes for them, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamic.node import Edge, Node
from dynamic.tensors import Tensor
from shared.device.cuda import adopted, to_device, to_host
from shared.errors import GradientError, ShapeError
from shared.op import array_module
from shared.spec import str_shape
from shared.state import State


def edge_of(call: str, x: Any) -> Edge:
    """Where the cotangent of `x` arrives."""
    if not isinstance(x, (Tensor, State)):
        raise GradientError(
            f"{call}: {x!r} is not a dynamic Tensor or a Parameter; make one with dynamic.tensor(...)"
        )
    if x.edge is None:
        raise GradientError(
            f"{call}: a Tensor of shape {str_shape(x.shape)} has no history and does not require a "
            "gradient; make what it comes from with tensor(..., requires_grad=True), and not under "
            "no_grad, nor by way of detach(), .numpy() or .item()"
        )
    return x.edge


def leaf_edge_of(position: int, x: Any) -> Edge:
    """The same for one of the `inputs` of backward, which must be a leaf."""
    edge = edge_of("backward", x)
    if isinstance(edge[0], Node):
        raise GradientError(
            f"backward: inputs[{position}] (shape {str_shape(x.shape)}) was made by {edge[0].name}, and "
            "`inputs` must be leaves; dynamic.grad(y, [x]) gives the gradient of any Tensor"
        )
    return edge


def seed_of(call: str, y: Tensor, gradient: Any) -> Tensor:
    """The cotangent to start from, of y's shape and dtype."""
    if gradient is None:
        if y.array.size != 1:
            raise GradientError(
                f"{call}: y has shape {str_shape(y.shape)}, so it has no single derivative; "
                "reduce it to one number (y.sum(), y.mean()), or pass the cotangent to start from"
            )
        if y.dtype.kind == "c":
            raise GradientError(
                f"{call}: y is {y.dtype}, and only a real number goes up or down; take its real part, its "
                "imag or its abs, or pass the cotangent to start from"
            )
        return Tensor(array_module(y.array).ones(y.shape, y.dtype))
    try:
        seed = gradient if isinstance(gradient, Tensor) else _placed(gradient, y)
    except (ValueError, TypeError):
        raise GradientError(
            f"{call}: the cotangent {gradient!r} is no array of numbers; pass one of y's shape, "
            f"{str_shape(y.shape)}"
        ) from None
    if seed.shape != y.shape:
        raise ShapeError(
            f"{call}: the cotangent has shape {str_shape(seed.shape)}, y has "
            f"{str_shape(y.shape)}; they must be the same"
        )
    if seed.dtype.kind == "c" and y.dtype.kind != "c":
        raise GradientError(f"{call}: the cotangent is {seed.dtype}, and y real; pass its real part")
    return seed


def _placed(gradient: Any, y: Tensor) -> Tensor:
    """An array or numbers as a cotangent of y's dtype, on y's device."""
    given = np.asarray(to_host(adopted(gradient)))
    if given.dtype.kind != "c" or y.dtype.kind == "c":
        given = given.astype(y.dtype, copy=False)
    return Tensor(to_device(given, y.device))
