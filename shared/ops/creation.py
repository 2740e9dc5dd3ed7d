"""Ops that make an array out of settings alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size
from shared.dispatch import current_engine, tensor_engine
from shared.op import Op, array_module
from shared.spec import Spec, as_dtype

_full = Op(
    "full",
    lambda *, shape, value, dtype: np.full(shape, value, dtype),
    lambda *, shape, value, dtype: Spec(shape, dtype),
)


def full(shape: Sequence[Size] | Size, value: float, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of `shape` filled with one number.

    `like` decides where it lives: beside that tensor, on its engine, or, for a raw array, in
    its array module. Without it the engine at hand makes a Tensor.
    """
    sizes: Shape = (shape,) if isinstance(shape, (int, Dim)) else tuple(shape)
    settings = {"shape": sizes, "value": value, "dtype": as_dtype(dtype)}
    if like is None:
        return current_engine().apply(_full, (), settings)
    engine = tensor_engine((like,))
    if engine is not None:
        return engine.apply(_full, (), settings)
    return array_module(like).full(sizes, value, settings["dtype"])


def zeros(shape: Sequence[Size] | Size, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of zeros. For `like`, see `full`."""
    return full(shape, 0, dtype, like=like)


def ones(shape: Sequence[Size] | Size, dtype: Any = "float32", *, like: Any = None) -> Any:
    """An array of ones. For `like`, see `full`."""
    return full(shape, 1, dtype, like=like)
