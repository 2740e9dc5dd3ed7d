"""The third stage of the book: Newton's method, by a derivative of a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Drawing, Json, Pair, Series
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import counted, timed
from comparisons.statistics.quantities import PAIR


def newton_dynamic() -> list[float]:
    """From x = 2 to a minimum of x^4 - 2 x^2."""
    import dynamic

    x = dynamic.tensor(np.array(2.0), requires_grad=True)
    places = [x.item()]
    for _ in range(8):
        y = x**4 - 2 * x**2
        slope = dynamic.grad(y, x, create_graph=True)
        curvature = dynamic.grad(slope, x)
        x = dynamic.tensor(x.data - slope.data / curvature.data, requires_grad=True)
        places.append(x.item())
    return places


def newton_static() -> list[float]:
    """From x = 2 to a minimum of x^4 - 2 x^2."""
    import static

    x = static.Variable(np.array(2.0), name="x")
    y = x**4 - 2 * x**2
    (slope,) = static.gradients(y, [x])
    (curvature,) = static.gradients(slope, [x])
    step = x.assign(x - slope / curvature)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        places = [session.run(x).item()]
        for _ in range(8):
            places.append(session.run(step).item())
    return places


def run(context: Context) -> dict[str, Any]:
    import dynamic
    import static

    codes = {"dynamic": attempt(newton_dynamic), "static": attempt(newton_static)}
    x = dynamic.tensor(np.array(2.0), requires_grad=True)
    slope = dynamic.grad(x**4 - 2 * x**2, x, create_graph=True)
    with static.Graph().as_default() as graph:
        z = static.placeholder("float64", (), name="x")
        (steep,) = static.gradients(z**4 - 2 * z**2, [z])
        (curved,) = static.gradients(steep, [z])

    def eager() -> None:
        x = dynamic.tensor(np.array(2.0), requires_grad=True)
        dynamic.grad(dynamic.grad(x**4 - 2 * x**2, x, create_graph=True), x)

    with static.Session(graph) as session:
        steps = context.time({"dynamic": eager, "static": lambda: session.run([steep, curved], {z: 2.0})})
    return {
        "codes": codes,
        "pictures": {"dynamic": context.drawing(slope), "static": context.drawing(steep)},
        "whole": context.time({"dynamic": newton_dynamic, "static": newton_static}),
        "step": steps,
    }


def read(found: Json) -> Reading:
    codes = found["codes"]
    lines = {engine: written(codes[engine]["code"]) for engine in PAIR}
    places = {engine: codes[engine]["value"] for engine in PAIR}
    rows = [
        counted("lines of code for Newton's method", lines["dynamic"], lines["static"]),
        timed("eight steps of Newton's method, building included", *(found["whole"][e] for e in PAIR)),
        timed("first and second derivative, once built", *(found["step"][e] for e in PAIR)),
    ]
    return Reading(
        answer=_answer(rows[1].ahead, rows[2].ahead, places),
        verdicts=rows,
        evidence=[
            Pair("Newton's method", codes["dynamic"], codes["static"],
                 says="Each step divides the slope by the curvature, the derivative of the slope."),
            Curves("Where it goes", "step", "x",
                   [Series(engine, list(range(len(places[engine]))), places[engine], engine,
                           dashed=engine == "static") for engine in PAIR]),
            Drawing("The slope as a graph", found["pictures"],
                    says="Made of ops, it can be differentiated again; on dynamic `create_graph` recorded "
                    "it."),
        ],
        means=_means(rows[1].ahead, rows[2].ahead),
        otherwise=_otherwise(rows[2].ahead or rows[1].ahead),
        threats=[
            "One number: what is timed is the engines' work.",
        ],
    )  # fmt: skip


def _answer(whole: str | None, step: str | None, places: Json) -> str:
    near = abs(places["dynamic"][-1] - places["static"][-1]) < 1e-9
    ends = "both end at the same place" if near else "they end at different places"
    said = f"A derivative of a derivative is the same call again on either engine, and {ends}"
    if step is not None:
        return f"{said}; step by step {step} is faster."
    return f"{said}." if whole is None else f"{said}; all told {whole} is there sooner."


def _means(whole: str | None, step: str | None) -> list[str]:
    said = [
        "Dynamic records the backward pass anew in every step; static has both derivatives before the first."
    ]
    said += [f"Over eight steps, and all before them, {whole} is done first."] * (whole is not None)
    said += [f"Over many steps {step} would be."] * (step is not None)
    return said


def _otherwise(faster: str | None) -> list[str]:
    if faster == "static":
        return [
            "Newton's method stops when it has arrived: on dynamic that is an `if` on the slope, in the "
            "loop.",
        ]
    if faster == "dynamic":
        return ["Static's step is a graph of its own, apart from its script, to be kept in a file."]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="stage3_higher_order",
    title="Stage 3: derivatives of derivatives",
    question="What does Newton's method take, which needs a second derivative in every step?",
    dimension="book",
    run=run,
    read=read,
    sizes=lambda found: "One number, eight steps of Newton's method.",
)
