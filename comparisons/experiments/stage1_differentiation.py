"""The first stage of the book: a derivative that nobody worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Drawing, Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, count

POINT, STEP = 0.5, 1e-4


def chain_dynamic() -> list[float]:
    """The book's first chain of functions."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(np.array(POINT), requires_grad=True)
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.square(b)
    y.backward()
    return [y.item(), x.grad.item()]


def chain_static() -> list[float]:
    """The book's first chain of functions."""
    import static
    from shared import ops

    x = static.placeholder("float64", (), name="x")
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.square(b)
    (slope,) = static.gradients(y, [x])
    with static.Session() as session:
        value, gradient = session.run([y, slope], {x: POINT})
    return [value.item(), gradient.item()]


def function(x: float) -> float:
    """The same on numbers, for the difference quotient."""
    return float(np.square(np.exp(np.square(x))))


def run(context: Context) -> dict[str, Any]:
    import dynamic
    import static
    from shared import ops

    quotient = (function(POINT + STEP) - function(POINT - STEP)) / (2 * STEP)
    chains = {"dynamic": attempt(chain_dynamic), "static": attempt(chain_static)}
    x = dynamic.tensor(np.array(POINT), requires_grad=True)
    y = ops.square(ops.exp(ops.square(x)))
    with static.Graph().as_default():
        z = static.placeholder("float64", (), name="x")
        w = ops.square(ops.exp(ops.square(z)))
        pictures = {"dynamic": context.drawing(y), "static": context.drawing(w)}
    return {
        "chains": chains,
        "quotient": quotient,
        "pictures": pictures,
        "whole": context.time({"dynamic": chain_dynamic, "static": chain_static}),
    }


def read(found: Json) -> Reading:
    chains, quotient = found["chains"], found["quotient"]
    lines = {engine: written(chains[engine]["code"]) for engine in PAIR}
    slopes = {engine: chains[engine]["value"][1] for engine in PAIR}
    row = timed("a first derivative, building included", *(found["whole"][engine] for engine in PAIR))
    shorter = None if lines["dynamic"] == lines["static"] else min(PAIR, key=lambda engine: lines[engine])
    same = slopes["dynamic"] == slopes["static"]
    return Reading(
        answer=_answer(same, shorter, lines),
        verdicts=[counted("lines of code for a first derivative", lines["dynamic"], lines["static"]), row],
        evidence=[
            Pair("y = (exp(x²))², and its derivative", chains["dynamic"], chains["static"],
                 says="Three functions that know their own derivatives, and the chain rule."),
            Table(
                "The derivative, three ways", ("by", "dy/dx at x = 0.5"),
                [*((engine, f"{slopes[engine]:.12g}") for engine in PAIR),
                 ("a difference quotient", f"{quotient:.12g}")],
                says=f"The quotient is (f(x + h) - f(x - h)) / 2 h with h = {STEP:g}.",
            ),
            Drawing("What leads to y", found["pictures"],
                    says="The same three ops: a record on dynamic, a plan on static."),
        ],
        means=_means(shorter, row.ahead),
        otherwise=_otherwise(shorter, row.ahead),
        threats=[
            "One function at one point, and small: its arithmetic hardly counts.",
        ],
    )  # fmt: skip


def _answer(same: bool, shorter: str | None, lines: Json) -> str:
    numbers = "the same number" if same else "two different numbers"
    said = f"Both engines find the derivative by themselves, and give {numbers}"
    if shorter is None:
        return f"{said}, in {count(lines['dynamic'], 'line')} each."
    return f"{said}; {shorter} takes {count(lines[shorter], 'line')}, the other {lines[OTHER[shorter]]}."


def _means(shorter: str | None, sooner: str | None) -> list[str]:
    said = [
        "A derivative needs a record of what was done to what. Define-by-run writes it while the program "
        "runs; define-and-run has it before."
    ]
    if shorter is not None:
        said.append(f"What {OTHER[shorter]} has to say more is where numbers go in and where they come out.")
    if sooner is not None:
        said.append(f"For one derivative at one point, {sooner} is done sooner.")
    return said


def _otherwise(shorter: str | None, sooner: str | None) -> list[str]:
    behind = OTHER[sooner] if sooner is not None else None
    if behind == "static":
        return [
            "Static's derivative is a piece of graph: run at any point, kept in a file, differentiated once "
            "more.",
        ]
    if behind == "dynamic":
        return [
            "On dynamic every line has a value as soon as it has run, so a reader can stop at any of them, "
            "look, and go on.",
        ]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="stage1_differentiation",
    title="Stage 1: automatic differentiation",
    question="How does each engine find a derivative that nobody worked out?",
    dimension="book",
    run=run,
    read=read,
    sizes=lambda found: "One number.",
)
