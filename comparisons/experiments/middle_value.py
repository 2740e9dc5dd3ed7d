"""A value in the middle of a model: what does it take to see it, and to replace it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import OTHER, PAIR

X = np.array([[0.5, 1.0, 2.0]], np.float32)


# A value that the program has a name for.


def named_dynamic() -> list[list[float]]:
    """Two layers, and a look between them."""
    import dynamic
    from shared import nn, ops

    first, second = nn.Linear(3, 2), nn.Linear(2, 2)
    hidden = ops.tanh(first(dynamic.tensor(X)))
    print("hidden is", hidden)
    return second(hidden).tolist()


def named_static() -> list[list[float]]:
    """Two layers, and a look between them."""
    import static
    from shared import nn, ops

    first, second = nn.Linear(3, 2), nn.Linear(2, 2)
    x = static.placeholder("float32", ("N", 3), name="x")
    hidden = ops.tanh(first(x))
    print("hidden is", hidden)
    y = second(hidden)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        return session.run(y, {x: X}).tolist()


# A value inside a model that somebody else wrote.


def inside_dynamic() -> list[list[float]]:
    """What the second of three layers gives."""
    import dynamic
    from shared import nn

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
    seen = []
    with model[1].register_forward_hook(lambda layer, given, y: seen.append(y)):
        model(dynamic.tensor(X))
    return seen[0].tolist()


def inside_static() -> list[list[float]]:
    """What the second of three layers gives."""
    import static
    from shared import nn

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
    x = static.placeholder("float32", ("N", 3), name="x")
    model(x)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        return session.run("Sequential/1/tanh:0", {x: X}).tolist()


# What would come out if that value were another one?


def replaced_dynamic() -> list[list[float]]:
    """The second layer's output is set to zeros."""
    import dynamic
    from shared import nn

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
    zeros = dynamic.tensor(np.zeros((1, 2), np.float32))
    with model[1].register_forward_hook(lambda layer, given, y: zeros):
        y = model(dynamic.tensor(X))
    return y.tolist()


def replaced_static() -> list[list[float]]:
    """The second layer's output is set to zeros."""
    import static
    from shared import nn

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 2))
    x = static.placeholder("float32", ("N", 3), name="x")
    y = model(x)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        zeros = np.zeros((1, 2), np.float32)
        return session.run(y, {"Sequential/1/tanh:0": zeros}).tolist()


def run(context: Context) -> dict[str, Any]:
    counted = {"inside": (inside_dynamic, inside_static), "replaced": (replaced_dynamic, replaced_static)}
    found: dict[str, Any] = {
        case: {
            engine: {**attempt(function), "kernels": _kernels(context, function)}
            for engine, function in zip(PAIR, functions, strict=True)
        }
        for case, functions in counted.items()
    }
    return found | {"named": {"dynamic": attempt(named_dynamic), "static": attempt(named_static)}}


def _kernels(context: Context, function: Callable[[], Any]) -> int:
    """The ops that ran, without those that give variables their first values."""
    found = context.kernels(function)
    return int(found["total"] - found["ops"].get("initial_value", 0))


# What is said of it.


def read(found: Json) -> Reading:
    named, inside, replaced = (found[case] for case in ("named", "inside", "replaced"))
    shows = [engine for engine in PAIR if _has_number(named[engine]["out"])]
    looked = {engine: inside[engine]["kernels"] for engine in PAIR}
    changed = {engine: replaced[engine]["kernels"] for engine in PAIR}
    spared = [e for e in PAIR if looked[e] < looked[OTHER[e]] or changed[e] < changed[OTHER[e]]]
    return Reading(
        answer=_answer(shows, spared),
        verdicts=[
            by_design(Verdict("print(hidden) in the middle of a model", _shown("dynamic" in shows),
                              _shown("static" in shows), shows[0] if len(shows) == 1 else None)),
            counted("kernels run to read one hidden value", looked["dynamic"], looked["static"]),
        ],
        evidence=[
            Pair("A value that has a name", named["dynamic"], named["static"],
                 says="Below the code stands what was printed."),
            Pair("A value inside a model", inside["dynamic"], inside["static"], says=_same(inside)),
            Pair("Another value in its place", replaced["dynamic"], replaced["static"], says=_same(replaced)),
        ],
        means=_means(shows, spared),
        otherwise=_otherwise(shows, spared),
        threats=[
            "In TensorFlow 1 the name was `dense_2/Tanh:0`, numbered in the order of making.",
        ],
    )  # fmt: skip


def _has_number(text: str) -> bool:
    """Whether the print of a value has decimal numbers in it, and not its shape alone."""
    return any(part.strip("[]()-,").replace(".", "", 1).isdigit() and "." in part for part in text.split())


def _shown(numbers: bool) -> str:
    return "the numbers" if numbers else "a name and a shape"


def _same(case: Json) -> str:
    if case["dynamic"]["value"] == case["static"]["value"]:
        return "Both give the same numbers."
    return "They give different numbers."


def _answer(shows: list[str], spared: list[str]) -> str:
    if len(shows) != 1:
        return f"On both engines a print shows {_shown(bool(shows))}."
    one, other = shows[0], OTHER[shows[0]]
    said = f"On {one} a print; on {other} a run, for until then there is a name and a shape."
    if spared == [other]:
        return (
            f"{said} But {other} finds and replaces any value by its name and computes only what that needs."
        )
    return said


def _means(shows: list[str], spared: list[str]) -> list[str]:
    said = []
    for engine in PAIR:
        if engine in shows:
            said.append(
                f"On {engine} whatever Python has for looking at things (`print`, an `assert`, a debugger) "
                "looks at the value."
            )
        else:
            said.append(
                f"On {engine} the name stands for a value that will be: one asks a session."
            )
    said += [
        f"On {engine} what is asked for bounds what is computed."
        for engine in spared
    ]
    return said


def _otherwise(shows: list[str], spared: list[str]) -> list[str]:
    reasons = {
        "static": "In a model that somebody else wrote, each value has an address: one line reads it or "
        "puts another in its place.",
        "dynamic": "What has been computed can be held and looked at as often as one likes, without being "
        "computed again.",
    }
    if len(shows) == 1 and spared != shows:
        return [reasons[OTHER[shows[0]]]]
    if len(shows) == 1:
        return [f"A run that is asked for gives the value of that run: {reasons[OTHER[shows[0]]]}"]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="middle_value",
    title="A look into the middle",
    question="What does it take to see a value in the middle of a model?",
    dimension="debugging",
    run=run,
    read=read,
    sizes=lambda found: "Two or three dense layers of a few units, one row of three numbers.",
    level="exact",
)
