"""Building and compiling cost time before the first result: after how many steps is it won back?"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import dynamic
import static
from comparisons.bench import models
from comparisons.bench.race import to_first_loss
from comparisons.bench.workloads import WORKLOADS, Workload
from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import Verdict, timed
from comparisons.statistics.effect import BreakEven, ahead, break_even
from comparisons.statistics.quantities import OTHER, PAIR, count, listed, number, seconds, spread_of
from comparisons.statistics.spread import spread
from shared import optim
from shared.durable import files

MODELS = (
    ("the benchmark's MLP", WORKLOADS["mlp"], "layer"),
    ("an LSTM layer", WORKLOADS["tiny"], "layer"),
    ("an LSTM cell in a Python loop", WORKLOADS["tiny"], "loop"),
    ("the benchmark's CNN, 16 images", replace(WORKLOADS["cnn"], batch=16), "layer"),
)
"""What is trained: how it is called, and its workload and style in the benchmark."""
FEW = ("the benchmark's MLP", "an LSTM layer")
"""Those that a quick run trains in processes of their own, too."""
LATER = 10_000
FRESH = """
import json, os, sys

os.environ["DIPTYCH_CACHE"] = sys.argv[1]
from comparisons.bench.worker import Worker

print(json.dumps(Worker(sys.argv[2], sys.argv[3]).first()))
"""
"""Trains a model of the benchmark up to its first loss, and says what that took."""


def train_dynamic(model: Any, data: Any, steps: int, clock: Callable[[str], None]) -> None:
    """The first step is like any other."""
    opt = optim.SGD(model.parameters(), lr=0.1)
    x, y = data
    for _ in range(steps):
        loss = model(dynamic.tensor(x), dynamic.tensor(y))
        opt.zero_grad()
        loss.backward()
        opt.step()
        clock("step")


def train_static(model: Any, data: Any, steps: int, clock: Callable[[str], None]) -> None:
    """Before the first step the graph is built and compiled."""
    opt = optim.SGD(model.parameters(), lr=0.1)
    x, y = data
    x_in = static.placeholder(x.dtype, x.shape)
    y_in = static.placeholder(y.dtype, y.shape)
    loss = model(x_in, y_in)
    train = opt.minimize(loss)
    clock("build")
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        step = session.make_callable([loss, train], [x_in, y_in])
        clock("compile")
        for _ in range(steps):
            step(x, y)
            clock("step")


def run(context: Context) -> dict[str, Any]:
    found = []
    for title, workload, style in MODELS:
        measured = _measured(context, title, workload, style)
        fresh = None
        if context.full or title in FEW:
            context.note(f"{title}: in processes of their own")
            fresh = _fresh(context, "static" if style == "layer" else f"static-{style}", workload.name)
        found.append(
            {
                "title": title,
                "style": style,
                "sizes": f"{title} ({workload.sizes})",
                **measured,
                "fresh": fresh,
            }
        )
    codes = {"dynamic": {"code": source_of(train_dynamic)}, "static": {"code": source_of(train_static)}}
    return {"codes": codes, "models": found}


def _measured(context: Context, title: str, workload: Workload, style: str) -> dict[str, Any]:
    """By engine: `start`, until the first step is done, and `step`, of any later one; the `nodes` of
    static's graph, and its `phases` apart. The first training of each does not count: it loads kernels."""
    data, steps = workload.data(), context.pick(5, 20)
    start: dict[str, list[float]] = {engine: [] for engine in PAIR}
    later: dict[str, list[float]] = {engine: [] for engine in PAIR}
    phases: dict[str, list[float]] = {"build": [], "compile": [], "first step": []}
    with static.Graph().as_default() as graph:
        train_static(models.model(workload, style), data, 1, lambda phase: None)
    for turn in range(1 + context.rounds):
        context.note(f"{title}: training {turn + 1}, from the beginning")
        for engine in PAIR if turn % 2 == 0 else reversed(PAIR):
            times = _trained(engine, models.model(workload, style), data, steps)
            if turn == 0:
                continue
            first, *rest = [spent for phase, spent in times if phase == "step"]
            before = {phase: spent for phase, spent in times if phase != "step"}
            start[engine].append(sum(before.values()) + first)
            later[engine].append(spread(rest)["median"])
            if before:
                for phase, spent in (before | {"first step": first}).items():
                    phases[phase].append(spent)
    sides = {engine: {"start": spread(start[engine]), "step": spread(later[engine])} for engine in PAIR}
    return sides | {
        "nodes": len(graph.get_operations()),
        "phases": {phase: spread(samples) for phase, samples in phases.items()},
    }


