"""Shapes alone: a third reading of a program, beside computing it and building it as a graph.

An `Outline` is a Tensor that has a shape and a dtype and nothing else. Ops on Outlines are
inferred, not computed; what a module assigns to its state is let go. So a model can be walked
through, and the work in it counted, without doing any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared import dispatch, nest
from shared.dims import Size
from shared.durable.interrupts import within
from shared.errors import EngineError, GradientError, SymbolicValueError
from shared.op import Op
from shared.operators import Operators, bind
from shared.ops.control import scan_length
from shared.spec import Operand, Spec, is_weak
from shared.state import State


@dataclass(frozen=True, slots=True)
class Application:
    """One op applied: to what, with which settings, giving what.

    times    how often, if it stands in a `scan`
    modules  those in whose calls it stands, the innermost last
    """

    op: Op
    inputs: Sequence[Operand]
    settings: dict[str, Any]
    outputs: Sequence[Spec]
    times: Size
    modules: Sequence[Any]


Watcher = Callable[[Application], None]

_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)
_calls: ContextVar[tuple[Any, ...]] = ContextVar("calls", default=())
_times: ContextVar[Size] = ContextVar("times", default=1)


class Outline(Operators):
    """A shape and a dtype in the place of a value. Sizes may be unknown (`Dim`)."""

    __slots__ = ("spec",)

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @property
    def shape(self) -> Any:
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.spec.dtype

    def __repr__(self) -> str:
        return f"<outline {self.spec}>"

    def _no_value(self, *_: Any, **__: Any) -> Any:
        raise SymbolicValueError(
            f"this needs the value of {self!r}, which is a shape alone; a program that takes turns "
            "by its values (if, while, float(), an array made of a Tensor) has no outline"
        )

    __bool__ = __float__ = __int__ = __index__ = __array__ = _no_value


class OutlineEngine:
    """What `shared` asks of an engine, as far as shapes go."""

    name = "outline"

    def apply(self, op: Op, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """Infer what comes out."""
        given = [_operand(arg) for arg in args]
        inferred = op.infer(*given, **settings)
        specs = (inferred,) if op.single else tuple(inferred)
        watcher = _watcher.get()
        if watcher is not None:
            watcher(Application(op, given, settings, specs, _times.get(), _calls.get()))
        made = tuple(Outline(spec) for spec in specs)
        return made[0] if op.single else made

    def assign(self, state: State, value: Outline) -> None:
        """Nothing: there is no value to hold."""

    def change(self, state: State, call: str, write: Any, written: Sequence[Any]) -> None:
        """Nothing either."""

    def step(self, optimizer: Any, ready: Sequence[Any]) -> None:
        """Nothing either."""

    def check_detached(self, call: str, state: State) -> None:
        """Nothing either: there are no gradients."""

    def gradients(self, loss: Outline, states: Sequence[State]) -> list[Any]:
        raise GradientError("an outline has no values, and so no derivatives; use an engine's Tensor")

    def train(self, loss: Outline, assigned: Iterable[Any], settings: Any = ()) -> None:
        raise GradientError("an outline can not be trained; use an engine's Tensor")

    def cond(self, pred: Any, true_fn: Any, false_fn: Any, args: Sequence[Any]) -> Any:
        """The first branch; the other gives the same shapes."""
        return true_fn(*args)

    def while_loop(self, cond: Any, body: Any, loop_vars: Any, maximum: int | None) -> Any:
        """One trip: how many there are, only a run knows."""
        made = body(*loop_vars)
        return made if isinstance(made, (list, tuple)) else (made,)

    def scan(self, fn: Any, carry: Any, xs: Any, length: Any, reverse: bool) -> tuple[Any, Any]:
        """One step, which counts as many times as there are steps."""
        inputs, build = nest.flatten(xs)
        steps = scan_length(inputs, length)
        with within((_times, _times.get() * steps)):
            carry, y = fn(carry, build([_outline(x.shape[1:], x.dtype) for x in inputs]))
        values, together = nest.flatten(y)
        return carry, together([_outline((steps, *value.shape), value.dtype) for value in values])

    def scope(self, value: Outline) -> Any:
        return dispatch.using(self)

    def call(self, module: Any, value: Outline | None) -> within:
        """Keep the chain of module calls in progress."""
        return within((_calls, (*_calls.get(), module)), dispatch.charge(self))


def _outline(shape: Sequence[Size], dtype: Any) -> Outline:
    return Outline(Spec(tuple(shape), dtype))


def _operand(value: Any) -> Operand:
    if isinstance(value, (Outline, State, np.ndarray)):
        return Spec(tuple(value.shape), value.dtype)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Spec) or is_weak(value):
        return value
    if isinstance(value, (list, tuple)):
        array = np.asarray(value)
        return Spec(array.shape, array.dtype)
    raise EngineError(f"{value!r} and an outline in one call; an outline goes with arrays and numbers")


def watching(watcher: Watcher) -> within:
    """Within the block, call `watcher` for each op that is applied to an Outline."""
    return within((_watcher, watcher), dispatch.charge(ENGINE))


ENGINE = OutlineEngine()
dispatch.ENGINE_OF[Outline] = ENGINE  # by type alone: it never answers where no Outline is
bind(Outline, ENGINE.apply)
