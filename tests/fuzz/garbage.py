"""Values that no caller means, and some that one might."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
import static
from shared import nn, ops
from shared.dims import Dim

SHAPES = ((), (1,), (3,), (0,), (2, 3), (3, 2), (1, 1), (2, 0, 3), (2, 3, 4), (2, 3, 4, 5), (1,) * 7)
DTYPES = ("float32", "float64", "float16", "int64", "int8", "uint8", "bool", "complex64")
STRANGE = (
    lambda: np.array(["a", "b"]), lambda: np.array([None, 1], object), lambda: np.array([b"x"]),
    lambda: np.array(["2020-01-01"], "datetime64[D]"), lambda: np.zeros(3, [("a", "i4"), ("b", "f4")]),
    lambda: np.ma.masked_array([1.0, 2.0], [0, 1]), lambda: np.array([np.nan, np.inf, -np.inf, 1e308]),
    lambda: np.array([2**63 - 1, -(2**63)]), lambda: np.broadcast_to(np.float32(1), (2, 3)),
    lambda: np.ones((3, 4), "f").T, lambda: np.ones(6, ">f4"), lambda: np.matrix([[1.0, 2.0]]),
)  # fmt: skip

NUMBERS: tuple[Any, ...] = (
    0, 1, -1, 2, 3, 7, -7, 2**31, -(2**31), 2**62, 2**63, 2**64, -(2**63), 10**30, 10**400, True, False, 0.0,
    -0.0, 0.5, 1.0, 1.5, -3.7, 1e308, -1e308, 1e-320, float("nan"), float("inf"), -float("inf"), 1j, 2 + 0j,
    np.float32(2), np.int64(3), np.uint64(2**64 - 1), np.bool_(True), np.float64("nan"), np.int8(-1),
)  # fmt: skip


def _raises(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("the caller's own")


class Odd:
    """Something that only looks like an array."""

    shape = (2, "x")
    dtype = "float32"

    def __len__(self) -> int:
        return -1


OTHERS: tuple[Callable[[], Any], ...] = (
    lambda: None, lambda: ..., lambda: "", lambda: "float32", lambda: "mean", lambda: "x", lambda: "é" * 50,
    lambda: b"bytes", lambda: slice(None), lambda: slice(0, 2**70), lambda: (), list, dict,
    lambda: {"a": 1}, lambda: {1, 2}, lambda: [[]], lambda: [1, [2]], lambda: [None], lambda: ["a"],
    lambda: (1, -1), lambda: (-1, -1), lambda: (2**40, 2**40), lambda: (0, 2**62), lambda: (2, 2.5),
    lambda: [0, 0], lambda: (1, 2, 3, 4, 5), lambda: range(3), lambda: range(1000),
    lambda: (i for i in (1, 2)),
    lambda: iter(()), lambda: object(), lambda: Odd(), lambda: int, lambda: np.float32,
    lambda: np.dtype("f4"),
    lambda: np.dtype("U3"), lambda: len, lambda: lambda x: x, lambda: lambda: None, lambda: _raises,
    lambda: np, lambda: nn.Linear(3, 2), lambda: nn.Parameter(np.ones(3, "f")), lambda: Dim("N"),
    lambda: datetime.datetime(2020, 1, 1), lambda: memoryview(b"abc"), lambda: NotImplemented,
    lambda: [nn.Parameter(np.ones(2, "f"))], lambda: dynamic.tensor([1.0, 2.0]),
    lambda: static.constant([1.0, 2.0]), lambda: static.placeholder("float32", (None, 3)),
    lambda: ops.generator_state(0), lambda: [np.ones(2, "f"), np.ones((2, 2), "f")], lambda: (1,) * 70,
)  # fmt: skip


def array(rng: random.Random) -> Any:
    """Some array."""
    if rng.random() < 0.2:
        return rng.choice(STRANGE)()
    shape = rng.choice(SHAPES)
    values = np.random.default_rng(rng.randrange(100)).normal(size=shape) * rng.choice((1, 100))
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(rng.choice(DTYPES))


def value(rng: random.Random) -> Any:
    """Anything at all."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(NUMBERS)
    if kind < 0.7:
        return rng.choice(OTHERS)()
    found = array(rng)
    if kind > 0.85 and found.dtype.kind in "biufc" and found.dtype.isnative:
        found = wrapped(rng, found)
    return found


def wrapped(rng: random.Random, found: Any) -> Any:
    """An array as one of what an op may be given in its place."""
    kind = rng.randrange(4)
    if kind == 0:
        return dynamic.tensor(found, requires_grad=found.dtype.kind == "f")
    if kind == 1:
        return static.constant(found)
    return nn.Parameter(found) if kind == 2 and found.dtype.kind == "f" else found.tolist()
