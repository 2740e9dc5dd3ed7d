"""A line of arithmetic inside the training loop: what does it leave behind?"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any

from comparisons.lab.blocks import Curves, Json, Pair, Series
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, source_of
from comparisons.lab.verdict import by_design, counted
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import OTHER, PAIR, count, listed, number, size, spread_of
from comparisons.statistics.spread import spread

STEPS, FULL = 150, 1_500
TIMED = (30, 300)
"""How many steps a loop has in which they are timed, of many such loops, in a quick run and in a full one."""
WINDOWS, MARKS = 10, 5
"""Into how many stretches such a loop is cut, and how often the long one is looked at."""
Data = Iterator[tuple[Any, Any]]

# A running mean of the loss, kept beside the training.


def inside_dynamic(data: Data) -> None:
    """The mean is computed where it is wanted, in the loop."""
    import dynamic
    from shared import nn, ops, optim

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    mean = 0.0
    for images, labels in data:
        loss = ops.cross_entropy(model(dynamic.tensor(images)), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
        mean = mean * 0.9 + loss.detach() * 0.1


def inside_static(data: Data) -> None:
    """The mean is computed where it is wanted, in the loop."""
    import static
    from shared import nn, ops, optim

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    mean = static.Variable(0.0, name="mean")
    x = static.placeholder("float32", ("N", 1, 8, 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for images, labels in data:
            update = mean.assign(mean * 0.9 + loss * 0.1)
            session.run([train, update], {x: images, y: labels})


def before_static(data: Data) -> None:
    """The mean is described before the loop, and run in it."""
    import static
    from shared import nn, ops, optim

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    mean = static.Variable(0.0, name="mean")
    x = static.placeholder("float32", ("N", 1, 8, 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    update = mean.assign(mean * 0.9 + loss * 0.1)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for images, labels in data:
            session.run([train, update], {x: images, y: labels})


# The guard.


def guarded_dynamic(reached: Callable[[str], None]) -> None:
    """There is no graph to be guarded."""
    import dynamic

    mean = 0.0
    for value in (1.0, 2.0, 3.0):
        loss = dynamic.tensor(value)
        mean = mean * 0.9 + loss * 0.1
    reached("the loop is over")


def guarded_static(reached: Callable[[str], None]) -> None:
    """No more nodes after this point."""
    import static

    loss = static.placeholder("float32", (), name="loss")
    mean = static.Variable(0.0, name="mean")
    start = static.global_variables_initializer()
    static.get_default_graph().finalize()
    with static.Session() as session:
        session.run(start)
        for value in (1.0, 2.0, 3.0):
            session.run(mean.assign(mean * 0.9 + loss * 0.1), {loss: value})
    reached("the loop is over")


WAYS = {
    "dynamic": ("dynamic, in the loop", "dynamic", False),
    "static": ("static, in the loop", "static", False),
    "before": ("static, before the loop", "static", True),
}
"""What was run: its label, and whose colour its line has and whether it is dashed."""


def run(context: Context) -> dict[str, Any]:
    steps, timed = context.pick(STEPS, FULL), context.pick(*TIMED)
    ways = {"dynamic": inside_dynamic, "static": inside_static, "before": before_static}
    found: dict[str, Any] = {}
    taken: dict[str, list[list[float]]] = {name: [] for name in ways}
    for turn in range(context.rounds):
        context.note(f"{timed:,} steps, round {turn + 1}")
        for name in [*ways] if turn % 2 == 0 else reversed([*ways]):
            taken[name].append(_taken(context, ways[name], timed))
    for name, loop in ways.items():
        context.note(f"{steps:,} steps, {WAYS[name][0]}")
        found[name] = {
            "code": source_of(loop), "windows": _windows(taken[name]), **_held(context, loop, steps),
        }  # fmt: skip
    return {
        "steps": steps,
        "timed": timed,
        **found,
        "guarded": {"dynamic": attempt(guarded_dynamic), "static": attempt(guarded_static)},
    }


def _taken(context: Context, loop: Callable[[Data], None], steps: int) -> list[float]:
    """Seconds of each step, but for the first, which compiles."""
    stamps = []

    def data() -> Data:
        for batch in _batches(context, steps + 2):
            stamps.append(perf_counter())
            yield batch

    _on_a_graph(lambda: loop(data()))
    return [end - start for start, end in pairwise(stamps[1:])]


def _windows(runs: list[list[float]]) -> list[dict[str, float]]:
    """For each of `WINDOWS` stretches of the loop, the spread over the runs of their median step there."""
    width = len(runs[0]) // WINDOWS
    return [spread([median(run[i * width : (i + 1) * width]) for run in runs]) for i in range(WINDOWS)]


def _held(context: Context, loop: Callable[[Data], None], steps: int) -> dict[str, Any]:
    """Nodes and bytes (by tracemalloc) that are alive after some steps of the loop."""
    at, nodes, held = [], [], []
    before = _nodes_alive()

    def data() -> Data:
        for step, batch in enumerate(_batches(context, steps + 1)):
            if step and step % (steps // MARKS) == 0:
                gc.collect()
                at.append(step)
                nodes.append(_nodes_alive() - before)
                held.append(tracemalloc.get_traced_memory()[0])
            yield batch

    tracemalloc.start()
    try:
        _on_a_graph(lambda: loop(data()))
    finally:
        tracemalloc.stop()
    return {"at": at, "nodes": nodes, "bytes": held}


def _batches(context: Context, steps: int) -> Data:
    from shared.data import batches, load_digits

    digits = load_digits()
    stream = batches(digits.train_x, digits.train_y, 50, seed=context.seed)
    return (next(stream) for _ in range(steps))


def _on_a_graph(call: Callable[[], None]) -> None:
    import static

    static.reset_default_graph()
    call()
    static.reset_default_graph()
    gc.collect()


def _nodes_alive() -> int:
    """Nodes of either engine that anything still holds."""
    import static
    from dynamic import Node

    # by the type itself: to ask an object of someone else's for its class may wake it
    return sum(type(thing) in (Node, static.Node) for thing in gc.get_objects())


# What is said of it.


def read(found: Json) -> Reading:
    steps = found["steps"]
    grown = {engine: found[engine]["nodes"][-1] - found[engine]["nodes"][0] for engine in PAIR}
    growing = [engine for engine in PAIR if grown[engine] > 0]
    gained = {way: max(0, found[way]["bytes"][-1] - found[way]["bytes"][0]) for way in WAYS}
    late = {way: found[way]["windows"][-1] for way in WAYS}
    return Reading(
        answer=_answer(found, growing),
        verdicts=[
            by_design(counted(f"graph nodes after {number(steps)} steps, an op made in the loop",
                              found["dynamic"]["nodes"][-1],
                              found["static"]["nodes"][-1])),
        ],
        evidence=[
            Pair("A line in the loop", found["dynamic"], found["static"]),
            _curves("Nodes", found, "nodes", "nodes alive", "",
                    "Node objects of either engine that anything still holds, between two steps."),
            _curves("Memory", found, "bytes", "bytes held", "bytes",
                    "What NumPy and Python hold between two steps, by tracemalloc, in one run of its own."),
            _steps(found),
            Pair("The line before the loop", {"code": found["dynamic"]["code"]},
                 {"code": found["before"]["code"]}, says=_mended(late, gained)),
            Pair("The guard", found["guarded"]["dynamic"], found["guarded"]["static"],
                 says=_guard(found["guarded"])),
        ],
        means=_means(growing, found),
        otherwise=_otherwise(growing, found, late),
        threats=[
            "TensorFlow 1 prepared the whole graph again, so each step cost more than the last.",
            "The model is one layer; beside a larger one the line is noticed later.",
        ],
    )  # fmt: skip


def _curves(title: str, found: Json, key: str, y_label: str, unit: str, says: str) -> Curves:
    series = [Series(label, found[way]["at"], found[way][key], side, dashed)
              for way, (label, side, dashed) in WAYS.items()]  # fmt: skip
    return Curves(title, "steps done", y_label, series, unit=unit, says=says)


def _steps(found: Json) -> Curves:
    width = found["timed"] // WINDOWS
    ends = [width * (i + 1) for i in range(WINDOWS)]
    series = [
        Series(
            label, ends, [w["median"] for w in found[way]["windows"]], side, dashed,
            low=[w["low"] for w in found[way]["windows"]], high=[w["high"] for w in found[way]["windows"]],
        )
        for way, (label, side, dashed) in WAYS.items()
    ]  # fmt: skip
    says = f"A step, in runs of {number(found['timed'])}."
    return Curves("Time", "steps done", "a step", series, unit="seconds", says=says)


def _answer(found: Json, growing: list[str]) -> str:
    if not growing:
        return "Nothing, on either engine: as many nodes are alive at the end as at the beginning."
    nodes = listed([f"{number(found[engine]['nodes'][-1])} nodes" for engine in growing])
    after = f"after {number(found['steps'])} steps"
    if len(growing) == 2:
        return f"Its nodes, on both engines: {nodes} {after}."
    (behind,) = growing
    stops = found["guarded"][behind]["error"]
    tail = "; `finalize()` turns that into an error at the first step" if stops else ""
    return f"Nothing on {OTHER[behind]}. On {behind} the graph grows at every step, to {nodes} {after}{tail}."


def _mended(late: Json, gained: Json) -> str:
    return (
        f"Described once, the mean costs static {spread_of(late['before'])} a step in all, against "
        f"{spread_of(late['static'])} in the loop, and {size(gained['before'])} of memory against "
        f"{size(gained['static'])}."
    )


def _guard(guarded: Json) -> str:
    stops = [engine for engine in PAIR if guarded[engine]["error"]]
    if not stops:
        return "After `finalize()` the loop still runs to its end."
    return "After `finalize()` the first node that is added is an error, and its message says where to look."


def _means(growing: list[str], found: Json) -> list[str]:
    said = [
        f"On {engine} a line of arithmetic is done and forgotten."
        for engine in PAIR
        if engine not in growing
    ]
    said += [
        f"On {engine} the same line adds nodes to a graph, which keeps them, and compiles anew for them."
        for engine in growing
    ]
    if any(found["guarded"][engine]["error"] for engine in growing):
        said.append(
            "Every number is right; only `finalize()`, one line, turns the slow leak into an error."
        )
    return said


def _otherwise(growing: list[str], found: Json, late: Json) -> list[str]:
    if len(growing) != 1:
        return ["Neither side is seen to have come off worse."]
    (behind,) = growing
    said = [
        f"That {behind} keeps all it is told is why it can optimise, save and show a program.",
    ]
    if behind == "static" and ahead(late["dynamic"], late["before"]) == "static":
        said.append(
            f"And with the line before the loop its step is the faster one: {spread_of(late['before'])} "
            f"against {spread_of(late['dynamic'])}."
        )
    return said


EXPERIMENT = Experiment(
    name="ops_in_loop",
    title="A line of arithmetic in the training loop",
    question="I compute something more in each step of my training loop. What does the line leave behind?",
    dimension="construction",
    run=run,
    read=read,
    sizes=lambda found: (
        f"One dense layer from 64 to 10 units, {count(found['steps'], 'step')} on the digits; timed in runs "
        f"of {number(found['timed'])}."
    ),
    level="fast",
)
