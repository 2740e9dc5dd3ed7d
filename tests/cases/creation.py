"""Arrays made out of settings alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, normal


def torch_fn(name: str) -> Any:
    """A function of torch, imported only where a law asks for it."""
    import torch

    return getattr(torch, name)


CASES = [
    Case("full", lambda: ops.full((2, 3), -1.5), [], torch=lambda: torch_fn("full")((2, 3), -1.5)),
    Case("full", lambda: (ops.full(3, True, "bool"), ops.zeros((0, 2), "int64"), ops.ones(())), [],
         name="every dtype"),
    Case("full", lambda x: x * ops.full_like(x, 2.5) + ops.ones_like(x) * ops.zeros_like(x, "int8"),
         [normal(2, 3)],
         torch=lambda x: x * 2.5, unknown=[("a", "b")], name="like another"),
    Case("full", lambda x: ops.full(x.shape, x.shape[0], "float64", like=x) * x, [normal(2, 3)],
         unknown=[("a", "b")], name="a size as the value"),
    Case("arange", lambda: (ops.arange(5), ops.arange(7, 2, -2), ops.arange(3, 3)), [],
         torch=lambda: (torch_fn("arange")(5), torch_fn("arange")(7, 2, -2), torch_fn("arange")(3, 3))),
    Case("arange",
         lambda: (ops.arange(0.5, 2.75, 0.25), ops.arange(np.float32(2.5)), ops.arange(4, dtype="float64")),
         [], name="of floats"),
    Case("arange",
         lambda x: x * ops.arange(x.shape[0], like=x)[::-1] + ops.sum(ops.arange(2, x.shape[0], like=x))
         + ops.sum(ops.arange(0, x.shape[0], 3, like=x)), [normal(5)], unknown=[("n",)],
         name="as many as a size"),
    Case("linspace",
         lambda: (ops.linspace(-1, 2, 7), ops.linspace(0.0, 1.0, 4, endpoint=False, dtype="float64"),
         ops.linspace(0, 1, 0)), []),
    Case("linspace", lambda x: x * ops.linspace(0, 1, x.shape[0], like=x), [normal(4)], unknown=[("n",)],
         name="as many as a size"),
    Case("eye", lambda: (ops.eye(3), ops.eye(2, 4, k=1), ops.eye(4, 2, k=-1, dtype="bool"), ops.eye(0)), []),
    Case("eye", lambda x: x @ ops.eye(x.shape[1], like=x) + ops.eye(x.shape[0], x.shape[1], like=x),
         [normal(2, 3)],
         unknown=[("a", "b")], name="of a size"),
]  # fmt: skip
