"""`static.function`: a function of define-and-run code, traced once for each signature and then run as a
program.

The way of `tf.function` and `jax.jit`: the function's Python runs when there is no trace for what it is
called with, and at no other time. What a trace freezes is watched (`static.bridge.guards`), and a trace that
does not hold any more is not used.
"""

from __future__ import annotations

import inspect
import threading
import warnings
from collections.abc import Callable
from functools import update_wrapper
from types import MethodType
from typing import Any

import numpy as np

from shared import dispatch
from shared.dispatch import ENGINE_OF, Neutral
from shared.errors import SettingError
from shared.source import user_line
from static.bridge.trace import Trace, is_array, name_of
from static.compile.options import LEVELS
from static.engine import ENGINE

TRACES = 32
"""How many traces a function keeps: those that were used last."""


CHANGING = 8
"""After how many traces in a row of a function that changes what it reads that is said."""


class RetracingWarning(UserWarning):
    """A function is traced in each call, because it changes what it reads, or what it has set before."""


class Function:
    """A function that is traced for each signature. `static.function` makes it.

    traces  by signature, those that are kept; `made`, how many there were
    """

    def __init__(self, fn: Callable[..., Any], level: str) -> None:
        update_wrapper(self, fn)
        self.name = name_of(fn)
        self.fn, self.level = fn, level
        self.traces: dict[Any, list[Trace]] = {}
        self._lock = threading.RLock()
        self.made, self._said = 0, "no call yet"
        self._changing = 0

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        name = f"_traced_{self.name}"
        found = instance.__dict__.get(name)
        if found is None:  # one for each object: what it reads of self is watched
            found = instance.__dict__[name] = Function(MethodType(self.fn, instance), self.level)
        return found

    def __call__(self, *args: Any, **settings: Any) -> Any:
        arrays: list[Any] = []
        key: list[Any] = []
        _take_apart(args, arrays, key)
        if settings:
            _take_apart(settings, arrays, key)
        others = [x for x in arrays if type(x) is not np.ndarray]
        engines = others and [engine for x in others if (engine := _engine_of(x)) is not None]
        if ENGINE in engines or dispatch.engine_in_charge() is ENGINE:
            return self.fn(*args, **settings)
        with self._lock:
            trace, held = self._trace(tuple(key), args, settings)
            return trace.run(arrays, bool(engines), held)

    def _trace(self, key: Any, args: Any, settings: Any) -> tuple[Trace, dict[Any, Any] | None]:
        """The trace that holds for a call, and what the States hold, where that is known already."""
        known = self.traces.get(key)
        if known is not None:
            for trace in known:
                if trace.guards.holds() and ((held := trace.plain()) is not None or trace.fits()):
                    return trace, held
            why = known[-1].guards.changed() or "a Parameter has another shape"
        else:
            why = "the first call" if not self.traces else "another signature: other shapes, dtypes or values"
        trace = Trace(self.fn, args, settings, self.level, why)
        self._said, self.made = why, self.made + 1
        if trace.error is not None or self._changes(trace):
            return trace, None  # of this call alone: what Python did in it is to be done in the next, too
        self.traces.setdefault(key, []).append(trace)
        while sum(map(len, self.traces.values())) > TRACES:
            oldest = next(iter(self.traces))
            self.traces[oldest].pop(0)
            if not self.traces[oldest]:
                del self.traces[oldest]
        return trace, None

    def _changes(self, trace: Trace) -> bool:
        """Whether the function has changed what it reads; of one that does so in each call that is said."""
        if trace.guards.holds():
            self._changing = 0
            return False
        self._changing += 1
        self._said = f"{trace.guards.changed()}, which {self.name} itself has changed"
        if self._changing == CHANGING:
            what, line = trace.guards.changed().split(" was ")[0].split(" is ")[0], user_line()
            warnings.warn_explicit(
                f"function: {self.name} changes {what} itself, so it is traced in each call, which costs "
                "more than it saves; return what is to be kept, or keep it in an nn.Buffer",
                RetracingWarning, *(line[:2] if line else (__file__, 0)),
            )  # fmt: skip
        return True

    def explain(self) -> str:
        """See `static.explain`."""
        traces = [trace for known in self.traces.values() for trace in known]
        made = f"{len(traces)} traces, of {self.made} that were made"
        lines = [f"{self.name}: {made}; the last was made because of: {self._said}"]
        for number, trace in enumerate(traces, 1):
            fed = ", ".join(str(t.spec) for t in trace.op.fed) or "nothing"
            states = f"reads {len(trace.states)} States, changes {len(trace.stored)}"
            lines.append(f"trace {number}: fed {fed}; {states}")
            lines.append(f"  made because of: {trace.why}")
            baked = ", ".join(dict.fromkeys(name for name, *_ in trace.guards.told))
            lines.append(f"  watches: {baked or 'nothing'}")
        return "\n".join(lines)


