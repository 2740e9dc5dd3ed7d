"""The sentences that open the first page: the run as a whole, over all tasks, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparisons.report.tasks.happened import same_encoding
from comparisons.report.tasks.measured import both, warm_pair
from comparisons.statistics.effect import LEAST, Effect, break_even, effect, smaller
from comparisons.statistics.quantities import (
    PAIR,
    Json,
    count,
    factor,
    listed,
    number,
    spread_of,
    steps_of,
    within,
)


def size_of_run(report: Json, tasks: Mapping[str, Any]) -> str:
    """Whether this was a quick run or a full one, and what the other has more or less of."""
    ran = count(len(report["tasks"]), "task")
    if report["full"]:
        return (
            f"This was a full run: {ran}, trained for long, and what a verdict on their times, or on those "
            "of experiments, hangs on was timed 31 times or more often."
        )
    return (
        f"This was a quick run: {ran}, small models, and what a verdict on times hangs on was timed "
        f"{LEAST} times or more often. A full one (`make compare FULL=1`) trains up to {len(tasks)} tasks "
        "for longer, some on larger models, times 31 times, and races what other systems there are."
    )


def interrupted(report: Json) -> str:
    """Empty for a whole report; else what is missing."""
    if report["status"] == "complete":
        return ""
    done = [n for part in ("tasks", "experiments") for n, e in report[part].items() if e["status"] == "done"]
    missing = [name for name in report["planned"] if name not in done]
    if len(missing) > 5:
        missing[4:] = [count(len(missing) - 4, "other")]
    rest = f"; {listed(missing)} did not finish." if missing else "."
    return f"This run was interrupted. The pages show what was known by then{rest}"


def opening(report: Json) -> list[str]:
    """The answer in a few sentences, over all tasks that ran on both engines."""
    compared = [task for task in report["tasks"].values() if task["verify"] is not None]
    measured = [task for task in report["tasks"].values() if both(task) and same_encoding(task)]
    recoded = [task for task in report["tasks"].values() if both(task) and not same_encoding(task)]
    said = [_same_numbers(compared)] if compared else []
    if measured:
        others = report["experiments"].get("memory_plan", {}).get("found")
        said += [_steps(measured), _starts(measured), _memory(measured) + OTHERS * bool(others)]
    if recoded:
        said.append(_recoded(recoded))
    if not said and any(entry["status"] == "done" for entry in report["experiments"].values()):
        return ["No task was trained on both engines in this run; this is what its experiments found."]
    return said or ["This run has not compared the engines, so there is no verdict."]


OTHERS = " Other models differ: see the rows on memory."
"""What is said where other models were looked at."""


def _same_numbers(tasks: Sequence[Json]) -> str:
    wrong = [task["short"] for task in tasks if not task["verify"]["equal"]]
    if wrong:
        return f"The engines did not compute the same numbers on {listed(wrong)}."
    exact = [task for task in tasks if task["verify"]["tolerance"] is None]
    near = [task for task in tasks if task["verify"]["tolerance"] is not None]
    parts = []
    if exact:
        parts.append(f"{_losses(exact)}, equal bit for bit")
    if near:
        parts.append(f"{_losses(near)}, where their encodings differ, equal within what is stated there")
    return f"Both engines computed the same numbers: {'; '.join(parts)}."


def _losses(tasks: Sequence[Json]) -> str:
    losses = count(sum(task["verify"]["steps"] for task in tasks), "loss", "losses")
    return f"{losses} on {_places(tasks)}"


def _places(tasks: Sequence[Json]) -> str:
    return listed([task["short"] for task in tasks]) if len(tasks) <= 3 else count(len(tasks), "task")


def _figures(tasks: Sequence[Json], effects: Sequence[Effect]) -> str:
    """A factor for each task by name, with its interval; or the range of the factors if there are many."""
    factors = [found.times for found in effects]
    if len(tasks) > 3:
        medians = [times for times, _, _ in factors]
        return f"{factor(min(medians))} to {factor(max(medians))} times as long on {_places(tasks)}"
    said = [f"{factor(times)} times as long ({within(low, high, factor)})" for times, low, high in factors]
    return listed([f"{figure} on {task['short']}" for figure, task in zip(said, tasks, strict=True)])


def _led(tasks: Sequence[Json], part: str, opening: str, ahead: str) -> list[str]:
    """Who is ahead on which tasks, by how much; and on which that is not resolved."""
    effects = [effect(*(warm[part] for warm in warm_pair(task))) for task in tasks]
    said = []
    for leader in PAIR:
        led = [(task, found) for task, found in zip(tasks, effects, strict=True) if found.leader == leader]
        if led:
            figures = _figures([task for task, _ in led], [found for _, found in led])
            said.append(f"{opening} {leader} {ahead}: the other takes {figures}.")
    open_ = [task for task, found in zip(tasks, effects, strict=True) if found.leader is None]
    if open_:
        said.append(f"{opening} it is not resolved which is the faster on {_places(open_)}.")
    return said


def _steps(tasks: Sequence[Json]) -> str:
    return " ".join(_led(tasks, "step", "Once running,", "is the faster one"))


def _recoded(tasks: Sequence[Json]) -> str:
    """Where static takes the examples in another form."""
    pairs = [[spread_of(warm["step"]) for warm in warm_pair(task)] for task in tasks]
    times = [f"{s} on static and {d} on dynamic" for d, s in pairs]
    figures = listed([f"{time} for {task['short']}" for task, time in zip(tasks, times, strict=True)])
    return (
        "Where examples differ in shape, dynamic was given them as they are, one after the other, and static "
        f"laid out as one batch: two programs, whose times are not the engines' alone. A step takes "
        f"{figures}."
    )


def _starts(tasks: Sequence[Json]) -> str:
    said = _led(tasks, "start", "To the first result", "is ahead")
    evens = [(task, break_even(*warm_pair(task))) for task in tasks]
    paid = [(task, even) for task, even in evens if even is not None]
    if not paid:
        return " ".join(said)
    if len(paid) > 3:
        steps = [even.step for _, even in paid]
        won = f"{number(min(steps))} to {number(max(steps))} steps"
    else:
        won = listed([f"{steps_of(even)} on {task['short']}" for task, even in paid])
    return " ".join([*said, f"Static has made up for its later start after {won}."])


def _memory(tasks: Sequence[Json]) -> str:
    engines = [task["measure"]["engines"] for task in tasks]
    peaks = [[one[engine]["memory"]["peak"]["bytes"] for engine in PAIR] for one in engines]
    leaders = [smaller(*pair) for pair in peaks]
    said = []
    for leader in (*PAIR, None):
        led = [
            (task, pair) for task, pair, found in zip(tasks, peaks, leaders, strict=True) if found == leader
        ]
        if not led:
            continue
        where = _places([task for task, _ in led])
        if leader is None:
            said.append(f"Both hold about the same at their peak on {where}.")
            continue
        ratios = [max(pair) / min(pair) for _, pair in led]
        if len(led) > 3:
            times = f"{factor(min(ratios))} to {factor(max(ratios))} times as high"
        else:
            times = listed([f"{factor(ratio)} times as high on {task['short']}"
                            for ratio, (task, _) in zip(ratios, led, strict=True)])  # fmt: skip
        said.append(f"{leader.capitalize()} holds less memory at its peak: the other's is {times}.")
    return " ".join(said)
