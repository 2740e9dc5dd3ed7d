"""What a page says about its task, chosen by the task's numbers.

Nothing here knows how a run came out before it is asked: each function looks at the figures
and says what they say, and where the spread is wider than the difference it says so.
"""

from __future__ import annotations

import re

from comparisons.statistics.effect import CLOSE, ahead, break_even, effect, smaller
from comparisons.statistics.quantities import (
    Json,
    at_most,
    count,
    number,
    percent,
    size,
    spread_of,
    steps_of,
    times_of,
)


def parity(task: Json) -> str:
    """Whether the two engines gave the same numbers."""
    found = task["verify"]
    if found is None:
        ran = list(task["engines"])
        if len(ran) == 1:
            return f"Only {ran[0]} ran, so there is nothing to compare its numbers with."
        return "The training did not reach its end on both engines, so they could not be compared."
    if found["tolerance"] is not None:
        return _near(found)
    if found["equal"]:
        return (
            f"All {count(found['steps'], 'loss', 'losses')} are the same numbers on both engines, bit for "
            f"bit, and so are the {number(found['numbers'])} numbers of state that training left. Whatever "
            "differs below is the design, and not the arithmetic."
        )
    said = ["The engines do not give the same numbers."]
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
    return " ".join([*said, "What follows compares the costs of two computations that are not the same."])


def same_encoding(task: Json) -> bool:
    """Whether both engines compute the same ops on the same arrays, so that costs can be compared."""
    return task["verify"] is None or task["verify"]["tolerance"] is None


def _near(found: Json) -> str:
    """Where the engines run different encodings of one task."""
    within = f"{found['tolerance']:g} of their size"
    why = (
        "The two scripts compute the same values in another order, because static takes the examples in "
        "another form than dynamic, and floating-point sums depend on their order."
    )
    if found["equal"]:
        apart = at_most(found["apart"]) if found["apart"] else "not at all"
        return (
            f"All {count(found['steps'], 'loss', 'losses')} agree within {within}, which is what this task "
            f"asks; they differ by {apart}. {why}"
        )
    first = found["first_difference"]
    where = f" from step {first['step']} on" if first else ""
    return (
        f"The engines do not agree within {within}{where}: "
        f"{found['unequal_steps']} of {found['steps']} losses lie further apart. {why}"
    )


def accuracy(task: Json) -> str:
    """How well the trained model does, and whether that was the aim."""
    found = {engine: e["accuracy"] for engine, e in task["engines"].items() if "accuracy" in e}
    if not found:
        return ""
    values = sorted(set(found.values()))
    tests = f"of the {number(task['examples']['test'])} {task['counted']} correctly"
    if len(values) == 1:
        who = "Both engines read" if len(found) == 2 else f"{next(iter(found)).capitalize()} reads"
        said = f"{who} {percent(values[0])} {tests}"
    else:
        said = f"Dynamic reads {percent(found['dynamic'])}, static {percent(found['static'])} {tests}"
    goal = task["goal"]
    if goal is None:
        return f"{said}."
    if values[0] >= goal:
        return f"{said}; the aim was {percent(goal)}."
    return f"{said}, short of the {percent(goal)} that was the aim."


def step_time(task: Json) -> str:
    """Which engine makes a step in less time, once both run."""
    warm = {engine: found["warm"] for engine, found in task["measure"]["engines"].items()}
    if len(warm) == 1:
        engine, found = next(iter(warm.items()))
        return f"A step takes {engine} {spread_of(found['step'])}."
    steps = {engine: found["step"] for engine, found in warm.items()}
    found = effect(steps["dynamic"], steps["static"])
    said = f"{spread_of(steps['dynamic'])} on dynamic, {spread_of(steps['static'])} on static"
    if found.leader is None:
        return (
            f"Once running, it is not resolved on which engine a step is shorter: {said}, over "
            f"{count(steps['dynamic']['count'], 'run')} each."
        )
    won = f"{found.leader} makes a step {times_of(found)} as fast"
    if not same_encoding(task):
        return (
            f"Once running, {won}: {said}. That is not the engines' doing alone: dynamic computes one "
            "example after the other, static a whole batch in a layout made for it, which dynamic could "
            "take too."
        )
    if found.leader == "static":
        return (
            f"Once running, {won}: {said}. {_spared(task)}: dynamic records each op and walks the record "
            "back, static follows a list that was written once."
        )
    return (
        f"Once running, {won}: {said}. The ops are the same, so static pays more around them (checking "
        "feeds, copying state) than its ready-made list saves."
    )


