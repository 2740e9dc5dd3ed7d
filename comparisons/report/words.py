"""Sentences, chosen by the numbers of a report.

Nothing here knows how a run came out before it is asked: each function looks at the figures
and says what they say, and where the spread is wider than the difference it says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

CLOSE = 0.03
"""Medians nearer than this share of each other are called equal, however small the spread."""

OTHER = {"dynamic": "static", "static": "dynamic"}


# --- figures -------------------------------------------------------------------------------


def number(value: float) -> str:
    """12345 as 12,345."""
    return f"{value:,.0f}"


def count(value: int, one: str, many: str | None = None) -> str:
    """1 as "1 step", 2 as "2 steps"."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def _three(value: float) -> str:
    """Three significant digits, in full: 0.281, 4.06, 17.6, 1,235."""
    if value >= 100:
        return number(value)
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def seconds(value: float) -> str:
    """A time in the unit that suits it: 281 µs, 4.06 ms, 38.2 s."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{_three(value / size)} {unit}"
    return f"{_three(value / 1e-6)} µs"


def size(value: float) -> str:
    """Bytes in kB or MB (thousands)."""
    return f"{_three(value / 1e6)} MB" if value >= 1e6 else f"{_three(value / 1e3)} kB"


def percent(share: float) -> str:
    """0.989 as 98.9 %."""
    return f"{100 * share:.1f} %"


def listed(words: Sequence[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# --- who is ahead --------------------------------------------------------------------------


def ahead(dynamic: Json, static: Json) -> str | None:
    """The engine with the smaller median; None if they are close or their quartiles overlap."""
    a, b = dynamic["median"], static["median"]
    if abs(a - b) <= CLOSE * max(a, b):
        return None
    if dynamic["low"] <= static["high"] and static["low"] <= dynamic["high"]:
        return None
    return "dynamic" if a < b else "static"


def faster(engine: str, small: float, large: float) -> str:
    """How one says that `engine` needs `small` where the other needs `large`."""
    if large >= 2 * small > 0:
        return f"{engine} makes a step {large / small:.1f} times as fast"
    return f"{engine} makes a step in {100 * (1 - small / large):.0f} % less time"


def start_of(warm: Json) -> float:
    """Seconds from nothing to the end of the first step."""
    return float(sum(warm[phase]["median"] for phase in ("build", "compile", "first_step") if phase in warm))


def break_even(dynamic: Json, static: Json) -> float | None:
    """After how many steps static, all told, is ahead of dynamic: 1 if from its first step on,
    None if never."""
    owed = start_of(static) - start_of(dynamic)
    won = dynamic["step"]["median"] - static["step"]["median"]
    if owed <= 0 and won >= 0:
        return 1.0
    return 1 + owed / won if owed > 0 and won > 0 else None


# --- one task ------------------------------------------------------------------------------


def both(task: Json) -> bool:
    """Whether a task was measured on both engines."""
    return bool(task["measure"]) and len(task["measure"]["engines"]) == 2


def parity(task: Json) -> str:
    """Whether the two engines gave the same numbers."""
    found = task["verify"]
    if found is None:
        ran = list(task["engines"])
        return (
            f"Only {ran[0]} ran, so there is nothing to compare its numbers with."
            if len(ran) == 1
            else "The training did not reach its end on both engines, so they could not be compared."
        )
    if found["equal"]:
        return (
            f"All {count(found['steps'], 'loss', 'losses')} are the same numbers on both engines, bit for "
            f"bit. So are the {number(found['numbers'])} numbers that were left when training ended: "
            "weights, the optimiser's moments, the state of dropout's generators. Whatever differs "
            "below is therefore the design, and not the arithmetic."
        )
    said = []
    first = found["first_difference"]
    if first is not None:
        said.append(
            f"The losses part at step {first['step']} ({first['dynamic']!r} on dynamic, {first['static']!r} "
            f"on static), and {found['unequal_steps']} of {found['steps']} differ."
        )
    if found["unequal_arrays"]:
        said.append(
            f"{len(found['unequal_arrays'])} of the {found['arrays']} arrays of final state differ, "
            f"the first of them {found['unequal_arrays'][0]}."
        )
    if found["unequal_guesses"]:
        said.append(f"{count(found['unequal_guesses'], 'test example')} got another answer.")
    return " ".join(
        [
            "The engines do not give the same numbers.",
            *said,
            "What follows compares the costs of two computations that are not the same.",
        ]
    )


def accuracy(task: Json) -> str:
    """How well the trained model does, and whether that was the aim."""
    found = {engine: e["accuracy"] for engine, e in task["engines"].items() if "accuracy" in e}
    if not found:
        return ""
    values = sorted(set(found.values()))
    tests = f"of the {number(task['examples']['test'])} test examples"
    if len(values) == 1:
        who = "Both engines read" if len(found) == 2 else f"{next(iter(found)).capitalize()} reads"
        said = f"{who} {percent(values[0])} {tests} correctly"
    else:
        said = f"Dynamic reads {percent(found['dynamic'])}, static {percent(found['static'])} {tests} correctly"
    goal = task["goal"]
    if goal is None:
        return said + "."
    if values[0] >= goal:
        return f"{said}; the aim was {percent(goal)}."
    return f"{said}, short of the {percent(goal)} that was the aim."


def step_time(task: Json) -> str:
    """Which engine makes a step in less time, once both run."""
    warm = {engine: found["warm"] for engine, found in task["measure"]["engines"].items()}
    if len(warm) == 1:
        engine, found = next(iter(warm.items()))
        return f"A step takes {engine} {seconds(found['step']['median'])}."
    d, s = warm["dynamic"]["step"], warm["static"]["step"]
    first = ahead(d, s)
    times = {"dynamic": d["median"], "static": s["median"]}
    said = f"{seconds(d['median'])} on dynamic, {seconds(s['median'])} on static"
    if first is None:
        return (
            f"Once running, a step takes as long on either engine, as far as the spread lets one see: {said}. "
            "The kernels are the same, and they fill the step."
        )
    won = faster(first, times[first], times[OTHER[first]])
    if first == "static":
        return (
            f"Once running, {won}: {said}. The kernels are the same; what it saves is bookkeeping. "
            "Dynamic records each op while it computes and walks the record back, in every step "
            "anew; static follows a list that was written once."
        )
    return (
        f"Once running, {won}: {said}. The kernels are the same, so on this machine static pays more "
        "around them (checking feeds, copying state in and out) than its ready-made list saves."
    )


def start_time(task: Json) -> str:
    """What stands before the first result, and whether it comes back."""
    warm = {engine: found["warm"] for engine, found in task["measure"]["engines"].items()}
    starts = {engine: start_of(found) for engine, found in warm.items()}
    if len(warm) == 1:
        engine = next(iter(warm))
        return f"The first step of {engine} is done after {seconds(starts[engine])}."
    d, s = starts["dynamic"], starts["static"]
    even = break_even(warm["dynamic"], warm["static"])
    said = f"{seconds(d)} on dynamic, {seconds(s)} on static"
    if s <= d:
        opening = f"The first step is done after {said}; describing the model first costs nothing here."
    else:
        opening = (
            f"The first step is done after {said}, which has to describe the model, derive its "
            "gradients and write a program before anything is computed."
        )
    if ahead(warm["dynamic"]["step"], warm["static"]["step"]) is None:
        return f"{opening} Since the steps take as long on both, neither catches up."
    if even is None:
        leader = "dynamic" if d < s else "static"
        return f"{opening} That is never made up for, since {leader}'s later steps are no slower either."
    if even <= 1:
        return f"{opening} Static is ahead from the first step on."
    if s > d:
        return f"{opening} Its shorter steps have made up for that after {count(round(even), 'step')}."
    return opening


def memory(task: Json) -> str:
    """Which engine holds more, at its highest and between steps."""
    found = {engine: e["memory"] for engine, e in task["measure"]["engines"].items()}
    if len(found) == 1:
        engine, m = next(iter(found.items()))
        return f"Within a step {engine} holds at most {size(m['peak'])}; between steps {size(m['between'])}."
    d, s = found["dynamic"], found["static"]
    low, high = sorted((d["peak"], s["peak"]))
    who = "dynamic" if d["peak"] < s["peak"] else "static"
    peaks = f"{size(d['peak'])} on dynamic, {size(s['peak'])} on static"
    if high - low <= CLOSE * high:
        opening = f"At the highest point of a step the two hold as much as each other: {peaks}."
    else:
        opening = f"At the highest point of a step {who} holds less: {peaks}."
    extra = s["between"] - d["between"]
    if extra > CLOSE * s["between"]:
        return (
            f"{opening} Between steps static keeps {size(extra)} more: its graph and its program, and "
            "every parameter twice, since the session has values of its own beside the model's."
        )
    if -extra > CLOSE * d["between"]:
        return f"{opening} Between steps dynamic keeps {size(-extra)} more."
    return f"{opening} Between steps they keep as much as each other."


def graphs(task: Json) -> str:
    """What each engine's graph is, and how large."""
    inside = task["inside"]
    said = []
    if "dynamic" in inside:
        said.append(
            f"Dynamic's graph is a record of what has just been computed: {count(inside['dynamic']['nodes'], 'node')} "
            "for one loss, made again in every step and let go by its backward pass."
        )
    if "static" in inside:
        found = inside["static"]
        said.append(
            f"Static's graph is a plan, made once, with {count(found['nodes'], 'node')}: {number(found['forward'])} "
            "lead to the loss; the others are the gradients, the optimiser's step, the evaluation and "
            "the first values, which are graph as well."
        )
    return " ".join(said)


