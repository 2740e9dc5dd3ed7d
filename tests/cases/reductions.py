"""Cases for what takes axes away, and for running sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, booleans, distinct, integers, normal, positive
from tests.cases.oracle import torch_op

_ABC = [("a", "b", "c")]
_ties = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
_two_zeros = np.array([[2.0, 0.0, 3.0, -1.5], [0.0, 0.0, 0.5, 2.0], [1.5, 2.0, -0.5, 3.0]])
_empty_row = np.array([[-np.inf, -np.inf, -np.inf], [0.5, -np.inf, 1.0], [0.25, -0.5, 1.5]])


def _reduction(
    name: str,
    torch: str | None,
    make: Callable[..., np.ndarray],
    call: Callable[..., Any] | None = None,
    **more: Any,
) -> list[Case]:
    """Over one axis, several, all and none; kept or not; with axes in another order than C's."""
    op = call or getattr(ops, name)

    def oracle(**settings: Any) -> Any:
        return None if torch is None else torch_op(torch, **settings)

    return [
        Case(name, lambda x: op(x, axis=-2), [make(2, 3, 4)], torch=oracle(dim=-2), unknown=_ABC,
             name="one axis", **more),
        Case(name, lambda x: op(x, axis=(-1, 0), keepdims=True), [make(2, 3, 4)],
             torch=oracle(dim=(0, 2), keepdim=True), unknown=_ABC, name="two axes kept", **more),
        Case(name, lambda x: op(x), [make(2, 3)], torch=oracle(dim=(0, 1)), unknown=[("a", "b")],
             name="all axes", **more),
        Case(name, lambda x: op(ops.transpose(x, (2, 0, 1)), axis=0), [make(2, 3, 4)], unknown=_ABC,
             name="transposed", **more),
    ]  # fmt: skip


def _empty(name: str) -> Case:
    return Case(name, lambda x: getattr(ops, name)(x, axis=0), [np.zeros((0, 3))], smooth=False,
                unknown=[(0, "a")], name="of nothing")  # fmt: skip


def _integers(name: str, kind: Any = np.int64) -> Case:
    return Case(name, lambda x: getattr(ops, name)(x, axis=1), [integers(-3, 5, 2, 4).astype(kind)],
                smooth=False, name=f"of {np.dtype(kind)}")  # fmt: skip


def _place(name: str) -> list[Case]:
    op = getattr(ops, name)
    return [
        Case(name, lambda x: op(x, axis=-1), [distinct(3, 4)], torch=torch_op(name, dim=-1), smooth=False,
             unknown=[("a", "b")], name="one axis"),
        Case(name, lambda x: op(x, axis=0, keepdims=True), [distinct(3, 4)], smooth=False,
             unknown=[("a", "b")],
             torch=torch_op(name, dim=0, keepdim=True), name="one axis kept"),
        Case(name, op, [distinct(3, 4)], torch=torch_op(name), smooth=False, unknown=[("a", "b")],
             name="of all"),
        Case(name, lambda x: op(x, keepdims=True), [distinct(3, 4)], smooth=False, unknown=[("a", "b")],
             name="of all kept"),
        Case(name, lambda x: op(ops.transpose(x), axis=0), [distinct(2, 3, 4)], smooth=False, unknown=_ABC,
             name="transposed"),
        Case(name, lambda x: op(x, axis=0), [integers(-3, 3, 4)], smooth=False, name="of integers"),
    ]  # fmt: skip


def _truth(name: str) -> list[Case]:
    op = getattr(ops, name)
    return [
        Case(name, lambda x: op(x, axis=-1), [booleans(3, 4)], torch=torch_op(name, dim=-1), smooth=False,
             unknown=[("a", "b")], name="one axis"),
        Case(name, lambda x: op(x, axis=(0, 1), keepdims=True), [normal(2, 3)], smooth=False,
             unknown=[("a", "b")], name="all axes kept"),
        Case(name, lambda x: op(ops.transpose(x), axis=1), [integers(0, 2, 2, 3, 4)], smooth=False,
             unknown=_ABC, name="transposed"),
        _empty(name),
    ]  # fmt: skip


