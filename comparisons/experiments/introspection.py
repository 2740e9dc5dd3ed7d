"""What a training step will cost, said before anything has run, and what it then cost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, count, number, size, spread_of
from comparisons.statistics.tally import plain
from shared import nn, ops, optim
from shared.nn.overview import FLOPS
from shared.spec import spec_of
from shared.watch.hooks import Event, Hook, watching

CLOSE = 0.25
"""A figure that is off by no more than this share of what was measured counts as known: by so much
one leaves room when one chooses a batch size."""


def model() -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(6272, 10),
    )  # fmt: skip


def estimate_dynamic() -> dict[str, Any]:
    """The model is called on shapes alone, which gives its forward pass; what backward will do is
    estimated by the rule of thumb: twice as much again."""
    net = model()
    table = nn.summary(net, (64, 1, 28, 28))
    print(table)
    return {"parameters": table.parameters, "flops": 3 * table.flops}


def estimate_static() -> dict[str, Any]:
    """The training step is a graph, which can be gone through without running it."""
    net = model()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 1, 28, 28))
    y = static.placeholder("int64", ("N",))
    loss = ops.cross_entropy(net(x), y)
    train = optimizer.minimize(loss)
    told = static.estimate([loss, train], sizes={"N": 64})
    print(told)
    costs = {"parameters": told.parameters, "flops": told.flops}
    memory = static.Session(optimize="exact").memory([loss, train], {"N": 64})
    return costs | {"memory": memory.peak}


class Work(Hook):
    """Adds up the floating-point operations of the ops that run, by the table that estimates use."""

    def __init__(self) -> None:
        self.flops = 0

    def after(self, event: Event) -> None:
        if (work := FLOPS.get(event.op.name)) is not None:
            given, made = map(spec_of, event.inputs), map(spec_of, event.outputs)
            self.flops += int(work([*given], [*made], event.settings))


def run(context: Context) -> dict[str, Any]:
    snippets = {"dynamic": attempt(estimate_dynamic), "static": attempt(estimate_static)}
    nn.manual_seed(context.seed)
    nets = {engine: model() for engine in PAIR}  # a session would miss what steps of dynamic's change
    x = np.random.default_rng(context.seed).random((64, 1, 28, 28), np.float32)
    y = np.arange(64) % 10
    step = {"dynamic": _step_dynamic(nets["dynamic"], x, y), "static": _step_static(nets["static"], x, y)}
    context.note("running what was estimated")
    step["dynamic"]()  # kernels load
    step["static"]()
    with watching(work := Work()):
        step["static"]()
    parameters = sum(parameter.size for parameter in nets["dynamic"].parameters())
    ran = {
        "parameters": dict.fromkeys(PAIR, parameters),
        # Hooks do not see inside of dynamic's backward, which calls the same kernels.
        "flops": dict.fromkeys(PAIR, work.flops),
        "memory": {
            "dynamic": context.working(partial(_anew, _step_dynamic, nets["dynamic"], x, y)),
            "static": context.working(partial(_anew, _step_static, nets["static"], x, y)),
        },
    }
    return {
        "snippets": snippets,
        "figures": [
            {
                "name": name,
                **{e: {"said": snippets[e]["value"].get(name), "ran": ran[name][e]} for e in PAIR},
            }
            for name in FIGURES
        ],
        "times": context.time(
            {"dynamic": partial(_quietly, estimate_dynamic), "static": partial(_quietly, estimate_static)},
            at_least=0,
        ),
        "step": context.time({"dynamic": step["dynamic"]}, at_least=0)["dynamic"],
    }  # fmt: skip


def _anew(make: Callable[..., Any], net: Any, x: Any, y: Any) -> Any:
    """A step that is the first of its kind: there are no gradients yet, and no arena. Kernels have been
    loaded by other steps before."""
    for parameter in net.parameters():
        parameter.grad = None
    return make(net, x, y)


def _step_dynamic(net: Any, x: Any, y: Any) -> Any:
    optimizer = optim.SGD(net.parameters(), lr=0.0)

    def step() -> None:
        loss = ops.cross_entropy(net(dynamic.tensor(x)), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def _step_static(net: Any, x: Any, y: Any) -> Any:
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder(x.dtype, x.shape), static.placeholder(y.dtype, y.shape)
        loss = ops.cross_entropy(net(x_in), y_in)
        optimizer = optim.SGD(net.parameters(), lr=0.0)
        train = optimizer.minimize(loss)
    session = static.Session(graph, optimize="exact")
    session.load(net, optimizer)
    session.program([loss, train], [x_in, y_in])  # compiled here, and not in the first step
    return lambda: session.run([loss, train], {x_in: x, y_in: y})


def _quietly(estimate: Callable[[], Any]) -> None:
    with redirect_stdout(StringIO()), static.Graph().as_default():
        estimate()


FIGURES = {
    "parameters": ("numbers that are trained", number),
    "flops": ("arithmetic of a training step", lambda value: f"{number(value / 1e6)} MFLOP"),
    "memory": ("memory of a step, beside the weights", size),
}
"""What a step costs, by name: what it is called, and how it is said."""


# What is said of it.


def read(found: Json) -> Reading:
    figures, times = plain(found["figures"]), found["times"]
    known = {engine: [f for f in figures if _known(f[engine])] for engine in PAIR}
    first = counted(
        f"of a step's {len(figures)} costs (memory, ...), told before it runs",
        len(known["dynamic"]), len(known["static"]),
        more=True,
    )  # fmt: skip
    return Reading(
        answer=_answer(first.ahead, known, len(figures)),
        verdicts=[first, timed("time to estimate the cost of a step", *(times[engine] for engine in PAIR))],
        evidence=[
            Pair("A training step, estimated", *(found["snippets"][e] | {"out": ""} for e in PAIR),
                 says="The network has two convolutions and a dense layer; batches are of 64 images of 28 "
                 "by 28."),
            Table(
                "Said, and then measured",
                ("cost", "dynamic", "then measured", "static", "then measured"),
                [
                    (FIGURES[f["name"]][0],
                     *(cell for e in PAIR for cell in (_said(f, e), FIGURES[f["name"]][1](f[e]["ran"]))))
                    for f in figures
                ],
                [_closer(f) for f in figures],
                says="Arithmetic is counted by a hook around every op of static's step, memory by "
                "tracemalloc.",
            ),
            Output("What was printed", {e: found["snippets"][e]["out"] for e in PAIR}),
        ],
        means=_means(first.ahead, known),
        otherwise=_otherwise(first.ahead, found),
        threats=[
            "To foretell memory static compiles the step, which is in its time.",
        ],
    )  # fmt: skip


def _known(one: Json) -> bool:
    return one["said"] is not None and abs(one["said"] - one["ran"]) <= CLOSE * one["ran"]


def _said(figure: Json, engine: str) -> str:
    said = figure[engine]["said"]
    return "not said" if said is None else FIGURES[figure["name"]][1](said)


def _closer(figure: Json) -> str | None:
    good = [engine for engine in PAIR if _known(figure[engine])]
    return good[0] if len(good) == 1 else None


def _answer(leader: str | None, known: Json, all_of: int) -> str:
    if leader is None:
        return f"Both engines know {len(known['dynamic'])} of {count(all_of, 'cost')} of a step beforehand."
    other = OTHER[leader]
    return (
        f"{leader.capitalize()} tells {len(known[leader])} of {count(all_of, 'cost')} of a training step "
        f"before anything has run, {other} {len(known[other])}."
    )


def _means(leader: str | None, known: Json) -> list[str]:
    if leader is None:
        return ["A step's cost is as well known beforehand on one side as on the other."]
    reasons = {
        "static": "On static gradients and update are nodes like any other. On dynamic a model knows its "
        "shapes; what backward will do is written nowhere before the forward pass.",
        "dynamic": "What static's graph says of a step is further here from what the step does than what "
        "dynamic says of the model.",
    }
    return [
        reasons[leader],
        f"That a batch size does not fit is seen in the estimate, if {leader} is asked.",
    ]


def _otherwise(leader: str | None, found: Json) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    step = spread_of(found["step"])
    if leader == "static":
        return [
            f"Where a step can be run it is its own best estimate: on dynamic one takes {step} here.",
            "Where a model's shape hangs on its data, so does its cost.",
        ]
    return [f"Static's table names every op of the step, dynamic's the layers; a step takes {step}."]


EXPERIMENT = Experiment(
    name="introspection",
    title="The cost of a step, before it has run",
    question="Will this model fit into memory, and how much will a step compute?",
    dimension="foresight",
    run=run,
    read=read,
    sizes=lambda found: "Two convolutions and a dense layer, a batch of 64 images of 28 by 28.",
    level="exact",
)
