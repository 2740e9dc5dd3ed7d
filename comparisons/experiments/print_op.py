"""A line that prints a value in the middle of a model: does it print?"""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Output, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import by_design, counted
from comparisons.statistics.quantities import PAIR, listed

X = np.array([1.0, 2.0, 3.0], np.float32)


def orphan_dynamic() -> list[float]:
    """The value of `hidden` is printed, and nothing else is made of that line."""
    import dynamic

    x = dynamic.tensor(X)
    hidden = x * 2
    print("hidden", hidden)
    y = hidden + 1
    return y.tolist()


def orphan_static() -> list[float]:
    """The value of `hidden` is printed, and nothing else is made of that line."""
    import static

    x = static.placeholder("float32", (3,), name="x")
    hidden = x * 2
    static.Print(hidden, [hidden], "hidden ")
    y = hidden + 1
    with static.Session() as session:
        return session.run(y, {x: X}).tolist()


def threaded_dynamic() -> list[float]:
    """What was printed is what goes on."""
    import dynamic

    x = dynamic.tensor(X)
    hidden = x * 2
    print("hidden", hidden)
    y = hidden + 1
    return y.tolist()


def threaded_static() -> list[float]:
    """What was printed is what goes on."""
    import static

    x = static.placeholder("float32", (3,), name="x")
    hidden = x * 2
    hidden = static.Print(hidden, [hidden], "hidden ")
    y = hidden + 1
    with static.Session() as session:
        return session.run(y, {x: X}).tolist()


def run(context: Context) -> dict[str, Any]:
    return {
        "orphan": {"dynamic": attempt(orphan_dynamic), "static": attempt(orphan_static)},
        "threaded": {"dynamic": attempt(threaded_dynamic), "static": attempt(threaded_static)},
    }


def read(found: Json) -> Reading:
    orphan, threaded = found["orphan"], found["threaded"]
    lines = {engine: len(orphan[engine]["out"].splitlines()) for engine in PAIR}
    prints = [engine for engine in PAIR if lines[engine]]
    silent = [engine for engine in PAIR if not lines[engine]]
    return Reading(
        answer=_answer(prints, silent),
        verdicts=[
            by_design(counted("lines printed by a print that no result needs",
                              lines["dynamic"], lines["static"], more=True)),
        ],
        evidence=[
            Pair("A line that prints", orphan["dynamic"], orphan["static"], says=_same(orphan)),
            Output(
                "What came out of it",
                {engine: orphan[engine]["out"] or "(nothing)\n" for engine in PAIR},
                says="Standard output and standard error, as captured.",
            ),
            Pair(
                "The same, with the printing op in the path of the result",
                threaded["dynamic"], threaded["static"], says=_threaded(threaded),
            ),
        ],
        means=_means(prints, silent),
        otherwise=_otherwise(silent),
        threats=[
            "The static program is the newcomer's; who knows the engine writes the second one.",
        ],
    )  # fmt: skip


def _answer(prints: list[str], silent: list[str]) -> str:
    if not silent:
        return "It prints on both engines."
    if not prints:
        return "It prints on neither engine."
    return f"On {prints[0]} it prints; on {silent[0]} it prints nothing, and nothing says so."


def _same(orphan: Json) -> str:
    if orphan["dynamic"]["value"] == orphan["static"]["value"]:
        return f"Both computed {orphan['dynamic']['value']}."
    return f"Dynamic computed {orphan['dynamic']['value']}, static {orphan['static']['value']}."


def _threaded(threaded: Json) -> str:
    printed = [engine for engine in PAIR if threaded[engine]["out"]]
    if not printed:
        return "Written like this, it prints on neither engine."
    return f"Written like this, it prints on {listed(printed)}."


def _means(prints: list[str], silent: list[str]) -> list[str]:
    said = [
        f"On {engine} a line that has been passed has been done."
        for engine in prints
    ]
    said += [
        f"On {engine} a line adds a node, and a run does only what its fetches need."
        for engine in silent
    ]
    return said


def _otherwise(silent: list[str]) -> list[str]:
    if len(silent) == 1:
        return [
            f"What makes {silent[0]} drop the print also makes it drop whatever a result does not need, "
            "without being told.",
        ]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="print_op",
    title="A print that does not print",
    question="I print a value in the middle of my model. Does it appear?",
    dimension="construction",
    run=run,
    read=read,
    sizes=lambda found: "Three numbers.",
    level="",
)
