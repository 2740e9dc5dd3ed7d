"""The sentences that open the first page: the run as a whole, over all tasks, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from comparisons.report.tasks.happened import same_encoding
from comparisons.report.tasks.measured import both, warm_pair
from comparisons.statistics.ahead import ahead, break_even, smaller
from comparisons.statistics.quantities import PAIR, Json, count, listed, seconds


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
        said += [_steps(measured), _starts(measured), _memory(measured)]
    if recoded:
        said.append(_recoded(recoded))
    if not said and any(entry["status"] == "done" for entry in report["experiments"].values()):
        return ["No task was trained on both engines in this run; this is what its experiments found."]
    return said or ["This run has not compared the engines, so there is no verdict."]


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


def _figures(tasks: Sequence[Json], values: Sequence[float], form: str, unit: str) -> str:
    """A figure for each task by name, or their range if there are many; the unit said once."""
    if len(tasks) > 3:
        return f"{form.format(min(values))} to {form.format(max(values))} {unit}"
    figures = [form.format(value) for value in values]
    figures[0] += f" {unit}"
    return listed([f"{figure} on {t['short']}" for figure, t in zip(figures, tasks, strict=True)])


def _grouped(tasks: Sequence[Json], leaders: Sequence[str | None], said: dict[str | None, str]) -> str:
    """Who is ahead where, where that is not the same everywhere."""
    parts = []
    for leader, words in said.items():
        places = [task for task, found in zip(tasks, leaders, strict=True) if found == leader]
        if places:
            parts.append(f"{words} on {_places(places)}")
    return ", ".join(parts)


def _steps(tasks: Sequence[Json]) -> str:
    pairs = [tuple(warm["step"] for warm in warm_pair(task)) for task in tasks]
    leaders = [ahead(*pair) for pair in pairs]
    if leaders[0] and all(leader == leaders[0] for leader in leaders):
        medians = [sorted(step["median"] for step in pair) for pair in pairs]
        shares = [100 * (1 - low / high) for low, high in medians]
        return (
            f"Once running, {leaders[0]} is the faster one: its steps are shorter by "
            f"{_figures(tasks, shares, '{:.0f}', '%')}."
        )
    if not any(leaders):
        return "Once running, neither is faster: the difference is smaller than the spread."
    said = {"static": "static is faster", "dynamic": "dynamic is faster", None: "neither is"}
    return f"Once running, {_grouped(tasks, leaders, said)}."


def _recoded(tasks: Sequence[Json]) -> str:
    """Where static takes the examples in another form."""
    pairs = [[warm["step"]["median"] for warm in warm_pair(task)] for task in tasks]
    times = [f"{seconds(s)} on static and {seconds(d)} on dynamic" for d, s in pairs]
    figures = listed([f"{time} for {task['short']}" for task, time in zip(tasks, times, strict=True)])
    return (
        "Where examples differ in shape, dynamic takes them as they are, one after the other; static's graph "
        f"needs them laid out as one batch, which is more work to write. A step takes {figures}."
    )


def _starts(tasks: Sequence[Json]) -> str:
    pairs = [warm_pair(task) for task in tasks]
    leaders = [ahead(d["start"], s["start"]) for d, s in pairs]
    if leaders[0] and all(leader == leaders[0] for leader in leaders):
        medians = [sorted(warm["start"]["median"] for warm in pair) for pair in pairs]
        ratios = [high / low for low, high in medians]
        opening = (
            f"{leaders[0].capitalize()} has its first result sooner: the other takes "
            f"{_figures(tasks, ratios, '{:.1f}', 'times as long')}"
        )
    elif not any(leaders):
        opening = "Neither has its first result sooner by more than the spread"
    else:
        said = {"dynamic": "dynamic is ahead", "static": "static is ahead", None: "neither is ahead"}
        opening = f"To the first result {_grouped(tasks, leaders, said)}"
    evens = [(task, break_even(*pair)) for task, pair in zip(tasks, pairs, strict=True)]
    paid = [(task, even) for task, even in evens if even is not None and even > 1]
    if not paid:
        return f"{opening}."
    steps = _figures([task for task, _ in paid], [round(even) for _, even in paid], "{:,}", "steps")
    return f"{opening}. Static has made up for its later start after {steps}."


def _memory(tasks: Sequence[Json]) -> str:
    peaks = [[task["measure"]["engines"][engine]["memory"]["peak"] for engine in PAIR] for task in tasks]
    leaders = [smaller(*pair) for pair in peaks]
    if leaders[0] and all(leader == leaders[0] for leader in leaders):
        ratios = [max(pair) / min(pair) for pair in peaks]
        return (
            f"{leaders[0].capitalize()} needs less memory: the other's peak is "
            f"{_figures(tasks, ratios, '{:.1f}', 'times as high')}."
        )
    if not any(leaders):
        return "Both need the same memory."
    said = {"dynamic": "dynamic needs less", "static": "static needs less", None: "both need the same"}
    return f"Of memory {_grouped(tasks, leaders, said)}."


# --- what to beware of ---------------------------------------------------------------------
