"""An assignment made outside of the branch that uses it: does it wait to be chosen?"""

from __future__ import annotations

from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design
from comparisons.statistics.quantities import PAIR, count, listed

LOSSES = (0.5, 7.0, 0.4, 0.3, 9.0)
"""Five steps, two of which shall be skipped because their loss is too large."""

# The updates written before the choice, and chosen between.


def outside_dynamic() -> dict[str, int]:
    """Steps counted as kept or skipped."""
    import dynamic

    kept = skipped = 0
    for value in LOSSES:
        loss = dynamic.tensor(value)
        if loss < 1.0:
            kept += 1
        else:
            skipped += 1
    return {"kept": kept, "skipped": skipped}


def outside_static() -> dict[str, int]:
    """Steps counted as kept or skipped; the two updates are written before the choice."""
    import static

    kept = static.Variable(0, name="kept")
    skipped = static.Variable(0, name="skipped")
    loss = static.placeholder("float32", (), name="loss")
    keep, skip = kept.assign_add(1), skipped.assign_add(1)
    counted = static.cond(loss < 1.0, lambda: keep, lambda: skip)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for value in LOSSES:
            session.run(counted, {loss: value})
        return {"kept": int(kept.eval()), "skipped": int(skipped.eval())}


# The updates written in the branches.


def inside_dynamic() -> dict[str, int]:
    """Steps counted as kept or skipped."""
    import dynamic

    kept = skipped = 0
    for value in LOSSES:
        loss = dynamic.tensor(value)
        if loss < 1.0:
            kept += 1
        else:
            skipped += 1
    return {"kept": kept, "skipped": skipped}


def inside_static() -> dict[str, int]:
    """Steps counted as kept or skipped; each update is written in its branch."""
    import static

    kept = static.Variable(0, name="kept")
    skipped = static.Variable(0, name="skipped")
    loss = static.placeholder("float32", (), name="loss")
    counted = static.cond(
        loss < 1.0, lambda: kept.assign_add(1), lambda: skipped.assign_add(1)
    )
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for value in LOSSES:
            session.run(counted, {loss: value})
        return {"kept": int(kept.eval()), "skipped": int(skipped.eval())}


def run(context: Context) -> dict[str, Any]:
    kept = sum(loss < 1.0 for loss in LOSSES)
    return {
        "wanted": {"kept": kept, "skipped": len(LOSSES) - kept},
        "outside": {"dynamic": attempt(outside_dynamic), "static": attempt(outside_static)},
        "inside": {"dynamic": attempt(inside_dynamic), "static": attempt(inside_static)},
    }


# What is said of it.


def read(found: Json) -> Reading:
    outside, inside, wanted = found["outside"], found["inside"], found["wanted"]
    wrong = [engine for engine in PAIR if outside[engine]["value"] != wanted]
    mended = [engine for engine in wrong if inside[engine]["value"] == wanted]
    return Reading(
        answer=_answer(outside, wanted, wrong),
        verdicts=[
            by_design(_verdict(f"updates run in {_steps(wanted)}, written before the if", outside, wanted)),
            by_design(_verdict(f"updates run in {_steps(wanted)}, written in its branches", inside, wanted)),
        ],
        evidence=[
            Pair("The updates before the choice", outside["dynamic"], outside["static"]),
            Table(
                "What was counted",
                ("written", "counter", "wanted", *PAIR),
                [
                    (where, name, str(wanted[name]), *(str(case[e]["value"][name]) for e in PAIR))
                    for where, case in (("before the choice", outside), ("in the branches", inside))
                    for name in wanted
                ],
            ),
            Pair("The updates in the branches", inside["dynamic"], inside["static"], says=_inside(mended)),
        ],
        means=_means(wrong, mended),
        otherwise=_otherwise(wrong),
        threats=[
            "TensorFlow 1's `tf.cond` did the same, by its documentation.",
        ],
    )  # fmt: skip


def _steps(wanted: Json) -> str:
    return count(sum(wanted.values()), "step")


def _verdict(title: str, case: Json, wanted: Json) -> Verdict:
    totals = {engine: sum(case[engine]["value"].values()) for engine in PAIR}
    right = [engine for engine in PAIR if case[engine]["value"] == wanted]
    on_dynamic, on_static = (count(totals[engine], "update") for engine in PAIR)
    return Verdict(title, on_dynamic, on_static, right[0] if len(right) == 1 else None)


def _counts(value: Json) -> str:
    return f"{value['kept']} as kept and {value['skipped']} as skipped"


def _answer(outside: Json, wanted: Json, wrong: list[str]) -> str:
    if not wrong:
        return "Yes: on both engines only the update of the branch that is taken is made."
    said = "; ".join(
        f"on {engine} {_steps(wanted)} were counted {_counts(outside[engine]['value'])}" for engine in wrong
    )
    if len(wrong) == 2:
        return f"No, on neither engine: {said}."
    right = next(engine for engine in PAIR if engine not in wrong)
    return f"Yes, on {right}. No, if both are written before the choice: {said}."


def _inside(mended: list[str]) -> str:
    if mended:
        return f"Written in the functions that `cond` is given, the updates wait on {listed(mended)} too."
    return "To write the updates in the branches changes nothing."


def _means(wrong: list[str], mended: list[str]) -> list[str]:
    said = [
        f"On {engine} an update happens where it stands, with its branch."
        for engine in PAIR
        if engine not in wrong
    ]
    said += [
        f"On {engine} a branch that uses a node from outside has it as an input, and inputs are computed "
        "before the choice is made."
        for engine in wrong
    ]
    if mended:
        said.append(
            "What belongs to a branch is built inside its function."
        )
    return said


def _otherwise(wrong: list[str]) -> list[str]:
    if len(wrong) != 1:
        return ["Neither side is seen to have come off worse."]
    if wrong == ["static"]:
        return [
            "A value that both branches need is computed once, can be fetched, and has a gradient through "
            "it.",
        ]
    return ["A choice between things that were both done has both at hand, should they be compared."]


EXPERIMENT = Experiment(
    name="assign_outside_branch",
    title="An update made before the choice",
    question="I make two updates and choose between them with a condition. Is only the chosen one made?",
    dimension="control_flow",
    run=run,
    read=read,
    sizes=lambda found: "Five steps, and two counters.",
    level="",
)