CASES = [
    *_reduction("sum", "sum", normal),
    Case("sum", lambda x: ops.sum(x, axis=()), [normal(2, 3)], name="no axis"),
    Case("sum", lambda x: ops.sum(x * 2), [normal()], unknown=[()], name="of one number"),
    _empty("sum"),
    _integers("sum"),
    _integers("sum", np.int32),
    _integers("sum", np.uint8),
    _integers("sum", bool),
    *_reduction("mean", "mean", normal),
    _empty("mean"),
    _integers("mean"),
    _integers("mean", bool),
    Case("mean", lambda x: ops.mean(ops.cast(x, "float16")), [np.full(3000, 100.0)], smooth=False,
         second=False,
         name="in half precision"),
    *_reduction("var", "var", normal),
    *_reduction("std", "std", normal),
    Case("var", lambda x: ops.var(x, 1, correction=0), [normal(3, 4) + 100], unknown=[("a", "b")],
         torch=torch_op("var", dim=1, correction=0), name="of a population"),
    Case("var", lambda x: ops.var(x, 1, correction=3), [normal(2, 3)], smooth=False, unknown=[("a", 3)],
         name="of too few"),
    Case("std", lambda x: ops.std(x, 1, correction=2), [normal(2, 4)], unknown=[("a", 4)],
         torch=torch_op("std", dim=1, correction=2), name="corrected by 2"),
    Case("std", lambda x: ops.std(x, 1), [_ties], smooth=False, name="of equals", unknown=[("a", "b")]),
    _integers("var"),
    _integers("std"),
    *_reduction("max", "amax", distinct),
    *_reduction("min", "amin", distinct),
    Case("max", lambda x: ops.max(x, 1), [_ties], torch=torch_op("amax", dim=1), smooth=False, name="ties"),
    Case("min", lambda x: ops.min(x, 1), [_ties], torch=torch_op("amin", dim=1), smooth=False, name="ties"),
    _integers("max", np.int32),
    _integers("min", bool),
    *_place("argmax"),
    *_place("argmin"),
    *_reduction("prod", None, positive),
    Case("prod", lambda x: ops.prod(x, 1), [_two_zeros], torch=torch_op("prod", dim=1), unknown=[("a", "b")],
         name="zeros"),
    Case("prod", lambda x: ops.prod(ops.transpose(x, (1, 0, 2)), (0, 2)), [normal(2, 3, 2)], unknown=_ABC,
         torch=lambda x: torch_op("prod")(x.permute(0, 1, 2).reshape(2, 6), 1), name="over axes apart"),
    Case("prod", lambda x: ops.prod(x, 1), [normal(3, 1)], unknown=[("a", "b")], name="of one"),
    _empty("prod"),
    _integers("prod"),
    Case("others_product", lambda x: TABLE["others_product"](x, axis=(1,)), [normal(2, 3)],
         unknown=[("a", "b")]),
    Case("others_product", lambda x, v, w: TABLE["others_product"](x, v, w, axis=(0, 2)),
         [normal(2, 2, 2), normal(2, 2, 2), normal(2, 2, 2)], unknown=_ABC * 3, name="two directions"),
    Case("cumsum", lambda x: ops.cumsum(x, axis=-2), [normal(2, 3, 2)], torch=torch_op("cumsum", dim=-2),
         unknown=_ABC, name="one axis"),
    Case("cumsum", ops.cumsum, [normal(2, 3)], unknown=[("a", "b")], name="of all"),
    Case("cumsum", lambda x: ops.cumsum(ops.transpose(x), 0), [normal(2, 3)], unknown=[("a", "b")],
         name="transposed"),
    _integers("cumsum", np.int32),
    *_reduction("logsumexp", "logsumexp", normal),
    Case("logsumexp", lambda x: ops.logsumexp(x, 1), [normal(2, 3) + np.array([[1000.0], [-1000.0]])],
         torch=torch_op("logsumexp", dim=1), smooth=False, name="far out"),
    Case("logsumexp", lambda x: ops.where(ops.isfinite(ops.logsumexp(x, 1)), ops.logsumexp(x, 1), 0.0),
         [_empty_row], smooth=False, name="minus infinities"),
    Case("logsumexp", lambda x: ops.exp(ops.logsumexp(x, 0)), [np.zeros((0, 3))], smooth=False,
         name="of nothing"),
    _integers("logsumexp"),
    *_reduction("norm", "linalg.vector_norm", normal),
    Case("norm", lambda x: ops.norm(x, 3, axis=1), [distinct(2, 3)], unknown=[("a", "b")],
         torch=torch_op("linalg.vector_norm", ord=3, dim=1), name="3"),
    Case("norm", lambda x: ops.norm(x, 2.5) + ops.norm(x, 1) + ops.norm(x, np.inf), [distinct(2, 3) + 0.03],
         unknown=[("a", "b")], name="1, inf and what is between"),
    Case("norm", lambda x: ops.norm(x, axis=1), [np.array([[0.0, 0.0], [3.0, 4.0]])], smooth=False,
         unknown=[("a", "b")], name="of zeros"),
    _integers("norm"),
    *_truth("any"),
    *_truth("all"),
]  # fmt: skip
