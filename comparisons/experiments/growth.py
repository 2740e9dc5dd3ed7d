"""How a training step's time grows with what is trained: examples, width, layers, tokens."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise
from math import log2
from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import timed
from comparisons.statistics.quantities import OTHER, PAIR, factor, listed, number
from shared import nn


class Attention(nn.Module):
    """Each token looks at all of them."""

    def __init__(self) -> None:
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.attention(x, x, x)[0]


def dense(width: int, layers: int) -> nn.Module:
    """Layers of one width."""
    return nn.Sequential(*(part for _ in range(layers) for part in (nn.Linear(width, width), nn.ReLU())))


def steps_dynamic(model: Any, x: Any) -> Generator[float, None, None]:
    """A training step at a time."""
    import dynamic
    from shared import optim

    opt = optim.SGD(model.parameters(), lr=0.01)
    while True:
        loss = (model(dynamic.tensor(x)) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        yield loss.item()


def steps_static(model: Any, x: Any) -> Generator[float, None, None]:
    """A training step at a time."""
    import static
    from shared import optim

    opt = optim.SGD(model.parameters(), lr=0.01)
    with static.Graph().as_default() as graph:
        x_in = static.placeholder("float32", x.shape, name="x")
        loss = (model(x_in) ** 2).mean()
        train = opt.minimize(loss)
        init = static.global_variables_initializer()
    session = static.Session(graph=graph)
    session.run(init)
    while True:
        value, _ = session.run([loss, train], {x_in: x})
        yield value.item()


STEPS = {"dynamic": steps_dynamic, "static": steps_static}
AXES: dict[str, tuple[str, dict[bool, tuple[int, ...]], Any]] = {
    "examples": (
        "Two layers of 64 units", {False: (1, 16, 256), True: (1, 8, 64, 512)},
        lambda n: (dense(64, 2), (n, 64)),
    ),
    "width": (
        "Two layers, 32 examples", {False: (16, 64, 256), True: (16, 64, 256, 1024)},
        lambda n: (dense(n, 2), (32, n)),
    ),
    "layers": (
        "Layers of 32 units, 16 examples", {False: (2, 8, 32), True: (2, 4, 16, 64)},
        lambda n: (dense(32, n), (16, 32)),
    ),
    "tokens": (
        "An attention of 4 heads, width 32, 2 texts", {False: (8, 32, 128), True: (16, 64, 256, 1024)},
        lambda n: (Attention(), (2, n, 32)),
    ),
}  # fmt: skip
"""What grows: what stays meanwhile, the sizes in a quick and a full run, and a model with a batch's shape."""


def run(context: Context) -> dict[str, Any]:
    axes = []
    for name, (about, sizes, make) in AXES.items():
        points = []
        for size in sizes[context.full]:
            context.note(f"{size} {name}")
            running = {}
            for engine, steps in STEPS.items():
                nn.manual_seed(context.seed)
                model, shape = make(size)
                x = np.random.default_rng(context.seed).normal(size=shape).astype(np.float32)
                running[engine] = steps(model, x)
            points.append({"size": size, **context.time({e: run.__next__ for e, run in running.items()})})
        axes.append({"name": name, "about": about, "points": points})
    return {"codes": {e: {"code": source_of(steps)} for e, steps in STEPS.items()}, "axes": axes}


def read(found: Json) -> Reading:
    axes = {axis["name"]: axis for axis in found["axes"]}
    least, most = axes["examples"]["points"][0], axes["width"]["points"][-1]
    small = timed("a training step of two dense layers on one example", *(least[engine] for engine in PAIR))
    large = timed(f"a training step of two dense layers of {number(most['size'])} units",
                  *(most[e] for e in PAIR))
    return Reading(
        answer=f"{_bends(found['axes'])} {_who(small.ahead, 'On one example')} "
        f"{_who(large.ahead, 'With the widest layers')}",
        verdicts=[small, large],
        evidence=[
            *(_curves(axis) for axis in found["axes"]),
            Table(
                "What a doubling costs", ("doubled", "from, to", *PAIR),
                [row for axis in found["axes"] for row in _doublings(axis)],
                says="How many times as long a step takes with twice as much, by the medians: 2 is in "
                "proportion.",
            ),
            Pair("A training step", found["codes"]["dynamic"], found["codes"]["static"]),
        ],
        means=_means(small.ahead, large.ahead),
        otherwise=_otherwise(small.ahead, large.ahead),
        threats=["With more threads the curves of large arrays move, and not the others."],
    )  # fmt: skip


