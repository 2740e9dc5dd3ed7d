"""Ctrl-C at every moment at which Python may raise it: nothing is torn, and nothing stays on.

Python looks for signals where a function begins, after a call, and where a loop turns. The first two are what
a profile function is told, so the n-th of them can be asked for, for every n.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from dynamic.modes import mode
from shared import dispatch, nn, ops, optim
from shared.data import draws
from shared.device import cuda, memory
from shared.durable.interrupts import deferred
from shared.nn.initial import _drawing, undrawn
from shared.watch import hooks
from static.graph.nodes import controls, current_call
from static.graph.scopes import get_variable_scope
from tests import standin


def interrupted_at(n: int, function: Callable[[], Any]) -> bool:
    """Whether Ctrl-C came at the n-th moment of a call; False if the call was over before."""
    moments = 0

    def look(frame: FrameType, event: str, about: Any) -> None:
        nonlocal moments
        if event in ("call", "c_return") and about is not sys.setprofile:
            moments += 1
            if moments == n:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGINT)

    came = False
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.setprofile(look)
        function()
    except KeyboardInterrupt:
        came = True
    finally:
        sys.setprofile(None)
        signal.signal(signal.SIGINT, before)
    return came or moments >= n


# --- what must not be torn -----------------------------------------------------------------


def training() -> tuple[nn.Module, optim.Optimizer]:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    opt = optim.Adam(model.parameters(), lr=0.1)
    ops.sum(ops.square(model(dynamic.tensor(np.ones((2, 3), np.float32))))).backward()
    return model, opt


def state(*holders: Any) -> list[bytes]:
    return [np.asarray(a).tobytes() for holder in holders for a in holder.state_dict().values()]


def moved(holder: Any) -> dict[str, Any]:
    return {name: value + 1 for name, value in holder.state_dict().items()}


def stored(model: nn.Module, opt: optim.Optimizer, _: Path) -> Callable[[], Any]:
    session = static.Session(static.Graph())
    session.load(model, opt)
    session.hold({v: np.array(session.run(v) + 1) for v in session.graph.variables})
    return lambda: session.store(model, opt)


def from_a_checkpoint(model: nn.Module, opt: optim.Optimizer, folder: Path) -> Callable[[], Any]:
    ahead, its = training()
    its.step()
    nn.save_checkpoint(folder / "checkpoint", ahead, its)
    return lambda: nn.load_checkpoint(folder / "checkpoint", model, opt)


WORK: dict[str, Callable[[nn.Module, optim.Optimizer, Path], Callable[[], Any]]] = {
    "optimizer.step": lambda model, opt, _: opt.step,
    "model.load_state_dict": lambda model, opt, _: partial(model.load_state_dict, moved(model)),
    "optimizer.load_state_dict": lambda model, opt, _: partial(opt.load_state_dict, moved(opt)),
    "load_checkpoint": from_a_checkpoint,
    "session.store": stored,
    "model.to": lambda model, opt, _: lambda: model.to("float64"),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file not yet held
@pytest.mark.parametrize("name", WORK)
def test_an_interrupt_leaves_all_of_it_done_or_nothing(name: str, tmp_path: Path) -> None:
    """No parameter is a step ahead of another, wherever it comes."""
    model, opt = training()
    gradients = {p: p.grad for p in model.parameters()}
    start = model.state_dict(), opt.state_dict()
    before = state(model, opt)
    work = WORK[name](model, opt, tmp_path)
    work()
    after = state(model, opt)
    assert sum(a != b for a, b in zip(after, before, strict=True)) >= 4
    found, n, came = set(), 0, True
    while came:
        model.astype("float32").load_state_dict(start[0])
        opt.load_state_dict(start[1])
        for p, g in gradients.items():
            p.grad = g
        assert state(model, opt) == before
        n += 1
        came = interrupted_at(n, work)
        now = state(model, opt)
        assert now in (before, after), f"torn at moment {n}"
        found.add(now == after)
    assert found == {True, False}  # there were moments before and after


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_waited_is_handled_and_the_handlers_are_put_back(number: signal.Signals) -> None:
    seen = []
    before = signal.signal(number, lambda number, frame: seen.append(number))
    try:
        with deferred():
            signal.raise_signal(number)
            assert not seen
        assert seen == [number]
        signal.raise_signal(number)
        assert len(seen) == 2
    finally:
        signal.signal(number, before)


# --- what must not stay on -----------------------------------------------------------------

GRAPH = static.Graph()
with GRAPH.as_default():
    NODE = static.constant(1.0)
MODEL = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Sequential(nn.Linear(2, 2)))
HOOK = hooks.Hook()


def everything() -> Any:
    """All that a block may switch."""
    return (
        mode.get(), hooks.hooks(), tuple(hooks.active), [m.training for m in MODEL.modules()],
        static.get_default_graph(), current_call.get(), controls.get(), get_variable_scope(),
        dispatch.engine_in_charge(), _drawing.get(), cuda.default_device(), gc.isenabled(),
        draws._example.get(),
    )  # fmt: skip


def in_module() -> AbstractContextManager[Any]:
    return dispatch.engine_of_type(static.Tensor).call(MODEL, NODE)


BLOCKS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "no_grad": dynamic.no_grad, "anomaly": dynamic.anomaly,
    "evaluating": lambda: nn.evaluating(MODEL), "watching": lambda: hooks.watching(HOOK),
    "as_default": GRAPH.as_default, "name_scope": lambda: static.name_scope("a"),
    "variable_scope": lambda: static.variable_scope("a"), "undrawn": undrawn,
    "control_dependencies": lambda: static.control_dependencies([static.constant(1.0)]),
    "in a module": in_module,
    "using": lambda: dispatch.using(dispatch.engine_of_type(static.Tensor)),
    "placing": lambda: cuda.placing("cuda"), "uncollected": memory.uncollected,
    "making": lambda: draws.making(0, 0, 0),
}  # fmt: skip


@pytest.fixture
def gpu() -> Iterator[None]:
    with standin.installed():
        yield


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", BLOCKS)
def test_an_interrupt_leaves_nothing_on(name: str) -> None:
    """Of a block with an empty body: wherever it comes, at the latest when the exception is let go of."""
    before = everything()

    def enter() -> None:
        with BLOCKS[name]():
            pass

    enter()  # what it imports late: Python drops an interrupt that comes within an import's own finalizers
    n = 1
    while interrupted_at(n, enter):
        assert everything() == before, f"something is on after moment {n}"
        n += 1
    assert n > 3
    with BLOCKS[name]():
        assert everything() != before
    assert everything() == before


def test_what_is_left_is_a_session_that_was_interrupted_at_its_very_end() -> None:
    """It is the caller's, who may hold it: it stays open, and the default, until it is closed. There is one
    such moment, where its end begins."""
    graph, left = static.Graph(), []

    def enter() -> None:
        with sessions[-1]:
            pass

    n = 1
    before = static.get_default_graph()
    while True:
        sessions = [static.Session(graph)]
        again = interrupted_at(n, enter)
        if static.get_default_graph() is not before:
            left.append(n)
            sessions[-1].__exit__()
        assert static.get_default_graph() is before
        if not again:
            break
        n += 1
    assert len(left) <= 1


def test_a_block_that_decorates_is_opened_anew_for_each_call() -> None:
    @dynamic.no_grad()
    def down(n: int) -> bool:
        return mode.get().recording or (n > 0 and down(n - 1))

    assert not down(3) and mode.get().recording

    with static.Graph().as_default() as graph:

        @static.name_scope("part")
        def part() -> str:
            return static.constant(1.0).node.name

        assert (part(), part()) == ("part/constant", "part_1/constant")
        assert graph.find("part/constant") is not None


@pytest.mark.usefixtures("gpu")
def test_a_block_that_raises_restores_and_lets_the_error_through() -> None:
    before = everything()
    for name, block in BLOCKS.items():
        with suppress(ZeroDivisionError):
            with block():
                1 / 0  # noqa: B018
            raise AssertionError(name)
        assert everything() == before
