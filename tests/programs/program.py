"""A program: the text of a Python file that checks itself, and what came of running it."""

from __future__ import annotations

import itertools
import linecache
import traceback
import warnings
from dataclasses import dataclass

import numpy as np

from tests.time_limit import time_limit

_serial = itertools.count()


class Fault(AssertionError):
    """A program whose runs do not agree. `kind` says in a few words what with what."""

    def __init__(self, kind: str, told: str = "") -> None:
        super().__init__(f"{kind}: {told}" if told else kind)
        self.kind = kind


@dataclass(frozen=True)
class Program:
    """family  the part of the law that wrote it
    source  a Python file that raises if the law is broken
    items   the named kinds of fault that its lines could show"""

    family: str
    source: str
    items: frozenset[str] = frozenset()

    def run(self, seconds: int = 60) -> str | None:
        """None if all is well, else what is wrong: the last lines of the error. It has so many seconds of
        the processor, and ten times as many by the clock, for other work may stand beside."""
        name = f"<program {next(_serial)}>"
        linecache.cache[name] = (len(self.source), None, self.source.splitlines(True), name)
        late = TimeoutError(f"ran longer than {seconds} s")
        try:
            with (
                warnings.catch_warnings(),
                np.errstate(all="ignore"),
                time_limit(10 * seconds, late),
                time_limit(seconds, late, cpu=True),
            ):
                warnings.simplefilter("ignore")
                exec(compile(self.source, name, "exec"), {"__name__": "program"})
        except Exception as error:
            return signature(error)
        finally:
            linecache.cache.pop(name, None)
        return None


def signature(error: BaseException) -> str:
    """An error in one line, with the place in the engine that raised it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/" not in f.filename]
    place = f" at {'/'.join(frames[-1].filename.split('/')[-2:])}:{frames[-1].name}" if frames else ""
    told = str(error).strip().split("\n")[0] if not isinstance(error, Fault) else str(error)
    return f"{type(error).__name__}: {told[:600]}{'' if isinstance(error, Fault) else place}"
