"""Where the time and the memory of a computation go, op by op, on either engine.

    with watching(Profiler()) as (profile,):
        loss = ops.cross_entropy(model(x), y)
        loss.backward()
    print(profile.table())
    profile.save_trace("step.json")     # open it in chrome://tracing or ui.perfetto.dev
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.durable import files
from shared.usage.door import methods
from shared.watch.hooks import Event, Hook


@dataclass
class Total:
    """One row of the table: an op in one phase. Times in seconds, memory in bytes."""

    phase: str
    op: str
    calls: int = 0
    seconds: float = 0.0
    bytes: int = 0


@dataclass
class Span:
    """One application of an op. `start` in seconds since the profiler was made."""

    name: str
    phase: str
    start: float
    seconds: float
    bytes: int
    line: str
    shapes: str
    thread: int


class Profiler(Hook):
    """Counts calls, time and bytes given out, by op and phase; keeps every single application."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._began = time.perf_counter()

    def before(self, event: Event) -> None:
        event.notes[self] = time.perf_counter()

    def after(self, event: Event) -> None:
        now = time.perf_counter()
        start = event.notes.pop(self)
        self.spans.append(
            Span(
                event.op.name, event.phase, start - self._began, now - start, _size(event.outputs),
                str(event.line or ""), _shapes(event.inputs), threading.get_ident(),
            )
        )  # fmt: skip

    def totals(self) -> list[Total]:
        """The sums for each op and phase, those that took longest first."""
        rows: dict[tuple[str, str], Total] = {}
        for span in self.spans:
            row = rows.setdefault((span.phase, span.name), Total(span.phase, span.name))
            row.calls += 1
            row.seconds += span.seconds
            row.bytes += span.bytes
        return sorted(rows.values(), key=lambda row: -row.seconds)

    def table(self, most: int = 20) -> str:
        """The totals as text: milliseconds, share of the whole, microseconds a call, megabytes."""
        rows = self.totals()
        whole = sum(row.seconds for row in rows) or 1.0
        lines = [f"{'phase':9}{'op':18}{'calls':>7}{'ms':>10}{'%':>7}{'us/call':>10}{'MB':>10}"]
        lines += [
            f"{row.phase:9}{row.op:18}{row.calls:>7}{row.seconds * 1e3:>10.3f}"
            f"{row.seconds / whole * 100:>7.1f}{row.seconds / row.calls * 1e6:>10.1f}{row.bytes / 1e6:>10.2f}"
            for row in rows[:most]
        ]
        if len(rows) > most:
            lines.append(f"... and {len(rows) - most} more")
        lines.append(f"{'all':9}{'':18}{len(self.spans):>7}{whole * 1e3:>10.3f}")
        return "\n".join(lines)

    def trace(self) -> dict[str, Any]:
        """The applications as Chrome's trace events (times in microseconds)."""
        events = [
            {
                "name": span.name, "cat": span.phase, "ph": "X", "pid": 0, "tid": span.thread,
                "ts": span.start * 1e6, "dur": span.seconds * 1e6,
                "args": {"bytes": span.bytes, "inputs": span.shapes, "line": span.line},
            }
            for span in self.spans
        ]  # fmt: skip
        return {"traceEvents": events, "displayTimeUnit": "ms"}

    def save_trace(self, path: str) -> None:
        """Write `trace()` to a file."""
        files.write(path, json.dumps(self.trace()), "save_trace")


methods(Profiler, "table", "save_trace")


def _size(values: Sequence[Any]) -> int:
    """The bytes of arrays that own their memory; views are free."""
    return sum(v.nbytes for v in values if hasattr(v, "nbytes") and getattr(v, "base", None) is None)


def _shapes(values: Sequence[Any]) -> str:
    """`(32, 784) (784, 10)`: the shapes of the inputs; numbers as they are."""
    return " ".join(str(tuple(v.shape)) if hasattr(v, "shape") else str(v) for v in values)
