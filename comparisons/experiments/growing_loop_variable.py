"""A loop whose value grows from trip to trip: may it?"""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import PAIR, count

START = np.array([1.0, 1.0], np.float32)
LIMIT = 500.0


def growing_dynamic() -> list[float]:
    """A sequence that makes its own next element, until one is large enough."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(START)
    while x[-1] < LIMIT:
        x = ops.concatenate([x, x[-1:] + x[-2:-1]])
    return x.tolist()


def growing_static() -> list[float]:
    """A sequence that makes its own next element, until one is large enough."""
    import static
    from shared import ops

    start = static.placeholder("float32", ("T",), name="start")
    (x,) = static.while_loop(
        lambda x: x[-1] < LIMIT,
        lambda x: [ops.concatenate([x, x[-1:] + x[-2:-1]])],
        [start],
    )
    with static.Session() as session:
        return session.run(x, {start: START}).tolist()


ROOM = 64


def padded_dynamic() -> dict[str, Any]:
    """The same loop; it has no need of a room to grow in."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(START)
    while x[-1] < LIMIT:
        x = ops.concatenate([x, x[-1:] + x[-2:-1]])
    return {"sequence": x.tolist(), "held": x.size}


def padded_static() -> dict[str, Any]:
    """A vector of a fixed size, and how much of it is in use."""
    import static
    from shared import ops

    def end_is_small(n, x):
        return ops.take(x, n - 1, 0) < LIMIT

    def append(n, x):
        new = ops.take(x, n - 1, 0) + ops.take(x, n - 2, 0)
        return n + 1, ops.where(ops.arange(ROOM) == n, new, x)

    start = static.placeholder("float32", (2,), name="start")
    x = ops.concatenate([start, ops.zeros(ROOM - 2, "float32", like=start)])
    n, x = static.while_loop(end_is_small, append, [static.constant(2), x])
    with static.Session() as session:
        n, x = session.run([n, x], {start: START})
    return {"sequence": x[:n].tolist(), "held": x.size}


def run(context: Context) -> dict[str, Any]:
    return {
        "limit": LIMIT,
        "growing": {"dynamic": attempt(growing_dynamic), "static": attempt(growing_static)},
        "padded": {"dynamic": attempt(padded_dynamic), "static": attempt(padded_static)},
    }


# What is said of it.


def read(found: Json) -> Reading:
    growing, padded = found["growing"], found["padded"]
    grows = [engine for engine in PAIR if growing[engine]["error"] is None]
    refused = [engine for engine in PAIR if engine not in grows]
    lines = {engine: written(padded[engine]["code"]) for engine in PAIR}
    return Reading(
        answer=_answer(grows, refused),
        verdicts=[
            by_design(Verdict("a loop variable whose shape grows", _cell(growing["dynamic"]),
                              _cell(growing["static"]), grows[0] if len(grows) == 1 else None)),
            counted("lines of code of a loop whose value grows, made to work",
                    lines["dynamic"], lines["static"]),
        ],
        evidence=[
            Pair("A value that grows", growing["dynamic"], growing["static"],
                 says="Each element is the sum of the two before it, up to the first that reaches "
                 f"{found['limit']:g}."),
            Pair("A loop that works on each engine", padded["dynamic"], padded["static"], says=_same(padded)),
        ],
        means=_means(grows, refused),
        otherwise=_otherwise(refused),
        threats=[
            "TensorFlow 1 had `shape_invariants`, by which a variable could grow; static takes the setting "
            "with a warning, and keeps the shape.",
        ],
    )  # fmt: skip


def _cell(side: Json) -> str:
    return "grows" if side["error"] is None else str(side["error"]["type"])


def _answer(grows: list[str], refused: list[str]) -> str:
    if not refused:
        return "On both engines a loop's value may grow from trip to trip."
    if not grows:
        return "On neither engine may a loop's value grow."
    return (
        f"On {grows[0]} it may: the loop is Python's, and each trip makes a value of whatever size. On "
        f"{refused[0]} a loop's variable keeps its shape, and the loop is refused before it has run."
    )


def _same(padded: Json) -> str:
    sequences = [padded[engine]["value"]["sequence"] for engine in PAIR]
    if sequences[0] == sequences[1]:
        return f"Both give the same {count(len(sequences[0]), 'element')}."
    return "They do not give the same elements."


def _means(grows: list[str], refused: list[str]) -> list[str]:
    said = [
        f"On {engine} a shape is a fact about a value that is there."
        for engine in grows
    ]
    said += [
        f"On {engine} the body of a loop is described once, for all trips: one chooses a largest size, and "
        "carries along how much is in use."
        for engine in refused
    ]
    return said


def _otherwise(refused: list[str]) -> list[str]:
    reasons = {
        "static": "What the loop holds is known before it starts; appending copies in every trip.",
        "dynamic": "A loop that must keep its shapes can be compiled once, whatever runs it.",
    }
    if not refused:
        return ["Neither side is seen to have come off worse."]
    return [reasons[engine] for engine in refused]


EXPERIMENT = Experiment(
    name="growing_loop_variable",
    title="A loop variable that grows",
    question="May a loop's value have another size in the next trip?",
    dimension="control_flow",
    run=run,
    read=read,
    sizes=lambda found: (
        f"A sequence of two numbers at first, up to the first element that reaches {found['limit']:g}."
    ),
    level="",
)