def _spared(task: Json) -> str:
    """Where static saves, as far as its program was looked at: it may have made one kernel of several ops."""
    program = (task["inside"] or {}).get("static", {}).get("program")
    if program is None:
        return "The ops are the same; what is not saved by running some together stands around them"
    if calls := len(re.findall(r"= (?:asarray\()?fused_\w*\(", program)):
        return (
            f"The ops are the same; static runs several in one kernel {count(calls, 'time')}, as dynamic's "
            "optimiser may; what it saves besides stands around them"
        )
    return "The kernels are the same; what it saves stands around them"


def start_time(task: Json) -> str:
    """What stands before the first result, and whether it comes back."""
    warm = {engine: found["warm"] for engine, found in task["measure"]["engines"].items()}
    if len(warm) == 1:
        engine, found = next(iter(warm.items()))
        return f"The first step of {engine} is done after {spread_of(found['start'])}."
    dynamic, static = warm["dynamic"], warm["static"]
    said = f"{spread_of(dynamic['start'])} on dynamic, {spread_of(static['start'])} on static"
    first, leader = ahead(dynamic["start"], static["start"]), ahead(dynamic["step"], static["step"])
    if first is None:
        return f"It is not resolved which engine has its first step done sooner: {said}."
    if first == "static":
        later = (
            "dynamic's shorter steps overtake it later"
            if leader == "dynamic"
            else "nothing was seen to overtake it"
        )
        return f"The first step is done after {said}: to describe the model first costs nothing, and {later}."
    opening = (
        f"The first step is done after {said}, which first describes, differentiates and compiles."
    )
    if not same_encoding(task):
        return opening
    if leader is None:
        return f"{opening} Whether that is ever made up for is not resolved, as the later steps are not."
    even = break_even(dynamic, static)
    if even is None:
        return f"{opening} That is never made up for, since dynamic's later steps are the shorter ones."
    return f"{opening} Its shorter steps have made up for that after {steps_of(even)}."


def memory(task: Json) -> str:
    """Which engine holds more, at its highest and between steps."""
    found = {
        engine: {part: counted["bytes"] for part, counted in measured["memory"].items()}
        for engine, measured in task["measure"]["engines"].items()
    }
    if len(found) == 1:
        engine, m = next(iter(found.items()))
        return f"Within a step {engine} holds at most {size(m['peak'])}; between steps {size(m['between'])}."
    d, s = found["dynamic"], found["static"]
    peaks = f"{size(d['peak'])} on dynamic, {size(s['peak'])} on static"
    less = smaller(d["peak"], s["peak"])
    opening = (
        f"At the highest point of a step {less} holds less: {peaks}."
        if less
        else f"At the highest point of a step both hold the same: {peaks}."
    )
    extra = s["between"] - d["between"]
    if extra > CLOSE * s["between"]:
        return (
            f"{opening} Between steps static keeps {size(extra)} more: graph, program, arena, and every "
            "parameter twice, in the model and in the session."
        )
    if -extra > CLOSE * d["between"]:
        return f"{opening} Between steps dynamic keeps {size(-extra)} more."
    return f"{opening} Between steps they keep the same."


def graphs(task: Json) -> str:
    """What each engine's graph is, and how large."""
    inside = task["inside"]
    said = []
    if "dynamic" in inside:
        said.append(
            "Dynamic's graph records what has just been computed: "
            f"{count(inside['dynamic']['nodes'], 'node')} behind one loss, anew in every step."
        )
    if "static" in inside:
        found = inside["static"]
        said.append(
            f"Static's is a plan, written once: {count(found['nodes'], 'node')}, "
            f"{number(found['parts']['loss'])} of them leading to the loss; gradients, updates and first "
            "values are graph as well."
        )
    return " ".join(said)


def program(task: Json) -> str:
    """What static generated."""
    lines = task["inside"]["static"]["program"].rstrip().count("\n") + 1
    return (
        f"The Python function of {count(lines, 'line')} that a training step runs. Behind each kernel stand "
        "the shape and the line of the script; `out=` names memory from an earlier run, or that nothing "
        "reads any more."
    )
