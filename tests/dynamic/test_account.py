"""What a decorated function may lose against a plain one is bounded, by a clock that these tests turn: an op
takes so long, to record it, to compile it and to run it in a program so long."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dynamic
import static
from dynamic import account
from dynamic.account import Account, Compiling
from dynamic.calls import Call
from shared.op import Op
from static.bridge.paths import Path, Stretch
from tests.dynamic.test_function import tensor

OP, RECORDED = 1e-4, 1e-4


class World:
    """What things take, in seconds."""

    def __init__(self) -> None:
        self.now, self.compiled, self.run = 0.0, 4e-4, 2e-5

    def spent(self, fn: Callable[[int], Any], calls: int) -> list[float]:
        found = []
        for i in range(calls):
            start = self.now
            fn(i)
            found.append(self.now - start)
        return found


def in_slices(stretch: Callable[..., Any], world: World) -> Callable[..., Any]:
    """What compiles, in slices that take as long as the ops of one take."""

    def timed(self: Any, begin: int, end: int, *args: Any) -> Any:
        for _ in range(begin, end):
            world.now += world.compiled
            yield
        return (yield from stretch(self, begin, end, *args))

    return timed


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(Account, "at_once", False)
    monkeypatch.setattr(account, "clock", lambda: made.now)
    monkeypatch.setattr(account, "LOADED", {})
    monkeypatch.setattr(account, "compiling", Compiling(0.04, 140))

    def costs(kind: type, name: str, seconds: Callable[..., float]) -> None:
        real = getattr(kind, name)

        def timed(self: Any, *args: Any) -> Any:
            made.now += seconds(self, *args)
            return real(self, *args)

        monkeypatch.setattr(kind, name, timed)

    costs(Op, "on_arrays", lambda *args: OP)
    costs(Call, "_note_applied", lambda *args: RECORDED)
    monkeypatch.setattr(Path, "stretch", in_slices(Path.stretch, made))
    costs(Stretch, "run", lambda self, arrays: made.run * 30)
    return made


def ratios(plain: list[float], decorated: list[float], first: int = 0) -> list[float]:
    """How fast the decorated one is beside the plain one, over each hundred calls from one on."""
    return [sum(plain[i : i + 100]) / sum(decorated[i : i + 100]) for i in range(first, len(plain) - 99, 5)]


def chain(ops: int) -> Callable[[int], Any]:
    def fn(i: int) -> Any:
        x = tensor(i)
        for _ in range(ops):
            x = x * 1.01
        return x

    return fn


def pattern(ops: int, number: int) -> Callable[[int], Any]:
    """Ops that are others for each number, from the first one on."""

    def fn(i: int) -> Any:
        x = tensor(i)
        for k in range(ops):
            x = x * 1.01 if number >> k % 12 & 1 else x + 0.01
        return x

    return fn


def test_what_pays_is_compiled_meanwhile_and_is_faster_soon(world: World) -> None:
    fn = dynamic.function(chain(30))
    plain, decorated = world.spent(fn.fn, 300), world.spent(fn, 300)
    assert fn.counts["compiled"] > 0.9 * 30 * 80
    assert min(ratios(plain, decorated)) > 0.94 and ratios(plain, decorated)[-1] > 2


def test_paths_that_keep_changing_cost_a_few_per_cent_and_less_and_less(world: World) -> None:
    fn = dynamic.function(lambda i: pattern(20 + i % 7, i)(i))
    plain, decorated = world.spent(fn.fn, 800), world.spent(fn, 800)
    assert ratios(plain, decorated)[0] > 0.9
    assert min(ratios(plain, decorated, 100)) > 0.95
    assert "plainly run next" in fn.explain()


@pytest.mark.parametrize("ops", [16, 60])
def test_what_takes_some_calls_to_compile_is_compiled_bit_by_bit(world: World, ops: int) -> None:
    """No call and no hundred calls take much longer for it, and it comes to pay."""
    world.compiled = 25 * OP
    fn = dynamic.function(chain(ops))
    plain, decorated = world.spent(fn.fn, 1000), world.spent(fn, 1000)
    assert min(ratios(plain, decorated)) > 0.94
    assert max(decorated[2:]) < 3 * plain[0]
    assert ratios(plain, decorated)[-1] > 2


@pytest.mark.parametrize("level", ["exact", "fast"])
def test_what_is_compiled_beside_a_call_neither_sees_its_modes_nor_shows_its_failures(
    world: World, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    w = dynamic.tensor([1.0, 2.0], requires_grad=True)

    def fn(i: int) -> Any:
        x = w
        for _ in range(20):
            x = x * 1.01
        return x

    quiet, graph = dynamic.function(fn, optimize=level), static.Graph()
    with dynamic.no_grad(), graph.as_default():
        plain, decorated = world.spent(fn, 400), world.spent(quiet, 400)
    assert not graph.nodes and ratios(plain, decorated)[-1] > 2
    assert not any([end.path()[-1].recording for end in quiet.tree.visited])

    def fails(*args: Any) -> Any:
        yield
        raise MemoryError("no room")

    monkeypatch.setattr(Path, "stretch", fails)
    fn_too = dynamic.function(fn, optimize=level)
    plain, decorated = world.spent(fn, 400), world.spent(fn_too, 400)
    assert min(ratios(plain, decorated)) > 0.93
    assert "no room" in fn_too.explain() and not fn_too.counts["compiled"]


def test_what_takes_long_to_compile_waits_until_that_is_little_beside_all_time(world: World) -> None:
    world.compiled = 0.01
    account.compiling.seconds = 0.4  # for 140 ops, as it has been found before
    fn = dynamic.function(chain(20))
    plain, decorated = world.spent(fn.fn, 3000), world.spent(fn, 3000)
    assert min(ratios(plain, decorated)) > 0.9
    assert fn.counts["compiled"] and ratios(plain, decorated)[-1] > 2
    for i in range(1, 30):
        assert sum(plain[: 100 * i]) > 0.93 * sum(decorated[: 100 * i])


def test_what_saves_nothing_is_given_up(world: World) -> None:
    """Though it was expected to."""
    world.run = 1.2e-4
    fn = dynamic.function(chain(30))
    plain, decorated = world.spent(fn.fn, 800), world.spent(fn, 800)
    assert fn.counts["compiled"]
    assert min(ratios(plain, decorated)) > 0.85
    assert min(ratios(plain, decorated, 100)) > 0.95


def test_some_paths_are_taken_often_and_some_once(world: World) -> None:
    """The ones are compiled; the others are looked at as plain Python does them."""
    fn = dynamic.function(lambda i: chain(30 if i % 8 else 40 + i % 64)(i))
    plain, decorated = world.spent(fn.fn, 600), world.spent(fn, 600)
    assert ratios(plain, decorated)[0] > 0.9 and ratios(plain, decorated)[-1] > 1.1
    assert min(ratios(plain, decorated, 100)) > 0.95


def test_paths_that_differ_in_the_mode_alone_are_told_apart(world: World) -> None:
    w = dynamic.tensor([1.0, 2.0], requires_grad=True)

    def fn(i: int) -> Any:
        with dynamic.no_grad() if i % 2 else dynamic.enable_grad():
            x = w
            for _ in range(20):
                x = x * 1.01
        return x

    decorated = dynamic.function(fn)
    plain, ours = world.spent(fn, 900), world.spent(decorated, 900)
    assert decorated.paths == 2 and ratios(plain, ours)[-1] > 2
    assert [decorated(i).requires_grad for i in range(4)] == [True, False, True, False]


def test_functions_of_few_ops_run_plainly(world: World) -> None:
    fn = dynamic.function(chain(8))
    plain, decorated = world.spent(fn.fn, 300), world.spent(fn, 300)
    assert fn.counts["followed"] < 6 and sum(plain) > 0.97 * sum(decorated)


def test_threads_share_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "at_once", False)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    failed: list[BaseException] = []
    try:
        for _ in range(12):
            fn = dynamic.function(chain(16))
            fn.account.ran_plainly(1e-3, 16)

            def many(fn: Any = fn) -> None:
                try:
                    for i in range(40):
                        fn(i)
                        fn.plain = i % 3  # as after a rest
                except BaseException as error:
                    failed.append(error)

            threads = [threading.Thread(target=many) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failed


def test_paths_that_were_not_taken_for_long_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once as ever, but no more events are kept than there is room for."""
    monkeypatch.setattr("dynamic.tree.EVENTS", 160)
    fn = dynamic.function(lambda i: pattern(16, i % 10)(i))
    for i in range(24):
        fn(i)
        assert fn.tree.events <= 80
    assert 2 <= fn.paths <= 5
    assert (fn(3).numpy() == pattern(16, 3)(3).numpy()).all()
