"""A model on each engine: what it gives, its derivatives, and training steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import dynamic
import static
from shared import nn, ops, optim

Call = Callable[[nn.Module, Sequence[Any]], list[Any]]


@dataclass
class Run:
    """What came out. gradients: by the floating inputs, then by the Parameters. losses, states: of
    the training steps, and what they left; none where there is nothing to train."""

    outputs: list[Any]
    gradients: list[Any]
    losses: list[Any] = field(default_factory=list)
    states: dict[str, Any] = field(default_factory=dict)

    def flat(self) -> list[tuple[str, Any]]:
        """Every array with the name of what it is."""
        named = [(f"output {i}", y) for i, y in enumerate(self.outputs)]
        named += [(f"gradient {i}", g) for i, g in enumerate(self.gradients)]
        named += [(f"loss {i}", loss) for i, loss in enumerate(self.losses)]
        return named + list(self.states.items())


def is_float(x: Any) -> bool:
    return x.dtype.kind == "f"


def weighted(outputs: Sequence[Any]) -> Any:
    """One number that depends on every element of every output in its own way."""
    total = None
    for y in outputs:
        if is_float(y):
            term = ops.sum(ops.sin(y) + y * y)
            total = term if total is None else total + term
    return total


def on_dynamic(make: Callable[[], nn.Module], inputs: Sequence[Any], call: Call, steps: int = 2) -> Run:
    """Outputs and gradients of the first call, then as many steps of training by Adam."""
    nn.manual_seed(3)
    model = make()
    xs = [dynamic.tensor(x, requires_grad=is_float(x)) for x in inputs]
    run = Run([], [])
    optimizer = None
    for step in range(steps):
        ys = call(model, xs)
        loss = weighted(ys)
        parameters = list(model.parameters())
        wanted = [x for x in xs if is_float(x)] + parameters
        if step == 0:
            run.outputs = [y.numpy() for y in ys]
            grads = dynamic.grad(loss, wanted, retain_graph=True, allow_unused=True)
            run.gradients = [None if g is None else g.numpy() for g in grads]
        if not parameters:
            return run
        optimizer = optimizer or optim.Adam(parameters, lr=0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.losses.append(loss.numpy())
    run.states = model.state_dict()
    return run


def on_static(
    make: Callable[[], nn.Module], inputs: Sequence[Any], call: Call,
    shapes: Sequence[Sequence[Any]] | None = None, steps: int = 2,
) -> Run:  # fmt: skip
    """The same, built first and then run. `shapes`: the placeholders', where sizes are unknown."""
    nn.manual_seed(3)
    model = make()
    with static.Graph().as_default() as graph:
        given = [x.shape for x in inputs] if shapes is None else shapes
        xs = [static.placeholder(x.dtype, s) for x, s in zip(inputs, given, strict=True)]
        ys = call(model, xs)
        loss = weighted(ys)
        parameters = list(model.parameters())
        grads = static.gradients(loss, [x for x in xs if is_float(x)] + parameters)
        train = optim.Adam(parameters, lr=0.01).minimize(loss) if parameters else None
    feeds = dict(zip(xs, inputs, strict=True))
    with static.Session(graph=graph, optimize="exact") as session:
        with graph.as_default():
            session.run(static.global_variables_initializer())
        present = [g for g in grads if g is not None]
        outputs, found = session.run([ys, present], feed_dict=feeds)
        values = iter(found)
        run = Run(outputs, [None if g is None else next(values) for g in grads])
        if train is not None:
            run.losses = [session.run([loss, train], feed_dict=feeds)[0] for _ in range(steps)]
            session.store(model)
            run.states = model.state_dict()
    return run


def assert_same_bits(one: Run, other: Run) -> None:
    """Everything equal, to the last bit."""
    left, right = one.flat(), other.flat()
    assert [name for name, _ in left] == [name for name, _ in right]
    for (name, a), (_, b) in zip(left, right, strict=True):
        assert (a is None) == (b is None), name
        if a is not None:
            assert a.shape == b.shape and a.dtype == b.dtype, name
            np.testing.assert_array_equal(a, b, err_msg=name)
