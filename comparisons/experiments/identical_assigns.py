"""The same line twice: which are done once, and which must be done twice?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import by_design, counted
from comparisons.statistics.quantities import PAIR, count, listed

X = np.array([[1.0, 2.0, 3.0]], np.float32)
W = np.ones((3, 2), np.float32)
TWICE = 2
"""How often each line stands there."""


def twice_dynamic() -> float:
    """A product, an update and a print, each of them twice."""
    import dynamic

    x, w = dynamic.tensor(X), dynamic.tensor(W)
    total = dynamic.tensor(0.0)
    first = x @ w
    second = x @ w
    total = total + 1.0
    total = total + 1.0
    y = first + second
    print("y", y.numpy())
    print("y", y.numpy())
    return total.item()


def twice_static() -> float:
    """A product, an update and a print, each of them twice."""
    import static

    x, w = static.placeholder("float32", (1, 3), name="x"), static.constant(W)
    total = static.Variable(0.0, name="total")
    first = x @ w
    second = x @ w
    once = total.assign_add(1.0)
    again = total.assign_add(1.0)
    y = first + second
    shown = static.Print(y, [y], "y ")
    repeated = static.Print(y, [y], "y ")
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.run([once, again, shown, repeated], {x: X})
        return session.run(total).item()


def run(context: Context) -> dict[str, Any]:
    found = {}
    for engine, snippet in (("dynamic", twice_dynamic), ("static", twice_static)):
        ended = attempt(snippet)
        ops = context.kernels(partial(attempt, snippet))["ops"]
        found[engine] = {
            **ended,
            "products": ops["matmul"],
            "updates": int(ended["value"]),
            "prints": len(ended["out"].splitlines()),
        }
    return found


# What is said of it.

KINDS = (
    ("a product of the same two matrices", "products", False),
    ("an update that adds one", "updates", True),
    ("a line that prints", "prints", True),
)
"""What stands there twice, under which key it was counted, and whether it has an effect."""


def read(found: Json) -> Reading:
    merged = [engine for engine in PAIR if found[engine]["products"] < TWICE]
    lost = [e for e in PAIR if any(found[e][key] < TWICE for _, key, effect in KINDS if effect)]
    return Reading(
        answer=_answer(merged, lost),
        verdicts=[
            by_design(counted("a counter after two equal lines that add 1",
                              *(found[e]["updates"] for e in PAIR), more=True)),
            by_design(counted("kernels run for a matrix product written twice",
                              *(found[e]["products"] for e in PAIR))),
        ],
        evidence=[
            Pair("The same line twice, three times over", found["dynamic"], found["static"],
                 says="One result from each pair would do for the first; the others are wanted twice."),
            Table(
                "How often each was done",
                ("stands there twice", "has an effect", *PAIR),
                [
                    (kind, "yes" if effect else "no", *(count(found[e][key], "time") for e in PAIR))
                    for kind, key, effect in KINDS
                ],
                says="Products by the kernels that ran, updates by what the variable held in the "
                "end, prints by their lines.",
            ),
        ],
        means=_means(merged, lost),
        otherwise=_otherwise(merged, lost),
        threats=[
            "TensorFlow 1 kept effects apart by a flag in the op's definition, `is_stateful`.",
        ],
    )  # fmt: skip


def _answer(merged: list[str], lost: list[str]) -> str:
    if lost:
        return f"On {listed(lost)} an effect that stands there twice happens once, which is wrong."
    if not merged:
        return "What stands there twice is done twice on both engines, with an effect or without."
    if len(merged) == 2:
        return "On both engines the product is computed once, and what has an effect is done twice."
    return (
        f"What has an effect is done twice on both engines; the product, which has none, is computed once on "
        f"{merged[0]}."
    )


def _means(merged: list[str], lost: list[str]) -> list[str]:
    said = [
        f"{engine.capitalize()} sees that two lines compute the same from the same, and computes it once."
        for engine in merged
    ]
    said += [
        f"{engine.capitalize()} does what each line says."
        for engine in PAIR
        if engine not in merged
    ]
    if lost:
        said.append(
            f"To {listed(lost)} two updates that read alike were one, so its optimiser does not know what "
            "has an effect, and no program that counts is safe with it."
        )
    elif merged:
        said.append(
            "An update is no special case: the second reads what the first has left; prints and other "
            "effects are marked."
        )
    return said


def _otherwise(merged: list[str], lost: list[str]) -> list[str]:
    if len(merged) != 1 and not lost:
        return ["Neither side is seen to have come off worse."]
    if lost:
        return ["A program without effects loses nothing by it, and its equal lines cost nothing."]
    if merged == ["static"]:
        return [
            "On dynamic one gives the product a name, and nobody has to trust an optimiser to tell an "
            "effect from a value.",
        ]
    return [
        "What is done as often as it is written can be timed and counted by reading the code; an engine that "
        "merges has to be asked what it did.",
    ]


EXPERIMENT = Experiment(
    name="identical_assigns",
    title="The same line twice",
    question="The same line stands twice in my program. Is it done once, or twice, and which is right?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: "A product of (1, 3) by (3, 2), an update and a print.",
    level="exact",
)
