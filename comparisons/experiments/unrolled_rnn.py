"""A recurrent network over T steps, unrolled or as a loop: what does it take to build, and to run?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import timed
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import OTHER, PAIR, number, spread_of

BATCH, INPUTS, HIDDEN, CLASSES = 8, 8, 32, 4


def unrolled_dynamic(x: Any, y: Any) -> Generator[float, None, None]:
    """Python's loop, in every training step."""
    import dynamic
    from shared import nn, ops, optim

    nn.manual_seed(0)
    cell, head = nn.RNNCell(INPUTS, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    opt = optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
    while True:
        h = dynamic.tensor(np.zeros((BATCH, HIDDEN), np.float32))
        for step in dynamic.tensor(x):
            h = cell(step, h)
        loss = ops.cross_entropy(head(h), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        yield loss.item()


def unrolled_static(x: Any, y: Any) -> Generator[float, None, None]:
    """Python's loop, once: each of its turns leaves nodes in the graph."""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    cell, head = nn.RNNCell(INPUTS, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    opt = optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
    with static.Graph().as_default() as graph:
        steps = static.placeholder("float32", x.shape, name="steps")
        labels = static.placeholder("int64", (BATCH,), name="labels")
        h = static.constant(np.zeros((BATCH, HIDDEN), np.float32))
        for step in steps:
            h = cell(step, h)
        loss = ops.cross_entropy(head(h), labels)
        train = opt.minimize(loss)
        init = static.global_variables_initializer()
    session = static.Session(graph=graph, optimize="exact")
    session.run(init)
    while True:
        value, _ = session.run([loss, train], {steps: x, labels: y})
        yield value.item()


def looped_static(x: Any, y: Any) -> Generator[float, None, None]:
    """A loop that is one node, for any number of steps."""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    cell, head = nn.RNNCell(INPUTS, HIDDEN), nn.Linear(HIDDEN, CLASSES)
    opt = optim.SGD([*cell.parameters(), *head.parameters()], lr=0.1)
    with static.Graph().as_default() as graph:
        steps = static.placeholder("float32", (None, BATCH, INPUTS), name="steps")
        labels = static.placeholder("int64", (BATCH,), name="labels")
        h = static.constant(np.zeros((BATCH, HIDDEN), np.float32))
        h, _ = static.scan(lambda h, step: (cell(step, h), ()), h, steps)
        loss = ops.cross_entropy(head(h), labels)
        train = opt.minimize(loss)
        init = static.global_variables_initializer()
    session = static.Session(graph=graph, optimize="exact")
    session.run(init)
    while True:
        value, _ = session.run([loss, train], {steps: x, labels: y})
        yield value.item()


WAYS: dict[str, Callable[[Any, Any], Generator[float, None, None]]] = {
    "dynamic": unrolled_dynamic,
    "unrolled": unrolled_static,
    "looped": looped_static,
}
BUILT = ("unrolled", "looped")
"""Those of them that describe a graph."""
LENGTHS = {False: (10, 50), True: (10, 30, 100, 300, 1000)}


def run(context: Context) -> dict[str, Any]:
    random = np.random.default_rng(context.seed)
    points, apart = [], 0.0
    for length in LENGTHS[context.full]:
        context.note(f"{length} steps")
        x = random.normal(size=(length, BATCH, INPUTS)).astype(np.float32)
        y = random.integers(0, CLASSES, BATCH)
        starts = context.time({way: _start(train, x, y) for way, train in WAYS.items()})
        running = {way: train(x, y) for way, train in WAYS.items()}
        losses = {way: [next(run) for _ in range(3)] for way, run in running.items()}
        apart = max(
            apart, *(abs(a - b) for way in WAYS for a, b in zip(losses["dynamic"], losses[way], strict=True))
        )
        steps = context.time({way: run.__next__ for way, run in running.items()})
        nodes = {way: len(inspect.getgeneratorlocals(running[way])["graph"].nodes) for way in BUILT}
        made = {way: {"start": starts[way], "step": steps[way], "nodes": nodes.get(way, 0)} for way in WAYS}
        points.append(
            {
                "length": length,
                "unrolled": {"dynamic": made["dynamic"], "static": made["unrolled"]},
                "looped": {"dynamic": made["dynamic"], "static": made["looped"]},
            }
        )
    return {
        "codes": {
            "dynamic": {"code": source_of(unrolled_dynamic)},
            "static": {"code": source_of(unrolled_static)},
        },
        "looped": {"code": source_of(looped_static)},
        "apart": apart,
        "points": points,
    }


def _start(train: Callable[[Any, Any], Generator[float, None, None]], x: Any, y: Any) -> Callable[[], float]:
    return lambda: next(train(x, y))


# What is said of it.

CASES = ("unrolled", "looped")
LABELS = {"unrolled": "unrolled", "looped": "as one loop"}


def read(found: Json) -> Reading:
    points, codes = found["points"], found["codes"]
    most = points[-1]
    length = most["length"]
    starts = {case: ahead(*(most[case][engine]["start"] for engine in PAIR)) for case in CASES}
    later = {case: ahead(*(most[case][engine]["step"] for engine in PAIR)) for case in CASES}
    return Reading(
        answer=_answer(length, most, starts),
        verdicts=[
            timed(f"a recurrent network's first loss, {length} steps unrolled",
                  *(most["unrolled"][engine]["start"] for engine in PAIR)),
            timed("a recurrent network's first loss, static's loop one node",
                  *(most["looped"][engine]["start"] for engine in PAIR)),
            timed(f"a recurrent network's later steps, {length} steps unrolled",
                  *(most["unrolled"][engine]["step"] for engine in PAIR)),
        ],
        evidence=[
            Pair("A Python loop over the steps", codes["dynamic"], codes["static"],
                 says=_apart(found["apart"])),
            Curves(
                "To the first loss", "time steps", "time", _curves(points, "start"), unit="seconds",
                log_x=True, log_y=True,
                says="From nothing to one training step.",
            ),
            Pair("The loop as one node", codes["dynamic"], found["looped"],
                 says="Static's graph is the same for any number of steps."),
            Curves(
                "Each later training step", "time steps", "time", _curves(points, "step"), unit="seconds",
                log_x=True, log_y=True, says="The median, and as a band the middle half.",
            ),
            Table(
                "Nodes in static's graph", ("time steps", "unrolled", "as one loop"),
                [(number(p["length"]), *(number(_nodes(p, case)) for case in CASES)) for p in points],
                says="Forward, gradient, update and first values; a loop's inner nodes are not counted.",
            ),
        ],
        means=_means(most, starts, later),
        otherwise=_otherwise(most, starts, later),
        threats=[
            "A small layer and a small batch, so that the engine's share is large.",
            "TensorFlow 1 had both: `static_rnn` unrolled, `dynamic_rnn` was a `while_loop`.",
        ],
    )  # fmt: skip


def _apart(apart: float) -> str:
    if apart == 0:
        return "All three programs on this page give the same losses, bit for bit."
    return f"The losses of the three programs differ by {apart:.1g} at most."


def _curves(points: Json, what: str) -> list[Series]:
    lines = (
        ("dynamic", "unrolled", "dynamic", False),
        ("static, unrolled", "unrolled", "static", False),
        ("static, as one loop", "looped", "static", True),
    )
    x = [point["length"] for point in points]
    made = []
    for label, case, engine, dashed in lines:
        middle, low, high = ([p[case][engine][what][at] for p in points] for at in ("median", "low", "high"))
        made.append(Series(label, x, middle, engine, dashed, low=low, high=high))
    return made


def _nodes(point: Json, case: str) -> int:
    return max(point[case][engine]["nodes"] for engine in PAIR)


def _both(point: Json, case: str, what: str) -> str:
    return " and ".join(f"{spread_of(point[case][engine][what])} on {engine}" for engine in PAIR)


def _answer(length: int, most: Json, starts: dict[str, str | None]) -> str:
    said = f"With {length} steps unrolled, the first loss comes after {_both(most, 'unrolled', 'start')}"
    loop = spread_of(most["looped"]["static"]["start"])
    if starts["unrolled"] is None:
        return f"On which engine it costs more is not resolved. {said}, and after {loop} as one loop."
    closing = {
        "dynamic": f"static's loop as one node takes {loop}, and {_still(starts['looped'])}",
        "static": f"with the loop as one node static takes {loop}",
    }
    return f"{said}; {closing[starts['unrolled']]}."


def _still(leader: str | None) -> str:
    if leader is None:
        return "who is then ahead is not resolved"
    return f"{leader} is {'still ahead' if leader == 'dynamic' else 'then ahead'}"


def _means(most: Json, starts: dict[str, str | None], later: dict[str, str | None]) -> list[str]:
    reasons = {
        "dynamic": "On dynamic there is nothing to build. On static a Python loop writes a long graph, each "
        "turn of which is described, differentiated and compiled.",
        "static": "Static described, differentiated and compiled every turn of the loop, and was there "
        "first all the same: on this machine building a node takes less than recording it and going back "
        "over it.",
        None: "Whether to describe every turn of the loop, and to compile it, took longer than to compute "
        "it is "
        "not resolved.",
    }
    after = {
        "static": "What was compiled pays in later steps.",
        "dynamic": "Nor does it pay in later steps, which are no shorter for having been compiled.",
        None: "Which engine has the shorter later steps, unrolled, is not resolved.",
    }
    first = starts["unrolled"]
    return [reasons[first], after[later["unrolled"]]] if later["unrolled"] != first else [reasons[first]]


def _otherwise(most: Json, starts: dict[str, str | None], later: dict[str, str | None]) -> list[str]:
    behind = starts["unrolled"] and OTHER[str(starts["unrolled"])]
    if behind is None:
        return ["Neither side is seen to have come off worse."]
    reasons = {
        "static": "A training starts once; a loop as one node is short to build, and takes any length.",
        "dynamic": "A loop of Python needs no other vocabulary and takes each sequence as long as it is.",
    }
    ahead_later = [LABELS[case] for case in CASES if later[case] == behind]
    said = f" Here its later steps are the shorter ones, {' and '.join(ahead_later)}." if ahead_later else ""
    return [f"{reasons[behind]}{said}"]


EXPERIMENT = Experiment(
    name="unrolled_rnn",
    title="A long sequence, unrolled",
    question="What does a loop over a long sequence cost before it computes anything?",
    dimension="start",
    run=run,
    read=read,
    sizes=lambda found: (
        f"A cell of {HIDDEN} units, batches of {BATCH}, up to {found['points'][-1]['length']} steps."
    ),
    level="exact",
)
