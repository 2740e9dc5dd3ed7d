"""A big NumPy array used inside a model: what does the saved model weigh?"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import weighed
from comparisons.statistics.effect import smaller
from comparisons.statistics.quantities import OTHER, PAIR, count, size
from comparisons.statistics.tally import plain
from shared.durable import files

TABLE = np.random.default_rng(0).normal(size=(400, 400)).astype(np.float32) / 20
X = np.ones((1, 3), np.float32)


def plain_dynamic(path: str, uses: int) -> Any:
    """The table is used in every round, as the array that it is."""
    import dynamic
    from shared import nn, ops

    encoder = nn.Linear(3, 400)
    h = encoder(dynamic.tensor(X))
    for _ in range(uses):
        h = ops.tanh(h @ TABLE)
    encoder.save(path)
    return h


def plain_static(path: str, uses: int) -> Any:
    """The table is used in every round, as the array that it is."""
    import static
    from shared import nn, ops

    encoder = nn.Linear(3, 400)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 3), name="x")
        h = encoder(x)
        for _ in range(uses):
            h = ops.tanh(h @ TABLE)
        graph.save(path, outputs={"h": h})
    return h


def once_static(path: str, uses: int) -> Any:
    """The table is made a constant of the graph once."""
    import static
    from shared import nn, ops

    encoder = nn.Linear(3, 400)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 3), name="x")
        table = static.constant(TABLE)
        h = encoder(x)
        for _ in range(uses):
            h = ops.tanh(h @ table)
        graph.save(path, outputs={"h": h})
    return h


def fed_static(path: str, uses: int) -> Any:
    """The table is fed, like any other input."""
    import static
    from shared import nn, ops

    encoder = nn.Linear(3, 400)
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 3), name="x")
        table = static.placeholder("float32", (400, 400), name="table")
        h = encoder(x)
        for _ in range(uses):
            h = ops.tanh(h @ table)
        graph.save(path, outputs={"h": h})
    return h


WAYS: dict[str, tuple[str, Callable[[str, int], Any]]] = {
    "plain": ("as an array", plain_static),
    "once": ("as one constant", once_static),
    "fed": ("as an input", fed_static),
}


def run(context: Context) -> dict[str, Any]:
    points = []
    for uses in context.pick((1, 2, 4, 8), (1, 2, 4, 8, 16, 32)):
        context.note(f"a table used {uses} times")
        dynamic = _weighed(context, plain_dynamic, uses)
        cases = {
            way: {"dynamic": dynamic, "static": _weighed(context, function, uses)}
            for way, (_, function) in WAYS.items()
        }
        points.append({"uses": uses, "cases": cases})
    return {
        "table": TABLE.nbytes,
        "codes": {
            "dynamic": {"code": source_of(plain_dynamic)},
            "static": {"code": source_of(plain_static)},
        },
        "cured": {"code": source_of(once_static)},
        "points": points,
    }


def _weighed(context: Context, function: Callable[[str, int], Any], uses: int) -> dict[str, Any]:
    """Bytes of the file that was saved, and of memory at the highest point on the way there."""
    with files.scratch() as folder:
        path = os.path.join(folder, "model")
        peak = context.held(lambda: lambda: function(path, uses), calls=1)["peak"]
        return {"file": os.path.getsize(path), "peak": peak}


# What is said of it.


def read(found: Json) -> Reading:
    table, points = found["table"], plain(found["points"])
    most = points[-1]
    uses, cases = most["uses"], most["cases"]
    files = {way: {engine: cases[way][engine]["file"] for engine in PAIR} for way in WAYS}
    copies = {engine: round(files["plain"][engine] / table) for engine in PAIR}
    lighter = smaller(files["plain"]["dynamic"], files["plain"]["static"])
    sent = {way: {e: files[way][e] + table * (files[way][e] < table) for e in PAIR} for way in files}
    return Reading(
        answer=_answer(table, uses, files["plain"], copies, lighter),
        verdicts=[
            weighed(f"saved model that uses one array of {size(table)} {uses} times",
                    *(sent["plain"][e] for e in PAIR)),
            weighed(f"saved model that uses one such constant {uses} times",
                    *(sent["once"][e] for e in PAIR)),
        ],
        evidence=[
            Pair("A table inside a model", found["codes"]["dynamic"], found["codes"]["static"],
                 says=f"`TABLE` is a NumPy array of {size(table)}."),
            Curves(
                "What was saved", "uses of the table", "bytes", _curves(points), unit="bytes",
                says="The size of the file against how often the model uses the table.",
            ),
            Table(
                f"Used {count(uses, 'time')}", ("the table goes in", *PAIR),
                [(label, *(size(files[way][e]) for e in PAIR)) for way, (label, _) in WAYS.items()],
                [smaller(*(files[way][e] for e in PAIR)) for way in WAYS],
                says="The size of the file. Dynamic's program is the same in all rows.",
            ),
            Pair("One constant, used often", found["codes"]["dynamic"], found["cured"],
                 says=f"Static's file then weighs {size(files['once']['static'])}."),
        ],
        means=[_means(engine, copies[engine], uses) for engine in PAIR],
        otherwise=_otherwise(lighter),
        threats=[
            "Dynamic's file holds parameters, static's the whole computation. So on the first page a file "
            "without the table is counted with it.",
            "In TensorFlow 1 constants stood inside the graph's description, which could not grow past 2 "
            "GB.",
        ],
    )  # fmt: skip


def _curves(points: Json) -> list[Series]:
    x = [point["uses"] for point in points]

    def files(way: str, engine: str) -> list[int]:
        return [point["cases"][way][engine]["file"] for point in points]

    return [
        Series("dynamic", x, files("plain", "dynamic"), "dynamic"),
        Series("static, as an array", x, files("plain", "static"), "static"),
        Series("static, as one constant", x, files("once", "static"), "static", dashed=True),
    ]


def _answer(table: int, uses: int, files: dict[str, int], copies: dict[str, int], lighter: str | None) -> str:
    if lighter is None:
        return f"As much on one engine as on the other: {size(files['dynamic'])}."
    heavier = OTHER[lighter]
    why = f", since each of its {uses} uses put a copy into the file" if copies[heavier] == uses > 1 else ""
    beside = "" if copies[lighter] else ", and the table beside it"
    return (
        f"With a table of {size(table)} used {count(uses, 'time')}, {size(files[heavier])} on "
        f"{heavier}{why}; on {lighter} {size(files[lighter])}{beside}."
    )


def _means(engine: str, copies: int, uses: int) -> str:
    if copies == 0:
        return (
            f"On {engine} an array that the program uses stays where it is, and has to be there when the "
            "program is."
        )
    if copies == 1 or copies < uses:
        return f"On {engine} an array that the model uses goes into its file."
    return (
        f"On {engine} every use of an array is a constant of its own, copied, since the array may change "
        "before the program runs."
    )


def _otherwise(lighter: str | None) -> list[str]:
    reasons = {
        "static": "The file that holds the table gives the same answers wherever it is loaded; the small "
        "one gives nothing without the code.",
        "dynamic": "A file of everything that a model has used needs nothing else to be found again.",
    }
    if lighter is None:
        return ["Neither side is seen to have come off worse."]
    return [reasons[OTHER[lighter]]]


EXPERIMENT = Experiment(
    name="big_constant",
    title="A big array inside a model",
    question="My model uses a large NumPy array. What does it weigh when it is saved?",
    dimension="deployment",
    run=run,
    read=read,
    sizes=lambda found: (
        f"An array of {size(found['table'])}, used up to {found['points'][-1]['uses']} times."
    ),
    level="",
)
