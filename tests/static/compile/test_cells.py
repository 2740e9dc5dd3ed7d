"""Recurrent cells seen whole: one kernel for each step and way, with the sums around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import static
from shared import nn, ops
from shared.kernels import machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of
from shared.op import TABLE
from tests.static.checker import checked

pytestmark = pytest.mark.skipif(machine.available() != "", reason=machine.available())

T, N, H = 5, 3, 4


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def trained(kind: Any, **settings: Any) -> tuple[list[Any], dict[Any, Any]]:
    """A layer's outputs, last states and gradients over T steps, and what to feed."""
    nn.manual_seed(0)
    layer = kind(H, H, **settings)
    x = static.placeholder("float32", (T, N, H), name="x")
    y, last = layer(x)
    states = list(last) if isinstance(last, tuple) else [last]
    loss = ops.sum(y * y) + ops.sum(states[-1])
    fetches = [y, *states, *static.gradients(loss, [x, *layer.parameters()])]
    return fetches, {x: np.random.default_rng(1).standard_normal((T, N, H)).astype(np.float32)}


@pytest.mark.parametrize(
    ("kind", "settings"), [(nn.RNN, {}), (nn.RNN, {"nonlinearity": "relu"}), (nn.LSTM, {}), (nn.GRU, {})]
)
def test_a_step_of_a_layer_is_its_products_and_one_kernel_each_way(kind: Any, settings: Any) -> None:
    fetches, feeds = trained(kind, **settings)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        want = session.run(fetches, feeds)
    with static.Session() as session, checked():
        session.run(static.global_variables_initializer())
        got = session.run(fetches, feeds)
        names = [step.op.name for step in session.block(fetches).steps]
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)
    assert not any("cell" in name for name in names)
    assert sum(name.startswith("fused") for name in names) <= 2 * T + 2, names
    assert names.count("split") == 2, "of the products with all inputs, and of the cotangents of all outputs"


def test_gates_that_no_gradient_reads_are_not_written() -> None:
    cell = nn.LSTMCell(H, H)
    x = static.placeholder("float32", (N, H), name="x")
    h, c = cell(x)
    with static.Session() as session:
        (fused,) = [step for step in session.block([h, c]).steps if step.op.name.startswith("fused")]
    assert [value.shape for value in fused.outputs] == [(N, H), (N, H)]


def test_a_gradient_of_a_gradient_goes_through_opened_cells() -> None:
    x = static.placeholder("float64", (N, H), name="x")
    cell = TABLE["lstm_cell"]
    z = ops.concatenate([x, x * 2, -x, x * 0.5], -1)
    h, c_next, _ = cell(z, x)
    (slope,) = static.gradients(ops.sum(h * c_next), [x])
    (second,) = static.gradients(ops.sum(slope * slope), [x])
    feed = {x: np.random.default_rng(2).standard_normal((N, H))}
    with static.Session(optimize="exact") as session:
        want = session.run([slope, second], feed)
    with static.Session() as session:
        got = session.run([slope, second], feed)
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-11)


def test_a_kernel_reads_and_writes_values_that_stand_side_by_side() -> None:
    recipe = Recipe(
        2,
        (Input("float32", (True, True), 3), Input("float32", (True,))),
        (Element("(a0 * a1)", (0, 3), "float32"), Element("(a0 - a1)", (2, 1), "float32")),
        ((5, 4), (4,)),
    )
    kernel = kernel_of(recipe)
    rng = np.random.default_rng(3)
    for rows, size in ((1, 1), (2, 5), (7, 16), (3, 0), (0, 4)):
        gates, row = rng.standard_normal((rows, 3 * size), np.float32), rng.standard_normal(size, np.float32)
        both, first = np.empty((rows, 2 * size), np.float32), np.empty((rows, size), np.float32)
        assert kernel(both, first, gates, row)
        a, b, c = np.split(gates, 3, axis=1)
        np.testing.assert_array_equal(both, np.concatenate([c - b, a * row], axis=1))
        np.testing.assert_array_equal(first, a * row)


def test_a_kernel_refuses_blocks_that_do_not_fit() -> None:
    recipe = Recipe(
        1, (Input("float32", (True,), 2),), (Element("(a0 + a1)", (0, 1), "float32"),), ((2, 2),)
    )
    kernel = kernel_of(recipe)
    whole, out = np.ones(6, np.float32), np.zeros(6, np.float32)
    assert kernel(out, whole)
    assert (out == 2).all()
    kept = out.copy()
    for arguments in [(out[:5], whole), (out, whole[:5]), (out, whole[:4]), (out[:4], whole)]:
        assert not kernel(*[np.ascontiguousarray(a) if i else a for i, a in enumerate(arguments)])
    np.testing.assert_array_equal(out, kept)


def test_cells_on_views_are_right() -> None:
    z = static.placeholder("float32", (2 * H, 4 * N), name="z")
    c = static.placeholder("float32", (H, N), name="c")
    h, c_next, _ = TABLE["lstm_cell"](z[::2], ops.transpose(ops.transpose(c) * 2))
    rng = np.random.default_rng(4)
    feed = {z: rng.standard_normal((2 * H, 4 * N)), c: rng.standard_normal((H, N))}
    with static.Session(optimize="exact") as session:
        want = session.run([h, c_next], feed)
    with static.Session() as session:
        got = session.run([h, c_next], feed)
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-6, atol=1e-7)
