"""Sequences of different lengths: as they are, padded, in buckets, and in a loop of unknown length."""

from __future__ import annotations

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
from comparisons.statistics.quantities import OTHER, PAIR, count, number, percent, seconds
from comparisons.tasks.lstm_lengths import Reader, lines
from shared import ops

LINES = 24
BUCKETS = (10, 20, 30, 40)


def as_they_are(model: Any, rows: Any, labels: Any) -> Any:
    """Dynamic: each line by itself, as long as it is."""
    logits = [model(dynamic.tensor(row[row > 0][:, None])) for row in rows]
    loss = ops.cross_entropy(ops.concatenate(logits), labels)
    return dynamic.grad(loss, list(model.parameters()))


def one_loop(model: Any) -> Any:
    """Static: all lines in one batch, with their lengths, in a loop of as many steps as the longest."""
    x = static.placeholder("int64", ("T", "N"), name="x")
    lengths = static.placeholder("int64", ("N",), name="lengths")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x, lengths), y)
    gradients = static.gradients(loss, list(model.parameters()))
    return x, lengths, y, gradients


def padded(model: Any, length: int) -> Any:
    """Static: all lines as long as `length`, every step written out in the graph."""
    x = static.placeholder("int64", (length, "N"), name="x")
    lengths = static.placeholder("int64", ("N",), name="lengths")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x, lengths), y)
    gradients = static.gradients(loss, list(model.parameters()))
    return x, lengths, y, gradients


