"""`static.function` and the Python around it: whatever it reads, wherever that stands, is watched, and what a
trace would freeze without being a name is refused by name."""

from __future__ import annotations

import contextvars
import enum
import functools
import gc
import os
import types
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, optim
from shared.errors import GraphError, SymbolicValueError
from static.bridge.function import RetracingWarning

ONE = np.ones(1, "float32")


def traced(f: Any) -> int:
    return sum(map(len, f.traces.values()))


# --- what is read ----------------------------------------------------------------------------

SCALE = 2.0
Reading = tuple[Callable[[Any], Any], Callable[[float], Any]]
READINGS: dict[str, Callable[[], Reading]] = {}


def reading(fn: Callable[[], Reading]) -> Callable[[], Reading]:
    """A function that multiplies by a number, and what changes the number, which is 2.0 first."""
    READINGS[fn.__name__] = fn
    return fn


class Holder:
    """An object of the user's own."""

    factor = 2.0

    def __init__(self, scale: float = 2.0) -> None:
        self.scale = scale

    def __call__(self, x: Any) -> Any:
        return self.method(x)

    def method(self, x: Any) -> Any:
        return x * self.scale

    @property
    def doubled(self) -> float:
        return self.scale * 2


class Slotted:
    """One without a dict."""

    __slots__ = ("scale",)

    def __init__(self) -> None:
        self.scale = 2.0


class Layer(nn.Module):
    """A layer of the user's own, whose text reads a global."""

    def forward(self, x: Any) -> Any:
        return x * SCALE


def set_global(value: float) -> None:
    global SCALE
    SCALE = value


def set_on(holder: Any, key: str = "scale") -> Callable[[float], None]:
    return lambda value: setattr(holder, key, value)


@reading
def callable_object() -> Reading:
    holder = Holder()
    return lambda x: holder(x), set_on(holder)


@reading
def bound_method() -> Reading:
    holder = Holder()
    method = holder.method
    return lambda x: method(x), set_on(holder)


@reading
def property_of_an_inherited_class() -> Reading:
    class Heir(Holder):
        pass

    holder = Heir()
    return lambda x: x * holder.doubled / 2, set_on(holder)


@reading
def attribute_of_a_class() -> Reading:
    class Heir(Holder):
        pass

    holder = Heir()
    return lambda x: x * holder.factor, set_on(Heir, "factor")


@reading
def slot() -> Reading:
    holder = Slotted()
    return lambda x: x * holder.scale, set_on(holder)


@reading
def partly_given() -> Reading:
    holder = Holder()
    call = functools.partial(lambda holder, x: x * holder.scale, holder)
    return lambda x: call(x), set_on(holder)


@reading
def objects_in_containers() -> Reading:
    holder = Holder()
    held = {"a": [deque([holder])]}
    return lambda x: x * held["a"][0][0].scale, set_on(holder)


@reading
def nested_dicts() -> Reading:
    config = {"model": {"scale": 2.0}}
    return lambda x: x * config["model"]["scale"], lambda value: config["model"].update(scale=value)


@reading
def a_layer_in_a_layer() -> Reading:
    model = nn.Sequential(nn.Identity(), nn.Sequential(Layer()))
    return lambda x: model(x), set_global


@reading
def helper_of_another_module() -> Reading:
    helpers = types.ModuleType("helpers")
    exec("scale = 2.0\ndef helper(x):\n    return x * scale", vars(helpers))
    return lambda x: helpers.helper(x), set_on(helpers)


@reading
def behind_a_decorator() -> Reading:
    def plain(fn: Any) -> Any:
        @functools.wraps(fn)
        def wrapper(*args: Any) -> Any:
            return fn(*args)

        return wrapper

    @plain
    def scaled(x: Any) -> Any:
        return x * SCALE

    return lambda x: scaled(x), set_global


@reading
def method_patched_on_the_object() -> Reading:
    holder = Holder()
    return lambda x: holder.method(x), lambda value: setattr(holder, "method", lambda x: x * value)


@reading
def method_patched_on_the_class() -> Reading:
    class Heir(Holder):
        def method(self, x: Any) -> Any:
            return x * 2

    holder = Heir()
    return lambda x: holder.method(x), lambda value: setattr(Heir, "method", lambda self, x: x * value)


@reading
def a_member_of_an_enum() -> Reading:
    class Mode(enum.Enum):
        low, high = 2.0, 5.0

    holder = types.SimpleNamespace(mode=Mode.low)
    return lambda x: x * holder.mode.value, lambda value: setattr(holder, "mode", Mode(value))


@reading
def a_variable_of_the_context() -> Reading:
    variable: contextvars.ContextVar[float] = contextvars.ContextVar("scale", default=2.0)
    return lambda x: x * variable.get(), variable.set


@reading
def a_variable_of_the_environment() -> Reading:
    os.environ["DIPTYCH_TEST"] = "2.0"
    return (
        lambda x: x * float(os.environ["DIPTYCH_TEST"]),
        lambda value: os.environ.__setitem__("DIPTYCH_TEST", str(value)),
    )


