"""record: every step of the book on both engines, as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import static
from comparisons.book import STAGES
from comparisons.book.on_dynamic import DynamicRecorder
from comparisons.book.on_static import StaticRecorder
from comparisons.book.recorder import Json, Recorder
from comparisons.book.step import Stage, Step
from shared import nn

RECORDERS: dict[str, type[Recorder]] = {"dynamic": DynamicRecorder, "static": StaticRecorder}


def record(stages: Sequence[Stage] | None = None) -> Json:
    """Of each stage (default: all) by name {number, title, says, first, steps}; of each step {title, says,
    common, argument, takes}; a take, one for each choice, has `choice`, and for each engine what
    `Recorder.record` gives."""
    return {
        stage.name: {
            "number": stage.number, "title": stage.title, "says": stage.says, "first": stage.first,
            "steps": [record_step(step, stage.first + i) for i, step in enumerate(stage.steps)],
        }
        for stage in (all_stages() if stages is None else stages)
    }  # fmt: skip


def all_stages() -> list[Stage]:
    """All that there are, in order."""
    return [import_module(f"comparisons.book.{name}").STAGE for name in STAGES]


def record_step(step: Step, number: int) -> Json:
    """One step, with each of its choices."""
    start = time.perf_counter()
    takes = [
        {"choice": choice, **{engine: _take(step, number, engine, choice) for engine in RECORDERS}}
        for choice in step.menu or (None,)
    ]
    return {
        "title": step.title, "says": step.says, "common": step.common, "argument": step.argument,
        "takes": takes, "seconds": time.perf_counter() - start,
    }  # fmt: skip


def _take(step: Step, number: int, engine: str, choice: Any) -> Json:
    nn.manual_seed(0)
    static.reset_default_graph()
    code, file = step.code(engine, choice), f"step {number}"
    return RECORDERS[engine](code, file, step.namespace(), step.turns, step.most).record()
