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
from comparisons.lab.snippet import attempt, source_of, written
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import PAIR, listed, spread_of
from shared.errors import DiptychError
from shared.watch.hooks import watching
from shared.watch.nan import NanFinder

WORDS = np.array([[3, 1, 12]])
X = np.array([[0.5, -1.0, 2.0]], np.float32)
ROWS = np.abs(X)
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


# It gives NaN, in step 300 of a training: no error, and nothing to see in the loss but that.


def nan_dynamic() -> None:
    """A loss that is NaN from step 300 on: watched there."""
    from contextlib import nullcontext

    import dynamic
    from shared import nn, ops, optim

    nn.manual_seed(0)
    layer = nn.Linear(3, 1)
    opt = optim.SGD(layer.parameters(), lr=0.01)

    def squash(h):
        return ops.sqrt(h)  # the bug: of numbers below zero

    def model(x):
        return layer(squash(x)).mean()

    for step in range(301):
        x = dynamic.tensor(ROWS if step < 300 else -ROWS)
        with dynamic.watching(dynamic.NanFinder()) if step == 300 else nullcontext():
            loss = model(x)
            opt.zero_grad()
            loss.backward()
            opt.step()


def nan_static() -> None:
    """A loss that is NaN from step 300 on: watched there."""
    from contextlib import nullcontext

    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    layer = nn.Linear(3, 1)
    opt = optim.SGD(layer.parameters(), lr=0.01)

    def squash(h):
        return ops.sqrt(h)  # the bug: of numbers below zero

    def model(x):
        return layer(squash(x)).mean()

    x = static.placeholder("float32", ("N", 3), name="x")
    loss = model(x)
    train = opt.minimize(loss)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for step in range(301):
            rows = ROWS if step < 300 else -ROWS
            with static.watching(static.NanFinder()) if step == 300 else nullcontext():
                session.run(train, {x: rows})


def steps_dynamic() -> Callable[[], Any]:
    """A training step of three dense layers."""
    import dynamic
    from shared import nn, ops, optim

    model = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    opt = optim.SGD(model.parameters(), lr=0.01)
    x, y = dynamic.tensor(np.ones((64, 256), np.float32)), np.zeros(64, np.int64)

    def step():
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


def steps_static() -> Callable[[], Any]:
    """A training step of three dense layers."""
    import static
    from shared import nn, ops, optim

    model = nn.Sequential(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    x, y = static.constant(np.ones((64, 256), np.float32)), np.zeros(64, np.int64)
    train = optim.SGD(model.parameters(), lr=0.01).minimize(ops.cross_entropy(model(x), y))
    session = static.Session(optimize="exact")
    session.run(static.global_variables_initializer())
    return lambda: session.run(train)


def watched(step: Callable[[], Any]) -> Callable[[], Any]:
    """The same, with each op looked at."""

    def looked_at() -> None:
        with watching(NanFinder()):
            step()

    return looked_at


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
    calls = {"dynamic": steps_dynamic(), "static": steps_static()}
    taken = context.time(calls | {f"{engine}, watched": watched(step) for engine, step in calls.items()})
    return found | {
        "steps": {"dynamic": {"code": source_of(steps_dynamic)}, "static": {"code": source_of(steps_static)}},
        "dead": {"dynamic": attempt(dead_dynamic), "static": attempt(dead_static)},
        "watching": {
            "plain": {engine: taken[engine] for engine in PAIR},
            "watched": {engine: taken[f"{engine}, watched"] for engine in PAIR},
        },
    }


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
                 says="The steps before run as ever; in the last each op is looked at, on the way back too."),
            Pair("A step to watch", found["steps"]["dynamic"], found["steps"]["static"]),
            Table("What watching costs", ("a training step", *PAIR),
                  [(name, *(spread_of(found["watching"][key][engine]) for engine in PAIR))
                   for key, name in (("plain", "as ever"), ("watched", "watched"))],
                  says="Three dense layers, 64 rows. A checkpoint of before is the way to a far step."),
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
    sizes=lambda found: "Models of one to three small layers, one row; for times three of 256, and 64 rows.",
    level="exact",
)