def program(task: Json) -> str:
    """What static generated."""
    lines = task["inside"]["static"]["program"].rstrip().count("\n") + 1
    return (
        f"A training step on static is this Python function of {count(lines, 'line')}, written by the engine "
        "when the session first meets the fetches. One line is one kernel, with the shape that "
        "comes out and the line of the script behind it; arrays are dropped after their last use."
    )


# --- the whole report ----------------------------------------------------------------------


def status(report: Json) -> str:
    """Empty for a whole report; else what is missing."""
    if report["status"] == "complete":
        return ""
    done = [n for part in ("tasks", "experiments") for n, e in report[part].items() if e["status"] == "done"]
    missing = [name for name in report["planned"] if name not in done]
    return (
        "This run was interrupted. The page shows what was known by then"
        + (f"; {listed(missing)} did not finish." if missing else ".")
    )


def verdict(report: Json) -> list[str]:
    """The answer in a few sentences, over all tasks that ran on both engines."""
    tasks = [t for t in report["tasks"].values() if t["verify"] is not None]
    said = [_numbers_verdict(tasks)] if tasks else []
    timed = [t for t in report["tasks"].values() if both(t)]
    if timed:
        said += [_step_verdict(timed), _start_verdict(timed), _memory_verdict(timed)]
    if not said:
        said = ["This run has not compared the engines, so there is no verdict."]
    return said


