"""Ctrl-C: where it must not strike, and what it must not leave on.

Python raises KeyboardInterrupt where a function begins, after a call, and where a loop turns. So it may come
when something has been switched on and the `with` that shall switch it off has not begun, or when that has
ended and nothing was switched off yet.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from functools import partial, wraps
from types import FrameType
from typing import Any, ParamSpec

from shared.usage.door import refused

P = ParamSpec("P")

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals whose handlers are asked to wait, where they are written in Python and so may raise."""


class deferred:
    """Ctrl-C waits until the block is over, and is raised there: for work in many parts of which all or none
    has to be done.

    Signals are handled in the main thread alone, so elsewhere nothing is done. Handlers are exchanged for one
    that takes a note, which costs some microseconds: for steps of training and the like, not for ops.
    """

    __slots__ = ("before", "noted")

    def __enter__(self) -> deferred:
        self.before: list[tuple[int, Any]] = []
        self.noted: list[tuple[int, FrameType | None]] = []
        if threading.get_ident() == threading.main_thread().ident:
            try:
                for number in SIGNALS:
                    handler = signal.getsignal(number)
                    if callable(handler):
                        self.before.append((number, handler))  # first: whatever comes, it is put back
                        signal.signal(number, self._note)
            except BaseException:
                self._restore()
                raise
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.noted.append((number, frame))

    def _restore(self) -> None:
        for number, handler in reversed(self.before):
            signal.signal(number, handler)

    def __exit__(self, *error: object) -> None:
        self._restore()
        for number, frame in self.noted:
            dict(self.before)[number](number, frame)


class Block(ContextDecorator):
    """A block that switches something `on`, and `off` at its end. An interrupt leaves nothing on.

    One that comes while the block is entered is answered at once. One that comes at its very end, before
    `off` has run, leaves that to the end of this object, when the exception, whose traceback holds it, is let
    go of: for `except KeyboardInterrupt:` at its own end, at a prompt when the next error is shown.

    `off` may come twice, and when `on` has not come to its end; `late`: when others may be on by now.
    """

    def on(self) -> Any:
        """What `as` gives."""
        raise NotImplementedError

    def off(self, late: bool = False) -> None:
        """Put back what `on` has changed."""
        raise NotImplementedError

    def again(self) -> Block:
        """Another one, for one more call of a function that this decorates."""
        raise NotImplementedError

    def _recreate_cm(self) -> Block:
        return self.again()

    def __enter__(self) -> Any:
        # Only for as long as something may be on: an interrupt within __del__ would be lost.
        self.__class__ = _opened(type(self))
        try:
            return self.on()
        except BaseException:
            self.off()
            raise

    def __exit__(self, *error: object) -> None:
        self.off()
        self.__class__ = type(self).__mro__[1]


def _opened(kind: Any) -> Any:
    """The class of such blocks while they are open."""
    if kind not in _OPENED:
        _OPENED[kind] = type(kind.__name__, (kind,), {"__del__": lambda self: self.off(late=True)})
    return _OPENED[kind]


_OPENED: dict[Any, Any] = {}


class within(Block):
    """`with within((variable, value), ...):` what context variables hold within the block.

    gives: what `as` gives.
    """

    def __init__(self, *changes: tuple[ContextVar[Any], Any], gives: Any = None) -> None:
        self.changes, self.gives = changes, gives
        self.before: list[tuple[ContextVar[Any], Any, Any]] = []

    def on(self) -> Any:
        self.before = [(variable, value, variable.get()) for variable, value in self.changes]
        for variable, value in self.changes:
            variable.set(value)
        return self.gives

    def off(self, late: bool = False) -> None:
        for variable, value, before in self.before:
            if not late or variable.get() is value:
                variable.set(before)
        self.before = []

    def again(self) -> within:
        return within(*self.changes, gives=self.gives)


class _Later(Block):
    """What a function gives, which is called when the block is entered."""

    def __init__(self, make: partial[Block]) -> None:
        self.make = make
        self.made: Block | None = None

    def on(self) -> Any:
        try:
            self.made = self.make()
        except Exception as error:
            called = self.make.func
            refused(called.__name__, error, called, self.make.args, self.make.keywords)
            raise
        return self.made.on()

    def off(self, late: bool = False) -> None:
        if self.made is not None:
            self.made.off(late)

    def again(self) -> _Later:
        return _Later(self.make)


def block(function: Callable[P, Block]) -> Callable[P, Block]:
    """For functions that say what a block shall do: they are called where it is entered, and where one
    decorates a function, for each call of that."""

    @wraps(function)
    def made(*args: P.args, **settings: P.kwargs) -> Block:
        return _Later(partial(function, *args, **settings))

    return made