@reading
def what_a_weak_reference_leads_to() -> Reading:
    holder = Holder()
    reference = weakref.ref(holder)
    return lambda x: x * reference().scale, set_on(holder)


@reading
def an_object_that_answers_for_another() -> Reading:
    class Config:
        def __init__(self) -> None:
            self.held = {"scale": 2.0}

        def __getattr__(self, name: str) -> Any:
            return self.__dict__["held"][name]

    config = Config()
    return lambda x: x * config.scale, lambda value: config.held.update(scale=value)


@reading
def a_small_tensor_of_dynamics() -> Reading:
    tensor = dynamic.tensor(2.0)
    return lambda x: x * float(tensor), tensor.fill_


@reading
def a_rate_by_pytorchs_words() -> Reading:
    opt = optim.SGD([nn.Parameter(ONE)], lr=2.0)
    return lambda x: x * opt.param_groups[0]["lr"], set_on(opt, "lr")


@reading
def the_length_of_a_long_list() -> Reading:
    held = [0] * 1000
    return lambda x: x * (2 if len(held) == 1000 else 5), held.append


@reading
def a_gradient_that_is_there() -> Reading:
    weight = nn.Parameter(ONE)
    return (
        lambda x: x * (2 if weight.grad is None else 5),
        lambda value: setattr(weight, "grad", dynamic.tensor(ONE)),
    )


@reading
def layers_that_are_added() -> Reading:
    model = nn.Sequential(nn.Sequential(Layer()))
    return lambda x: model(x), lambda value: model[0].append(Last())


@reading
def a_hook() -> Reading:
    layer = Layer()
    return lambda x: layer(x), lambda value: layer.register_forward_hook(lambda layer, args, y: y * 2.5)


class Last(nn.Module):
    """From two to five."""

    def forward(self, x: Any) -> Any:
        return x * 2.5


@reading
def a_set() -> Reading:
    chosen = {2.0}
    return lambda x: x * min(chosen), lambda value: (chosen.clear(), chosen.add(value))


@reading
def a_small_array_of_an_object() -> Reading:
    holder = types.SimpleNamespace(table=np.float32([2.0]))
    return lambda x: x * holder.table, lambda value: holder.table.fill(value)


@pytest.mark.parametrize("name", READINGS)
def test_what_is_read_is_watched(name: str) -> None:
    call, change = READINGS[name]()
    fn = static.function(call)
    set_global(2.0)
    try:
        assert [fn(ONE).item() for _ in range(3)] == [2.0] * 3
        assert traced(fn) == 1
        change(5.0)
        assert [fn(ONE).item() for _ in range(2)] == [5.0] * 2
        assert traced(fn) == 2
    finally:
        set_global(2.0)


def test_fields_of_an_argument_are_watched_and_what_is_not_named_is_not() -> None:
    holder = Holder()
    holder.epoch = 0  # type: ignore[attr-defined]
    fn = static.function(lambda x, holder: x * holder.scale)
    assert fn(ONE, holder).item() == 2
    holder.epoch = 1  # type: ignore[attr-defined]
    assert fn(ONE, holder).item() == 2 and traced(fn) == 1
    holder.scale = 5.0
    assert fn(ONE, holder).item() == 5 and traced(fn) == 2


def test_plain_values_that_are_made_anew_have_one_trace() -> None:
    fn = static.function(lambda x, k, where: (x * k)[where])
    for _ in range(3):
        for k in (2, 2.0, np.float32(2), np.float64(2), -0.0, 0.0):
            fn(np.ones(3, "float32"), k, slice(0, int("2")))
    assert traced(fn) == 6
    assert fn(np.ones(3, "float32"), 2.0, slice(1, 2)).shape == (1,) and traced(fn) == 7


KINDS: list[tuple[Any, Any]] = [
    (1, 1.0), (1, True), (0.0, -0.0), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": [1]}, {"a": (1,)}), ({1}, {2}), ({1}, frozenset({1})), ("a", "b"), (None, 0), ([1, 2], [1]),
    (np.ones(2), np.zeros(2)),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), KINDS, ids=repr)
def test_a_value_of_another_kind_order_or_sign_is_another(before: Any, after: Any) -> None:
    holder = types.SimpleNamespace(value=before)
    fn = static.function(lambda x: x if holder.value is fn else x * 2)
    for _ in range(2):
        for value in (before, after):
            holder.value = value
            fn(ONE)
    assert traced(fn) == 2
    holder.value = [before]
    assert [fn(ONE) is not None for _ in range(2)] and traced(fn) == 3
    holder.value[0] = after
    fn(ONE)
    assert traced(fn) == 4


def test_what_the_inner_one_reads_is_the_outer_ones_too() -> None:
    holder = Holder()
    inner = static.function(lambda x: x * holder.scale)
    outer = static.function(lambda x: inner(x) + 1)
    assert outer(ONE).item() == 3
    holder.scale = 5.0
    assert outer(ONE).item() == 6


class Base:
    """What a method of a base reads is read."""

    def scaled(self, x: Any) -> Any:
        return x * self.scale  # type: ignore[attr-defined]


