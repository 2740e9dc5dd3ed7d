"""The table at a glance: all verdict rows of a report, grouped by the dimensions of the design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from comparisons.lab.dimensions import DIMENSIONS, Dimension
from comparisons.lab.verdict import Verdict, sized, timed
from comparisons.report.page import Page
from comparisons.report.tasks.happened import same_encoding
from comparisons.report.tasks.measured import both, warm_pair
from comparisons.report.tasks.page import TASKS, numbers_rows
from comparisons.statistics.quantities import OTHER, PAIR, Json, count, listed


@dataclass(frozen=True)
class Row:
    """A verdict, and the page that it comes from ("" if it is of several)."""

    verdict: Verdict
    link: str


@dataclass(frozen=True)
class Group:
    """The rows of one dimension."""

    dimension: Dimension
    rows: Sequence[Row]

    @property
    def ahead(self) -> dict[str, int]:
        """In how many rows each engine is ahead."""
        leaders = [row.verdict.ahead for row in self.rows]
        return {engine: leaders.count(engine) for engine in PAIR}

    @property
    def leader(self) -> str | None:
        """The engine that is ahead in more rows than the other."""
        return more(self.ahead)

    @property
    def said(self) -> str:
        """How the rows are divided, in words."""
        found = {engine: many for engine, many in self.ahead.items() if many}
        rows = count(len(self.rows), "row")
        if not found:
            return f"neither is ahead in any of {rows}"
        first, *rest = (f"{engine} is ahead in {many}" for engine, many in found.items())
        return f"{listed([first, *(words.replace(' is ahead', '') for words in rest)])} of {rows}"


def more(counts: Mapping[str, int]) -> str | None:
    """The engine that has more; None if they have as many."""
    first = max(PAIR, key=counts.__getitem__)
    return first if counts[first] > counts[OTHER[first]] else None


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
                title = _titled(task, verdict.title)
                rows.append(Row(Verdict(title, "", "", together=verdict.together), f"{name}.html"))
        if both(task) and not same_encoding(task):
            rows.append(Row(_step(task), f"{name}.html"))
    return rows


def _titled(task: Json, what: str) -> str:
    return f"{task['short'].removeprefix('the ')}: {what}"


def _of_tasks(dimension: str, report: Json) -> list[Row]:
    """What the tasks of one encoding add to a dimension: to speed a row each, to others one for all."""
    measured = {name: task for name, task in report["tasks"].items() if both(task) and same_encoding(task)}
    if not measured:
        return []
    if dimension == "speed":
        return [Row(_step(task), f"{name}.html") for name, task in measured.items()]
    if dimension == "start":
        return [_together("the first result", measured, _start)]
    return [_together("most memory in a step", measured, _peak)] if dimension == "memory" else []


def _step(task: Json) -> Verdict:
    other = "" if same_encoding(task) else ", of two encodings"
    return timed(_titled(task, f"a step{other}"), *(warm["step"] for warm in warm_pair(task)))


def _start(task: Json) -> Verdict:
    return timed(_titled(task, "the first result"), *(warm["start"] for warm in warm_pair(task)))


def _peak(task: Json) -> Verdict:
    peaks = (task["measure"]["engines"][engine]["memory"]["peak"] for engine in PAIR)
    return sized(_titled(task, "most memory in a step"), *peaks)


def _together(title: str, tasks: dict[str, Json], of: Callable[[Json], Verdict]) -> Row:
    """One row for all tasks: a figure where there is one task, else on how many each is ahead."""
    if len(tasks) == 1:
        ((name, task),) = tasks.items()
        return Row(of(task), f"{name}.html")
    found = Group(TASKS, [Row(of(task), "") for task in tasks.values()])
    d, s = (f"ahead on {found.ahead[engine]} of {len(tasks)}" for engine in PAIR)
    return Row(Verdict(f"{title}, on {count(len(tasks), 'task')}", d, s, found.leader), "")
