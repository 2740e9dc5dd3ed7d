"""Memory that is planned before a step, foretold, measured, and traded for time by checkpoints."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
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
from comparisons.statistics.ahead import ahead, smaller
from comparisons.statistics.quantities import OTHER, PAIR, listed, percent, size
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
    ("a dense network", WORKLOADS["mlp"], "layer"),
    ("a convolutional network", replace(WORKLOADS["cnn"], batch=16), "layer"),
    ("an LSTM layer", replace(WORKLOADS["lstm"], times=20, width=64), "layer"),
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
        found["models"].append({"title": title, **_measured(workload, style)})
    context.note(f"{LAYERS} layers, in parts that are computed twice")
    return found | {"deep": _deep(context)}


def _measured(workload: Any, style: str) -> dict[str, Any]:
    x, y = workload.data()
    net = models.model(workload, style)
    opt = optim.SGD(net.parameters(), lr=workload.rate)

    def eager() -> None:
        loss = net(dynamic.tensor(x), dynamic.tensor(y))
        opt.zero_grad()
        loss.backward()
        opt.step()

    with static.Graph().as_default() as graph:
        x_in = static.placeholder(x.dtype, x.shape)
        y_in = static.placeholder(y.dtype, y.shape)
        loss = net(x_in, y_in)
        fetches, feeds = [loss, opt.minimize(loss)], [x_in, y_in]

    def compiled(without: tuple[str, ...] = ()) -> Step:
        session = static.Session(graph, without=without)
        session.load(net, opt)
        call = session.make_callable(fetches, feeds)
        return lambda: call(x, y)

    foretold = static.Session(graph).memory(fetches, feeds=feeds)
    eager()
    opt.zero_grad()
    compiled()()  # kernels load
    return {
        "foretold": foretold.peak,
        "arena": foretold.arena,
        "dynamic": _peak(eager),
        "static": _peak(compiled()),
        "unplanned": _peak(compiled(("plan",))),
    }


def _peak(step: Step) -> int:
    """Bytes at the highest point of one step, with an arena that is made in it."""
    gc.collect()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _deep(context: Context) -> dict[str, Any]:
    """Memory and time of a deep network: on dynamic by the number of checkpointed parts."""
    width, batch = context.pick((64, 1024), (256, 2048))
    draw = np.random.default_rng(context.seed)
    x, y = draw.random((batch, width), np.float32), draw.integers(0, 10, batch)
    told: list[int] = []
    steps = {f"{parts}": deep_dynamic(x, y, width, parts) for parts in PARTS}
    with static.Graph().as_default():
        deep_static(x, y, width, told)()  # kernels load
        fresh = deep_static(x, y, width, told)
    for step in steps.values():
        step()
    peaks = {name: _peak(step) for name, step in steps.items()} | {"static": _peak(fresh)}
    times = context.time({**steps, "static": fresh}, rounds=context.pick(5, 15))
    return {
        "parts": [{"parts": int(name), "peak": peaks[name], "time": times[name]} for name in steps],
        "whole": {"peak": peaks["static"], "time": times["static"], "foretold": told[-1]},
    }


# What is said of it.


def read(found: Json) -> Reading:
    trained, deep = found["models"], found["deep"]
    leaders = {one["title"]: smaller(*_peaks(one)) for one in trained}
    return Reading(
        answer=_answer(trained, leaders),
        verdicts=[sized(f"most memory of a step: {one['title']}", *_peaks(one)) for one in trained],
        evidence=[
            Pair(f"A network of {found['layers']} layers", found["codes"]["dynamic"],
                 found["codes"]["static"],
                 says="Dynamic's author chooses what to keep; static says what it will hold."),
            Table(
                "A step of three models",
                ("model", "static foretold", "static", "off by", "static without the plan", "dynamic"),
                [
                    (one["title"], size(one["foretold"]), size(one["static"]), percent(_off(one)),
                     size(one["unplanned"]), size(one["dynamic"]))
                    for one in trained
                ],
                list(leaders.values()),
                says="The highest point of a step, beside the weights and the batch. Foretold before a run; "
                "the others measured.",
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
        happened=[
            *(_happened(one, leaders[one["title"]]) for one in trained),
            f"What static foretold was off by {listed([percent(_off(one)) for one in trained])}.",
            _checkpoints(deep, found["layers"]),
        ],
        means=_means(trained, leaders),
        otherwise=_otherwise(leaders, deep),
        threats=[
            "Static's arena stays from step to step, and the first step makes it; what counts here is the "
            "highest point, and not what is held between steps.",
            "A new value of a variable is a fresh array on static, so that a run that fails changes nothing; "
            "dynamic's optimiser writes into the old one.",
            "Static is not asked to save here. With `Session(memory_limit=...)` it computes values twice, as "
            "dynamic does by hand; an experiment of its own compares the two.",
        ],
    )  # fmt: skip


def _peaks(one: Json) -> tuple[int, int]:
    return one["dynamic"], one["static"]


def _off(one: Json) -> float:
    return abs(one["foretold"] - one["static"]) / one["static"]


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


def _happened(one: Json, leader: str | None) -> str:
    saved = 1 - one["static"] / one["unplanned"]
    if _plan_pays(one) is None:
        plan = "makes no difference"
    else:
        plan = f"saves {percent(saved)}" if saved > 0 else f"costs {percent(-saved)} more"
    who = "neither holds less" if leader is None else f"{leader} holds less"
    title = one["title"][0].upper() + one["title"][1:]
    return (
        f"{title}: {size(one['dynamic'])} on dynamic, {size(one['static'])} on static, so {who}. The plan "
        f"{plan} beside static without it."
    )


def _checkpoints(deep: Json, layers: int) -> str:
    first, least = deep["parts"][0], _least(deep)
    more = least["time"]["median"] / first["time"]["median"] - 1
    if ahead(first["time"], least["time"]) is None:
        took = "as long, within the spread"
    else:
        took = f"{percent(abs(more))} {'longer' if more > 0 else 'less time'}"
    whole = size(deep["whole"]["peak"])
    return (
        f"With checkpoints, dynamic's step of {layers} layers came down from {size(first['peak'])} to "
        f"{size(least['peak'])}, in {least['parts']} parts, and took {took}; static "
        f"holds {whole} for the same network."
    )


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
    return f"{text[0].upper()}{text[1:]}. What static will hold it said beforehand, within {percent(worst)}."


def _means(trained: Json, leaders: Json) -> list[str]:
    said = [
        "A program that stands before it runs can be asked for its memory, and a batch size be chosen by the "
        "answer instead of by trying."
    ]
    loses = [one["title"] for one in trained if _plan_pays(one) is False]
    if loses:
        said.append(
            f"The plan costs more than it saves for {listed(loses)}: values of many sizes do not fill an "
            "arena without gaps, and what leaves a run can not lie in it."
        )
    reasons = {
        "static": "Static writes over values whose last reader is past, and dynamic has to wait until Python "
        "lets go: so static needs less for {}.",
        "dynamic": "Dynamic gives each array back when its last holder goes, and updates the weights in "
        "place, which for {} holds less than static's plan does.",
    }
    said += [reasons[engine].format(listed(_on(leaders, engine))) for engine in PAIR if _on(leaders, engine)]
    if tied := [f"{one['title']} ({size(one['dynamic'])} and {size(one['static'])})" for one in trained
                if leaders[one["title"]] is None]:  # fmt: skip
        said.append(f"For {listed(tied)} the choice of the engine decides nothing.")
    return said


def _otherwise(leaders: Json, deep: Json) -> list[str]:
    leads = {engine: len(_on(leaders, engine)) for engine in PAIR}
    if not any(leads.values()):
        return ["Neither came off worse here, so there is nothing to be said for the other side."]
    other = OTHER[max(PAIR, key=lambda engine: leads[engine])]
    least, whole = _least(deep), deep["whole"]
    if other == "static":
        return [
            "What static holds it knows beforehand, and holds in every step alike: a training that has begun "
            "will not run out of memory in its last hour, whatever else is in the batch."
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
)