def function(fn: Callable[..., Any] | None = None, *, optimize: str = "fast") -> Any:
    """Trace a function into a graph, and run it as a compiled program: `@static.function`, on a function or
    method.

    Its Python runs once for each signature: the shapes and dtypes of arrays and Tensors among its arguments,
    and the values of all others. Arrays give arrays; dynamic Tensors give dynamic Tensors, and the whole call
    is one node of the tape; static Tensors are passed through it, into their own graph.

    States (Parameters, buffers, generators, optimisers' slots) are live: each call reads what they hold and
    leaves in them what it assigns; all assignments, `Print`s and `Assert`s of the function are done, in its
    order. A step of training calls `opt.minimize(loss)`.

    What a trace freezes is watched: names of the closure and the module, attributes of self, modes and
    settings of layers, and what they name in turn. Where one has changed, the function is traced again, and
    `static.explain(f)` says why; so it is in each call of a function that changes what it reads. Looking at a
    traced value is an error, and so is what would be the same in each call: drawing random numbers of NumPy's
    or Python's, taking the next of an iterator, asking the time.
    """
    if optimize not in LEVELS:
        raise SettingError(f"function: optimize is one of {LEVELS}, not {optimize!r}")
    if fn is None:
        return lambda fn: function(fn, optimize=optimize)
    if not callable(fn):
        raise SettingError(f"function: {fn!r} is no function; write @static.function above one")
    if inspect.isgeneratorfunction(fn) or inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn):
        raise SettingError(
            f"function: {name_of(fn)} is a generator or coroutine, whose text runs after its call, when no "
            "trace is made; decorate what it calls"
        )
    return Function(fn, optimize)


def explain(fn: Any) -> str:
    """Every trace of a `static.function`: what it was fed, what it watches, and why it was made."""
    if not isinstance(fn, Function):
        raise SettingError(f"explain: {fn!r} is no static.function; a session has session.explain(fetches)")
    return fn.explain()


def _engine_of(x: Any) -> Any:
    """The engine of a Tensor; None for what belongs to none."""
    engine = ENGINE_OF[type(x)]
    return None if isinstance(engine, Neutral) else engine


def _take_apart(x: Any, arrays: list[Any], key: list[Any]) -> None:
    """Put the arrays and Tensors among arguments into a list, and what tells the signature from others into
    another."""
    kind = type(x)
    if kind is np.ndarray:
        arrays.append(x)
        key.append((x.shape, x.dtype))
    elif kind is tuple or kind is list:
        key.append((kind, len(x)))
        for part in x:
            _take_apart(part, arrays, key)
    elif kind is dict:
        key.append((dict, *x))
        for part in x.values():
            _take_apart(part, arrays, key)
    elif hasattr(x, "_fields"):
        key.append(kind)
        for part in x:
            _take_apart(part, arrays, key)
    elif is_array(x):
        arrays.append(x)
        key.append((x.shape, x.dtype))
    else:
        key.append(_key(x))


def _key(x: Any) -> Any:
    """What tells one value from another: of what is plain its class, value and sign, else which object it
    is."""
    kind = type(x)
    if kind in (int, str, bool):
        return kind, x
    if kind in REPEATED:
        return kind, repr(x)
    return (kind, x.tobytes()) if isinstance(x, np.generic) else Same(x)


REPEATED = (float, complex, bytes, range, slice)
"""Kinds of values that are made anew for each call, and told apart by how they are shown."""


class Same:
    """Equal to itself alone: an object that is compared by identity, and kept alive so that no other gets its
    place."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)
