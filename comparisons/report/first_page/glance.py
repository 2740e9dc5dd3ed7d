"""The table at a glance: all verdict rows of a report, grouped by the dimensions of the design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from comparisons.lab.dimensions import DIMENSIONS, Dimension
from comparisons.lab.verdict import Verdict, sized, timed
from comparisons.report.page import Page
from comparisons.report.tasks.happened import same_encoding
from comparisons.report.tasks.measured import both, warm_pair
from comparisons.report.tasks.page import TASKS, numbers_rows
from comparisons.statistics.quantities import PAIR, Json


@dataclass(frozen=True)
class Row:
    """A verdict, and the page that it comes from."""

    verdict: Verdict
    link: str


@dataclass(frozen=True)
class Group:
    """The rows of one dimension. No rows are counted: one of them decides, and `Dimension` says which."""

    dimension: Dimension
    rows: Sequence[Row]

    @property
    def decider(self) -> Row | None:
        """The row that decides; None if none is to, or it is not in this run."""
        link = f"{self.dimension.decider}.html"
        return next((row for row in self.rows if row.link == link), None)

    @property
    def leader(self) -> str | None:
        """The engine that is ahead in that row."""
        return self.decider.verdict.ahead if self.decider else None


def glance(report: Json, pages: Sequence[Page]) -> list[Group]:
    """A group for each dimension of which something is known, then one for what was trained on both."""
    groups = []
    for dimension in DIMENSIONS.values():
        rows = [
            Row(verdict, page.file)
            for page in pages
            if page.dimension is dimension and page.reading is not None
            for verdict in page.reading.verdicts
        ]
        groups.append(Group(dimension, [*_of_tasks(dimension.name, report), *rows]))
    return [group for group in (*groups, Group(TASKS, _both(report))) if group.rows]


def _both(report: Json) -> list[Row]:
    """Whether each task's losses are equal; and its steps, where the difference is one of encodings and
    decides nothing about the engines."""
    rows = []
    for name, task in report["tasks"].items():
        for verdict in numbers_rows(task):
            if verdict.together:
                rows.append(Row(replace(verdict, title=_titled(task, verdict.title)), f"{name}.html"))
        if both(task) and not same_encoding(task):
            step = timed(
                _titled(task, "a step, of two encodings"), *(warm["step"] for warm in warm_pair(task))
            )
            rows.append(Row(step, f"{name}.html"))
    return rows


def _titled(task: Json, what: str) -> str:
    return f"{task['short'].removeprefix('the ')}: {what}"


def _of_tasks(dimension: str, report: Json) -> list[Row]:
    """What the tasks of one encoding add to a dimension: a row each."""
    if dimension not in OF_A_TASK:
        return []
    measured = {name: task for name, task in report["tasks"].items() if both(task) and same_encoding(task)}
    return [Row(OF_A_TASK[dimension](task), f"{name}.html") for name, task in measured.items()]


def _peak(task: Json) -> Verdict:
    peaks = (task["measure"]["engines"][engine]["memory"]["peak"] for engine in PAIR)
    return sized(_titled(task, "most memory in a step"), *peaks)


OF_A_TASK: dict[str, Callable[[Json], Verdict]] = {
    "speed": lambda task: timed(_titled(task, "a step"), *(warm["step"] for warm in warm_pair(task))),
    "start": lambda task: timed(
        _titled(task, "the first result"), *(warm["start"] for warm in warm_pair(task))
    ),
    "memory": _peak,
}
"""The row that a task adds to a dimension."""
