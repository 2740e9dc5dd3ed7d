"""Sizes as Tensors: what `shape(x)` gives is a tuple wherever a shape is meant, a Tensor anywhere else."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim
from shared.ops.joining import stack
from static.graph.graph import Graph, Tensor
from static.graph.operands import as_tensor, constant, way_in


class Sizes(tuple[Any, ...]):
    """Sizes of a Tensor: ints, and Dims where only a run knows them."""


def tensor_of(graph: Graph, sizes: Any) -> Tensor:
    """The Tensor, of int64, that stands in a graph for Sizes or for a Dim."""
    key = tuple(n.key if isinstance(n, Dim) else n for n in sizes) if isinstance(sizes, Sizes) else sizes.key
    found = graph.sizes.get(key)
    if found is None:
        with graph.as_default():
            if isinstance(sizes, Dim):
                found = as_tensor(sizes)
            else:
                found = stack([as_tensor(n) for n in sizes]) if sizes else constant(np.zeros(0, np.int64))
        graph.sizes[key] = found
    return found


@way_in.register
def _(value: Sizes, graph: Graph) -> Tensor:
    return tensor_of(graph, value)
