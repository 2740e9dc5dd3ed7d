"""Sequences of different lengths, on both engines: one after the other, and in a batch."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Bars, Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of, written
from comparisons.lab.verdict import counted, timed
from comparisons.statistics.effect import effect
from comparisons.statistics.quantities import (
    PAIR,
    listed,
    number,
    percent,
    seconds,
    spread_of,
    times_of,
)
from comparisons.tasks.lstm_lengths import Reader, lines
from shared import ops

LINES = 24
BUCKETS = (10, 20, 30, 40)


def single_dynamic(model: Any, rows: Any, labels: Any) -> Any:
    """Each line by itself, as long as it is."""
    logits = [model(dynamic.tensor(row[row > 0][:, None])) for row in rows]
    loss = ops.cross_entropy(ops.concatenate(logits), labels)
    return dynamic.grad(loss, list(model.parameters()))


def single_static(call: Any, rows: Any, labels: Any) -> Any:
    """Each line by itself, by a run of the graph below; the gradients are added up by hand."""
    found = []
    for row, label in zip(rows, labels, strict=True):
        line = row[row > 0]
        found.append(call(line[:, None], np.array([len(line)]), label[None]))
    return [sum(gradients) / len(rows) for gradients in zip(*found, strict=True)]


def batch_dynamic(model: Any, rows: Any, lengths: Any, labels: Any) -> Any:
    """All lines in one batch, with their lengths, in a loop of as many steps as the longest."""
    logits = model(dynamic.tensor(rows), lengths)
    loss = ops.cross_entropy(logits, labels)
    return dynamic.grad(loss, list(model.parameters()))


def batch_static(model: Any) -> Any:
    """All lines in one batch, with their lengths, in a loop of as many steps as the longest."""
    x = static.placeholder("int64", ("T", "N"), name="x")
    lengths = static.placeholder("int64", ("N",), name="lengths")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x, lengths), y)
    gradients = static.gradients(loss, list(model.parameters()))
    session = static.Session()
    session.run(static.global_variables_initializer())
    return session.make_callable(gradients, [x, lengths, y])


def padded_static(model: Any, length: int) -> Any:
    """The same for lines as long as `length`, every step written out in the graph."""
    x = static.placeholder("int64", (length, "N"), name="x")
    lengths = static.placeholder("int64", ("N",), name="lengths")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x, lengths), y)
    gradients = static.gradients(loss, list(model.parameters()))
    session = static.Session()
    session.run(static.global_variables_initializer())
    return session.make_callable(gradients, [x, lengths, y])


CODES: dict[str, dict[str, Callable[..., Any]]] = {
    "single": {"dynamic": single_dynamic, "static": single_static},
    "batch": {"dynamic": batch_dynamic, "static": batch_static},
}
"""What is shown, and run: one after the other, and in a batch."""


def run(context: Context) -> dict[str, Any]:
    data, many = lines(), context.pick(LINES, 4 * LINES)
    chosen = np.random.default_rng(context.seed).permutation(len(data.train_x))[:many]
    batch = _Batch(data.train_x[chosen], data.train_y[chosen])
    model = Reader()
    model(dynamic.tensor(batch.rows[:1].T))  # the layers learn their sizes
    whole = batch.fed(batch.longest)
    useful = int(batch.lengths.sum())
    ways: dict[str, Any] = {
        "dynamic, single": lambda: single_dynamic(model, batch.rows, batch.labels),
        "dynamic, batch": lambda: batch_dynamic(model, *whole),
    }
    about: dict[str, Any] = {
        "dynamic, single": {"graphs": 0, "nodes": 0, "seconds": 0.0, "steps": useful},
        "dynamic, batch": {"graphs": 0, "nodes": 0, "seconds": 0.0, "steps": whole[0].size},
    }
    for way, sizes in (("batch", (None,)), ("padded", BUCKETS[-1:]), ("in buckets", BUCKETS)):
        context.note(f"static: {way}")
        start = perf_counter()
        parts = [(size, batch.bucket(sizes, size)) for size in sizes]
        made = [_ready(model, part, size) for size, part in parts if part.lengths.size]
        ways[f"static, {way}"] = lambda made=made: [call(*fed) for call, fed, _ in made]
        about[f"static, {way}"] = {
            "graphs": len(made),
            "nodes": sum(nodes for _, _, nodes in made),
            "seconds": perf_counter() - start,
            "steps": sum(fed[0].size for _, fed, _ in made),
        }
        if way == "batch":
            call = made[0][0]
            ways["static, single"] = lambda call=call: single_static(call, batch.rows, batch.labels)
            about["static, single"] = about["static, batch"] | {"steps": useful}
    times = context.time(ways)
    exact, *others = (
        [np.asarray(getattr(g, "data", g)) for g in given]
        for given in (ways["dynamic, single"](), ways["dynamic, batch"](), ways["static, batch"]()[0],
                      ways["static, single"]())
    )  # fmt: skip
    off = [np.abs(a - b).max() / np.abs(a).max() for near in others for a, b in zip(exact, near, strict=True)]
    return {
        "codes": {
            way: {engine: {"code": source_of(function)} for engine, function in sides.items()}
            for way, sides in CODES.items()
        },
        "lines": many,
        "useful": useful,
        "longest": batch.longest,
        "off": float(max(off)),
        "about": about,
        "times": times,
        **{way: {engine: times[f"{engine}, {way}"] for engine in PAIR} for way in CODES},
    }


class _Batch:
    """Lines (N, longest) with zeros behind their ends, how long each is, and their labels."""

    def __init__(self, rows: Any, labels: Any) -> None:
        self.rows, self.labels, self.lengths = rows, labels, (rows > 0).sum(axis=1)

    def bucket(self, sizes: Any, size: int | None) -> _Batch:
        """The lines that go into a bucket of this size: those too long for the one before it."""
        if size is None:
            return self
        least = max((other for other in sizes if other < size), default=0)
        here = (self.lengths <= size) & (self.lengths > least)
        return _Batch(self.rows[here], self.labels[here])

    @property
    def longest(self) -> int:
        return int(self.lengths.max())

    def fed(self, width: int) -> tuple[Any, Any, Any]:
        """The lines as one array (width, N), their lengths, their labels."""
        return np.ascontiguousarray(self.rows[:, :width].T), self.lengths, self.labels


def _ready(model: Any, batch: _Batch, size: int | None) -> tuple[Any, tuple[Any, ...], int]:
    """What gives static's gradients for lines of this length, what it is fed, and the graph's nodes."""
    with static.Graph().as_default() as graph:
        call = batch_static(model) if size is None else padded_static(model, size)
    return call, batch.fed(batch.longest if size is None else size), len(graph.nodes)


def read(found: Json) -> Reading:
    about, times, codes = found["about"], found["times"], found["codes"]
    written_by = {engine: written(codes["batch"][engine]["code"]) for engine in PAIR}
    many = number(found["lines"])
    rows = [
        timed(f"gradients of {many} texts of unequal length, in a batch", *(found["batch"][e] for e in PAIR)),
        timed(f"gradients of {many} texts of unequal length, one by one",
              *(found["single"][e] for e in PAIR)),
        counted("lines of code for a batch of texts of unequal length",
                written_by["dynamic"], written_by["static"]),
    ]
    together, single, shorter = (row.ahead for row in rows)
    return Reading(
        answer=_answer(together, single, found),
        verdicts=rows,
        evidence=[
            Pair(
                "All lines in one batch, padded", codes["batch"]["dynamic"], codes["batch"]["static"],
                says="Both give the gradients of one loss by all parameters.",
            ),
            Pair(
                "One line after the other", codes["single"]["dynamic"], codes["single"]["static"],
                says="`call` is what the code above gave: static's graph for a batch, here fed one line.",
            ),
            Table(
                "All ways",
                ("way", "graphs", "nodes", "to build", "steps of the cell", "of them padding", "time"),
                [(*_row(way, of, found["useful"]), spread_of(times[way])) for way, of in about.items()],
                says=f"Padded: one graph with every step written out, for lines of {BUCKETS[-1]}. In "
                f"buckets: {len(BUCKETS)} lengths, and one such graph for each that occurs.",
            ),
            Bars(
                "Time for all lines, forward and back", list(times),
                {"median": [spread["median"] for spread in times.values()]}, unit="seconds",
            ),
        ],
        means=_means(together, single, shorter, found),
        otherwise=_otherwise(together or single or shorter),
        threats=[
            "One cell was tried, at one width.",
        ],
    )  # fmt: skip


def _row(way: str, of: Json, useful: int) -> tuple[str, ...]:
    built = seconds(of["seconds"]) if of["graphs"] else "nothing"
    padding = percent(1 - useful / of["steps"])
    return way, number(of["graphs"]), number(of["nodes"]), built, number(of["steps"]), padding


def _told(leader: str | None, pair: Json, how: str) -> str:
    if leader is None:
        return f"{how} it is not resolved which engine is the faster"
    return f"{how} {leader} is {times_of(effect(*(pair[engine] for engine in PAIR)))} as fast"


def _answer(together: str | None, single: str | None, found: Json) -> str:
    return (
        f"Both engines take them either way: {_told(together, found['batch'], 'in a batch')}; "
        f"{_told(single, found['single'], 'one by one')}."
    )


def _means(together: str | None, single: str | None, shorter: str | None, found: Json) -> list[str]:
    padding = percent(1 - found["useful"] / found["about"]["static, batch"]["steps"])
    said = [
        "A single line needs no lengths on dynamic: the loop ends where the line does. A batch is padded on "
        f"either engine: {padding} of its steps are computed for nothing.",
    ]
    gains = [effect(found["batch"][engine], found["single"][engine]) for engine in PAIR]
    won = [f"{times_of(gain)} as fast on {engine}"
           for engine, gain in zip(PAIR, gains, strict=True) if gain.leader == "dynamic"]  # fmt: skip
    if won:
        said.append(f"To batch is {listed(won)}.")
    reasons = {
        "static": "what it runs was compiled once, loop and all",
        "dynamic": "its way from a line of Python to the kernel is the shorter one",
    }
    said += [f"In a batch {together} is ahead, because {reasons[together]}."] if together else []
    said += [f"One by one {single} is ahead."] if single else []
    if quickest := _quickest(found):
        way, built = quickest
        said.append(f"Of all ways the shortest is {way}, which took {built} to build.")
    said += [f"To write it is less work on {shorter}."] if shorter else []
    return said


def _quickest(found: Json) -> tuple[str, str] | None:
    """The way that takes the shortest time, and what it took to build; None if that is not resolved."""
    first, second, *_ = sorted(found["times"], key=lambda way: float(found["times"][way]["median"]))
    if effect(found["times"][first], found["times"][second]).leader is None:
        return None
    return first, _row(first, found["about"][first], found["useful"])[3]


def _otherwise(ahead: str | None) -> list[str]:
    if ahead == "static":
        return [
            "Where each example is a tree or a graph, a batch takes a layout that somebody has to think of.",
        ]
    if ahead == "dynamic":
        return [
            "Static's loop is a node of a program that stands: it can be kept, sent, and run where no Python "
            "goes through the lines.",
        ]
    return ["Neither is resolved to be ahead, so how the data lies on disk may decide."]


EXPERIMENT = Experiment(
    name="ragged_lines",
    title="Sequences of different lengths",
    question="My sequences all differ in length. What does each design make of that?",
    dimension="control_flow",
    run=run,
    read=read,
    sizes=lambda found: (
        f"{number(found['lines'])} lines of up to {found['longest']} characters, a small LSTM."
    ),
)
