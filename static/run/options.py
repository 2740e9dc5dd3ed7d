"""How one run goes: what Session.run takes beside fetches and feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.errors import FeedTypeError
from shared.watch.profiler import Profiler


@dataclass
class RunOptions:
    """How to run. trace: time every node, and count the bytes it gives."""

    trace: bool = False


@dataclass
class RunMetadata:
    """What a traced run leaves: a Profiler, with a `table()` and `save_trace(path)`."""

    profile: Profiler | None = None


def as_options(given: Any) -> RunOptions:
    """The options; FeedTypeError for what is none."""
    if not isinstance(given, RunOptions):
        raise FeedTypeError(
            f"run: options must be RunOptions, not {type(given).__name__}; several fetches go into one "
            "list, run([a, b], feed_dict)"
        )
    return given