class Trainer(Base):
    """One whose own loop counts and keeps what its step has nothing to do with."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.epoch, self.losses = 2.0, 0, list[float]()

    @static.function
    def step(self, x: Any) -> Any:
        return self.scaled(x)

    def scaled(self, x: Any) -> Any:
        return super().scaled(x) + 1

    def fit(self) -> list[float]:
        for self.epoch in range(3):
            self.losses.append(self.step(ONE).item())
        return self.losses


def test_a_loop_around_a_step_is_none_of_its_business() -> None:
    trainer = Trainer()
    assert trainer.fit() == [3.0] * 3
    assert trainer.step.made == 1
    trainer.scale = 5.0
    assert trainer.fit() == [3.0] * 3 + [6.0] * 3
    assert trainer.step.made == 2


def test_a_counter_of_a_layer_is_watched_where_its_text_names_it() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls, self.scale, self.seen = 0, 2.0, list[int]()

        def forward(self, x: Any) -> Any:
            return x * self.scale

    layer = Counting()
    fn = static.function(lambda x: layer(x))
    for call in range(3):
        assert fn(ONE).item() == 2
        layer.calls = call
        layer.seen.append(call)
    assert fn.made == 1
    layer.scale = 5.0
    assert fn(ONE).item() == 5 and fn.made == 2


def test_installed_packages_are_taken_to_stay_as_they_are() -> None:
    """An object of theirs does not make a thousand things to ask about."""
    jinja = pytest.importorskip("jinja2")
    environment = jinja.Environment()
    fn = static.function(lambda x: x * 2 if environment else x)
    assert fn(ONE).item() == 2
    (trace,) = next(iter(fn.traces.values()))
    assert len(trace.guards.told) < 20


def test_what_is_watched_is_what_is_named_and_nothing_of_a_call_is_kept() -> None:
    """Not what `__init__` sets, nor arrays and lists that were given."""
    many = [types.SimpleNamespace(value=i) for i in range(100)]
    holder = Holder()
    holder.scale = 2.0
    fn = static.function(lambda x, more: x * holder.scale * len(many) + more[0])
    x, more = np.ones(3, "float32"), [np.ones(3, "float32")]
    fn(x, more)
    (trace,) = next(iter(fn.traces.values()))
    assert len(trace.guards.told) < 12
    gone = weakref.ref(x), weakref.ref(more[0])
    del x, more
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_a_function_that_changes_what_it_reads_is_traced_each_time_and_says_so() -> None:
    seen: list[int] = []

    @static.function
    def step(x: Any) -> Any:
        seen.append(len(seen))
        return x * len(seen)

    with pytest.warns(RetracingWarning, match="step changes seen itself") as caught:
        assert [step(ONE).item() for _ in range(12)] == list(range(1, 13))
    assert len(caught) == 1 and caught[0].filename == __file__
    once: dict[str, Any] = {}

    @static.function
    def lazy(x: Any) -> Any:
        if "layer" not in once:
            once["layer"] = nn.Parameter(np.float32([3.0]))
        return x * once["layer"]

    assert [lazy(ONE).item() for _ in range(12)] == [3.0] * 12
    assert lazy.made == 2 and traced(lazy) == 1


def test_a_traced_value_that_is_put_aside_is_refused_to_who_looks_at_it() -> None:
    """It is no reason to trace again; but whoever computes with what the last call has left is refused."""
    holder = Holder()
    holder.hidden = None  # type: ignore[attr-defined]

    @static.function
    def keeps(x: Any) -> Any:
        holder.hidden = x * 2  # type: ignore[attr-defined]
        return x * 3

    for _ in range(4):
        keeps(ONE)
    assert keeps.made == 2  # once from None, and once from what a trace has left
    with pytest.raises(SymbolicValueError, match="until a session runs it"):
        float(holder.hidden)  # type: ignore[attr-defined]
    holder.hidden = None  # type: ignore[attr-defined]

    @static.function
    def goes_on(x: Any) -> Any:
        holder.hidden = x if holder.hidden is None else holder.hidden + x  # type: ignore[attr-defined]
        return holder.hidden * 1  # type: ignore[attr-defined]

    assert goes_on(ONE).item() == 1
    with pytest.raises(GraphError, match=r"a static\.function has left it"):
        goes_on(ONE)


def test_a_plain_value_that_is_put_somewhere_is_what_the_last_call_has_put() -> None:
    holder = Holder()

    @static.function
    def noting(x: Any) -> Any:
        holder.size = len(x)  # type: ignore[attr-defined]
        return x * 2

    for size in (1, 2, 1, 2):
        noting(np.ones(size, "float32"))
        assert holder.size == size  # type: ignore[attr-defined]


def test_an_attribute_by_its_text_is_watched() -> None:
    holder = Holder()
    fn = static.function(lambda x: x * getattr(holder, "scale"))  # noqa: B009
    assert fn(ONE).item() == 2
    holder.scale = 5.0
    assert fn(ONE).item() == 5
