"""Step and Stage: a few lines for each engine, and what the page says of them."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from comparisons.book import STAGES
from comparisons.lab.snippet import source_of


@dataclass(frozen=True)
class Step:
    """One thing to see run.

    title    what it is about
    dynamic  the lines for define-by-run: a function, of which the body is run and shown; its docstring, if it
             has one, says what to look for
    static   the lines for define-and-run; both print the same
    menu     what the reader can choose: the values of the one argument that both functions then have
    turns    how often a line is shown where it runs again and again; later turns run unseen
    most     how many boxes are drawn
    """

    title: str
    dynamic: Any
    static: Any
    menu: Sequence[Any] = ()
    turns: int = 2
    most: int = 40

    @property
    def says(self) -> str:
        """What to look for, in a sentence or two; "" if that is seen."""
        return (inspect.getdoc(self.dynamic) or "").replace("\n", " ")

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
        beside = [one for one in vars(inspect.getmodule(self.dynamic)).values() if self._is_beside(one)]
        used: set[Any] = set()
        codes = [self.dynamic.__code__, self.static.__code__]
        while codes:
            code = codes.pop()
            codes += [const for const in code.co_consts if isinstance(const, CodeType)]
            for one in beside:
                if one not in used and one.__name__ in code.co_names:
                    used.add(one)
                    parts = (one, *vars(one).values())
                    codes += [part.__code__ for part in parts if isinstance(part, FunctionType)]
        return "\n\n".join(inspect.getsource(one) for one in beside if one in used)

    def _is_beside(self, one: Any) -> bool:
        return isinstance(one, (FunctionType, type)) and one.__module__ == self.dynamic.__module__

    def namespace(self) -> dict[str, Any]:
        """What the lines find by name: their file's imports, and what stands beside them."""
        found = self.dynamic.__globals__
        return {name: value for name, value in found.items() if not name.startswith("_")}


@dataclass(frozen=True)
class Stage:
    """Some steps with one subject, which is one of `STAGES`; `first` is the first one's number."""

    number: int
    says: str
    first: int
    steps: Sequence[Step]

    @property
    def name(self) -> str:
        """Its file's, and its page's."""
        return f"stage_{self.number}"

    @property
    def title(self) -> str:
        """What its page calls it."""
        return STAGES[self.name]

