"""Which engine answers a call.

The engines register here when they are imported; nothing in `shared` imports them. A call is
answered by the engine of the first Tensor among its arguments. Where no argument is a Tensor,
the innermost module call in progress or explicit `graph.as_default()` decides, and otherwise
the eager engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, Protocol

from shared.errors import EngineError


class Engine(Protocol):
    """What `shared` asks of an engine. (Ops and States are `Any` here: both are above this file.)"""

    name: str

    def apply(self, op: Any, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        """One application of an op; at least one argument is a Tensor, a State or absent."""

    def assign(self, state: Any, value: Any) -> Any:
        """Make `value` what `state` holds, now or when the graph runs."""

    def step(self, optimizer: Any, ready: Sequence[Any]) -> None:
        """Make a step with the gradients that the parameters which are `ready` have."""

    def change(self, state: Any, call: str, write: Any, written: Sequence[Any]) -> None:
        """`write(array, *arrays)` on the array of a state and on those of the values that are `written`
        into it, in place and now; or an error that names the call."""

    def check_detached(self, call: str, state: Any) -> None:
        """GradientError if whoever takes the values out of a state would lose its gradient unasked."""

    def gradients(self, loss: Any, states: Sequence[Any]) -> list[Any]:
        """The derivative of a scalar `loss` by each state; None where there is none."""

    def train(self, loss: Any, assigned: Iterable[Any], settings: Iterable[tuple[Any, Any]] = ()) -> Any:
        """One operation that does `assigned`, and the updates that `loss`, if given, depends on.

        settings: what the step is made with, as pairs of what has them (an optimiser, a Parameter) and a
        dict of those that it read
        """

    def cond(self, pred: Any, true_fn: Any, false_fn: Any, args: Sequence[Any]) -> Any:
        """See `shared.ops.cond`."""

    def while_loop(self, cond: Any, body: Any, loop_vars: Any, maximum: int | None) -> Any:
        """See `shared.ops.while_loop`."""

    def scan(self, fn: Any, carry: Any, xs: Any, length: Any, reverse: bool) -> Any:
        """See `shared.ops.scan`."""

    def scope(self, value: Any) -> AbstractContextManager[Any]:
        """Open while ops without a Tensor among their arguments shall go where `value` lives."""

    def call(self, module: Any, value: Any) -> AbstractContextManager[Any]:
        """Open while `module` is called on `value`, a Tensor of this engine, or None: called
        without Tensors, where this engine is in charge."""


class _EngineOfType(dict[type, "Engine | Neutral | None"]):
    """Engines by the exact type of a value; subclasses are looked up once."""

    def __missing__(self, kind: type) -> Engine | Neutral | None:
        engine: Engine | Neutral | None = None
        for base in kind.__mro__[1:]:
            if base in self:
                engine = self[base]
                break
        self[kind] = engine
        return engine


ENGINE_OF = _EngineOfType({object: None})
_current: ContextVar[Engine | None] = ContextVar("engine", default=None)
_registered: list[Engine] = []


def register(engine: Engine, *tensor_types: type, eager: bool = False) -> None:
    """Let `engine` answer for its tensor types; the eager one also when nothing else does."""
    _registered.insert(0 if eager else len(_registered), engine)
    for kind in tensor_types:
        ENGINE_OF[kind] = engine


class Neutral:
    """The engine of values that belong to none (Parameters): the other arguments decide."""

    name = "neutral"

    def apply(self, op: Any, args: Sequence[Any], settings: dict[str, Any]) -> Any:
        return engine_of(*args).apply(op, args, settings)


NEUTRAL = Neutral()


def engine_of_type(kind: type) -> Engine:
    """The engine that has registered a type of Tensor."""
    engine = ENGINE_OF[kind]
    if engine is None or isinstance(engine, Neutral):
        raise EngineError(f"no engine has registered {kind.__name__}; import dynamic or import static first")
    return engine


def tensor_engine(values: Iterable[Any]) -> Engine | None:
    """The engine of the first Tensor among the values, or None."""
    for value in values:
        engine = ENGINE_OF[type(value)]
        if engine is not None and not isinstance(engine, Neutral):
            return engine
    return None


def engine_of(*values: Any) -> Engine:
    """The engine that answers for these values."""
    return tensor_engine(values) or current_engine()


def current_engine() -> Engine:
    """The engine that answers where no argument is a Tensor."""
    engine = engine_at_hand()
    if engine is None:
        raise EngineError("no engine is loaded to do this; import dynamic or import static first")
    return engine


def engine_at_hand() -> Engine | None:
    """The same; None where no engine is loaded."""
    return _current.get() or (_registered[0] if _registered else None)


def engine_in_charge() -> Engine | None:
    """The engine of the module call or `as_default()` in progress; None where there is neither."""
    return _current.get()


COMPILER = "static.bridge.paths"
"""The module whose `COMPILER` makes programs of what define-by-run code did. It is a name, and looked up when
it is first asked for: nothing here knows what stands behind it."""


def compiler() -> Any:
    """See `shared.trace.Compiler`."""
    return import_module(COMPILER).COMPILER


def charge(engine: Engine) -> tuple[ContextVar[Engine | None], Engine]:
    """What `interrupts.within` takes to let `engine` answer where no argument is a Tensor."""
    return _current, engine


class using:
    """Let `engine` answer, within the block, where no argument is a Tensor.

    Every module call opens one: it does what `within(charge(engine))` does, in the time that is there.
    """

    __slots__ = ("engine", "before")

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> None:
        self.before = _current.get()
        self.__class__ = _using
        try:
            _current.set(self.engine)
        except BaseException:
            _current.set(self.before)
            raise

    def __exit__(self, *error: object) -> None:
        _current.set(self.before)
        self.__class__ = using


class _using(using):
    """One that is open."""

    __slots__ = ()

    def __del__(self) -> None:
        if _current.get() is self.engine:
            _current.set(self.before)
