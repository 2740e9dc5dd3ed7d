"""Gradients of one's own, and ops of one's own that are made a second time: on both engines."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import ArchiveError, GradientError, SettingError
from shared.op import TABLE, Op, Rule

X = np.array([[-1.5, 0.25, 2.0], [0.5, -0.75, 1.25]])
W = np.array([0.5, 2.0, -1.0])


def slope(g: Any, y: Any, x: Any) -> Any:
    return g * (1.0 - y * y)


bent = ops.custom_gradient(ops.tanh, slope)
"""Its own gradient, by the output: every derivative is known."""

through = ops.custom_gradient(ops.sign, lambda g, y, x: g * ops.cast(ops.less(ops.abs(x), 1.0), g.dtype))
"""The straight-through estimator (Bengio, Léonard and Courville 2013)."""


@ops.custom_gradient(gradient=lambda g, y, x, w, scale: (g * w * scale, None))
def scaled(x: Any, w: Any, *, scale: float) -> Any:
    """x w scale, whose gradient by w is taken as zero."""
    return x * w * scale


def two_pull(g: Any, y: Any, x: Any, w: Any) -> Any:
    first, second = (ops.zeros_like(y[i]) if part is None else part for i, part in enumerate(g))
    return first * 2.0 + second * w, ops.sum(second * x, 0)


two = ops.custom_gradient(lambda x, w: (x * 2.0, x * w), two_pull)


def derivatives(f: Any, *arrays: Any) -> list[Any]:
    """Value, first and second derivatives on `dynamic`."""
    xs = [dynamic.tensor(a, requires_grad=True) for a in arrays]
    y = f(*xs)
    firsts = dynamic.grad(y, xs, create_graph=True, allow_unused=True)
    total = None
    for g in firsts:
        if g is not None:
            part = ops.sum(ops.sin(g))
            total = part if total is None else total + part
    seconds = dynamic.grad(total, xs, allow_unused=True) if total.requires_grad else [None] * len(xs)
    return [y, *firsts, *seconds]


def in_graph(f: Any, *arrays: Any, known: bool = True) -> list[Any]:
    """The same in a graph."""
    with static.Graph().as_default() as graph:
        shapes = [a.shape if known else ("N", *a.shape[1:]) if a.ndim > 1 else a.shape for a in arrays]
        xs = [static.placeholder(a.dtype, shape) for a, shape in zip(arrays, shapes, strict=True)]
        y = f(*xs)
        firsts = static.gradients(y, xs)
        total = ops.sum(ops.stack([ops.sum(ops.sin(g)) for g in firsts if g is not None]))
        found = [y, *firsts, *static.gradients(total, xs)]
    with static.Session(graph=graph, optimize="exact") as session:
        present = [t for t in found if t is not None]
        values = iter(session.run(present, dict(zip(xs, arrays, strict=True))))
    return [None if t is None else next(values) for t in found]


CALLS: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("bent", lambda x: ops.sum(ops.square(bent(x))), (X,)),
    ("through", lambda x: ops.sum(through(x) * ops.sin(x)), (X,)),
    ("scaled", lambda x, w: ops.sum(ops.square(scaled(x, w, scale=3.0)) * w), (X, W)),
    ("two", lambda x, w: ops.sum(two(x, w)[1] * ops.exp(two(x, w)[0])), (X, W)),
    ("one of two", lambda x, w: ops.sum(ops.square(two(x, w)[1])), (X, W)),
    ("a number", lambda x: ops.sum(ops.square(scaled(x, 0.5, scale=3.0))), (X,)),
]
each = pytest.mark.parametrize(("name", "f", "arrays"), CALLS, ids=[name for name, _, _ in CALLS])


@each
def test_both_engines_give_the_same_bits(name: str, f: Any, arrays: Any) -> None:
    expected = [None if t is None else t.numpy() for t in derivatives(f, *arrays)]
    for known in (True, False):
        found = in_graph(f, *arrays, known=known)
        for ours, theirs in zip(expected, found, strict=True):
            assert (ours is None) == (theirs is None)
            assert ours is None or ours.tobytes() == theirs.tobytes()


def test_second_derivatives_are_those_of_the_gradient() -> None:
    """Of tanh by its own rule: what tanh has."""
    ours = derivatives(CALLS[0][1], X)
    theirs = derivatives(lambda x: ops.sum(ops.square(ops.tanh(x))), X)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_it_is_pytorchs_function() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")

    class Through(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x.sign()

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * (x.abs() < 1)

    x = torch.tensor(X, requires_grad=True)
    y = (Through.apply(x) * x.sin()).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g.sin().sum(), x)
    for ours, theirs in zip(derivatives(CALLS[1][1], X), (y, g, h), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-12)


def test_nothing_is_kept_of_what_was_computed() -> None:
    x = dynamic.tensor(X, requires_grad=True)
    y = ops.custom_gradient(lambda x: ops.exp(ops.sin(x)), lambda g, y, x: g)(x)
    assert dynamic.show(y).count("exp") == 0
    assert through(X).dtype == np.float64  # on arrays it computes


def test_in_a_graph_values_are_exported_and_archives_say_why_not(tmp_path: Any) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", (2, 3), name="x")
        y = bent(x) * 1.0
    with static.Session(graph=graph) as session:
        path = tmp_path / "bent.onnx"
        static.export_onnx(path, y, x, session)
        run = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        given = X.astype(np.float32)
        (found,) = run.run(None, {run.get_inputs()[0].name: given})
        np.testing.assert_allclose(found, np.tanh(given), rtol=1e-5)
        with pytest.raises(ArchiveError, match="tanh"):
            graph.save(tmp_path / "bent.diptych", y, x, session)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: ops.custom_gradient(ops.tanh), SettingError, "gradient must be a function, not None"),
        (lambda x: ops.custom_gradient(3, slope), SettingError, "takes a function, not 3"),
        (
            lambda x: ops.custom_gradient(ops.tanh, lambda g, y, x: (g, g))(x), GradientError,
            "tanh: its gradient gave 2 cotangents for 1 argument",
        ),
        (
            lambda x: ops.custom_gradient(ops.tanh, lambda g, y, x: ops.sum(g, 1))(x), GradientError,
            r"tanh: its gradient by argument 0 is of shape \(2,\), where the argument is \(2, 3\)",
        ),
        (
            lambda x: ops.custom_gradient(ops.tanh, lambda g, y, x: 3.0)(x), GradientError,
            r"is 3.0, where the argument is \(2, 3\)",
        ),
    ],
)  # fmt: skip
def test_a_gradient_that_does_not_fit_is_said(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        ops.sum(make(dynamic.tensor(X, requires_grad=True))).backward()


# --- ops that are made a second time -------------------------------------------------------


def times(name: str, factor: float) -> Op:
    return Op(name, lambda x: x * factor, lambda x: x, [Rule(lambda g, y, x: g * factor)])


def test_an_op_of_ones_own_replaces_the_one_before_with_a_word() -> None:
    try:
        first = times("test_times", 2.0)
        with static.Graph().as_default() as graph:
            x = static.placeholder("float64", (2, 3))
            y = first(x)
        with pytest.warns(UserWarning, match=r"'test_times' made at test_custom.py:\d+ .* takes the place"):
            second = times("test_times", 3.0)
        assert TABLE["test_times"] is second
        np.testing.assert_array_equal(second(X), X * 3)
        t = dynamic.tensor(X, requires_grad=True)
        ops.sum(second(t)).backward()
        assert (t.grad.numpy() == 3).all()
        with static.Session(graph=graph) as session:  # what was built keeps its own
            np.testing.assert_array_equal(session.run(y, {x: X}), X * 2)
            with pytest.raises(ArchiveError, match="was replaced by another of its name"):
                graph.save("nowhere", y, x, session)
    finally:
        TABLE.pop("test_times", None)


def test_an_op_of_the_houses_own_is_not_replaced() -> None:
    before = TABLE["tanh"]
    assert before.line is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GradientError, match="'tanh' comes with Diptych; choose another name"):
            times("tanh", 2.0)
    assert TABLE["tanh"] is before
    assert all(op.line is None for op in TABLE.values() if op.compute.__module__.startswith("shared"))
