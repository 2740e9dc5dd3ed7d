"""`dynamic.function` and gradients of every kind: of gradients, by what is named, kept for another time, and
added to what was there before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim
from shared.errors import GradientError
from tests.dynamic.test_function import Deco, Step, equal, held, mlp, outcomes, tensor, undecorated

PROGRAMS: dict[str, Callable[[Deco], tuple[Step, Any]]] = {}


def program(fn: Callable[[Deco], tuple[Step, Any]]) -> Callable[[Deco], tuple[Step, Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


@program
def a_gradient_is_a_constant(deco: Deco) -> tuple[Step, Any]:
    """Nothing flows back through what `backward` or `grad` has given, unless it was made to."""
    model = mlp(12, 16, 16, 1)

    @deco
    def step(x: Any) -> Any:
        loss = (model(x) ** 2).sum()
        loss.backward()
        first = model[0].weight.grad
        for p in model.parameters():
            p.grad = None
        (slope,) = dynamic.grad((model(x) ** 2).sum(), [model[2].weight])
        penalty = ((first * model[0].weight) ** 2).sum() + ((slope * model[2].weight) ** 2).sum()
        penalty.backward()
        found = [model[0].weight.grad, model[2].weight.grad]
        for p in model.parameters():
            p.grad = None
        return penalty, found, slope

    return lambda i: step(tensor(i)), held(model)


@program
def sums_from_before(deco: Deco) -> tuple[Step, Any]:
    """Gradients that earlier calls have left are added to; a step is made at every third."""
    model = mlp(12, 16, 16, 16, 16, 16, 4)
    opt = optim.Adam(model.parameters(), lr=1e-2)

    @deco
    def step(x: Any, makes: bool) -> Any:
        loss = (model(x) ** 2).mean()
        loss.backward()
        if makes:
            opt.step()
            opt.zero_grad()
        return loss

    return lambda i: step(tensor(i), i % 3 == 2), held(model, opt)


@program
def where_it_looks(deco: Deco) -> tuple[Step, Any]:
    """The gradient by an argument, by something in the middle, and by a Parameter, none of which is added."""
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any) -> Any:
        x = dynamic.tensor(x, requires_grad=True)
        h = ops.tanh(model[0](x))
        loss = (model[4](ops.tanh(model[2](h))) ** 2).mean()
        by_x, by_h, by_w = dynamic.grad(loss, [x, h, model[0].weight], retain_graph=True)
        if by_x.abs().max() > 1e-3:
            loss = loss + (h * by_h.detach()).sum() + (by_w * by_w).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, by_x, by_h, by_w

    return lambda i: step(tensor(i).numpy()), held(model, opt)


@program
def gradient_penalty(deco: Deco) -> tuple[Step, Any]:
    """Of a judge's answer by what it judges (Gulrajani et al. 2017)."""
    judge = mlp(12, 16, 16, 1)
    opt = optim.Adam(judge.parameters(), lr=1e-2)

    @deco
    def step(x: Any) -> Any:
        x = dynamic.tensor(x, requires_grad=True)
        (slope,) = dynamic.grad(judge(x).sum(), [x], create_graph=True)
        penalty = ((ops.sqrt((slope**2).sum(axis=1) + 1e-6) - 1) ** 2).mean()
        loss = judge(x).mean() + penalty
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, penalty, slope.detach()

    return lambda i: step(tensor(i).numpy()), held(judge, opt)


@program
def a_step_within_a_step(deco: Deco) -> tuple[Step, Any]:
    """Weights after a step, differentiated through it; a look decides whether there is a second one."""
    weights = nn.ParameterList([nn.Parameter(np.linspace(-1, 1, n).astype("float32")) for n in (12, 12, 12)])
    opt = optim.SGD(weights.parameters(), lr=0.05)

    def loss_of(ws: Any, x: Any) -> Any:
        for w in ws:
            x = ops.tanh(x * w)
        return (x * x).mean()

    @deco
    def step(x: Any) -> Any:
        fast = list(weights)
        for _ in range(2):
            loss = loss_of(fast, x)
            slopes = dynamic.grad(loss, fast, create_graph=True)
            fast = [w - 0.3 * s for w, s in zip(fast, slopes, strict=True)]
            if loss < 0.05:
                break
        outer = loss_of(fast, x + 0.1)
        opt.zero_grad()
        outer.backward()
        opt.step()
        return outer

    return lambda i: step(tensor(i)), held(weights, opt)