def _numbers_verdict(tasks: Sequence[Json]) -> str:
    steps = sum(t["verify"]["steps"] for t in tasks)
    if all(t["verify"]["equal"] for t in tasks):
        return (
            f"Both engines computed the same numbers: {count(steps, 'loss', 'losses')} over "
            f"{count(len(tasks), 'task')}, equal bit for bit."
        )
    wrong = [t["title"] for t in tasks if not t["verify"]["equal"]]
    return f"The engines did not compute the same numbers on {listed([_lower(w) for w in wrong])}."


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]


def _range(values: Sequence[float], form: str) -> str:
    low, high = form.format(min(values)), form.format(max(values))
    return low if low == high else f"{low} to {high}"


def _step_verdict(tasks: Sequence[Json]) -> str:
    pairs = [tuple(t["measure"]["engines"][e]["warm"]["step"] for e in ("dynamic", "static")) for t in tasks]
    leaders = [ahead(*pair) for pair in pairs]
    for engine in ("static", "dynamic"):
        if all(leader == engine for leader in leaders):
            shares = [
                100 * (1 - min(d["median"], s["median"]) / max(d["median"], s["median"])) for d, s in pairs
            ]
            return f"Once running, {engine} is the faster one: its steps are {_range(shares, '{:.0f}')} % shorter."
    if all(leader is None for leader in leaders):
        return "Once running, neither is faster: the difference is smaller than the spread."
    parts = []
    for task, leader in zip(tasks, leaders, strict=True):
        who = f"{leader} is faster" if leader else "neither is faster"
        parts.append(f"{who} on {_lower(task['title'])}")
    return f"Once running, {listed(parts)}."


def _start_verdict(tasks: Sequence[Json]) -> str:
    warm = [[t["measure"]["engines"][e]["warm"] for e in ("dynamic", "static")] for t in tasks]
    ratios = [start_of(s) / start_of(d) for d, s in warm]
    evens = [break_even(d, s) for d, s in warm]
    if all(r > 1 for r in ratios):
        said = f"Dynamic has its first result {_range(ratios, '{:.1f}')} times sooner"
    elif all(r <= 1 for r in ratios):
        return "Static has its first result no later than dynamic."
    else:
        said = "Which one has its first result sooner depends on the task"
    paid = [e for e in evens if e is not None]
    if len(paid) == len(evens):
        many = _range([round(e) for e in paid], "{:,.0f}")
        return f"{said}; static has caught up after {many} steps."
    if not paid:
        return f"{said}, and static never catches up."
    return f"{said}; static catches up on {len(paid)} of {count(len(evens), 'task')}."


def _memory_verdict(tasks: Sequence[Json]) -> str:
    peaks = [[t["measure"]["engines"][e]["memory"]["peak"] for e in ("dynamic", "static")] for t in tasks]
    ratios = [s / d for d, s in peaks]
    if all(r > 1 + CLOSE for r in ratios):
        return f"Dynamic needs less memory: static's peak is {_range(ratios, '{:.1f}')} times as high."
    if all(r < 1 - CLOSE for r in ratios):
        return f"Static needs less memory: dynamic's peak is {_range([1 / r for r in ratios], '{:.1f}')} times as high."
    return "In peak memory neither is ahead on every task."