def _curves(axis: Json) -> Curves:
    x = [point["size"] for point in axis["points"]]
    series = [
        Series(engine, x, [point[engine]["median"] for point in axis["points"]], engine,
               low=[point[engine]["low"] for point in axis["points"]],
               high=[point[engine]["high"] for point in axis["points"]])
        for engine in PAIR
    ]  # fmt: skip
    return Curves(
        f"A step, by {axis['name']}", axis["name"], "time", series, unit="seconds", log_x=True, log_y=True,
        says=f"{axis['about']}.",
    )


def _doublings(axis: Json) -> list[tuple[str, ...]]:
    """A row from each point to the next: what a doubling costs there on either engine."""
    rows = []
    for before, after in pairwise(axis["points"]):
        doublings = log2(after["size"] / before["size"])
        grown = ((after[e]["median"] / before[e]["median"]) ** (1 / doublings) for e in PAIR)
        span = f"{number(before['size'])} to {number(after['size'])}"
        rows.append((axis["name"], span, *map(factor, grown)))
    return rows


def _bends(axes: Json) -> str:
    """On which engine a step's time grows more steeply over the whole of each axis, where that is resolved:
    where the quartiles of both ends leave no doubt of it."""
    steeper: dict[str | None, list[str]] = {"dynamic": [], "static": [], None: []}
    for axis in axes:
        least, most = axis["points"][0], axis["points"][-1]
        low = {e: most[e]["low"] / least[e]["high"] for e in PAIR}
        high = {e: most[e]["high"] / least[e]["low"] for e in PAIR}
        which = next((e for e in PAIR if low[e] > high[OTHER[e]]), None)
        steeper[which].append(axis["name"])
    said = [f"more steeply on {e} with {listed(steeper[e])}" for e in PAIR if steeper[e]]
    if steeper[None]:
        said.append(f"on which engine more steeply is not resolved with {listed(steeper[None])}")
    return f"From the least to the most, a step's time grows {'; '.join(said)}."


def _who(leader: str | None, where: str) -> str:
    return f"{where} who is ahead is not resolved." if leader is None else f"{where} {leader} is ahead."


def _means(small: str | None, large: str | None) -> list[str]:
    reasons = {
        "static": "Where arrays are small, what an engine does for each op counts; static did it before.",
        "dynamic": "Even where arrays are small, to have planned the step did not make it short.",
        None: "What an engine does for each op is not seen where arrays are small.",
    }
    later = {
        "static": "Where they are large, kernels count: fewer of them, and fewer arrays.",
        "dynamic": "Where they are large, kernels count, and a plan brings nothing.",
        None: "Where they are large, kernels count.",
    }
    return [reasons[small], later[large]]


def _otherwise(small: str | None, large: str | None) -> list[str]:
    behind = [OTHER[leader] for leader in (small, large) if leader]
    said = {
        "dynamic": "On dynamic no size is decided before the step: each may have another.",
        "static": "On static the step is planned for its sizes, and runs in memory that is laid out before.",
    }
    found = [said[engine] for engine in PAIR if engine in behind]
    return found or ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="growth",
    title="What grows with size",
    question="How does a step's time grow with the batch, the width, the depth, the tokens?",
    dimension="speed",
    run=run,
    read=read,
    sizes=lambda found: "; ".join(
        f"{axis['points'][0]['size']} to {number(axis['points'][-1]['size'])} {axis['name']}"
        for axis in found["axes"]
    ).capitalize() + ".",
)
