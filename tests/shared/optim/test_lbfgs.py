"""LBFGS is PyTorch's, call by call, and a graph can be asked for the loss, too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops, optim
from shared.errors import EngineError, GradientError, SettingError
from shared.state import Parameter
from tests.shared.optim.harness import batches, loss_of, parameters, start

((X, Y),) = batches(1)
CONFIGURATIONS: list[dict[str, Any]] = [
    {"lr": 0.5, "max_iter": 4},
    {"lr": 1.0, "max_iter": 5, "line_search_fn": "strong_wolfe"},
    {"lr": 0.01, "max_iter": 20, "line_search_fn": "strong_wolfe", "history_size": 3},
    {"lr": 1.0, "max_iter": 30, "max_eval": 6, "line_search_fn": "strong_wolfe"},
    {"lr": 0.5, "max_iter": 50, "tolerance_grad": 1e-2},
    {"lr": 0.5, "max_iter": 50, "tolerance_change": 1e-2},
]
each = pytest.mark.parametrize("settings", CONFIGURATIONS, ids=[f"{i}" for i in range(len(CONFIGURATIONS))])


def on_dynamic(settings: dict[str, Any], steps: int) -> tuple[list[float], list[Any]]:
    """What every call of the closure gave, and the parameters in the end."""
    ps, losses = parameters(), []
    opt = optim.LBFGS(ps, **settings)

    def closure() -> Any:
        opt.zero_grad()
        loss = loss_of(*ps, dynamic.tensor(X), dynamic.tensor(Y))
        loss.backward()
        losses.append(float(loss))
        return loss

    for _ in range(steps):
        first = len(losses)
        assert float(opt.step(closure)) == losses[first]
    return losses, [p.data for p in ps]


@each
def test_every_call_is_pytorchs(settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    ps = [torch.tensor(value, requires_grad=True) for value in start()]
    opt, expected = torch.optim.LBFGS(ps, **settings), []

    def closure() -> Any:
        opt.zero_grad()
        w, b, v = ps
        loss = ((torch.tanh(torch.tensor(X) @ w + b) @ v - torch.tensor(Y)) ** 2).mean()
        loss.backward()
        expected.append(loss.item())
        return loss

    for _ in range(4):
        opt.step(closure)
    losses, values = on_dynamic(settings, 4)
    assert len(losses) == len(expected)
    np.testing.assert_allclose(losses, expected, rtol=1e-6)
    for ours, theirs in zip(values, ps, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-5, atol=1e-7)


def test_the_closure_may_run_a_session() -> None:
    settings = CONFIGURATIONS[1]
    ps, losses = parameters(), []
    opt = optim.LBFGS(ps, **settings)
    with static.Graph().as_default() as graph:
        loss = loss_of(*ps, static.constant(X), static.constant(Y))
        gradients = static.gradients(loss, ps)
    with static.Session(graph=graph, optimize="exact") as session:

        def closure() -> Any:
            session.load(*ps)
            value, found = session.run([loss, gradients])
            for p, g in zip(ps, found, strict=True):
                p.grad = g
            losses.append(float(value))
            return value

        for _ in range(4):
            opt.step(closure)
    expected, values = on_dynamic(settings, 4)
    assert losses == expected
    for p, value in zip(ps, values, strict=True):
        assert p.data.tobytes() == value.tobytes()


def test_rosenbrocks_valley_is_walked_to_its_end() -> None:
    x = Parameter(np.array([-1.2, 1.0]), "x")
    opt = optim.LBFGS([x], max_iter=100, tolerance_change=1e-15, line_search_fn="strong_wolfe")

    def closure() -> Any:
        opt.zero_grad()
        loss = ops.square(1.0 - x[0]) + 100.0 * ops.square(x[1] - ops.square(x[0]))
        loss.backward()
        return loss

    opt.step(closure)
    np.testing.assert_allclose(x.data, [1.0, 1.0], atol=1e-6)


def test_what_it_can_not_do_is_said() -> None:
    ps = parameters()
    opt = optim.LBFGS(ps)
    with pytest.raises(SettingError, match="needs a function"):
        opt.step()
    with pytest.raises(GradientError, match="left no gradient"):
        opt.step(lambda: 0.0)
    with static.Graph().as_default():
        loss = loss_of(*ps, static.constant(X), static.constant(Y))
        with pytest.raises(EngineError, match="a closure that runs the session"):
            opt.minimize(loss)
    with pytest.raises(SettingError, match="one dtype"):
        optim.LBFGS([Parameter(np.ones(2)), Parameter(np.ones(2, np.float32))])
