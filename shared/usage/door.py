"""The door of what users call: whatever is wrong with a call is said by an error of ours, which names it.

Functions check what they are given where they can say it best. What gets past that, and would come out as
Python's or NumPy's own complaint about a line that the user never wrote, is caught at the door.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, wraps
from types import FunctionType, TracebackType
from typing import Any, TypeVar

import numpy as np

from shared.errors import ArgumentError, DiptychError, RangeError, SettingError, TooLargeError
from shared.source import is_ours
from shared.usage.keywords import NOT_TAKEN, translated

F = TypeVar("F", bound=Callable[..., Any])

_KINDS: tuple[tuple[type[Exception], type[DiptychError]], ...] = (
    (MemoryError, TooLargeError), (IndexError, RangeError), (OverflowError, SettingError),
    (ValueError, SettingError),
)  # fmt: skip
"""Which class stands for which of Python's; for the others ArgumentError does."""

_SAID = (OSError, Warning, ImportError, NotImplementedError)
"""What says itself what is the matter: of the machine, not of the call."""

_LIBRARIES = (os.path.dirname(os.__file__) + os.sep, os.path.dirname(np.__file__) + os.sep)
_INSTALLED = ("site-packages", "dist-packages")

_A_CALL = re.compile(r"[A-Za-z_][\w.]*[:(]")
"""How a message begins that names some call."""


def door(function: F, name: str = "", method: bool = False) -> F:
    """The function, whose errors are all of ours, and name it. What a function that it is given raises goes
    through as it is. Of a method, they name the object's class too."""
    called = name or getattr(function, "__name__", "")

    @wraps(function)
    def entered(*args: Any, **settings: Any) -> Any:
        try:
            return function(*args, **settings)
        except Exception as error:
            if settings and isinstance(error, TypeError):
                ours = in_our_words(called, function, settings)
                if ours is not None:
                    return door(function, called, method)(*args, **ours)
            own = args[0] if method and args else None
            refused(called, error, function, args[method:], settings, of=own)
            raise

    return entered  # type: ignore[return-value]


def in_our_words(called: str, function: Any, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Settings that have PyTorch's names (`dim=`) under ours, or None if none has; SettingError, with what to
    write, for those that mean another thing."""
    found = translated(called, function, settings)
    if isinstance(found, str):
        raise SettingError(f"{called}: {found}")
    return found


def refused(
    name: str, error: Exception, function: Any = None, args: Sequence[Any] = (),
    settings: Mapping[str, Any] | None = None, of: Any = None,
) -> None:  # fmt: skip
    """Raise what an error is outside of a door; give it back if it may go as it is.

    of: the object whose method was called. What a method calls may stand in its error instead.
    """
    if isinstance(error, DiptychError):
        named = name.lower() in error.message.lower() or (of is not None and _A_CALL.match(error.message))
        if not named:
            error.message = f"{name}: {error.message}"
        return
    if isinstance(error, _SAID) or _is_the_callers(error.__traceback__):
        return
    for key in settings or ():
        if (cure := NOT_TAKEN.get((name, key))) and f"unexpected keyword argument {key!r}" in str(error):
            raise SettingError(f"{name}: {key}= is not taken here; write {cure}") from error
    kind = next((ours for python, ours in _KINDS if isinstance(error, python)), ArgumentError)
    said = "too deep" if isinstance(error, RecursionError) else str(error) or type(error).__name__
    said = f"there is no {said}" if isinstance(error, KeyError) else said
    given = [shown(x) for x in args] + [f"{key}={shown(x)}" for key, x in (settings or {}).items()]
    called = name if of is None else f"{type(of).__name__}.{name}"
    form = f"; it is called as {called}{_signature(function)}" if function is not None else ""
    raise kind(f"{called}({', '.join(given)}): {said}{form}") from error


def public(namespace: dict[str, Any], names: Sequence[str], hot: Sequence[str] = ()) -> None:
    """Put a door before the functions among a package's names, and before the constructors of its classes,
    but for some that are made all the time."""
    for name in names:
        found = None if name in hot else namespace.get(name)
        if isinstance(found, FunctionType):
            namespace[name] = made = door(found, name)
            made.__module__ = namespace["__name__"]  # where it is found by its name
        elif isinstance(found, type) and not issubclass(found, Exception):
            _construct(found)


def methods(kind: type, *names: str) -> None:
    """Put a door before methods of a class: those that are named, or all that are public."""
    for name in names or [name for name in vars(kind) if not name.startswith("_")]:
        found = vars(kind)[name]
        if isinstance(found, FunctionType):
            setattr(kind, name, door(found, name, method=True))


def _construct(kind: type) -> None:
    """Before the constructor of a class, or of that of its bases which has one."""
    base = next(base for base in kind.__mro__ if "__init__" in vars(base))
    made = vars(base)["__init__"]
    if isinstance(made, FunctionType) and is_ours(getattr(sys.modules[base.__module__], "__file__", "")):
        if hasattr(made, "__wrapped__"):
            return

        @wraps(made)
        def constructed(self: Any, *args: Any, **settings: Any) -> None:
            try:
                made(self, *args, **settings)
            except Exception as error:
                if settings and isinstance(error, TypeError):
                    ours = in_our_words(type(self).__name__, made, settings)
                    if ours is not None:
                        return vars(base)["__init__"](self, *args, **ours)
                refused(type(self).__name__, error, type(self), args, settings)
                raise

        base.__init__ = constructed  # type: ignore[misc]


def shown(value: Any) -> str:
    """A value in few words."""
    try:
        if isinstance(value, np.ndarray):
            return f"{value.dtype}{list(value.shape)}"
        text = " ".join(repr(value).split())
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else f"{text[:37]}..."


def _signature(function: Any) -> str:
    """The arguments' names, and which may be left out."""
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return "(...)"
    named = [p.name if p.default is p.empty else f"{p.name}=..." for p in given if p.name != "self"]
    return f"({', '.join(named)})"


def _is_the_callers(trace: TracebackType | None) -> bool:
    """Whether an error comes from code that is neither ours nor a library's that we call."""
    trace = None if trace is None else trace.tb_next
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not (is_ours(file) or is_library(file)):
            return True
        trace = trace.tb_next
    return False


@cache
def is_library(file: str) -> bool:
    """Whether a file is NumPy's, or Python's own."""
    if file.startswith("<") or file.endswith(".pyx"):
        return True
    return file.startswith(_LIBRARIES[1]) or (
        file.startswith(_LIBRARIES[0]) and not any(part in file for part in _INSTALLED)
    )
