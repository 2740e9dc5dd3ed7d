"""The same bug on both engines: how does one come from what is seen to the line that is wrong?"""

from __future__ import annotations

import inspect
import io
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import numpy as np

import dynamic
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import PAIR, listed
from shared.errors import DiptychError

WORDS = np.array([[3, 1, 12]])
X = np.array([[0.5, -1.0, 2.0]], np.float32)
MARK = "# the bug"


# It crashes: a word that the table does not have, in a function below a function.


def crash_dynamic() -> None:
    """Words to a score."""
    import dynamic
    from shared import nn

    table, score = nn.Embedding(10, 4), nn.Linear(4, 1)

    def encode(words):
        rows = table(words)  # the bug: ten words, and a 12
        return rows.mean(axis=1)

    def model(words):
        return score(encode(words))

    print(model(dynamic.tensor(WORDS)))


def crash_static() -> None:
    """Words to a score."""
    import static
    from shared import nn

    table, score = nn.Embedding(10, 4), nn.Linear(4, 1)

    def encode(words):
        rows = table(words)  # the bug: ten words, and a 12
        return rows.mean(axis=1)

    def model(words):
        return score(encode(words))

    words = static.placeholder("int64", ("N", 3), name="words")
    y = model(words)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        print(session.run(y, {words: WORDS}))


# It gives NaN: no error, and nothing to see in the result but that.


def nan_dynamic() -> None:
    """A score that came out NaN, looked into."""
    import dynamic
    from shared import nn, ops

    nn.manual_seed(0)
    first, last = nn.Linear(3, 4), nn.Linear(4, 1)

    def squash(h):
        return ops.sqrt(h - 10.0)  # the bug: of numbers below zero

    def model(x):
        return last(squash(first(x)))

    print(model(dynamic.tensor(X)))
    with dynamic.watching(dynamic.NanFinder()):
        model(dynamic.tensor(X))


def nan_static() -> None:
    """A score that came out NaN, looked into."""
    import static
    from shared import nn, ops

    nn.manual_seed(0)
    first, last = nn.Linear(3, 4), nn.Linear(4, 1)

    def squash(h):
        return ops.sqrt(h - 10.0)  # the bug: of numbers below zero

    def model(x):
        return last(squash(first(x)))

    x = static.placeholder("float32", ("N", 3), name="x")
    y = model(x)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        print(session.run(y, {x: X}))
        with static.watching(static.NanFinder()):
            session.run(y, {x: X})


# It says nothing: the answer is the same for every input, for a layer in the middle gives zeros.


def dead_dynamic() -> str:
    """The first layer that gives nothing but zeros."""
    import dynamic
    from shared import nn

    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    model[2].bias.assign(np.full(8, -100, np.float32))

    dead = []

    def look(layer, given, y):
        if not y.numpy().any():
            dead.append(layer.name)

    for layer in model:
        layer.register_forward_hook(look)
    model(dynamic.tensor(X))
    return f"layer {dead[0]}"


def dead_static() -> str:
    """The first layer that gives nothing but zeros."""
    import static
    from shared import nn

    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    model[2].bias.assign(np.full(8, -100, np.float32))

    x = static.placeholder("float32", ("N", 3), name="x")
    model(x)
    nodes = static.get_default_graph().nodes
    names = [node.name for node in nodes if node.name.startswith("Sequential/")]
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        values = session.run([f"{name}:0" for name in names], {x: X})
    dead = [name for name, v in zip(names, values, strict=True) if not v.any()]
    return f"layer {dead[0].split('/')[1]}"


def run(context: Context) -> dict[str, Any]:
    loud = {"crash": (crash_dynamic, crash_static), "nan": (nan_dynamic, nan_static)}
    with np.errstate(all="ignore"):  # NumPy's own warnings say as much on either engine
        found: dict[str, Any] = {
            case: {
                engine: {**attempt(function), "trail": _trail(function)}
                for engine, function in zip(PAIR, functions, strict=True)
            }
            for case, functions in loud.items()
        }
    return found | {"dead": {"dynamic": attempt(dead_dynamic), "static": attempt(dead_static)}}


def _trail(function: Callable[[], Any]) -> dict[str, Any]:
    """What the traceback of a snippet says of the line with the bug.

    frames  how many frames it has, from the snippet to where the error was raised
    below   how many of them lie below the line with the bug; None if that line is none of them
    held    the names of the Tensors whose values a debugger finds there
    named   whether the message names the line
    """
    lines, first = inspect.getsourcelines(function)
    guilty = first + next(at for at, line in enumerate(lines) if MARK in line)
    file = function.__code__.co_filename
    with redirect_stdout(io.StringIO()):
        try:
            function()
        except DiptychError as error:
            steps = list(traceback.walk_tb(error.__traceback__))[1:]
            line = error.line
    at = [
        i for i, (frame, number) in enumerate(steps) if (frame.f_code.co_filename, number) == (file, guilty)
    ]
    local = steps[at[-1]][0].f_locals if at else {}
    return {
        "frames": len(steps),
        "below": len(steps) - 1 - at[-1] if at else None,
        "held": sorted(name for name, value in local.items() if isinstance(value, dynamic.Tensor)),
        "named": line is not None and (line.file, line.number) == (file, guilty),
    }


