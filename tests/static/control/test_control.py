"""Control flow as nodes: values, gradients to any order, state, nesting, errors.

The oracle is `dynamic`, where the same calls are Python's own if, for and while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.state import Buffer

rng = np.random.default_rng(5)
X, H, W = rng.standard_normal((5, 3, 4)), rng.standard_normal((3, 4)), rng.standard_normal((4, 4)) / 2


def recurrent(x: Any, h: Any, w: Any, reverse: bool = False) -> Any:
    """A loop that reads its carry, its x and a captured weight, and gives a carry and two ys."""

    def step(h: Any, xt: Any) -> Any:
        h = ops.tanh(h @ w + xt)
        return h, (h * h, ops.sum(h))

    last, (squares, sums) = ops.scan(step, h, x, reverse=reverse)
    return ops.sum(last * 2) + ops.sum(squares * squares) + ops.sum(ops.sin(sums))


def looping(x: Any, h: Any, w: Any) -> Any:
    """A while loop whose trips depend on the values."""
    _, h = ops.while_loop(
        lambda i, h: i < 3, lambda i, h: (i + 1, ops.tanh(h @ w + x[0])), (ops.sum(h) * 0, h)
    )
    return ops.sum(h * h)


def branching(x: Any, h: Any, w: Any) -> Any:
    yes = ops.cond(ops.sum(h) > -100, lambda: ops.sin(h @ w), lambda: h * 3)
    no = ops.cond(ops.sum(h) > 100, lambda: ops.sin(h @ w), lambda: h * ops.sum(x))
    return ops.sum(yes * no)


def nested(x: Any, h: Any, w: Any) -> Any:
    """A scan in a scan, with a cond inside."""

    def outer(h: Any, xt: Any) -> Any:
        h, _ = ops.scan(lambda c, row: (ops.tanh(c * w[0] + row), None), h, xt)
        h = ops.cond(ops.sum(h) > 0, lambda: h * w[1], lambda: h + w[2])
        return h, ops.sum(h)

    last, ys = ops.scan(outer, h[0], x)
    return ops.sum(last) + ops.sum(ys * ys)


def differentiated(grad: Callable[..., Any], fn: Callable[..., Any], xs: list[Any]) -> list[Any]:
    """The value, and first and second derivatives (of the squared first)."""
    y = fn(*xs)
    first = grad(y, xs)
    kept = [g for g in first if g is not None]
    second = grad(sum(ops.sum(g * g) for g in kept), xs)
    return [y, *first, *second]


@pytest.mark.parametrize("length", [0, 1, 5])
@pytest.mark.parametrize(
    "fn",
    [recurrent, lambda x, h, w: recurrent(x, h, w, reverse=True), looping, branching, nested],
    ids=["scan", "reverse", "while", "cond", "nested"],
)
def test_values_and_two_derivatives_are_those_of_python_control_flow(fn: Any, length: int) -> None:
    if length == 0 and fn is looping:
        pytest.skip("the loop reads x[0], which is not there for length 0")
    data = [X[:length], H, W]
    eager = [dynamic.tensor(a, requires_grad=True) for a in data]
    want = differentiated(
        lambda y, xs: dynamic.grad(y, xs, create_graph=True, allow_unused=True)
        if y.requires_grad else [None] * len(xs), fn, eager,
    )  # fmt: skip
    with static.Graph().as_default():
        xs = [static.placeholder("float64", shape) for shape in (("T", 3, 4), (3, 4), (4, 4))]
        built = differentiated(static.gradients, fn, xs)
        with static.Session() as session:
            got = session.run([t for t in built if t is not None], dict(zip(xs, data, strict=True)))
    values = iter(got)
    for planned, w in zip(built, want, strict=True):
        value = np.zeros(()) if planned is None else next(values)
        expected = np.zeros(value.shape) if w is None else w.numpy()
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9)


def ragged(x: Any, h: Any, w: Any) -> Any:
    """A scan whose steps have sizes of their own."""

    def step(h: Any, xt: Any) -> Any:
        return ops.tanh(h @ w + ops.sum(xt[xt > 0.5])), ops.sum(h)

    last, ys = ops.scan(step, h, x)
    return ops.sum(last) + ops.sum(ys * ys)


@pytest.mark.parametrize("fn", [recurrent, ragged, looping])
def test_first_derivatives_of_a_loop_are_equal_bit_for_bit(fn: Any) -> None:
    eager = [dynamic.tensor(a, requires_grad=True) for a in (X, H, W)]
    want = dynamic.grad(fn(*eager), eager)
    with static.Graph().as_default():
        xs = [static.placeholder("float64", shape) for shape in (("T", 3, 4), (3, 4), (4, 4))]
        gs = static.gradients(fn(*xs), xs)
        with static.Session(optimize="exact") as session:
            got = session.run(gs, dict(zip(xs, (X, H, W), strict=True)))
    assert all((a.numpy() == b).all() for a, b in zip(want, got, strict=True))


def test_asking_for_a_gradient_changes_no_built_node_and_unused_history_is_not_computed() -> None:
    with static.Graph().as_default() as graph:
        xs = [static.placeholder("float64", shape) for shape in (("T", 3, 4), (3, 4), (4, 4))]
        y = recurrent(*xs)
        before = [(node, node.inputs, node.outputs) for node in graph.nodes]
        with static.Session() as session:
            plain = session.program(y)
            static.gradients(y, xs)
            assert session.program(y) == plain
        assert [(n, n.inputs, n.outputs) for n in graph.nodes[: len(before)]] == before
    assert "needed=(0, 1, 2)" in plain


def test_both_branches_are_built_and_one_runs() -> None:
    calls: list[str] = []

    def branch(name: str) -> Callable[[], Any]:
        return lambda: (calls.append(name), x * 2 if name == "yes" else x * 3)[1]

    with static.Graph().as_default():
        x = static.placeholder("float32", ())
        y = static.cond(x > 0, branch("yes"), branch("no"))
        assert calls == ["yes", "no"]
        with static.Session() as session:
            assert session.run(y, {x: 1.0}) == 2 and session.run(y, {x: -1.0}) == -3
    assert calls == ["yes", "no"]


def test_what_a_branch_assigns_is_assigned_only_if_it_is_taken() -> None:
    with static.Graph().as_default():
        v, p = static.Variable(1.0), static.placeholder("bool", ())
        y = static.cond(p, lambda: v.assign(v + 10), lambda: v * 2)
        after = v + 0
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            assert session.run([y, after], {p: False}) == [2, 1]
            assert session.run([y, after], {p: True}) == [11, 11]


def test_what_a_loop_body_assigns_is_carried_and_stored_once() -> None:
    with static.Graph().as_default():
        v, n = static.Variable(np.float32(1)), static.placeholder("int64", ())

        def trip(i: Any) -> Any:
            v.assign(v * 2)
            return i + 1

        (i,) = static.while_loop(lambda i: i < n, trip, [n * 0])
        after = v + 0
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            assert session.run([i, after], {n: 5}) == [5, 32]


def test_dropout_in_a_scan_draws_a_new_mask_each_step_as_dynamic_does() -> None:
    def run(layer: nn.Module, x: Any) -> Any:
        return ops.scan(lambda c, xt: (c, layer(xt)), x[0], x)[1]

    ones = np.ones((4, 20), np.float32)
    nn.manual_seed(1)
    want = run(nn.Dropout(0.5), dynamic.tensor(ones)).numpy()
    nn.manual_seed(1)
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 20))
        y = run(nn.Dropout(0.5), x)
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            assert (session.run(y, {x: ones}) == want).all()


def test_a_layer_inside_a_scan_trains_its_parameters_on_both_engines_alike() -> None:
    def loss(layer: nn.Module, x: Any) -> Any:
        return ops.mean(ops.square(ops.scan(lambda c, xt: (ops.tanh(layer(c) + xt), None), x[0], x)[0]))

    data = rng.standard_normal((6, 2, 3)).astype(np.float32)
    nn.manual_seed(2)
    eager = nn.Linear(3, 3)
    value = loss(eager, dynamic.tensor(data))
    value.backward()
    nn.manual_seed(2)
    layer = nn.Linear(3, 3)
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, 2, 3))
        y = loss(layer, x)
        g = static.gradients(y, [layer.weight, layer.bias])
        with static.Session(optimize="exact") as session:
            session.run(static.global_variables_initializer())
            got, (gw, gb) = session.run([y, g], {x: data})
    assert got == value.item()
    assert (gw == eager.weight.grad.numpy()).all() and (gb == eager.bias.grad.numpy()).all()


def test_a_buffer_that_a_module_changes_in_a_scan_is_carried() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            self.calls = Buffer(np.float32(0))

        def forward(self, x: Any) -> Any:
            self.calls.assign(self.calls + 1)
            return x * self.calls

    with static.Graph().as_default():
        layer, x = Counting(), static.placeholder("float32", (None,))
        ys = ops.scan(lambda c, xt: (c, layer(xt)), x[0], x)[1]
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            assert session.run(ys, {x: np.ones(4)}).tolist() == [1, 2, 3, 4]


def test_case_and_map_fn() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (None,))
        squares = static.map_fn(lambda e: e * e, x)
        n = ops.sum(x)
        which = static.case([(n > 10, lambda: n * 100), (n > 5, lambda: n * 10)], lambda: n)
        with static.Session() as session:
            assert session.run(squares, {x: [1, 2, 3]}).tolist() == [1, 4, 9]
            assert [float(session.run(which, {x: [v]})) for v in (20, 7, 1)] == [2000, 70, 1]


def test_a_loop_that_changes_a_shape_is_refused_when_it_is_built() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (2,))
        with pytest.raises(ValueError, match=r"not an invariant for the loop.*f32\[2\].*f32\[3\]"):
            static.while_loop(lambda v: ops.sum(v) < 9, lambda v: [ops.concatenate([v, v[:1]])], [x])
        with pytest.raises(ValueError, match="not an invariant"):
            ops.scan(lambda c, e: (ops.cast(c, "float64"), e), x, x)
        with pytest.raises(ValueError, match="two branches must give the same"):
            static.cond(ops.sum(x) > 0, lambda: x, lambda: x[:1])


def test_an_error_inside_a_body_names_the_line_inside_it() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (None, None))
        w = static.placeholder("float32", (None,))
        y = ops.scan(lambda c, e: (c, e * w), x[0], x)[1]  # the culprit is this product
        said = pytest.raises(ValueError, match=r"mul.*the culprit is this product")
        with static.Session() as session, said:
            session.run(y, {x: np.ones((2, 3)), w: np.ones(4)})


def never_ending(e: Any, u: Any) -> Any:
    """From zeros it would never get anywhere."""
    return ops.while_loop(lambda c: ops.sum(c) < 1.0, lambda c: (c * 1.5,), (e,))[0]


def of_either_size(e: Any, u: Any) -> Any:
    return ops.cond(ops.sum(u) > 0, lambda: e[e >= 0], lambda: u[u > 0])


def of_a_measured_size(e: Any, u: Any) -> Any:
    return ops.concatenate([e[e >= 0], u[u > 0]])


SHAPES = {never_ending: (3,), of_either_size: (3,), of_a_measured_size: (5,)}
"""What a step on zeros gives, counted by hand."""


@pytest.mark.parametrize("fn", SHAPES)
@pytest.mark.parametrize("sizes", [((0, 3), (3,)), ((None, None), (None,))], ids=["known", "unknown"])
def test_a_loop_over_nothing_gives_what_has_the_shape_of_a_step_on_zeros(fn: Any, sizes: Any) -> None:
    """Also as the gradient of its sum with others goes back through it."""
    x, u = np.zeros((0, 3)), np.array([0.5, -1.0, 2.0])

    def looped(x: Any, u: Any) -> Any:
        return ops.scan(lambda c, e: (c, fn(e, u)), (), x)[1]

    want = looped(dynamic.tensor(x), dynamic.tensor(u)).numpy()
    assert want.shape == (0, *SHAPES[fn])
    with static.Graph().as_default():
        xs = [static.placeholder("float64", shape) for shape in sizes]
        y = looped(*xs)
        gradients = static.gradients(ops.sum(y) + ops.sum(xs[0]) + ops.sum(xs[1]), xs)
        with static.Session() as session:
            got, (by_x, by_u) = session.run([y, gradients], dict(zip(xs, (x, u), strict=True)))
    assert got.shape == want.shape and got.dtype == want.dtype
    assert by_x.shape == (0, 3) and (by_u == 1).all()