def _fresh(context: Context, peer: str, workload: str) -> dict[str, Any]:
    """Seconds to static's first loss, imports apart, in a process that finds no kernel on disk, and
    in later ones, which find what that one has compiled."""
    taken = []
    with files.scratch() as cache:
        for _ in range(1 + context.pick(1, 5)):
            done = context.fresh(FRESH, str(cache), peer, workload)
            if done["status"]:
                raise RuntimeError(done["err"])
            taken.append(to_first_loss(json.loads(done["out"])))
    return {"cold": taken[0], "warm": spread(taken[1:])}


def _trained(engine: str, model: Any, data: Any, steps: int) -> list[tuple[str, float]]:
    """A training from the beginning: what was done, and the seconds that it took, in order."""
    times: list[tuple[str, float]] = []
    last = perf_counter()

    def clock(phase: str) -> None:
        nonlocal last
        now = perf_counter()
        times.append((phase, now - last))
        last = now

    if engine == "static":
        with static.Graph().as_default():
            train_static(model, data, steps, clock)
    else:
        train_dynamic(model, data, steps, clock)
    return times


# What is said of it.


def read(found: Json) -> Reading:
    trained = found["models"]
    early = {one["title"]: ahead(*(one[engine]["start"] for engine in PAIR)) for one in trained}
    shown = max(trained, key=lambda one: (_crossing(one, early) is not None, _owed(one)))
    return Reading(
        answer=_answer(trained, early),
        verdicts=[_verdict(one, early) for one in trained[:3]],
        evidence=[
            Pair("A training from the beginning", found["codes"]["dynamic"], found["codes"]["static"],
                 says="`clock` takes the time since it was last called."),
            Table(
                "Until the first step is done, and each step from then on",
                ("model", "dynamic, first", "static, first", "dynamic, later", "static, later", "won back"),
                [
                    (one["title"], *(spread_of(one[e]["start"]) for e in PAIR),
                     *(spread_of(one[e]["step"]) for e in PAIR), _won(one, early))
                    for one in trained
                ],
            ),
            Table(
                "What static's first result is made of",
                ("model", "nodes of the graph", *trained[0]["phases"]),
                [
                    (one["title"], number(one["nodes"]), *(spread_of(s) for s in one["phases"].values()))
                    for one in trained
                ],
            ),
            Table(
                "Static's first result in a process of its own",
                ("model", "no kernel on disk", "kernels on disk", "run before in its process"),
                [
                    (one["title"], seconds(one["fresh"]["cold"]), spread_of(one["fresh"]["warm"]),
                     spread_of(one["static"]["start"]))
                    for one in trained if one["fresh"]
                ],
                says="Without the imports. The first column is one process, the second those after it.",
            ),
            _curves(shown, early),
        ],
        means=_means(trained, early),
        otherwise=_otherwise(trained, early),
        threats=[
            "Kernels were loaded before anything was timed, but for the table on processes. A task's page "
            "counts so too, from the first line of its script; its model, and so its break-even, is another.",
        ],
    )  # fmt: skip


def _owed(one: Json) -> float:
    return abs(one["static"]["start"]["median"] - one["dynamic"]["start"]["median"])


def _crossing(one: Json, early: Json) -> BreakEven | None:
    """The step after which the side that starts later is not behind, all told; None if it always is."""
    first = early[one["title"]]
    return None if first is None else break_even(one[first], one[OTHER[first]])


def _in_step(even: BreakEven) -> str:
    """A break-even with its range: step 85 (70 to 104)."""
    high = number(even.high) if even.high is not None else None
    span = f"{number(even.low)} to {high}" if high else f"{number(even.low)} or later"
    return f"step {number(even.step)} ({span})"


def _won(one: Json, early: Json) -> str:
    first, step = early[one["title"]], _crossing(one, early)
    if first is None:
        return "not resolved"
    return "not seen" if step is None else f"by {OTHER[first]}, in {_in_step(step)}"


def _verdict(one: Json, early: Json) -> Verdict:
    first, step = early[one["title"]], _crossing(one, early)
    row = timed(f"time to the first step: {one['title']}", *(one[engine]["start"] for engine in PAIR))
    if first is None:
        return row
    won = "not seen to be won back" if step is None else f"won back in {_in_step(step)}"
    return replace(row, said=f"{row.said}, {won}")