# What is said of it.

LOUD = {"crash": "crash", "nan": "NaN"}
"""The bugs that are seen, and what one sees."""


def read(found: Json) -> Reading:
    crash, nan, dead = found["crash"], found["nan"], found["dead"]
    led = [engine for engine in PAIR if all(_leads(found[case][engine]) for case in LOUD)]
    lines = {engine: written(dead[engine]["code"]) for engine in PAIR}
    return Reading(
        answer=_answer(found, led),
        verdicts=[
            counted("lines of code to find a layer that gives only zeros",
                    lines["dynamic"], lines["static"], "lines"),
            *(
                by_design(Verdict(f"where a {seen} shows the line with the bug",
                                  _place(found[case]["dynamic"]), _place(found[case]["static"]),
                                  _leader(found[case])))
                for case, seen in LOUD.items()
            ),
        ],
        evidence=[
            Pair("A crash", crash["dynamic"], crash["static"],
                 says="A word is asked for that the table does not have."),
            Pair("A NaN", nan["dynamic"], nan["static"],
                 says="The score is printed, and is NaN; the last lines look for where that began."),
            Table(
                "From the error to the line",
                ("", "frames", "below the bug's line", "values there", "in the message"),
                [_row(seen, e, found[case][e]["trail"]) for case, seen in LOUD.items() for e in PAIR],
                says="Frames of the traceback, from the snippet on.",
            ),
            Pair("A layer that has died", dead["dynamic"], dead["static"], says=_died(dead)),
        ],
        means=_means(found, led),
        otherwise=_otherwise(led),
        threats=[
            "TensorFlow 1 named the node and printed the stack on which it had been made.",
            "The author knew what to look for.",
        ],
    )  # fmt: skip


def _leads(side: Json) -> bool:
    """Whether the traceback goes through the line with the bug."""
    return side["trail"]["below"] is not None


def _leader(case: Json) -> str | None:
    led = [engine for engine in PAIR if _leads(case[engine])]
    return led[0] if len(led) == 1 else None


def _place(side: Json) -> str:
    if _leads(side):
        return "in the traceback"
    return "in the message" if side["trail"]["named"] else "nowhere"


def _row(seen: str, engine: str, trail: Json) -> tuple[str, ...]:
    below = "it is none of them" if trail["below"] is None else str(trail["below"])
    return (
        f"A {seen}, {engine}", str(trail["frames"]), below, ", ".join(trail["held"]) or "none",
        "yes" if trail["named"] else "no",
    )  # fmt: skip


def _answer(found: Json, led: list[str]) -> str:
    named = sum(found[case][engine]["trail"]["named"] for case in LOUD for engine in PAIR)
    said = f"By the message, which named the line in {named} of {2 * len(LOUD)} searches"
    if len(led) == 1:
        return (
            f"{said}; on {led[0]} also by the traceback, so that a debugger stops there with the values in "
            "hand."
        )
    if led:
        return f"{said}, and by the traceback on both engines."
    return f"{said}; on neither engine does the traceback go through it."


def _died(dead: Json) -> str:
    values = {engine: dead[engine]["value"] for engine in PAIR}
    if values["dynamic"] == values["static"]:
        return f"No error, and no NaN. Both searches end at {values['dynamic']}."
    return (
        f"No error, and no NaN. Dynamic's search ends at {values['dynamic']}, static's at {values['static']}."
    )


def _means(found: Json, led: list[str]) -> list[str]:
    said = []
    for engine in PAIR:
        held = sorted({name for case in LOUD for name in found[case][engine]["trail"]["held"]})
        if engine in led:
            names = listed([f"`{name}`" for name in held]) if held else "nothing"
            said.append(
                f"On {engine} the wrong line is running: `pdb` opened at the error has {names} to look at."
            )
        else:
            said.append(
                f"On {engine} the line had run long before, to describe; the way back is a text in a message."
            )
    return said


def _otherwise(led: list[str]) -> list[str]:
    reasons = {
        "static": "Where nothing fails, one run of static's fetches every value by its name.",
        "dynamic": "A program that runs line by line is looked into line by line, with whatever Python has.",
    }
    if len(led) == 1:
        return [reasons[PAIR[led[0] == PAIR[0]]]]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="time_to_culprit",
    title="From the symptom to the line",
    question="Something is wrong. How does one come to the line that is to blame?",
    dimension="debugging",
    run=run,
    read=read,
    sizes=lambda found: "Models of two or three small layers, one row.",
    level="exact",
)
