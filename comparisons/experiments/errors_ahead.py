"""Mistakes put into a training script: is each found when it is built, when it runs, or never?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from time import perf_counter
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import by_design, counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, count, listed, spread_of
from comparisons.statistics.spread import spread
from shared import nn, ops, optim
from shared.data import batches, load_digits
from shared.errors import DiptychError

Reached = Callable[[str], None]


def script_dynamic(data: Any, steps: int, reached: Reached) -> None:
    """Trains, in its second half with a penalty on the weights, and then evaluates."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    stream = batches(data.train_x, data.train_y, 50)
    reached("built")

    for step in range(steps):
        x, y = next(stream)
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        if step >= steps // 2:
            loss = loss + 0.001 * ops.sum(ops.square(model[1].weight))
        opt.zero_grad()
        loss.backward()
        opt.step()
        reached("step")

    with dynamic.no_grad():
        guess = ops.argmax(model(dynamic.tensor(data.test_x)), axis=1)
        right = ops.mean(ops.cast(guess == data.test_y, "float32"))
    print("right:", right.item())


def script_static(data: Any, steps: int, reached: Reached) -> None:
    """Trains, in its second half with a penalty on the weights, and then evaluates."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 1, 8, 8))
    y = static.placeholder("int64", ("N",))
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    loss = loss + 0.001 * ops.sum(ops.square(model[1].weight))
    train_later = opt.minimize(loss)
    guess = ops.argmax(model(x), axis=1)
    right = ops.mean(ops.cast(guess == y, "float32"))
    stream = batches(data.train_x, data.train_y, 50)
    reached("built")

    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for step in range(steps):
            a, b = next(stream)
            session.run(train_later if step >= steps // 2 else train, {x: a, y: b})
            reached("step")

        found = session.run(right, {x: data.test_x, y: data.test_y})
    print("right:", found.item())


SCRIPTS = {"dynamic": script_dynamic, "static": script_static}


@dataclass(frozen=True)
class Bug:
    """A mistake: what it is, and what stands in a script instead of what, the same on both sides or
    by engine."""

    title: str
    old: str | dict[str, str]
    new: str | dict[str, str]

    def put_into(self, source: str, engine: str) -> str:
        old, new = (text if isinstance(text, str) else text[engine] for text in (self.old, self.new))
        assert source.count(old) == 1, (self.title, engine)
        return source.replace(old, new)


BUGS = (
    Bug("a layer of the wrong size", "nn.Linear(32, 10)", "nn.Linear(23, 10)"),
    Bug("the penalty multiplies what does not fit", "ops.square(model[1].weight)",
        "model[1].weight @ model[1].weight"),
    Bug("an axis that is not there, in the evaluation", "axis=1", "axis=2"),
    Bug("a name misspelt, in the evaluation", "ops.argmax", "ops.argmx"),
    Bug("the test images transposed", "data.test_x", "data.test_x.T"),
    Bug("one label that is no class", "data.train_y", "np.append(10, data.train_y[1:])"),
    Bug("labels as a column, compared with a row",
        {"dynamic": "data.test_y", "static": "guess == y"},
        {"dynamic": "data.test_y[:, None]", "static": "guess == ops.reshape(y, (-1, 1))"}),
    Bug("the update forgotten",
        {"dynamic": "    opt.step()\n", "static": "train_later if step >= steps // 2 else train"},
        {"dynamic": "", "static": "loss"}),
)  # fmt: skip
NOT_FOUND = "never"


def run(context: Context) -> dict[str, Any]:
    data, steps = load_digits(), context.pick(40, 1000)  # more than once through the data
    sources = {engine: source_of(script) for engine, script in SCRIPTS.items()}
    bugs: list[dict[str, Any]] = [{"title": bug.title} for bug in BUGS]
    lost: dict[str, list[float]] = {engine: [] for engine in PAIR}
    for engine in PAIR:
        right = _seeded(sources[engine], engine, data, steps)  # kernels load
        assert right["when"] == NOT_FOUND, right
    for turn in range(context.rounds):
        context.note(f"{len(BUGS)} mistakes on each engine, round {turn + 1}")
        for engine in PAIR if turn % 2 == 0 else reversed(PAIR):
            for found, bug in zip(bugs, BUGS, strict=True):
                found[engine] = _seeded(bug.put_into(sources[engine], engine), engine, data, steps)
            lost[engine].append(sum(found[engine]["seconds"] for found in bugs))
    shown = {engine: {"code": source} for engine, source in sources.items()}
    return {
        "steps": steps, "scripts": shown, "bugs": bugs,
        "lost": {engine: spread(samples) for engine, samples in lost.items()},
    }  # fmt: skip


def _seeded(source: str, engine: str, data: Any, steps: int) -> dict[str, Any]:
    """Run a script to its end, or to the error: {when, step, seconds, error}."""
    reached: list[str] = []
    names = {
        "nn": nn, "ops": ops, "optim": optim, "dynamic": dynamic, "static": static, "np": np,
        "batches": batches, "data": data, "steps": steps, "reached": reached.append,
    }  # fmt: skip
    nn.manual_seed(0)
    program = compile(source, f"script_{engine}.py", "exec")
    error = None
    start = perf_counter()
    graph = static.Graph().as_default() if engine == "static" else nullcontext()
    with graph, redirect_stdout(StringIO()):
        try:
            exec(program, names)
        except (DiptychError, AttributeError) as caught:
            error = {"type": type(caught).__name__, "message": str(caught)}
    spent = perf_counter() - start
    done = reached.count("step")
    if error is None:
        when = NOT_FOUND
    else:
        when = "built" if "built" not in reached else "evaluation" if done == steps else "step"
    return {"when": when, "step": done + 1, "seconds": spent, "error": error}


# What is said of it.


def read(found: Json) -> Reading:
    bugs, lost = found["bugs"], found["lost"]
    early, silent = (
        {engine: [bug for bug in bugs if bug[engine]["when"] == when] for engine in PAIR}
        for when in ("built", NOT_FOUND)
    )
    numbers = {engine: len(found) for engine, found in early.items()}
    first = counted(
        f"of {len(bugs)} planted mistakes, found before any data",
        numbers["dynamic"], numbers["static"], more=True
    )
    spent = timed(f"time until {len(bugs)} scripts with a mistake stop or end",
                  *(lost[engine] for engine in PAIR))
    return Reading(
        answer=_answer(first.ahead, early, bugs),
        verdicts=[
            by_design(first),
            spent,
            counted(f"of {len(bugs)} planted mistakes, never found",
                    len(silent["dynamic"]), len(silent["static"])),
        ],
        evidence=[
            Pair("The script, as it is right", found["scripts"]["dynamic"], found["scripts"]["static"],
                 says=f"Trains for {count(found['steps'], 'step')}; {count(len(bugs), 'mistake')} were put "
                 "into it, one at a time."),
            Table(
                "When each mistake was found",
                ("mistake", "dynamic", "static"),
                [(bug["title"], *(_when(bug[engine]) for engine in PAIR)) for bug in bugs],
                [_earlier(bug) for bug in bugs],
            ),
            Table(
                "What was said",
                ("mistake", "dynamic", "static"),
                [(bug["title"], *(_said(bug[engine]) for engine in PAIR)) for bug in bugs],
                says="The messages, without the line that they name at their end.",
            ),
        ],
        means=_means(first.ahead, early),
        otherwise=_otherwise(first.ahead, spent.ahead, lost),
        threats=[
            f"The training takes {count(found['steps'], 'step')} of a small model.",
            "A dynamic script that evaluates once before it trains finds most of this at once.",
        ],
    )  # fmt: skip


ORDER = ("built", "step", "evaluation", NOT_FOUND)


def _rank(one: Json) -> tuple[int, int]:
    return ORDER.index(one["when"]), one["step"] if one["when"] == "step" else 0


def _earlier(bug: Json) -> str | None:
    ranks = {engine: _rank(bug[engine]) for engine in PAIR}
    if ranks["dynamic"] == ranks["static"]:
        return None
    return min(PAIR, key=lambda engine: ranks[engine])


def _when(one: Json) -> str:
    return {
        "built": "before any data",
        "step": f"in step {one['step']}",
        "evaluation": "after the training",
        NOT_FOUND: NOT_FOUND,
    }[one["when"]]


def _said(one: Json) -> str:
    if one["error"] is None:
        return "nothing"
    message = one["error"]["message"].partition("  (")[0]
    return f"{one['error']['type']}: {message}"


def _answer(leader: str | None, early: Json, bugs: Json) -> str:
    if leader is None:
        return f"Both engines find {len(early['dynamic'])} of {count(len(bugs), 'mistake')} before any data."
    other = OTHER[leader]
    said = (
        f"{leader.capitalize()} finds {len(early[leader])} of {count(len(bugs), 'mistake')} before it has "
        f"seen any data, {other} {len(early[other]) or 'none'}"
    )
    if any(all(bug[engine]["when"] == NOT_FOUND for engine in PAIR) for bug in bugs):
        said += "; what breaks no rule is found by neither"
    return f"{said}."


def _means(leader: str | None, early: Json) -> list[str]:
    if leader is None:
        return ["Neither design finds more before it runs, so this is no reason to choose."]
    titles = listed([bug["title"] for bug in early[leader] if bug not in early[OTHER[leader]]])
    reasons = {
        "static": "On static the whole script is described, and its shapes checked, before it runs. On "
        "dynamic the evaluation is reached when the training is over.",
        "dynamic": "On dynamic these lines were reached before any data was.",
    }
    return [reasons[leader], f"Found by {leader} alone, before any data: {titles}."]


def _otherwise(leader: str | None, quicker: str | None, lost: Json) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    said = []
    if quicker == OTHER[leader]:
        said.append(
            f"In this short training all mistakes had shown sooner on {quicker}, after "
            f"{spread_of(lost[quicker])} against {spread_of(lost[leader])}: what is found "
            "early on the other side is paid for by a build in each try."
        )
    reasons = {
        "dynamic": "What only values show (a label, a file in the wrong layout) dynamic meets no later than "
        "static, with the debugger in the line.",
        "static": "What static has found before a run can not fail in the middle of one.",
    }
    return [*said, reasons[OTHER[leader]]]


EXPERIMENT = Experiment(
    name="errors_ahead",
    title="Mistakes found before anything runs",
    question="I train for hours and evaluate at the end. When does a mistake in the last line show?",
    dimension="foresight",
    run=run,
    read=read,
    sizes=lambda found: (
        f"A network of 64, 32 and 10 units, trained for {count(found['steps'], 'step')} on the digits."
    ),
)
