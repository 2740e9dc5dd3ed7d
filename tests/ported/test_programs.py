"""The ten programs give PyTorch's losses, on `dynamic` and on `static`."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import DiptychError
from tests.ported.programs import PROGRAMS, Program

torch_is_here = importlib.util.find_spec("torch") is not None


def dynamic_words() -> Any:
    def grad(y: Any, x: Any) -> Any:
        return dynamic.grad(y, [x], create_graph=True)[0]

    return SimpleNamespace(torch=dynamic, nn=nn, F=nn.functional, optim=optim, grad=grad)


def static_words() -> Any:
    """The same words: models are called on static Tensors."""
    return SimpleNamespace(torch=ops_as_torch(), nn=nn, F=nn.functional, optim=optim, grad=_static_grad)


def ops_as_torch() -> Any:
    """PyTorch's functions over ops, which build graph where they are given static Tensors."""
    return SimpleNamespace(
        **{name: getattr(ops, name) for name in ("exp", "log", "abs", "mean", "sum", "sigmoid", "ones_like",
                                                 "zeros_like")},
        cat=lambda xs, dim: ops.concatenate(xs, dim), zeros=lambda *shape: np.zeros(shape, "float32"),
    )  # fmt: skip


def _static_grad(y: Any, x: Any) -> Any:
    return static.gradients(y, [x])[0]


def torch_words() -> Any:
    import torch

    def grad(y: Any, x: Any) -> Any:
        return torch.autograd.grad(y, x, create_graph=True)[0]

    return SimpleNamespace(torch=torch, nn=torch.nn, F=torch.nn.functional, optim=torch.optim, grad=grad)


def fresh(program: Program, words: Any) -> Any:
    nn.manual_seed(0)
    return program.make(words)


def by_hand(program: Program, words: Any, net: Any) -> list[float]:
    """The loop that PyTorch's users write."""
    torch, (rule, settings) = words.torch, program.rule
    opt = getattr(words.optim, rule)(net.parameters(), **settings)
    losses = []
    for batch in program.batches * (3 if program.closure else 1):
        leaves = [torch.tensor(a, requires_grad=a.dtype.kind == "f") for a in batch]

        def closure(leaves: Any = leaves) -> Any:
            opt.zero_grad()
            loss = program.loss(words, net, *leaves)
            loss.backward()
            return loss

        if program.closure:
            losses.append(opt.step(closure).item())
            continue
        loss = closure()
        if program.clip is not None:
            words.nn.utils.clip_grad_norm_(net.parameters(), program.clip)
        opt.step()
        losses.append(loss.item())
    return losses


def by_graph(program: Program) -> list[float]:
    """A session that runs `minimize`."""
    words = static_words()
    net = fresh(program, words)
    rule, settings = program.rule
    opt = getattr(optim, rule)(net.parameters(), clip_norm=program.clip, **settings)
    with static.Graph().as_default() as graph:
        feeds = [static.placeholder(a.dtype, a.shape) for a in program.batches[0]]
        loss = program.loss(words, net, *feeds)
        train, start = opt.minimize(loss), static.global_variables_initializer()
    with static.Session(graph) as session:
        session.run(start)
        return [
            float(session.run([loss, train], dict(zip(feeds, batch, strict=True)))[0])
            for batch in program.batches
        ]


def on_torch(program: Program) -> list[float]:
    words = torch_words()
    import torch

    torch.manual_seed(0)
    net = program.make(words)
    state = fresh(program, dynamic_words()).state_dict()
    known = net.state_dict()
    net.load_state_dict({name: torch.tensor(np.asarray(state[name])) if name in state else value
                         for name, value in known.items()})  # fmt: skip
    return by_hand(program, words, net)


@pytest.mark.skipif(not torch_is_here, reason="PyTorch is not installed")
@pytest.mark.parametrize("name", PROGRAMS)
def test_dynamic_gives_pytorchs_losses(name: str) -> None:
    program = PROGRAMS[name]
    words = dynamic_words()
    got = by_hand(program, words, fresh(program, words))
    np.testing.assert_allclose(got, on_torch(program), rtol=2e-4)


@pytest.mark.parametrize("name", [name for name, program in PROGRAMS.items() if not program.closure])
def test_static_gives_the_losses_of_dynamic(name: str) -> None:
    program = PROGRAMS[name]
    words = dynamic_words()
    want = by_hand(program, words, fresh(program, words))
    np.testing.assert_allclose(by_graph(program), want, rtol=2e-4)


def test_static_says_what_a_closure_is_there() -> None:
    net = fresh(PROGRAMS["sines by lbfgs"], dynamic_words())
    opt = optim.LBFGS(net.parameters(), lr=0.8)
    with static.Graph().as_default(), pytest.raises(DiptychError):
        opt.minimize(ops.sum(net(static.placeholder("float32", (5, 8)))))
