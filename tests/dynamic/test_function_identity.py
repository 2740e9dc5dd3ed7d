"""`dynamic.function` where a Tensor or State is not what it was: its array or edge replaced, its gradient
wanted or no longer, its memory somebody else's, its leaf another's too; within a call and after it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, optim
from shared.errors import GradientError
from shared.op import TABLE, Op, Rule
from shared.spec import Spec
from tests.dynamic.test_function import Deco, Step, equal, held, mlp, outcomes, tensor, undecorated

PROGRAMS: dict[str, Callable[[Deco], tuple[Step, Any]]] = {}


def program(fn: Callable[[Deco], tuple[Step, Any]]) -> Callable[[Deco], tuple[Step, Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


def long(y: Any) -> Any:
    """The same in more ops, so that following them is of use."""
    for _ in range(16):
        y = y * 1.01
    return y


def parameter(value: float = 0.5) -> nn.Parameter:
    return nn.Parameter(np.full((8, 12), value, "float32"))


def taken(*leaves: Any) -> list[Any]:
    """The gradients, which are forgotten."""
    found = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    return [0 if g is None else g for g in found]


@program
def one_leaf_for_two(deco: Deco) -> tuple[Step, Any]:
    """Two leaves, then one in both places, then one and a shallow copy of it."""

    @deco
    def step(a: Any, b: Any) -> Any:
        loss = long((a * b).sum())
        loss.backward()
        return loss, taken(a, b)

    def call(i: int) -> Any:
        a, b = tensor(i, requires_grad=True), tensor(i + 1, requires_grad=True)
        return step(a, (b, a, copy.copy(a))[i // 5 % 3])

    return call, []


@program
def a_gradient_is_wanted_of_an_input(deco: Deco) -> tuple[Step, Any]:
    """In some calls, in the middle."""

    @deco
    def step(x: Any, wanted: bool) -> Any:
        y = long(x)
        if wanted:
            x.requires_grad_()
        loss = long(x * y).sum()
        if wanted:
            loss.backward()
        return loss, taken(x) if wanted else None

    return lambda i: step(tensor(i), i % 5 < 3), []


@program
def a_gradient_is_wanted_of_a_result(deco: Deco) -> tuple[Step, Any]:
    """What the function made becomes a leaf; backward is inside or outside."""
    w = parameter()

    @deco
    def step(x: Any, inside: bool) -> Any:
        y = long(x)
        y.requires_grad_()
        loss = long((y * w * y).sum())
        if inside:
            loss.backward()
        return loss, y

    def call(i: int) -> Any:
        loss, y = step(tensor(i), i % 6 < 3)
        if i % 6 >= 3:
            loss.backward()
        return loss, taken(y, w)

    return call, []


@program
def unchained_in_some_calls(deco: Deco) -> tuple[Step, Any]:
    w, v = parameter(), parameter(0.25)

    @deco
    def step(x: Any, cut: bool, inside: bool) -> Any:
        y = long(x * w)
        if cut:
            y.unchain()
        loss = long((y * v).sum())
        if inside:
            loss.backward()
        return loss

    def call(i: int) -> Any:
        loss = step(tensor(i), i % 6 < 3, i % 4 < 2)
        if i % 4 >= 2:
            loss.backward()
        return loss, taken(w, v)

    return call, []


@program
def arrays_are_replaced(deco: Deco) -> tuple[Step, Any]:
    """By `x.data = ...`, of an input and of what was computed, after a look."""

    @deco
    def step(x: Any) -> Any:
        y = long(x)
        total = y.sum().item()
        x.data = np.full((8, 12), total, "float32")
        y.data = y.data * 2
        z = long(x * y)
        x.data = np.full((8, 12), total + 1, "float32")
        return z + x

    return lambda i: step(tensor(i)), []


@program
def a_layer_is_frozen_between_two_uses(deco: Deco) -> tuple[Step, Any]:
    """A GAN's judge, in one loss: its gradient comes from the first use alone."""
    judge, make = mlp(12, 12, 12), mlp(12, 12, 12)
    opt = optim.SGD([*judge.parameters(), *make.parameters()], lr=0.1)

    @deco
    def step(x: Any) -> Any:
        real = (judge(x) ** 2).mean()
        judge.requires_grad_(False)
        fake = (judge(make(x)) ** 2).mean()
        judge.requires_grad_(True)
        opt.zero_grad()
        (real + fake).backward()
        opt.step()
        return real, fake

    return lambda i: step(tensor(i)), held(judge, make, opt)


@program
def changed_after_the_call(deco: Deco) -> tuple[Step, Any]:
    """Before backward is called: what was computed, and by what, stays what it was."""
    w, v = parameter(), parameter(0.25)

    @deco
    def forward(x: Any) -> Any:
        return long((w * v * x).sum())

    def call(i: int) -> Any:
        x = tensor(i)
        loss = forward(x)
        if i % 3 == 0:
            x.requires_grad_()
            w.requires_grad = False
        elif i % 3 == 1:
            x.data = np.zeros((8, 12), "float32")
        else:
            v.assign(v.numpy() * 2)
        loss.backward()
        w.requires_grad = True
        return loss, taken(w, v), taken(x) if x.requires_grad else None

    return call, [w, v]


