"""What can be done with a Tensor whose very number of axes only a run knows, such as a placeholder that was
given no shape: it takes part in elementwise arithmetic, and all of it can be added up.

Beside single numbers it keeps its shape. Beside what has more it is taken for what broadcasts to that, which
the run checks: a probability, a rate. In a product of matrices it is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, same_size
from shared.errors import ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.shapes import c_order
from shared.spec import Spec, broadcast_shapes, spec_of, str_shape


def _compute_fitted(x: Any, *, shape: tuple[int, ...]) -> Any:
    try:
        return c_order(array_module(x).broadcast_to(x, shape))
    except ValueError:
        raise ShapeError(
            f"a Tensor without a shape was fed {str_shape(x.shape)}, which does not broadcast to the "
            f"{str_shape(shape)} beside it; give the placeholder its shape"
        ) from None


def _compute_summed(g: Any, x: Any) -> Any:
    axes = tuple(i - x.ndim for i in range(x.ndim) if x.shape[i] == 1 != g.shape[i - x.ndim])
    lead = tuple(range(g.ndim - x.ndim))
    return np.add.reduce(g, (*lead, *axes), keepdims=True).reshape(x.shape)


_fitted: Op = Op(
    "fitted",
    _compute_fitted,
    lambda x, *, shape: Spec(shape, x.dtype),
    [Rule(lambda g, y, x, *, shape: _summed(g, x), reads="x")],
    listed=False,
)

_summed: Op = Op(
    "summed_as",
    _compute_summed,
    lambda g, x: Spec(x.shape, g.dtype),
    [Rule(lambda h, y, g, x: _fitted(h, shape=g.shape)), None],
    listed=False,
)

_flat: Op = Op(
    "flat",
    lambda x: x.reshape(-1),
    lambda x: Spec((Dim() if x.shape is UNKNOWN_RANK else x.size,), x.dtype),
    [Rule(lambda g, y, x: _shaped(g, x), reads="x")],
    alias=(0,),
    listed=False,
)

_shaped: Op = Op(
    "shaped_as",
    lambda g, x: g.reshape(x.shape),
    lambda g, x: Spec(x.shape, g.dtype),
    [Rule(lambda h, y, g, x: _flat(h)), None],
    alias=(0,),
    listed=False,
)

def _compute_matrix(x: Any) -> Any:
    if x.ndim != 2:
        raise ShapeError(
            f"a Tensor without a shape was fed {str_shape(x.shape)} where a matrix is needed; give the "
            "placeholder its shape"
        )
    return x


_matrix: Op = Op(
    "as_matrix",
    _compute_matrix,
    lambda x: Spec((Dim(), Dim()), x.dtype),
    [Rule(lambda g, y, x: g)],
    alias=(0,),
    listed=False,
)

OPS = (_fitted, _summed, _flat, _shaped, _matrix)


def fitted(inputs: list[Any]) -> list[Any]:
    """The arguments of an elementwise op: those without a number of axes in the shape of the others."""
    shapes = [getattr(x, "shape", ()) for x in inputs]
    known = [spec_of(x) for x, shape in zip(inputs, shapes, strict=True) if shape is not UNKNOWN_RANK]
    shape = broadcast_shapes("arithmetic", *known)
    if all(same_size(size, 1) for size in shape):
        return inputs
    return [_fitted(x, shape=shape) if s is UNKNOWN_RANK else x for x, s in zip(inputs, shapes, strict=True)]


def flat(x: Any) -> Any:
    """A Tensor without a number of axes as one row of numbers; any other as it is."""
    return _flat(x) if getattr(x, "shape", None) is UNKNOWN_RANK else x


def matrix(x: Any) -> Any:
    """A Tensor without a number of axes as a matrix; any other as it is."""
    return _matrix(x) if getattr(x, "shape", None) is UNKNOWN_RANK else x
