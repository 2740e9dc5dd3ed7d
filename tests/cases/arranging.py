"""What turns, moves, lays out, joins and cuts: roll, moveaxis, rot90, grids, stacks, parts, diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, booleans, integers, normal
from tests.cases.oracle import torch_op

_AB, _ABC = [("a", "b")], [("a", "b", "c")]


def _several(name: str, *shapes: tuple[int, ...], unknown: Any = None) -> Case:
    """Arrays joined, as PyTorch joins them."""
    return Case("concatenate", lambda *xs: getattr(ops, name)(xs), [normal(*shape) for shape in shapes],
                torch=lambda *xs: torch_op(name)(xs), unknown=unknown,
                name=f"{name} of {', '.join(map(str, shapes))}")  # fmt: skip


CASES = [
    Case("roll", lambda x: ops.roll(x, -3, axis=-1), [normal(2, 5)], unknown=_AB,
         torch=torch_op("roll", shifts=-3, dims=-1)),
    Case("roll", lambda x: ops.roll(x, (1, -8), axis=(0, 2)), [normal(3, 2, 4)], unknown=_ABC,
         torch=torch_op("roll", shifts=(1, -8), dims=(0, 2)), name="two axes"),
    Case("roll", lambda x: ops.roll(x, x.shape[1]), [normal(2, 3)], torch=torch_op("roll", shifts=3),
         unknown=_AB, name="of all, by a size"),
    Case("roll", lambda x: ops.roll(x, 2, 0), [normal(0, 3)], unknown=_AB, name="of nothing"),
    Case("roll", lambda x: ops.roll(x, 1), [integers(0, 9, 4)], smooth=False, name="of integers"),
    Case("transpose", lambda x: ops.moveaxis(x, (0, -1), (-1, 1)), [normal(2, 3, 4, 2)],
         torch=torch_op("movedim", source=(0, -1), destination=(-1, 1)), unknown=[("a", "b", "c", "d")],
         name="moveaxis"),
    *(Case("flip" if k != 4 else "transpose",
           lambda x, k=k: ops.transpose(ops.rot90(x, k, (0, 2)), (1, 0, 2)), [normal(2, 2, 3)],
           torch=lambda x, k=k: torch_op("rot90", k=k, dims=(0, 2))(x).transpose(0, 1),
           unknown=_ABC, name=f"rot90 {k} times") for k in (1, 2, -1, 4)),
    Case("flip", lambda x: ops.fliplr(ops.flipud(x)), [normal(3, 2)], torch=lambda x: x.flipud().fliplr(),
         unknown=_AB, name="flipud and fliplr"),
    Case("reshape", lambda x: ops.unflatten(x, 1, (2, -1)), [normal(3, 6)], unknown=_AB,
         torch=lambda x: x.unflatten(1, (2, 3)), name="unflatten"),
    Case("broadcast_to", lambda a, b: ops.broadcast_arrays(a, b), [normal(3, 1), normal(2)],
         torch=lambda a, b: torch_op("broadcast_tensors")(a, b), unknown=[("a", 1), ("b",)],
         name="broadcast_arrays"),
    Case("broadcast_to", lambda a, b, c: ops.meshgrid(a, b, c), [normal(2), normal(3), normal()],
         torch=lambda a, b, c: torch_op("meshgrid", indexing="xy")(a, b, c.reshape(1)),
         unknown=[("a",), ("b",), ()], name="meshgrid xy"),
    Case("broadcast_to", lambda a, b: ops.meshgrid(a, b, indexing="ij"), [normal(2), normal(3)],
         torch=torch_op("meshgrid", indexing="ij"), unknown=[("a",), ("b",)], name="meshgrid ij"),
    Case("stack", lambda a, b: ops.cartesian_prod(a, b), [normal(2), normal(3)],
         torch=torch_op("cartesian_prod"), unknown=[("a",), ("b",)], name="cartesian_prod"),
    # joining
    _several("hstack", (2, 1), (2, 3), unknown=[("a", "b"), ("a", "c")]),
    _several("hstack", (2,), (), (1,), unknown=[("a",), (), ("b",)]),
    _several("vstack", (3,), (2, 3), unknown=[("b",), ("a", "b")]),
    _several("dstack", (2,), (1, 2), (1, 2, 2), unknown=[("a",), (1, "a"), (1, "a", "b")]),
    _several("column_stack", (2,), (2, 3), unknown=[("a",), ("a", "b")]),
    # parts
    Case("getitem", lambda x: ops.narrow(x, 1, -3, 2), [normal(2, 5)], unknown=[("a", 5)],
         torch=torch_op("narrow", dim=1, start=2, length=2), name="narrow"),
    Case("getitem", lambda x: ops.narrow(x, 0, 1, x.shape[0] - 1), [normal(4, 2)], unknown=_AB,
         torch=torch_op("narrow", dim=0, start=1, length=3), name="narrow by a size"),
    Case("split", lambda x: ops.tensor_split(x, 3, axis=1), [normal(2, 5)], unknown=_AB,
         torch=lambda x: x.tensor_split(3, dim=1), name="tensor_split"),
    Case("getitem", lambda x: ops.tensor_split(x, [1, -2, 9]), [normal(4, 2)], unknown=[(4, "b")],
         torch=lambda x: x.tensor_split((1, -2, 9)), name="tensor_split at places"),
    Case("split", lambda x: ops.chunk(x, 3, axis=0), [normal(7, 2)], torch=torch_op("chunk", chunks=3),
         unknown=[(7, "b")], name="chunk"),
    # diagonals
    *(Case("getitem", lambda x, k=k: ops.diagonal(x, k, -1, 0), [normal(3, 2, 4)], unknown=_ABC,
           torch=torch_op("diagonal", offset=k, dim1=-1, dim2=0), name=f"diagonal at {k}")
      for k in (0, 2, -1, 5)),
    *(Case("gate", lambda x, k=k: ops.diag_embed(x, k, 0, -2), [normal(2, 3)], unknown=_AB,
           torch=torch_op("diag_embed", offset=k, dim1=0, dim2=-2), name=f"diag_embed {k}")
      for k in (0, 2, -1)),
    Case("gate", lambda x: ops.diag(ops.diag(x, 1), 1), [normal(3)], torch=lambda x: x.diag(1).diag(1),
         unknown=[("a",)], name="diag"),
    Case("pad", lambda a, b, c: ops.block_diag(a, b, c), [normal(2, 1), normal(3), normal(1, 2)],
         torch=torch_op("block_diag"), unknown=[("a", "b"), ("c",), ("d", "e")], name="block_diag"),
    Case("triangle_indices", lambda x: x[ops.tril_indices(3, 4, -1)], [normal(3, 4)], unknown=_AB,
         torch=lambda x: x[tuple(torch_op("tril_indices")(3, 4, -1))], name="tril_indices"),
    Case("triangle_indices", lambda x: x[ops.triu_indices(x.shape[0], k=1)], [normal(3, 3)], unknown=_AB,
         torch=lambda x: x[tuple(torch_op("triu_indices")(3, 3, 1))], name="triu_indices"),
    Case("triangle_indices", lambda m: ops.stack(ops.triu_indices(3, 2, -5)) * m, [booleans(1)], smooth=False,
         name="all of them"),
    Case("stop_gradient", lambda x: ops.stop_gradient(x * 2) * x, [normal(2, 3)],
         torch=lambda x: (x * 2).detach() * x, unknown=_AB, smooth=False),
    Case("stop_gradient", lambda x: ops.stop_gradient(x), [np.arange(3)], smooth=False, name="of integers"),
]  # fmt: skip