@program
def hooks_that_change_gradients(deco: Deco) -> tuple[Step, Any]:
    """They are put within, and compute: what they give may wait, too."""
    w = parameter()

    @deco
    def step(x: Any, factor: float) -> Any:
        y = long(x * w)
        y.register_hook(lambda g: long(g * factor))
        loss = long((y * y).sum())
        loss.backward()
        return loss

    return lambda i: (step(tensor(i), 1.0 + i // 5), taken(w)), []


@program
def memory_of_somebody_else(deco: Deco) -> tuple[Step, Any]:
    """Views of it are views, and views of views."""

    @deco
    def step(x: Any) -> Any:
        y = long(x)
        part = x[2:4]
        flat = x.reshape(-1)[3:20]
        part[0] = 5
        return y, part, flat.reshape(1, -1), x

    def call(i: int) -> Any:
        array = np.array(tensor(i).data)
        found = step(dynamic.from_numpy(array))
        found[1][1] = 7
        found[2][0, 2] = 9
        return *found, array

    return call, []


@program
def models_are_copied_while_they_wait(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any) -> Any:
        loss = long((model(x) ** 2).mean())
        opt.zero_grad()
        loss.backward()
        opt.step()
        twin = pickle.loads(pickle.dumps(copy.deepcopy(model)))
        return loss, [p.numpy() for p in twin.parameters()], copy.deepcopy(loss.detach())

    return lambda i: step(tensor(i)), held(model, opt)


@program
def a_task_outlives_its_call(deco: Deco) -> tuple[Step, Any]:
    """It was begun within, and so is in the context of the call, which is over."""
    model = mlp(12, 16, 12)

    @deco
    def step(x: Any, loop: Any) -> Any:
        h = long(model(x))

        async def later() -> Any:
            loss = long((model(x) * h).sum())
            loss.backward()
            return loss

        return h.sum(), loop.create_task(later())

    async def both(i: int) -> Any:
        total, task = step(tensor(i), asyncio.get_running_loop())
        return total, await task

    return lambda i: (asyncio.run(both(i)), taken(*model.parameters())), []


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_function_gives(name: str) -> None:
    want = outcomes(PROGRAMS[name], undecorated, 16)
    got = outcomes(PROGRAMS[name], dynamic.function, 16)
    for i, (a, b) in enumerate(zip(want, got, strict=True)):
        assert equal(a, b), f"{'states after' if i % 2 else 'what is given by'} call {i // 2} differ"


def test_a_parameter_changed_in_place_after_the_call_is_noticed() -> None:
    w = parameter()

    @dynamic.function
    def forward(x: Any) -> Any:
        return long((w * w * x).sum())

    for i in range(6):
        loss = forward(tensor(i))
        with dynamic.no_grad():
            w.mul_(0.5)
        with pytest.raises(GradientError, match="was changed in place since"):
            loss.backward()


def test_an_op_whose_setting_is_left_out_is_not_the_one_that_was_given_it() -> None:
    scaled = Op("scaled_here", lambda x, by=2.0: x * np.float32(by), lambda x, by=2.0: Spec(x.shape, x.dtype),
                [Rule(lambda g, y, x, by=2.0: g * by)])  # fmt: skip
    try:

        @dynamic.function
        def step(x: Any, given: bool) -> Any:
            return long(scaled(x, by=3.0) if given else scaled(x))

        for i in range(12):
            want = 3 if i % 3 else 2
            x = tensor(0)
            assert np.array_equal(step(x, bool(i % 3)).numpy(), long(x * np.float32(want)).numpy()), i
    finally:
        TABLE.pop("scaled_here")


@pytest.fixture
def turns_at_every_op() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(before)


def together(*jobs: Callable[[], None]) -> None:
    """Run jobs in threads of their own; what fails in one of them fails here."""
    failed: list[BaseException] = []

    def caught(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=caught, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def test_threads_that_read_the_parameters_which_a_call_keeps_waiting(turns_at_every_op: None) -> None:
    for _ in range(12):
        model = mlp(12, 16, 16, 4)
        forward = dynamic.function(lambda x, model=model: long(model(x)))

        def many(forward: Any = forward, model: Any = model) -> None:
            with dynamic.no_grad():
                for i in range(100):
                    given = forward(tensor(i)).numpy()
                    assert i % 10 or np.array_equal(given, long(model(tensor(i))).numpy())

        together(many, many, many)


def test_a_thread_that_looks_at_what_a_call_keeps_waiting(turns_at_every_op: None) -> None:
    model, seen = mlp(12, 16, 16, 4), list[Any]()

    @dynamic.function
    def forward(x: Any) -> Any:
        for _ in range(4):
            seen.append(x)
            x = long(x)
        return model(x).sum()

    def many() -> None:
        try:
            for i in range(200):
                x = tensor(i, requires_grad=True)
                forward(x).backward()
        finally:
            seen.append(None)

    def look() -> None:
        last = 0
        while not seen or seen[-1] is not None:
            if len(seen) > last:
                last = len(seen)
                x = seen[-1]
                if x is not None:
                    assert x.requires_grad and x.shape == (8, 12) and x.dtype == "float32"
                    assert x.numpy().shape == (8, 12) and x.requires_grad and x.edge is not None

    together(many, look)


@dynamic.function
def doubled(x: Any) -> Any:
    return x * 2


class Trainer:
    """One that has a decorated method of its own."""

    def __init__(self) -> None:
        self.scale = 1
        self.step = dynamic.function(self.scaled)

    def scaled(self, x: Any) -> Any:
        return x * self.scale


def test_it_is_copied_and_pickled_as_a_function_is() -> None:
    """By its name; that of an object, with the object."""
    assert pickle.loads(pickle.dumps(doubled)) is doubled
    trainer = Trainer()
    twin = copy.deepcopy(trainer)
    twin.scale = 3
    assert (twin.step(dynamic.tensor([1.0])).item(), trainer.step(dynamic.tensor([1.0])).item()) == (3, 1)
