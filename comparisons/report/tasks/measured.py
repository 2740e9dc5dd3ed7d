"""What of a task was measured."""

from __future__ import annotations

from comparisons.statistics.quantities import Json


def both(task: Json) -> bool:
    """Whether a task was measured on both engines."""
    return bool(task["measure"]) and len(task["measure"]["engines"]) == 2


def warm_pair(task: Json) -> tuple[Json, Json]:
    """The warm times of a task on dynamic and on static."""
    engines = task["measure"]["engines"]
    return engines["dynamic"]["warm"], engines["static"]["warm"]
