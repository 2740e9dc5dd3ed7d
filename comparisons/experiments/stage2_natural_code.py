"""The second stage of the book: formulas written as formulas, and memory that is not held for nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Bars, Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import counted, sized
from comparisons.statistics.quantities import OTHER, PAIR, number
from comparisons.statistics.tally import plain

OPS, NUMBERS = 20, 100_000
Step = Callable[[], object]


def goldstein_dynamic() -> list[float]:
    """The Goldstein-Price function, which has many pluses and minuses, and its slopes at (1, 1)."""
    import dynamic

    x = dynamic.tensor(np.array(1.0), requires_grad=True)
    y = dynamic.tensor(np.array(1.0), requires_grad=True)
    z = (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )
    z.backward()
    return [x.grad.item(), y.grad.item()]


def goldstein_static() -> list[float]:
    """The Goldstein-Price function, which has many pluses and minuses, and its slopes at (1, 1)."""
    import static

    x = static.placeholder("float64", (), name="x")
    y = static.placeholder("float64", (), name="y")
    z = (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    )
    slopes = static.gradients(z, [x, y])
    with static.Session() as session:
        found = session.run(slopes, {x: 1.0, y: 1.0})
    return [slope.item() for slope in found]


def run(context: Context) -> dict[str, Any]:
    codes = {"dynamic": attempt(goldstein_dynamic), "static": attempt(goldstein_static)}
    return {"codes": codes, "ops": OPS, "numbers": NUMBERS, "memory": _memory(context)}


def _memory(context: Context) -> dict[str, Any]:
    """Bytes that each side holds at the highest point of a chain of ops that keeps its results for a
    gradient, and of one of which only the end is wanted."""
    import dynamic
    import static
    from shared import ops

    values = np.linspace(0, 1, NUMBERS, dtype=np.float32)

    def chain(y: Any) -> Any:
        for _ in range(OPS):
            y = ops.tanh(y)
        return y

    def recorded() -> Step:
        leaf = dynamic.tensor(values, requires_grad=True)
        return lambda: chain(leaf).sum().backward()

    def unrecorded() -> Step:
        leaf = dynamic.tensor(values)

        def call() -> None:
            with dynamic.no_grad():
                chain(leaf).sum()

        return call

    def unasked() -> Step:
        leaf = dynamic.tensor(values, requires_grad=True)
        return lambda: chain(leaf)

    def described(slope: bool) -> Step:
        with static.Graph().as_default() as graph:
            x = static.placeholder("float32", (NUMBERS,))
            total = chain(x).sum()
            session = static.Session(graph)
            call = session.make_callable(static.gradients(total, [x]) if slope else total, [x])
        return lambda: call(values)

    made = {
        "with": {"dynamic": recorded, "static": lambda: described(True)},
        "without": {"dynamic": unrecorded, "static": lambda: described(False)},
    }
    return {
        **{way: {e: context.held(make)["peak"] for e, make in sides.items()} for way, sides in made.items()},
        "recording": context.held(unasked)["peak"],
    }


def read(found: Json) -> Reading:
    codes, counts, memory = found["codes"], found["memory"], plain(found["memory"])
    lines = {engine: written(codes[engine]["code"]) for engine in PAIR}
    slopes = {engine: codes[engine]["value"] for engine in PAIR}
    chain = f"{found['ops']} ops on {number(found['numbers'])} numbers"
    rows = [
        counted("lines of code for the Goldstein-Price slopes", lines["dynamic"], lines["static"]),
        sized(f"most memory of {chain}, forward alone", *(counts["without"][e] for e in PAIR)),
        sized(f"most memory of {chain}, with backward", *(counts["with"][e] for e in PAIR)),
    ]
    return Reading(
        answer=_answer(slopes, rows[0].ahead),
        verdicts=rows,
        evidence=[
            Pair("A formula of two variables", codes["dynamic"], codes["static"],
                 says="The line with the formula is the same on both sides: operators are ops."),
            Table("The slopes at (1, 1)", ("engine", "by x", "by y"),
                  [(engine, *(f"{slope:.12g}" for slope in slopes[engine])) for engine in PAIR]),
            Bars("The most memory held", ("forward alone", "forward and backward"),
                 {e: [memory["without"][e], memory["with"][e]] for e in PAIR}, unit="bytes",
                 says=f"A chain of {found['ops']} ops on {found['numbers']:,} numbers; on dynamic the "
                 "forward pass alone is under `no_grad`."),
        ],
        means=_means(rows[1].ahead, rows[2].ahead),
        otherwise=_otherwise(rows[0].ahead),
        threats=[
            "The chain is of one op, which keeps its result.",
        ],
    )  # fmt: skip


def _answer(slopes: Json, shorter: str | None) -> str:
    same = "the same" if slopes["dynamic"] == slopes["static"] else "not the same"
    said = f"A formula is written in the same way on both, and its slopes are {same} numbers"
    return f"{said}." if shorter is None else f"{said}; around the formula {shorter} needs fewer lines."


def _means(forward: str | None, both: str | None) -> list[str]:
    said = [
        "Dynamic can not know whether a gradient will be asked for, so somebody says that it will not; "
        "static's run names its fetches."
    ]
    said += [f"Of memory for a forward pass {forward} needs less here."] * (forward is not None)
    said += [f"Of memory for both passes {both} needs less here."] * (both is not None)
    return said


def _otherwise(shorter: str | None) -> list[str]:
    if shorter is None:
        return ["Neither side has to write more, so there is nothing to make up for."]
    behind = OTHER[shorter]
    if behind == "static":
        return [
            "The lines that static needs beyond the formula name what goes in and what comes out.",
        ]
    return ["The lines that dynamic needs beyond the formula can stand anywhere a value is wanted."]


EXPERIMENT = Experiment(
    name="stage2_natural_code",
    title="Stage 2: code that reads like mathematics",
    question="Can I write a formula as a formula, and does it hold memory for nothing?",
    dimension="book",
    run=run,
    read=read,
    sizes=lambda found: (
        f"One formula of two numbers; chains of {found['ops']} ops on {number(found['numbers'])} numbers."
    ),
)
