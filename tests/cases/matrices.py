"""Products: matmul, linear, tensordot, einsum and their kin; triangles."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, integers, normal


def torch_fn(name: str) -> Any:
    """A function of torch, imported only where a law asks for it."""
    import torch

    return getattr(torch.nn.functional, name, None) or getattr(torch, name)


def einsum(subscripts: str) -> dict[str, Any]:
    """The call on our side and on PyTorch's."""
    return {
        "call": lambda *xs: ops.einsum(subscripts, *xs),
        "torch": lambda *xs: torch_fn("einsum")(subscripts, *xs),
    }


CASES = [
    # matmul
    Case("matmul", lambda a, b: a @ b, [normal(3, 4), normal(4, 2)], torch=lambda a, b: a @ b,
         unknown=[("n", "k"), ("k", "m")]),
    Case("matmul", lambda a, b: a @ b, [normal(2, 1, 3, 4), normal(5, 4, 2)], torch=lambda a, b: a @ b,
         unknown=[("a", 1, "n", "k"), ("b", "k", "m")], name="batches that broadcast"),
    Case("matmul", lambda a, b: a @ b, [normal(2, 5, 3, 4), normal(4, 2)], torch=lambda a, b: a @ b,
         unknown=[("a", "b", "n", "k"), ("k", "m")], name="one matrix for a batch"),
    Case("matmul", lambda a, b: a @ b, [normal(3, 4), normal(2, 4, 3)], torch=lambda a, b: a @ b,
         unknown=[("n", "k"), ("b", "k", "m")], name="a batch for one matrix"),
    Case("matmul", lambda a, b: ops.matmul(a, b), [normal(4), normal(2, 4, 3)], torch=lambda a, b: a @ b,
         unknown=[("k",), ("b", "k", "m")], name="a row"),
    Case("matmul", lambda a, b: ops.matmul(a, b), [normal(2, 3, 4), normal(4)], torch=lambda a, b: a @ b,
         unknown=[("b", "n", "k"), ("k",)], name="a column"),
    Case("matmul", lambda a, b: ops.dot(a, b), [normal(4), normal(4)], torch=lambda a, b: a.dot(b),
         unknown=[("k",), ("k",)], name="dot"),
    Case("matmul", lambda a, b: ops.swapaxes(a, 0, 1) @ b, [normal(3, 2, 4, 5), normal(5, 2)],
         torch=lambda a, b: a.swapaxes(0, 1) @ b, unknown=[("a", "b", 4, "k"), ("k", 2)],
         name="of a transposed batch"),
    Case("matmul", lambda a, b: ops.swapaxes(a, 0, 1) @ b, [normal(3, 2, 4, 5), normal(2, 3, 5, 2)],
         unknown=[("a", "b", 4, "k"), ("b", "a", "k", 2)], name="of two batches, one transposed"),
    Case("matmul", lambda a, b: a @ b, [normal(2, 3, 0), normal(0, 4)], torch=lambda a, b: a @ b,
         unknown=[("a", 3, "k"), ("k", 4)], name="over nothing"),
    Case("matmul", lambda a, b: a @ b, [normal(0, 3, 2), normal(2, 4)], torch=lambda a, b: a @ b,
         unknown=[("a", 3, "k"), ("k", 4)], name="an empty batch"),
    Case("matmul", lambda a, b: a @ b, [integers(-3, 4, 2, 3), normal(3, 2)], unknown=[("n", "k"), ("k", 2)],
         name="integers beside floats"),
    Case("matmul", lambda a: ops.tensordot(a, a, axes=([0, 2], [0, 2])), [normal(2, 3, 4)],
         torch=lambda a: torch_fn("tensordot")(a, a, dims=([0, 2], [0, 2])), unknown=[("a", "b", "c")],
         name="tensordot with itself"),
    Case("matmul", lambda a, b: ops.tensordot(a, b, axes=1), [normal(2, 3), normal(3, 4, 2)],
         torch=lambda a, b: torch_fn("tensordot")(a, b, dims=1), unknown=[("a", "b"), ("b", "c", 2)],
         name="tensordot of neighbours"),
    Case("matmul", lambda a, b: ops.tensordot(a, b, axes=(0, -1)), [normal(3), normal(2, 3)],
         unknown=[("a",), ("b", "a")], name="tensordot along one axis"),
    Case("matmul", lambda a, b: ops.tensordot(a, b, axes=0), [normal(2), normal(3, 2)],
         torch=lambda a, b: torch_fn("tensordot")(a, b, dims=0), unknown=[("a",), ("b", "c")],
         name="tensordot over nothing"),
    # linear
    Case("linear", lambda x, w, b: ops.linear(x, w, b), [normal(3, 4), normal(2, 4), normal(2)],
         torch=lambda x, w, b: torch_fn("linear")(x, w, b), unknown=[("n", "k"), ("m", "k"), ("m",)]),
    Case("linear", lambda x, w: ops.linear(x, w), [normal(2, 3, 4), normal(5, 4)],
         torch=lambda x, w: torch_fn("linear")(x, w), unknown=[("n", "t", "k"), ("m", "k")], name="no bias"),
    Case("linear", lambda x, w, b: ops.linear(x, w, b), [normal(4), normal(2, 4), normal(2)],
         torch=lambda x, w, b: torch_fn("linear")(x, w, b), unknown=[("k",), ("m", "k"), ("m",)],
         name="of 1-d"),
    Case("linear", lambda x, w, b: ops.linear(x, w, b), [normal(2, 0), normal(3, 0), normal(3)],
         torch=lambda x, w, b: torch_fn("linear")(x, w, b), unknown=[("n", "k"), (3, "k"), (3,)],
         name="of no features"),
    Case("linear", lambda x, w, b: ops.linear(x, w, b),
         [integers(0, 4, 2, 3), normal(3, 3), integers(0, 4, 3)],
         unknown=[("n", 3), (3, 3), (3,)], name="integers beside floats"),
    Case("linear_input", lambda g, w: TABLE["linear_input"](g, w), [normal(3, 2), normal(2, 4)],
         torch=lambda g, w: g @ w, unknown=[("n", "m"), ("m", "k")]),
    Case("linear_input", lambda g, w: TABLE["linear_input"](g, w), [normal(2, 3, 2), normal(2, 4)],
         torch=lambda g, w: g @ w, unknown=[("t", "n", "m"), ("m", "k")], name="more axes"),
    Case("linear_input", lambda g, w: TABLE["linear_input"](g, w), [normal(2), normal(2, 4)],
         torch=lambda g, w: g @ w, unknown=[("m",), ("m", "k")], name="of 1-d"),
    Case("linear_weight", lambda x, g: TABLE["linear_weight"](x, g), [normal(3, 4), normal(3, 2)],
         torch=lambda x, g: g.T @ x, unknown=[("n", "k"), ("n", "m")]),
    Case("linear_weight", lambda x, g: TABLE["linear_weight"](x, g), [normal(2, 3, 4), normal(2, 3, 2)],
         torch=lambda x, g: g.flatten(0, 1).T @ x.flatten(0, 1), unknown=[("t", "n", "k"), ("t", "n", "m")],
         name="more axes"),
    Case("linear_weight", lambda x, g: TABLE["linear_weight"](x, g), [normal(4), normal(2)],
         torch=lambda x, g: g[:, None] * x, unknown=[("k",), ("m",)], name="of 1-d"),
    Case("linear_weight", lambda x, g: TABLE["linear_weight"](x, g), [normal(0, 4), normal(0, 2)],
         torch=lambda x, g: g.T @ x, unknown=[("n", "k"), ("n", "m")], name="of no rows"),
    # einsum
    Case("einsum", **einsum("bij,bjk->bik"), args=[normal(2, 3, 4), normal(2, 4, 2)],
         unknown=[("b", "n", "k"), ("b", "k", "m")]),
    Case("einsum", **einsum("ik,jk,lk->ijl"), args=[normal(2, 4), normal(3, 4), normal(2, 4)],
         unknown=[("n", "k"), ("m", "k"), ("l", "k")], name="three operands"),
    Case("einsum", **einsum("ii->i"), args=[normal(3, 3)], unknown=[("n", "n")], name="a diagonal"),
    Case("einsum", **einsum("iijj,j->ij"), args=[normal(2, 2, 3, 3), normal(3)],
         unknown=[("n", "n", "m", "m"), ("m",)], name="two diagonals"),
    Case("einsum", **einsum("iii"), args=[normal(3, 3, 3)], unknown=[("n", "n", "n")],
         name="the diagonal of a cube"),
    Case("einsum", **einsum("ijk->ki"), args=[normal(2, 3, 4)], unknown=[("a", "b", "c")], name="a sum"),
    Case("einsum", **einsum("ab->ba"), args=[normal(2, 3)], unknown=[("a", "b")], name="a transpose"),
    Case("einsum", **einsum("ij,kl"), args=[normal(2, 3), normal(3, 1)], unknown=[("a", "b"), ("c", 1)],
         name="the output left out"),
    Case("einsum", **einsum("...ij,jk...->...ik"), args=[normal(2, 1, 3, 4), normal(4, 2, 5)],
         unknown=[("a", 1, "n", "k"), ("k", "m", "b")], name="ellipses that broadcast"),
    Case("einsum", **einsum("...i,i...->i"), args=[normal(2, 3), normal(3)], unknown=[("a", "b"), ("b",)],
         name="an ellipsis that is summed over"),
    Case("einsum", **einsum("i,ij,j->"), args=[normal(1), normal(3, 4), normal(1)],
         unknown=[(1,), ("n", "m"), (1,)], name="sizes of one that stretch"),
    Case("einsum", **einsum("i,->i"), args=[normal(3), normal()], unknown=[("n",), ()], name="a number"),
    Case("einsum", **einsum("ij,jk->ik"), args=[normal(2, 0), normal(0, 3)], unknown=[("n", "k"), ("k", "m")],
         name="over nothing"),
    Case("einsum", lambda a, b: ops.einsum("ij,jk->k", a, b), [integers(-3, 4, 2, 3), normal(3, 2)],
         unknown=[("n", "k"), ("k", 2)], name="integers beside floats"),
    Case("einsum", lambda x: ops.trace(x) * ops.trace(x[:, :, 1:]), [normal(2, 3, 3)],
         torch=lambda x: torch_fn("einsum")("bii->b", x) * torch_fn("einsum")("bii->b", x[:, :2, 1:]),
         unknown=[("b", 3, 3)], name="trace"),
    Case("einsum", lambda *a: ops.bilinear(*a),
         [normal(2, 3, 4), normal(2, 3, 2), normal(5, 4, 2), normal(5)],
         torch=lambda *a: torch_fn("bilinear")(*a),
         unknown=[("a", "b", "k"), ("a", "b", "l"), ("o", "k", "l"), ("o",)], name="bilinear"),
    Case("mul", lambda a, b: ops.outer(a, b), [normal(3), normal(2, 2)], unknown=[("n",), ("a", "b")],
         torch=lambda a, b: torch_fn("outer")(a, b.flatten()), name="outer"),
    # triangles
    Case("tril", lambda x: ops.tril(x, 1), [normal(2, 3, 4)], torch=lambda x: x.tril(1),
         unknown=[("a", "b", "c")]),
    Case("triu", lambda x: ops.triu(ops.transpose(x)), [normal(3, 4)], torch=lambda x: x.T.triu(),
         unknown=[("a", "b")]),
    Case("triu", lambda x: ops.triu(x, 1 - x.shape[0]), [np.arange(12).reshape(4, 3)], smooth=False,
         torch=lambda x: x.triu(-3), unknown=[("a", "b")], name="a size as the diagonal"),
]  # fmt: skip
