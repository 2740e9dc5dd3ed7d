"""Memory that is planned before a step, foretold, measured, and traded for time by checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.bench import models
from comparisons.bench.workloads import WORKLOADS
from comparisons.lab.blocks import Bars, Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import sized
from comparisons.statistics.effect import smaller
from comparisons.statistics.quantities import (
    OTHER,
    PAIR,
    listed,
    no_further_in_percent,
    number,
    percent,
    size,
)
from comparisons.statistics.tally import plain
from shared import nn, ops, optim

Step = Callable[[], object]
LAYERS = 16


def deep_dynamic(x: Any, y: Any, width: int, parts: int) -> Step:
    """A checkpoint forgets what a part of the model needs for its gradient, and computes it again."""
    blocks = [nn.Sequential(nn.Linear(width, width), nn.Tanh()) for _ in range(LAYERS)]
    head = nn.Linear(width, 10)
    opt = optim.SGD([*nn.Sequential(*blocks, head).parameters()], lr=0.1)
    size = LAYERS // parts
    pieces = [nn.Sequential(*blocks[i : i + size]) for i in range(0, LAYERS, size)]

    def step():
        h = dynamic.tensor(x)
        for piece in pieces:
            h = dynamic.checkpoint(piece, h) if parts > 1 else piece(h)
        loss = ops.cross_entropy(head(h), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


def deep_static(x: Any, y: Any, width: int, told: list[int]) -> Step:
    """What a step will hold is said before it has run."""
    blocks = [nn.Sequential(nn.Linear(width, width), nn.Tanh()) for _ in range(LAYERS)]
    head = nn.Linear(width, 10)
    opt = optim.SGD([*nn.Sequential(*blocks, head).parameters()], lr=0.1)
    x_in = static.placeholder(x.dtype, ("N", width))
    y_in = static.placeholder(y.dtype, ("N",))
    h = x_in
    for block in blocks:
        h = block(h)
    loss = ops.cross_entropy(head(h), y_in)
    train = opt.minimize(loss)
    session = static.Session()
    session.run(static.global_variables_initializer())
    told.append(session.memory([loss, train], {"N": len(x)}).peak)
    step = session.make_callable([loss, train], [x_in, y_in])
    return lambda: step(x, y)


MODELS = (
    ("the benchmark's MLP", WORKLOADS["mlp"], "layer"),
    ("the benchmark's CNN, 16 images", replace(WORKLOADS["cnn"], batch=16), "layer"),
    ("the benchmark's LSTM, 20 steps", replace(WORKLOADS["lstm"], times=20, width=64), "layer"),
)
PARTS = (1, 2, 4, 8, 16)


def run(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = {
        "codes": {"dynamic": {"code": source_of(deep_dynamic)}, "static": {"code": source_of(deep_static)}},
        "layers": LAYERS,
        "models": [],
    }
    for title, workload, style in MODELS:
        context.note(f"{title}: memory of a step")
        found["models"].append({"title": title, **_measured(context, workload, style)})
    context.note(f"{LAYERS} layers, in parts that are computed twice")
    return found | {"deep": _deep(context)}


def _measured(context: Context, workload: Any, style: str) -> dict[str, Any]:
    x, y = workload.data()

    def made_dynamic() -> Step:
        net = models.model(workload, style)
        opt = optim.SGD(net.parameters(), lr=workload.rate)

        def step() -> None:
            loss = net(dynamic.tensor(x), dynamic.tensor(y))
            opt.zero_grad()
            loss.backward()
            opt.step()

        return step

    def made_static(without: tuple[str, ...] = (), told: list[Any] | None = None) -> Step:
        net = models.model(workload, style)
        opt = optim.SGD(net.parameters(), lr=workload.rate)
        with static.Graph().as_default() as graph:
            x_in = static.placeholder(x.dtype, x.shape)
            y_in = static.placeholder(y.dtype, y.shape)
            loss = net(x_in, y_in)
            fetches, feeds = [loss, opt.minimize(loss)], [x_in, y_in]
        session = static.Session(graph, without=without)
        session.load(net, opt)
        if told is not None:
            told.append(session.memory(fetches, feeds=feeds))
        call = session.make_callable(fetches, feeds)
        return lambda: call(x, y)

    told: list[Any] = []
    made_static()()  # kernels load
    return {
        "own": context.working(partial(made_static, (), told)),
        "foretold": told[0].peak,
        "dynamic": context.held(made_dynamic)["peak"],
        "static": context.held(made_static)["peak"],
        "unplanned": context.held(partial(made_static, ("plan",)))["peak"],
    }


def _deep(context: Context) -> dict[str, Any]:
    """Memory and time of a deep network: on dynamic by the number of checkpointed parts."""
    width, batch = context.pick((64, 1024), (256, 2048))
    draw = np.random.default_rng(context.seed)
    x, y = draw.random((batch, width), np.float32), draw.integers(0, 10, batch)
    told: list[int] = []

    def described() -> Step:
        with static.Graph().as_default():
            return deep_static(x, y, width, told)

    sides: dict[str, Callable[[], Step]] = {
        **{f"{parts}": partial(deep_dynamic, x, y, width, parts) for parts in PARTS}, "static": described,
    }  # fmt: skip
    peaks = {name: context.held(made)["peak"] for name, made in sides.items()}
    times = context.time({name: made() for name, made in sides.items()})
    return {
        "width": width, "batch": batch,
        "parts": [{"parts": n, "peak": peaks[f"{n}"], "time": times[f"{n}"]} for n in PARTS],
        "whole": {"peak": peaks["static"], "time": times["static"], "foretold": told[-1]},
    }  # fmt: skip


# What is said of it.


def read(found: Json) -> Reading:
    counts, (trained, deep) = found["models"], plain([found["models"], found["deep"]])
    leaders = {one["title"]: smaller(*_peaks(one)) for one in trained}
    return Reading(
        answer=_answer(trained, leaders),
        verdicts=[sized(f"most memory of a step: {one['title']}", *_peaks(one)) for one in counts],
        evidence=[
            Pair(f"A network of {found['layers']} layers", found["codes"]["dynamic"],
                 found["codes"]["static"],
                 says="Dynamic's author chooses what to keep; static says what it will hold."),
            Table(
                "A step of three models",
                ("model", "dynamic", "static", "static without the plan", "a run's own, foretold",
                 "and measured"),
                [
                    (one["title"], size(one["dynamic"]), size(one["static"]), size(one["unplanned"]),
                     size(one["foretold"]), size(one["own"]))
                    for one in trained
                ],
                list(leaders.values()),
                says="All that a side holds at its highest; a run's own static can foretell.",
            ),
            Bars(
                "The highest point of a step",
                [one["title"] for one in trained],
                {
                    **{engine: [one[engine] for one in trained] for engine in PAIR},
                    "static without the plan": [one["unplanned"] for one in trained],
                },
                unit="bytes",
            ),
            _curve(deep, "peak", "bytes", "Memory, by the number of parts that are computed twice"),
            _curve(deep, "time", "seconds", "Time, by the number of parts that are computed twice"),
        ],
        means=_means(trained, leaders),
        otherwise=_otherwise(leaders, deep),
        threats=[
            "On both engines the new value of a parameter is a fresh array.",
            "Static is not asked to save here, as by `Session(memory_limit=...)` it can be.",
        ],
    )  # fmt: skip


def _peaks(one: Json) -> tuple[Any, Any]:
    return one["dynamic"], one["static"]


def _off(one: Json) -> float:
    return abs(one["foretold"] - one["own"]) / one["own"]


def _plan_pays(one: Json) -> bool | None:
    """Whether static holds less with its plan than without; None if the two are close."""
    close = smaller(one["static"], one["unplanned"]) is None
    return None if close else bool(one["static"] < one["unplanned"])


def _least(deep: Json) -> Json:
    return min(deep["parts"], key=lambda at: at["peak"])


def _curve(deep: Json, part: str, unit: str, title: str) -> Curves:
    parts = [at["parts"] for at in deep["parts"]]
    ends = [parts[0], parts[-1]]
    take = (lambda at: at[part]["median"]) if part == "time" else (lambda at: at[part])
    return Curves(
        title, "parts", "a step takes" if part == "time" else "highest point",
        [
            Series("dynamic", parts, [take(at) for at in deep["parts"]], "dynamic"),
            Series("static, as it is", ends, [take(deep["whole"])] * 2, "static", dashed=True),
        ],
        unit=unit,
        says="With one part nothing is computed twice. Between two parts only their border is kept.",
    )  # fmt: skip


def _on(leaders: Json, side: str | None) -> list[str]:
    return [title for title, leader in leaders.items() if leader == side]


def _answer(trained: Json, leaders: Json) -> str:
    said = [
        f"{engine} holds less for {listed(_on(leaders, engine))}" for engine in PAIR if _on(leaders, engine)
    ]
    if tied := _on(leaders, None):
        said.append(f"neither holds less for {listed(tied)}")
    worst = max(map(_off, trained))
    text = "; ".join(said)
    return (
        f"{text[0].upper()}{text[1:]}. What a run will take for itself static said beforehand, "
        f"{no_further_in_percent(worst)}."
    )


def _means(trained: Json, leaders: Json) -> list[str]:
    said = [
        "A program that stands before it runs can be asked for its memory, instead of trying."
    ]
    loses = [one["title"] for one in trained if _plan_pays(one) is False]
    if loses:
        said.append(
            f"The plan costs more than it saves for {listed(loses)}: values of many sizes do not fill an "
            "arena without gaps, and what leaves a run can not lie in it."
        )
    if held := _on(leaders, "dynamic"):
        said.append(
            "Dynamic gives each array back when its last holder goes, and has no second copy of the weights, "
            f"which for {listed(held)} holds less than static does."
        )
    said += _why_static(trained, leaders)
    if tied := [f"{one['title']} ({size(one['dynamic'])} and {size(one['static'])})" for one in trained
                if leaders[one["title"]] is None]:  # fmt: skip
        said.append(f"For {listed(tied)} the choice of the engine decides nothing.")
    return said


def _why_static(trained: Json, leaders: Json) -> list[str]:
    """Why static holds less: it is its plan only where without the plan dynamic would hold no more."""
    ahead = [one for one in trained if leaders[one["title"]] == "static"]
    by_plan = [one for one in ahead if smaller(one["dynamic"], one["unplanned"]) != "static"]
    other = [one for one in ahead if one not in by_plan]
    said = []
    if by_plan:
        said.append(
            "Static writes over values whose last reader is past, and dynamic has to wait until Python lets "
            f"go: so static needs less for {listed([one['title'] for one in by_plan])}."
        )
    if other:
        figures = listed([f"{one['title']} ({size(one['unplanned'])} without)" for one in other])
        said.append(f"It is not for its plan that static needs less for {figures}.")
    return said


def _otherwise(leaders: Json, deep: Json) -> list[str]:
    leads = {engine: len(_on(leaders, engine)) for engine in PAIR}
    if not any(leads.values()):
        return ["Neither side is seen to have come off worse."]
    other = OTHER[max(PAIR, key=lambda engine: leads[engine])]
    least, whole = _least(deep), deep["whole"]
    if other == "static":
        return [
            "What a run of static takes for itself can be foretold once all sizes are known, and is the same "
            "in every step of those sizes."
        ]
    said = (
        "A Tensor that is not wanted is dropped by a line of the program, and a part of the model computed "
    )
    said += "twice by a call (`dynamic.checkpoint`)"
    if least["peak"] < whole["peak"]:
        saved = 1 - least["peak"] / whole["peak"]
        return [f"{said}: so dynamic needs {percent(saved)} less than static for the deep network above."]
    return [f"{said}; here it does not bring dynamic below static."]


EXPERIMENT = Experiment(
    name="memory_plan",
    title="Memory that is planned before a step",
    question="How much memory does a step take, who knows it beforehand, and can it be less?",
    dimension="memory",
    run=run,
    read=read,
    sizes=lambda found: (
        f"The benchmark's models at sizes of their own, and {found['layers']} dense layers of width "
        f"{found['deep']['width']} on {number(found['deep']['batch'])} rows."
    ),
)
