"""Rows for values that are put where an index says: by the places that it picks of all elements, numbered."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Shape, product
from shared.ops.indexing import Template
from static.onnx.ops.indexing import full, picked_from
from static.onnx.writer import Row, Writer


def _put(
    w: Writer, x: str, shape: Shape, values: str, arrays: tuple[Any, ...], index: Template, reduction: str
) -> str:
    """x, of this shape, with values, which broadcast, at an index; several for one come in their order."""
    numbers = w("Range", w.constant(np.int64(0)), w.scalar(product(shape)), w.constant(np.int64(1)))
    places = picked_from(w, w("Reshape", numbers, w.shape(shape), allowzero=1), shape, arrays, index)
    flat, every = w.integers([-1]), w("Expand", values, w("Shape", places))
    y = w(
        "ScatterElements", w("Reshape", x, flat), w("Reshape", places, flat), w("Reshape", every, flat),
        axis=0, reduction=reduction,
    )  # fmt: skip
    return w("Reshape", y, w.shape(shape), allowzero=1)


def _index_put(w: Writer, x: Any, values: Any, *arrays: Any, index: Template) -> str:
    return _put(w, w.one(x), x.shape, w.one(values), arrays, index, "none")


def _index_extreme(w: Writer, x: Any, values: Any, *arrays: Any, index: Template, largest: bool) -> str:
    return _put(w, w.one(x), x.shape, w.one(values), arrays, index, "max" if largest else "min")


def _scatter_index(w: Writer, g: Any, *arrays: Any, shape: Shape, index: Template) -> str:
    zeros = full(w, shape=shape, value=0, dtype=w.dtype)
    return _put(w, zeros, shape, w.one(g), arrays, index, "add")


SCATTERING: dict[str, Row] = {
    "index_put": _index_put, "index_extreme": _index_extreme, "scatter_index": _scatter_index,
}  # fmt: skip
