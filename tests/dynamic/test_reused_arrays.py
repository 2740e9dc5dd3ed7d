"""NumPy arrays that a user fills anew after they were given to an op: gradients are those of what they held
when it was called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops

W = np.float32([0.5, 2, 3])
USES: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "w * b": (np.float32, lambda w, b: w * b),
    "mul(b, w)": (np.float32, ops.mul),
    "w ** b": (np.float32, lambda w, b: w**b),
    "maximum": (np.float32, ops.maximum),
    "matmul": (np.float32, lambda w, b: ops.matmul(b[None], w)),
    "linear": (np.float32, lambda w, b: ops.linear(b[None], w[None])),
    "conv2d": (np.float32, lambda w, b: ops.conv2d(b.reshape(1, 1, 1, 3), w.reshape(1, 1, 1, 3))),
    "einsum": (np.float32, lambda w, b: ops.einsum("i,i->", w, b)),
    "a view of it": (np.float32, lambda w, b: ops.reshape(b, (1, 3)) * w),
    "where": (bool, lambda w, b: ops.where(b, w, 0.0)),
    "masked_fill": (bool, lambda w, b: ops.masked_fill(w, b, 0.0)),
    "a mask": (bool, lambda w, b: w[b]),
    "an index": (np.int64, lambda w, b: w[b]),
    "gather": (np.int64, lambda w, b: ops.gather(w, b, 0)),
    "embedding": (np.int64, lambda w, b: ops.embedding(b, w[:, None])),
    "labels": (np.int64, lambda w, b: ops.cross_entropy(w[None] * 2, b[:1])),
}


def fill(buffer: Any, turn: int) -> None:
    if buffer.dtype == bool:
        buffer[:] = np.arange(3) == turn
    else:
        buffer[:] = turn if buffer.dtype.kind == "i" else [turn + 1, 2, 3]


def trained(use: str, given: Callable[[Any], Any], deco: Callable[[Any], Any] = lambda fn: fn) -> Any:
    """The gradient of a sum over three turns, in each of which one buffer holds something else."""
    dtype, fn = USES[use]
    w, buffer = dynamic.tensor(W, requires_grad=True), np.zeros(3, dtype)

    def step() -> None:
        loss: Any = 0
        for turn in range(3):
            fill(buffer, turn)
            loss = loss + fn(w, given(buffer)).sum()
        fill(buffer, 0)
        loss.backward()

    run = deco(step)
    for _ in range(4):
        w.grad = None
        run()
    assert w.grad is not None
    return w.grad.numpy()


@pytest.mark.parametrize("use", USES)
def test_a_buffer_that_is_filled_anew_gives_the_gradients_of_copies(use: str) -> None:
    right = trained(use, np.copy)
    np.testing.assert_array_equal(trained(use, lambda b: b), right)
    np.testing.assert_array_equal(trained(use, lambda b: b, dynamic.function), right)
    if use == "w * b":
        np.testing.assert_array_equal(right, [1 + 2 + 3, 6, 9])


def test_what_a_part_of_a_run_was_fed_is_what_later_parts_read() -> None:
    x = static.placeholder("float32", (3,))
    first, second = x + 1, x * 2
    fed = np.float32([1, 2, 3])
    with static.Session() as session:
        run = session.partial_run_setup([first, second], [x])
        np.testing.assert_array_equal(session.partial_run(run, first, {x: fed}), [2, 3, 4])
        fed[:] = 0
        np.testing.assert_array_equal(session.partial_run(run, second), [2, 4, 6])