def run(context: Context) -> dict[str, Any]:
    data, many = lines(), context.pick(LINES, 4 * LINES)
    chosen = np.random.default_rng(context.seed).permutation(len(data.train_x))[:many]
    batch = _Batch(data.train_x[chosen], data.train_y[chosen])
    model = Reader()
    model(dynamic.tensor(batch.rows[:1].T))  # the layers learn their sizes
    ways: dict[str, Any] = {"as they are": lambda: as_they_are(model, batch.rows, batch.labels)}
    about = {"as they are": {"graphs": 0, "nodes": 0, "seconds": 0.0, "steps": int(batch.lengths.sum())}}
    for way, sizes in (("one loop", (None,)), ("padded", BUCKETS[-1:]), ("in buckets", BUCKETS)):
        context.note(f"static: {way}")
        start = perf_counter()
        parts = [(size, batch.bucket(sizes, size)) for size in sizes]
        made = [_ready(model, part, size) for size, part in parts if part.lengths.size]
        ways[way] = lambda made=made: [call(*fed) for call, fed, _ in made]
        about[way] = {
            "graphs": len(made),
            "nodes": sum(nodes for _, _, nodes in made),
            "seconds": perf_counter() - start,
            "steps": sum(fed[0].size for _, fed, _ in made),
        }
    times = context.time(ways, rounds=context.pick(3, 9))
    exact, near = ways["as they are"](), ways["one loop"]()[0]
    off = [float(np.abs(a.data - b).max() / np.abs(a.data).max()) for a, b in zip(exact, near, strict=True)]
    return {
        "codes": {
            "dynamic": {"code": source_of(as_they_are)}, "static": {"code": source_of(one_loop)},
        },
        "lines": many,
        "useful": int(batch.lengths.sum()),
        "longest": int(batch.lengths.max()),
        "off": max(off),
        "about": about,
        "times": times,
        "step": {"dynamic": times["as they are"], "static": times["one loop"]},
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


def _ready(model: Any, batch: _Batch, size: int | None) -> tuple[Any, tuple[Any, ...], int]:
    """What gives static's gradients for lines of this length, what it is fed, and the graph's nodes."""
    with static.Graph().as_default() as graph:
        *given, gradients = one_loop(model) if size is None else padded(model, size)
        session = static.Session(graph)
        session.run(static.global_variables_initializer())
        call = session.make_callable(gradients, given)
    width = batch.lengths.max() if size is None else size
    fed = np.ascontiguousarray(batch.rows[:, :width].T), batch.lengths, batch.labels
    return call, fed, len(graph.nodes)


def read(found: Json) -> Reading:
    step, about, times = found["step"], found["about"], found["times"]
    written_by = {engine: written(found["codes"][engine]["code"]) for engine in PAIR}
    rows = [
        timed(f"{number(found['lines'])} lines of different lengths", step["dynamic"], step["static"]),
        counted("lines to write for ragged data", written_by["dynamic"], written_by["static"]),
    ]
    faster, shorter = rows[0].ahead, rows[1].ahead
    best = min((way for way in about if way != "as they are"), key=lambda way: times[way]["median"])
    return Reading(
        answer=_answer(faster, shorter, step),
        verdicts=rows,
        evidence=[
            Pair(
                "A batch of lines, none as long as another",
                found["codes"]["dynamic"], found["codes"]["static"],
                says="Both give the gradients of one loss by all parameters.",
            ),
            Table(
                "Four ways",
                ("way", "graphs", "nodes", "to build", "steps of the cell", "of them padding"),
                [_row(way, of, found["useful"]) for way, of in about.items()],
                says="As they are is dynamic; the others are static. Padded: one graph with every step "
                f"written out, for the longest line there is. In buckets: one such graph for each of "
                f"{len(BUCKETS)} lengths that occurs. One loop: a scan of as many steps as the longest "
                "line of the batch.",
            ),
            Bars(
                "Time for the batch, forward and back", list(times),
                {"median": [_median(spread) for spread in times.values()]}, unit="seconds",
            ),
        ],
        happened=[
            f"As they are, on dynamic, the lines took {seconds(_median(step['dynamic']))}; in one loop, on "
            f"static, {seconds(_median(step['static']))}.",
            f"Of static's ways the fastest was {best}, with {seconds(_median(times[best]))}; what it runs "
            f"took {seconds(about[best]['seconds'])} to build and compile "
            f"({count(about[best]['graphs'], 'graph')}).",
            f"The gradients of the two ways lie {found['off']:.0e} apart, relative to the largest: the same "
            "numbers, added up in another order.",
        ],
        means=_means(faster, shorter, found),
        otherwise=_otherwise(faster or shorter),
        threats=[
            "The cell is small, so a step costs little more for a whole batch than for one line. The larger "
            "it is, the dearer the padding, and the less a step of Python's loop weighs.",
            "A patient user of define-by-run pads and batches as well; what is compared here is what each "
            "design lets one write first.",
        ],
    )  # fmt: skip


def _median(times: Json) -> float:
    return times["median"]


def _row(way: str, of: Json, useful: int) -> tuple[str, ...]:
    built = seconds(of["seconds"]) if of["graphs"] else "nothing"
    padding = percent(1 - useful / of["steps"])
    return way, number(of["graphs"]), number(of["nodes"]), built, number(of["steps"]), padding


def _answer(faster: str | None, shorter: str | None, step: Json) -> str:
    if faster is not None:
        times = _median(step[OTHER[faster]]) / _median(step[faster])
        return f"Both take them; {faster}'s way is {times:.1f} times as fast here."
    if shorter is not None:
        return f"Both take them in the same time; {shorter}'s way is the shorter one to write."
    return "Both take them, in the same time and the same number of lines."


def _means(faster: str | None, shorter: str | None, found: Json) -> list[str]:
    padding = percent(1 - found["useful"] / found["about"]["one loop"]["steps"])
    said = [
        "Define-by-run needs no word for a sequence of its own length: the loop is Python's, and ends where "
        "the line does. Define-and-run needs one shape for all, here by lengths beside padded lines: "
        f"{padding} of its steps are computed for nothing.",
    ]
    reasons = {
        "static": "a batch of lines goes through the cell at once, padding and all",
        "dynamic": "it computes no step that nobody needs, and its steps of one line are cheap",
    }
    said += [f"Here {faster} is ahead, because {reasons[faster]}."] if faster is not None else []
    said += [f"To write it is less work on {shorter}."] if shorter is not None else []
    return said


def _otherwise(ahead: str | None) -> list[str]:
    if ahead == "static":
        return [
            "Where sequences are few, long and all different, or each is a tree or a graph of its own, "
            "there is nothing to put beside each other, and code that reads like the data is right.",
        ]
    if ahead == "dynamic":
        return [
            "Batches are what hardware is built for: with a larger cell, or on a device that takes "
            "thousands of lines at once, the padded batch wins by more than the padding costs.",
        ]
    return ["Neither is held up here, so how the data lies on disk may decide."]


EXPERIMENT = Experiment(
    name="ragged_lines",
    title="Sequences of different lengths",
    question="My sequences all differ in length. What does each design make of that?",
    dimension="control_flow",
    run=run,
    read=read,
)
