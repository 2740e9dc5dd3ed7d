"""What a trace would freeze without being a name: random numbers, the next of an iterator, the time of day.

Each would be the same in every call. What was used while a function was traced is found out afterwards, and
refused by name.
"""

from __future__ import annotations

import datetime
import operator
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, cycle
from types import FrameType, GeneratorType
from typing import Any, NamedTuple

import numpy as np

from shared.errors import SymbolicValueError
from shared.source import Line, is_ours
from shared.state import State
from shared.touched import touched
from shared.usage.door import is_library
from static.bridge.reads import Reads

CLOCKS: dict[Any, tuple[str, ...]] = {
    time: (
        "time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time",
        "process_time_ns", "thread_time", "thread_time_ns", "ctime", "localtime", "gmtime",
    ),
    datetime.datetime: ("now", "utcnow", "today"),
    datetime.date: ("today",),
}  # fmt: skip
"""By what they belong to, the functions that tell the time."""
ENTROPY = ("urandom", "getrandom")
"""What the system's own randomness is drawn with: by `secrets`, `uuid`, generators without a seed."""
TELLING = {name for names in CLOCKS.values() for name in names}
DRAWING = {*ENTROPY, "secrets", "uuid", "uuid1", "uuid4", "SystemRandom", "default_rng", "SeedSequence"}
"""Names of which one stands in the text of whoever comes to it."""


class Outside:
    """Watches, while a function is traced, what it takes from outside."""

    def __init__(self, name: str, reads: Reads) -> None:
        self.name, self.reads = name, reads
        self._called: tuple[str, Line] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block the function is traced; an error follows if it used what a trace would freeze."""
        moving = [(name, thing, _where(thing)) for name, thing in self.reads.moving]
        before = random_state()
        looks = Looks()
        with self._profiled(), touched(looks):
            yield
        for state, look in looks.items():
            changed = look.assigned and state._data is not look.array
            if changed or look.line is not None:
                does = "puts plain values into" if changed else "looks at the values of"
                whose = state.name or "a Parameter or Buffer"
                raise SymbolicValueError(
                    f"function: {self.name} {does} {whose}, which would be done while tracing alone; compute "
                    "with it, by ops, and assign what they give", look.line
                )  # fmt: skip
        if random_state() != before:
            raise self._frozen("draws numbers from numpy.random or random", DRAW)
        for name, thing, was in moving:
            if _where(thing) == was:
                continue
            if isinstance(thing, (np.random.Generator, np.random.RandomState, random.Random)):
                raise self._frozen(f"draws numbers from {name}, a {_kind(thing)}", DRAW)
            raise self._frozen(f"takes the next of {name}, a {_kind(thing)}", "pass what it gives")
        if self._called is not None:
            called, line = self._called
            if called in ENTROPY:
                raise self._frozen("draws from the system's own randomness", DRAW, line)
            raise self._frozen(f"asks the time, with {called}", "ask outside, or pass it", line)

    def _frozen(self, does: str, way: str, line: Line | None = None) -> SymbolicValueError:
        return SymbolicValueError(
            f"function: {self.name} {does}, which a trace would freeze: each call would get the same; "
            f"{way} as an argument{OPS if way is DRAW else ''}", line
        )  # fmt: skip

    def _profiled(self) -> Any:
        if not self.reads.names & (TELLING | DRAWING):
            return _unwatched()
        return self._profile()

    @contextmanager
    def _profile(self) -> Iterator[None]:
        before = sys.getprofile()
        sys.setprofile(self._event)
        try:
            yield
        finally:
            if before is not None and hasattr(before, "enable"):  # in C, as cProfile: no function to be set
                before.enable()
            else:
                sys.setprofile(before)

    def _event(self, frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or self._called is not None:
            return
        name, owner = called.__name__, getattr(called, "__self__", None)
        if name in ENTROPY and owner in (os, sys.modules.get(os.name)):
            self._note(name, _caller(frame))
        elif name in TELLING and not is_library(frame.f_code.co_filename):
            kinds = owner.__mro__ if isinstance(owner, type) else (owner,)
            if any([name in CLOCKS.get(kind, ()) for kind in kinds if kind.__hash__]):
                self._note(f"{getattr(owner, '__name__', owner)}.{name}", frame)

    def _note(self, name: str, frame: FrameType | None) -> None:
        if frame is not None and not is_ours(frame.f_code.co_filename):
            self._called = name, Line(frame.f_code.co_filename, frame.f_lineno)


class Look(NamedTuple):
    """That a State was read or changed: what it held, whether it was assigned to, and the line of the user's
    where a look at the values came from, if one did."""

    array: Any
    assigned: bool
    line: Line | None


class Looks(dict[Any, Look]):
    """The States that were read or changed."""

    def setdefault(self, state: Any, array: Any = None) -> Any:
        """Note that a State is read, or changed, by whoever has called."""
        frame: FrameType | None = sys._getframe(2)
        assigned = False
        while frame is not None and frame.f_code.co_filename == STATES:
            code = frame.f_code
            assigned |= code.co_name in ("assign", "data") and code.co_argcount == 2  # of a value, to self
            frame = frame.f_back
        line = None
        if frame is not None and not assigned and not is_ours(frame.f_code.co_filename):
            line = Line(frame.f_code.co_filename, frame.f_lineno)
        before = self.get(state, Look(array, False, None))
        self[state] = Look(before.array, before.assigned or assigned, before.line or line)
        return self[state]


STATES = sys.modules[State.__module__].__file__
DRAW = "pass them"
OPS = ", or draw with ops and nn.Generator"


@contextmanager
def _unwatched() -> Iterator[None]:
    yield


def _caller(frame: FrameType | None) -> FrameType | None:
    """The frame that a library was called from."""
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _kind(thing: Any) -> str:
    module, name = type(thing).__module__, type(thing).__name__
    return {"Generator": "NumPy generator", "RandomState": "NumPy RandomState"}.get(
        name, name if module == "builtins" else f"{module}.{name}"
    )


def _where(thing: Any) -> Any:
    """Where something stands that moves on when it is used."""
    if isinstance(thing, np.random.Generator):
        return repr(thing.bit_generator.state)
    if isinstance(thing, np.random.BitGenerator):
        return repr(thing.state)
    if isinstance(thing, np.random.RandomState):
        return _legacy(thing.get_state)
    if isinstance(thing, random.Random):
        return None if isinstance(thing, random.SystemRandom) else hash(thing.getstate())
    if isinstance(thing, GeneratorType):
        frame = thing.gi_frame
        if frame is None:
            return None
        held = tuple([(name, id(value)) for name, value in frame.f_locals.items()])
        return frame.f_lasti, held, _where(thing.gi_yieldfrom)
    if isinstance(thing, (count, cycle)):
        return repr(thing) if isinstance(thing, count) else repr(thing.__reduce__())
    return operator.length_hint(thing, -1) if hasattr(type(thing), "__length_hint__") else None


def _legacy(get_state: Callable[..., Any]) -> Any:
    _, keys, *rest = get_state(legacy=True)
    return hash(np.asarray(keys).tobytes()), *rest


def random_state() -> Sequence[Any]:
    """Where the random numbers of NumPy and Python stand."""
    return _legacy(np.random.get_state), hash(random.getstate())
