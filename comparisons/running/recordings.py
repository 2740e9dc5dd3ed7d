"""What a run can record, to be played on a page of its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple


class Recording(NamedTuple):
    """What it is, as `list` says it; what is done meanwhile; and the module whose `record()` does it."""

    about: str
    doing: str
    module: str

    def record(self) -> dict[str, Any]:
        """The evidence, as JSON."""
        found: dict[str, Any] = import_module(self.module).record()
        return found


RECORDINGS = {
    "stepper": Recording(
        "One training step on both engines, to be played moment by moment.",
        "recording one training step on both engines",
        "comparisons.stepper.recording",
    ),
    "book": Recording(
        "Sixty short programs on both engines in five stages, to be played line by line.",
        "running the steps of the book on both engines",
        "comparisons.book.recording",
    ),
}
