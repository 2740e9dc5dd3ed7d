"""Going along with a call that runs plainly, to tell how often which path is taken: it costs some per cent of
the call, where recording takes as long again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dynamic.backward import add_gradients, derivatives_by
from dynamic.modes import Mode, mode
from dynamic.paths import Point
from dynamic.redo import PLAIN, QUIET
from dynamic.tape import apply
from dynamic.tensors import Tensor
from shared.op import Op
from shared.state import State
from shared.trace import Assigned, Differentiated, Known, New, Stepped, Way


class Scout:
    """A call, or the rest of one, that is watched alone.

    point   the last known event that happened, as far as can be told by ops, settings, modes and shapes, and
            by which of the Tensors met before they are given: `met`, by number their ids
    """

    known, silent = False, True

    def __init__(self, point: Point, met: dict[int, int]) -> None:
        self.point, self.met = point, met

    def applied(self, op: Op, args: Sequence[Any], settings: dict[str, Any], now: Mode) -> Any:
        """An op is called."""
        like = replace(now, call=None) if now.tracing else PLAIN if now.recording else QUIET
        y = self._in(like, apply, op, args, settings)
        for point in reversed(self.point.after):
            alike = point.op is op and point.recording is now.recording
            if alike and self._is(point.event, args, settings):
                if op.single and point.outputs[0][0].shape != y.shape:
                    continue
                self.point = point
                first = point.told.first
                for number, x in enumerate((y,) if op.single else y, first):
                    self.met[number] = id(x)
                break
        return y

    def _is(self, event: Any, args: Sequence[Any], settings: dict[str, Any]) -> bool:
        if len(args) != len(event.args) or settings != event.settings:
            return False
        met = self.met
        for x, argument in zip(args, event.args, strict=True):
            kind = type(argument)
            if kind is New:
                met[argument.number] = id(x)
            elif kind is Known:
                if met.get(argument.number, id(x)) != id(x):
                    return False
            elif argument is not x and (kind is not type(x) or isinstance(x, State) or argument != x):
                return False
        return True

    def differentiated(
        self, y: Any, gradient: Any, way: Way, xs: Sequence[Any] | None
    ) -> list[Any]:
        """`backward` or `grad` is called."""
        self._pass(lambda event: isinstance(event, Differentiated) and event.way == way)
        like = QUIET if not mode.get().recording else PLAIN
        if way.adds:
            return self._in(like, add_gradients, y, gradient, way.keeps, way.creates, xs)
        return self._in(like, derivatives_by, "grad", [y], [gradient], xs, way.keeps, way.creates)

    def assigned(self, state: State, value: Tensor) -> bool:
        """A Tensor is assigned to a State."""
        self._pass(lambda event: isinstance(event, Assigned) and event.state is state)
        self._in(QUIET, state.assign, value)
        return True

    def stepped(self, optimizer: Any, ready: Sequence[Any]) -> bool:
        """An optimiser makes a step."""
        self._pass(lambda event: isinstance(event, Stepped) and event.optimizer is optimizer)
        self._in(QUIET, optimizer.update, ready)
        return True

    def _pass(self, is_it: Callable[[Any], bool]) -> None:
        self.point = next((p for p in reversed(self.point.after) if is_it(p.event)), self.point)

    def _in(self, like: Mode, do: Any, *args: Any) -> Any:
        token = mode.set(like)
        try:
            return do(*args)
        finally:
            mode.reset(token)

    def flush(self) -> None:
        """Nothing waits."""

    def before_change(self) -> None:
        """Nothing waits."""

    def forget(self, x: Tensor) -> None:
        """Nothing is known of it."""
