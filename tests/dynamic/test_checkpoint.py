"""A checkpoint gives the bits that the same program gives without it: values, gradients, and all states
afterwards, however the states have moved on before backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim
from shared.errors import GradientError
from shared.state import Buffer, Parameter

X = np.random.default_rng(3).standard_normal((8, 4)).astype(np.float32)
Apply = Callable[..., Any]


def plainly(fn: Any, *args: Any) -> Any:
    return fn(*args)


def block() -> Any:
    nn.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.5), nn.Linear(6, 4))


def once(model: Any, apply: Apply, x: Any) -> None:
    apply(model, x).sum().backward()


def twice_through_the_same_layers(model: Any, apply: Apply, x: Any) -> None:
    (apply(model, apply(model, x)) ** 2).sum().backward()


def used_again_outside_before_backward(model: Any, apply: Apply, x: Any) -> None:
    y = apply(model, x)
    model(x * 2)
    y.sum().backward()


def one_in_another(model: Any, apply: Apply, x: Any) -> None:
    apply(lambda v: apply(model, v) * v, x).sum().backward()


def backward_twice(model: Any, apply: Apply, x: Any) -> None:
    y = (apply(model, x) ** 2).sum()
    y.backward(retain_graph=True)
    y.backward()


def a_step_before_backward(model: Any, apply: Apply, x: Any) -> None:
    """The gradient belongs to the weights that made the loss, not to those of today."""
    opt = optim.SGD(model.parameters(), lr=0.5)
    first, second = (apply(model, x) ** 2).sum(), (apply(model, x) ** 3).sum()
    first.backward()
    opt.step()
    model.zero_grad()
    second.backward()


def in_evaluation(model: Any, apply: Apply, x: Any) -> None:
    model(x)
    model.eval()
    (apply(model, x) ** 2).sum().backward()


def second_order(model: Any, apply: Apply, x: Any) -> None:
    (g,) = dynamic.grad((apply(model, x) ** 2).sum(), [x], create_graph=True)
    (g * g).sum().backward()


def a_gradient_inside(model: Any, apply: Apply, x: Any) -> None:
    opt = optim.SGD(model.parameters(), lr=0.5)

    def slope(v: Any) -> Any:
        return dynamic.value_and_grad(lambda u: (model(u) ** 2).sum(), v)[0] * model(v)

    loss = apply(slope, x).sum()
    (model(x) ** 2).sum().backward()
    opt.step()
    model.zero_grad()
    loss.backward()


def drawing(model: Any, apply: Apply, x: Any) -> None:
    dynamic.manual_seed(5)
    y = apply(lambda v: model(v) * dynamic.randn(8, 4), x)
    noise = dynamic.rand(8, 4)
    (y * noise).sum().backward()
    x.grad = x.grad + dynamic.rand(8, 4)  # draws go on as if nothing had been drawn again


PROGRAMS = [
    once, twice_through_the_same_layers, used_again_outside_before_backward, one_in_another, backward_twice,
    a_step_before_backward, in_evaluation, second_order, a_gradient_inside, drawing,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_checkpoint_changes_no_bit(program: Any) -> None:
    """But in the second order, where what was made again comes later in the order of sums: there it is
    right to float64's rounding."""
    exact = program is not second_order
    dtype, tolerance = (np.float32, 0.0) if exact else (np.float64, 1e-10)
    found = []
    for apply in (plainly, dynamic.checkpoint):
        model, x = block().astype(dtype), dynamic.tensor(X, requires_grad=True, dtype=dtype)
        program(model, apply, x)
        gradients = {name: p.grad.numpy() for name, p in model.named_parameters()}
        found.append({**model.state_dict(), **gradients, "x": x.grad.numpy()})
    assert found[0].keys() == found[1].keys()
    for name in found[0]:
        np.testing.assert_allclose(found[0][name], found[1][name], tolerance, tolerance, err_msg=name)


def test_what_a_function_changes_in_place_and_assigns_is_changed_once() -> None:
    counter, scale, w = Buffer(np.zeros(2)), Buffer(np.full(2, 3.0)), Parameter(np.array([1.0, 2.0]))

    def fn(x: Any) -> Any:
        nonlocal scale
        y = x * scale * w
        counter.assign(counter.data + 1)
        scale += 1.0
        return y * scale

    x = dynamic.tensor([1.0, 2.0], requires_grad=True, dtype="float64")
    loss = dynamic.checkpoint(fn, x).sum()
    for times in (1, 2):
        loss.backward(retain_graph=True)
        assert counter.numpy().tolist() == [1, 1] and scale.numpy().tolist() == [4, 4]
        assert x.grad.tolist() == [12 * times, 24 * times] and w.grad.tolist() == [12 * times, 24 * times]


def test_states_stand_where_they_stood_when_running_again_fails() -> None:
    model, fail = block(), False

    def fn(x: Any) -> Any:
        y = model(x)
        if fail:
            raise ValueError("the second time")
        return y

    y = dynamic.checkpoint(fn, dynamic.tensor(X, requires_grad=True)).sum()
    before, fail = model.state_dict(), True
    draws = dynamic.create.draws_state()
    with pytest.raises(ValueError, match="the second time"):
        y.backward()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert dynamic.create.draws_state() == draws


def test_a_parameter_that_was_changed_in_place_since_is_noticed() -> None:
    layer = nn.Linear(4, 2)
    y = dynamic.checkpoint(layer, dynamic.tensor(X, requires_grad=True)).sum()
    with dynamic.no_grad():
        layer.weight *= 2.0
    with pytest.raises(GradientError, match=r"checkpoint of .* changed in place since, at test_checkpoint"):
        y.backward()


def test_the_weights_of_a_checkpoint_are_shown_and_its_arrays_are_freed() -> None:
    layer = nn.Linear(4, 2)
    list(layer.parameters())
    y = ops.sum(dynamic.checkpoint(layer.forward, dynamic.tensor(X, requires_grad=True)))
    assert "= parameter weight" in dynamic.show(y) and "checkpoint forward %2 %0 %1" in dynamic.show(y)
    node = y.grad_fn.edges[0][0]
    y.backward()
    assert node.inputs is None
