"""Step and Stage: a few lines for each engine, and what the page says of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from comparisons.lab.snippet import source_of

Snippet = Callable[..., None]


@dataclass(frozen=True)
class Step:
    """One thing to see run.

    title    what it is about
    says     what to look for, in a sentence or two
    dynamic  the lines for define-by-run: a function, of which the body is run and shown
    static   the lines for define-and-run; both print the same
    menu     what the reader can choose: the values of the one argument that both functions then have
    turns    how often a line is shown where it runs again and again; later turns run unseen
    most     how many boxes are drawn
    """

    title: str
    says: str
    dynamic: Snippet
    static: Snippet
    menu: Sequence[Any] = ()
    turns: int = 2
    most: int = 40

    @property
    def argument(self) -> str:
        """What is chosen; "" if nothing is."""
        return next(iter(inspect.signature(self.dynamic).parameters), "")

    def code(self, engine: str, choice: Any = None) -> str:
        """The lines of one engine as they run, the choice first."""
        lines = source_of(getattr(self, engine))
        return f"{self.argument} = {choice!r}\n{lines}" if self.menu else lines

    @property
    def common(self) -> str:
        """What both sides use, written once: functions and classes beside them in their file."""
        beside = [one for one in vars(inspect.getmodule(self.dynamic)).values() if _defined(one, self.dynamic)]
        used: set[Any] = set()
        codes = [self.dynamic.__code__, self.static.__code__]  # type: ignore[attr-defined]
        while codes:
            code = codes.pop()
            for one in beside:
                if one not in used and one.__name__ in code.co_names:
                    used.add(one)
                    codes += [part.__code__ for part in (one, *vars(one).values()) if hasattr(part, "__code__")]
            codes += [const for const in code.co_consts if hasattr(const, "co_names")]
        return "\n\n".join(inspect.getsource(one) for one in beside if one in used)

    def namespace(self) -> dict[str, Any]:
        """What the lines find by name: their file's imports, and what stands beside them."""
        return {name: value for name, value in self.dynamic.__globals__.items()  # type: ignore[attr-defined]
                if not name.startswith("_")}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """Some steps with one subject; `first` is the number of the first of them in the book."""

    number: int
    title: str
    says: str
    first: int
    steps: Sequence[Step]

    @property
    def name(self) -> str:
        """Its page's."""
        return f"stage_{self.number}"


def _defined(one: Any, beside: Any) -> bool:
    return isinstance(one, (FunctionType, type)) and one.__module__ == beside.__module__