@program
def a_history_for_others(deco: Deco) -> tuple[Step, Any]:
    """Gradients with a history leave the function; who has called it goes on from there."""
    model = mlp(12, 16, 16, 1)

    @deco
    def slopes(x: Any) -> Any:
        y = ops.exp(ops.sin(model(x))).sum()
        (slope,) = dynamic.grad(y, [x], create_graph=True)
        (second,) = dynamic.grad((slope**2).sum(), [x], create_graph=True)
        return y, slope, second

    def call(i: int) -> Any:
        x = tensor(i, requires_grad=True)
        y, slope, second = slopes(x)
        (y + (slope * second).sum()).backward()
        found = [x.grad, *(p.grad for p in model.parameters())]
        for p in model.parameters():
            p.grad = None
        return y, slope, second, found

    return call, held(model)


@program
def named_and_kept(deco: Deco) -> tuple[Step, Any]:
    """`backward(inputs=)`, twice, and once more with a graph of its own."""
    model = mlp(12, 16, 16, 4)

    @deco
    def step(x: Any) -> Any:
        loss = (model(x) ** 2).mean()
        loss.backward(retain_graph=True, inputs=[model[0].weight, model[2].weight])
        loss.backward(retain_graph=True, inputs=(p for p in [model[0].weight]))
        loss.backward(create_graph=True)
        ((model[2].weight.grad ** 2).sum() + (model[4].bias.grad ** 2).sum()).backward()
        found = [p.grad for p in model.parameters()]
        for p in model.parameters():
            p.grad = None
        return loss.detach(), [g.detach() for g in found]

    return lambda i: step(tensor(i)), held(model)


@program
def what_is_freed(deco: Deco) -> tuple[Step, Any]:
    """A gradient by what is named frees what it has gone through, and no more; a leaf that y does not "
    "depend on
    keeps what it has."""
    model, other = mlp(12, 16, 16, 4), nn.Parameter(np.ones(4, "float32"))

    @deco
    def step(x: Any) -> Any:
        h = ops.tanh(model[2](ops.tanh(model[0](x))))
        loss, aside = (model[4](h) ** 2).mean(), (other * other).sum()
        aside.backward()
        loss.backward(inputs=[model[4].weight, other])
        second = (h * h).sum()
        (by_h,) = dynamic.grad(second, [h], retain_graph=True)
        second.backward(inputs=[model[2].bias])
        refused = []
        for y in (second, loss, (h * 2).sum()):
            for go in (y.backward, partial(dynamic.grad, y, [model[0].weight])):
                try:
                    go()
                except GradientError as error:
                    refused.append(str(error).partition("(")[0])
        found = [p.grad for p in (*model.parameters(), other)]
        for p in (*model.parameters(), other):
            p.grad = None
        return h, by_h, found, refused

    return lambda i: step(tensor(i)), held(model)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_function_gives_by_programs(name: str) -> None:
    made: list[Any] = []

    def decorated(fn: Callable[..., Any]) -> Any:
        made.append(dynamic.function(fn))
        return made[-1]

    want = outcomes(PROGRAMS[name], undecorated, 16)
    got = outcomes(PROGRAMS[name], decorated, 16)
    for i, (a, b) in enumerate(zip(want, got, strict=True)):
        assert equal(a, b), f"{'states after' if i % 2 else 'what is given by'} call {i // 2} differ"
    (fn,) = made
    assert fn.tree.failure is None
    if name == "what_is_freed":  # what is refused is looked at, in every call
        return
    assert fn.counts["compiled"] > 0.6 * fn.counts["events"], fn.explain()


def test_the_tape_that_backward_leaves_is_the_same() -> None:
    """It can be shown, and is gone through by who asks for a gradient, who is told that it was freed."""
    model = mlp(12, 16, 16, 16, 4)

    def step(x: Any) -> Any:
        loss = ops.cross_entropy(model(x), np.zeros(8, np.int64))
        model.zero_grad()
        loss.backward()
        return loss

    decorated = dynamic.function(step)
    for i in range(4):
        bridged = decorated(tensor(i))
    assert decorated.counts["compiled"]
    assert dynamic.show(bridged) == dynamic.show(step(tensor(3)))
    with pytest.raises(GradientError, match="a second time"):
        dynamic.grad(bridged, [model[0].weight])