def _curves(one: Json, early: Json) -> Curves:
    steps = [1, *(round(base * 10**power) for power in range(5) for base in (2, 5, 10))]
    steps = [step for step in steps if step <= LATER]
    crossing = _crossing(one, early)
    return Curves(
        f"All the time since the beginning: {one['title']}", "steps", "time",
        [
            Series(engine, steps, [one[engine]["start"]["median"] + (step - 1) * one[engine]["step"]["median"]
                                   for step in steps], side=engine)
            for engine in PAIR
        ],
        unit="seconds", log_x=True, log_y=True,
        mark=None if crossing is None else (crossing.crossing, f"step {number(crossing.step)}"),
        says="Both axes are logarithmic.",
    )  # fmt: skip


def _answer(trained: Json, early: Json) -> str:
    starts = {engine: [t for t in early if early[t] == engine] for engine in PAIR}
    first = max(PAIR, key=lambda engine: len(starts[engine]))
    if not starts[first]:
        return "On which engine the first result comes sooner is not resolved."
    mine = [one for one in trained if early[one["title"]] == first]
    steps = [even.step for one in mine if (even := _crossing(one, early)) is not None]
    said = f"On {len(mine)} of {count(len(trained), 'model')} {first}'s first result comes earlier; "
    if not steps:
        return said + f"{OTHER[first]} is not seen to win it back."
    until = number(min(steps)) if len(steps) == 1 else f"{number(min(steps))} to {number(max(steps))}"
    return said + f"{OTHER[first]} wins it back on {len(steps)} of them, in step {until}."


def _once(one: Json) -> float:
    """Seconds that static builds and compiles."""
    return float(one["phases"]["build"]["median"] + one["phases"]["compile"]["median"])


def _means(trained: Json, early: Json) -> list[str]:
    starts = {engine: [t for t in early if early[t] == engine] for engine in PAIR}
    first = max(PAIR, key=lambda engine: len(starts[engine]))
    if not starts[first]:
        return ["What it costs to build and to compile first is not resolved here."]
    worst = max(trained, key=_once)
    grows = sorted(trained, key=_once) == sorted(trained, key=lambda one: int(one["nodes"]))
    reasons = {
        "dynamic": "What static does once, before the first result, "
        f"{'takes the longer, the more nodes the graph has' if grows else 'hangs on the model'}: most for "
        f"{worst['title']}, with {number(worst['nodes'])} nodes {spread_of(worst['phases']['build'])} of "
        f"building and {spread_of(worst['phases']['compile'])} of compiling.",
        "static": "What static does before its first result takes less than dynamic's first step does.",
    }
    never = [one["title"] for one in trained if early[one["title"]] and _crossing(one, early) is None]
    said = [reasons[first]]
    if never:
        said.append(f"For {listed(never)} it is not seen to earn anything.")
    return said


def _otherwise(trained: Json, early: Json) -> list[str]:
    starts = {engine: [t for t in early if early[t] == engine] for engine in PAIR}
    first = max(PAIR, key=lambda engine: len(starts[engine]))
    if not starts[first]:
        return ["Neither side is seen to have come off worse."]
    late = OTHER[first]
    won = [one for one in trained if early[one["title"]] == first and _crossing(one, early) is not None]
    if not won:
        return [
            f"A program that {late} has once built can be kept in a file, and starts there without its build."
            if late == "static"
            else "Dynamic has nothing to invest, and a model may be another one in every step."
        ]
    one = max(won, key=lambda one: one[first]["step"]["median"] / one[late]["step"]["median"])
    saved = one[first]["step"]["median"] - one[late]["step"]["median"]
    even = _crossing(one, early)
    assert even is not None
    return [
        f"For {one['title']} {late} is ahead by {seconds(saved)} in each step after {_in_step(even)}, which "
        f"over {number(LATER)} steps makes {seconds(LATER * saved - _owed(one))}.",
    ]


EXPERIMENT = Experiment(
    name="amortisation",
    title="An investment, and when it pays",
    question="Static builds and compiles before it runs. After how many steps is that won back?",
    dimension="start",
    run=run,
    read=read,
    sizes=lambda found: f"Trained: {listed([one['sizes'] for one in found['models']])}.",
)
