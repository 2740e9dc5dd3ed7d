"""The same mistakes on both engines: when is each found, and where does the message point?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design
from comparisons.statistics.quantities import OTHER, PAIR, count

X = np.linspace(0, 1, 128, dtype=np.float32).reshape(2, 64)
Y = np.array([3, 7])

Reached = Callable[[str], None]


# A layer of the wrong size: the shapes alone give it away.


def wrong_size_dynamic(reached: Reached) -> None:
    """Two layers that do not fit."""
    import dynamic
    from shared import nn

    first, second = nn.Linear(64, 32), nn.Linear(23, 10)
    reached("the layers are made")
    hidden = first(dynamic.tensor(X))
    reached("the first layer has computed")
    second(hidden)


def wrong_size_static(reached: Reached) -> None:
    """Two layers that do not fit."""
    import static
    from shared import nn

    first, second = nn.Linear(64, 32), nn.Linear(23, 10)
    reached("the layers are made")
    x = static.placeholder("float32", ("N", 64), name="x")
    hidden = first(x)
    reached("the first layer is described")
    second(hidden)


# A label out of range: only the values give it away.


def wrong_label_dynamic(reached: Reached) -> None:
    """Five classes, and a label of 7."""
    import dynamic
    from shared import nn, ops

    model = nn.Linear(64, 5)
    logits = model(dynamic.tensor(X))
    reached("the model has computed")
    loss = ops.cross_entropy(logits, Y)
    loss.backward()


def wrong_label_static(reached: Reached) -> None:
    """Five classes, and a label of 7."""
    import static
    from shared import nn, ops

    model = nn.Linear(64, 5)
    x = static.placeholder("float32", ("N", 64), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    reached("the graph is built")
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        reached("the variables are initialised")
        session.run(loss, {x: X, y: Y})


# Python's own `if` on a value that is computed.


def python_if_dynamic(reached: Reached) -> None:
    """A choice by value."""
    import dynamic

    x = dynamic.tensor(X)
    if x.sum() > 0:
        x = x * 2
    reached("the choice is made")


def python_if_static(reached: Reached) -> None:
    """A choice by value."""
    import static

    x = static.placeholder("float32", ("N", 64), name="x")
    if x.sum() > 0:
        x = x * 2
    reached("the choice is made")


CASES = (
    ("wrong_size", "A layer of the wrong size", wrong_size_dynamic, wrong_size_static),
    ("wrong_label", "A label that is no class", wrong_label_dynamic, wrong_label_static),
    ("python_if", "An if on a computed value", python_if_dynamic, python_if_static),
)


def run(context: Context) -> dict[str, Any]:
    return {
        "cases": [
            {"name": name, "title": title, "dynamic": attempt(dynamic), "static": attempt(static)}
            for name, title, dynamic, static in CASES
        ]
    }


# What is said of it.


def read(found: Json) -> Reading:
    cases = found["cases"]
    leaders = [_leader(case) for case in cases]
    return Reading(
        answer=_answer(leaders),
        verdicts=[
            by_design(Verdict(f"{case['title']}: when it is found",
                              _when(case["dynamic"]), _when(case["static"]), leader))
            for case, leader in zip(cases, leaders, strict=True)
        ],
        evidence=[Pair(case["title"], case["dynamic"], case["static"], says=_told(case)) for case in cases],
        means=[*(_means(engine, cases) for engine in PAIR), _names(cases)],
        otherwise=_otherwise(leaders),
        threats=[
            f"{count(len(cases), 'mistake')} of many, in a few lines each.",
        ],
    )


def _leader(case: Json) -> str | None:
    """The engine on which it is no mistake; or else the one whose error stands at the line that breaks,
    if the other's does not."""
    good = [engine for engine in PAIR if case[engine]["error"] is None]
    if not good:
        good = [e for e in PAIR if case[e]["error"]["named"] == case[e]["error"]["stopped"]]
    return good[0] if len(good) == 1 else None


def _answer(leaders: list[str | None]) -> str:
    said = [
        f"{engine} is ahead on {leaders.count(engine)} of {count(len(leaders), 'mistake')}"
        for engine in PAIR
        if engine in leaders
    ]
    if not said:
        return "Each of these mistakes is found on both engines, and neither leads nearer to the line."
    return f"By where Python stands when a mistake is found, {' and '.join(said)}."


def _told(case: Json) -> str:
    """When each engine found a mistake, and where its message leads."""
    errors = [case[engine]["error"] for engine in PAIR]
    if all(errors) and len({error["type"] for error in errors}) == 1:
        when = "; ".join(f"{engine} {_by_then(case[engine])}" for engine in PAIR)
        said = [f"Both stop with {_a(errors[0]['type'])}: {when}."]
        leads = [_leads(error) for error in errors]
        if leads[0] == leads[1]:
            return f"{said[0]} Each {leads[0]}."
        return " ".join([*said, *(f"{e.capitalize()} {lead}." for e, lead in zip(PAIR, leads, strict=True))])
    said = []
    for engine, error in zip(PAIR, errors, strict=True):
        if error is None:
            said.append(f"On {engine} this is no mistake: the code runs to its end.")
        else:
            when = f"stops with {_a(error['type'])} {_by_then(case[engine])}"
            said.append(f"{engine.capitalize()} {when}; it {_leads(error)}.")
    return " ".join(said)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _by_then(found: Json) -> str:
    return f"once {found['reached'][-1]}" if found["reached"] else "at once"


def _when(found: Json) -> str:
    return "no mistake here" if found["error"] is None else f"found {_by_then(found)}"


def _leads(error: Json) -> str:
    if error["named"] is None:
        return "names no line of the script in its message"
    if error["named"] == error["stopped"]:
        return "stands at the line that breaks, and its message names that line"
    return (
        "stands at the line that runs the graph, which is not the one that breaks, but its message leads "
        "back"
    )


def _means(engine: str, cases: Json) -> str:
    """What an engine's stack traces are worth."""
    errors = [case[engine]["error"] for case in cases if case[engine]["error"] is not None]
    far = [error for error in errors if error["named"] != error["stopped"]]
    if not errors:
        return f"{engine.capitalize()} takes all of this for granted."
    if not far:
        return (
            f"Every error of {engine} is raised while the line that breaks runs, so a debugger has in its "
            "hands what that line was given."
        )
    return (
        f"{count(len(far), 'error')} of {engine}'s {len(errors)} came when the graph ran: a debugger stops "
        "at the run, and only the message leads back."
    )


def _names(cases: Json) -> str:
    free = [engine for engine in PAIR if any(case[engine]["error"] is None for case in cases)]
    if len(free) != 1:
        return "What is a mistake on one engine is a mistake on the other."
    return f"What is plain Python on {free[0]} is an error on {OTHER[free[0]]}."


def _otherwise(leaders: list[str | None]) -> list[str]:
    behind = [engine for engine in PAIR if leaders.count(engine) < leaders.count(OTHER[engine])]
    reasons = {
        "static": "A mistake in known shapes is found before data is loaded or a machine waited for.",
        "dynamic": "An engine that computes at once can say what the values were, and a description can not.",
    }
    return [reasons[engine] for engine in behind or PAIR]


EXPERIMENT = Experiment(
    name="mistakes",
    title="The same mistake, twice",
    question="When is a mistake found, and does the message lead to the line that made it?",
    dimension="debugging",
    run=run,
    read=read,
    sizes=lambda found: "Two models of one or two layers, and an if without one; two rows of 64 numbers.",
    level="",
)
