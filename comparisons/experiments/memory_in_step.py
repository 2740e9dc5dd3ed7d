"""Within one training step: when is how much memory held?"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import sized
from comparisons.statistics.effect import smaller
from comparisons.statistics.quantities import OTHER, PAIR, percent, size
from comparisons.statistics.tally import plain
from shared import nn, ops, optim
from shared.watch.hooks import Event, Hook, watching

Step = Callable[[], object]


def network(width: int) -> Any:
    layers = [layer for _ in range(6) for layer in (nn.Linear(width, width), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def step_dynamic(model: Any, x: Any, y: Any) -> Step:
    """A step computes, remembers, and goes back over what it remembered."""
    opt = optim.SGD(model.parameters(), lr=0.1)

    def step():
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    return step


def step_static(model: Any, x: Any, y: Any) -> Step:
    """A step is one run; where each value will lie was settled before it."""
    opt = optim.SGD(model.parameters(), lr=0.1)
    x_in = static.placeholder(x.dtype, x.shape)
    y_in = static.placeholder(y.dtype, y.shape)
    loss = ops.cross_entropy(model(x_in), y_in)
    train = opt.minimize(loss)
    session = static.Session(optimize="exact")
    session.load(model, opt)

    def step():
        session.run([loss, train], {x_in: x, y_in: y})

    return step


STEPS = {"dynamic": step_dynamic, "static": step_static}


class Held(Hook):
    """Notes what is held before and after each op, on either engine."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int]] = []

    def before(self, event: Event) -> None:
        self.after(event)

    def after(self, event: Event) -> None:
        self.seen.append((event.phase, event.op.name, tracemalloc.get_traced_memory()[0]))


def run(context: Context) -> dict[str, Any]:
    width, batch = context.pick((128, 1024), (512, 4096))
    draw = np.random.default_rng(context.seed)
    x, y = draw.random((batch, width), np.float32), draw.integers(0, 10, batch)
    found: dict[str, Any] = {
        "codes": {engine: {"code": source_of(step)} for engine, step in STEPS.items()},
        "batch": x.nbytes,
        "weights": sum(parameter.size for parameter in network(width).parameters()) * 4,
    }
    for engine in PAIR:
        context.note(f"{engine}: a step under tracemalloc")
        made = partial(_made, engine, width, x, y)
        held = context.held(made)
        found[engine] = {"held": held["between"], "peak": held["peak"], "curve": _curve(made)}
    return found


def _made(engine: str, width: int, x: Any, y: Any) -> Step:
    """A side from the beginning: its model, and on static its graph and its session."""
    with static.Graph().as_default() if engine == "static" else nullcontext():
        return STEPS[engine](network(width), x, y)


def _curve(made: Callable[[], Step]) -> list[tuple[str, str, int]]:
    """What a hook sees in a step: (phase, op, bytes held) before and after each op; the side's own alone."""
    gc.collect()
    tracemalloc.start()
    try:
        step = made()
        with watching(hook := Held()):
            step()
            hook.seen.clear()
            step()
        return hook.seen
    finally:
        tracemalloc.stop()


# What is said of it.


def read(found: Json) -> Reading:
    counts, found = found, plain(found)
    peaks, held = ({engine: found[engine][part] for engine in PAIR} for part in ("peak", "held"))
    lower = smaller(*peaks.values())
    return Reading(
        answer=_answer(lower, peaks, held),
        verdicts=[
            sized("most memory within a step of seven dense layers", *(counts[e]["peak"] for e in PAIR)),
            sized("memory between two steps of seven dense layers", *(counts[e]["held"] for e in PAIR)),
        ],
        evidence=[
            Pair("A training step", found["codes"]["dynamic"], found["codes"]["static"],
                 says=f"Seven dense layers, six of them with tanh behind. The weights take "
                 f"{size(found['weights'])}, a batch {size(found['batch'])}."),
            _curves(found),
            Table(
                "Held",
                ("", "dynamic", "static"),
                [
                    ("at the highest point of a step", *(size(peaks[engine]) for engine in PAIR)),
                    ("between two steps", *(size(held[engine]) for engine in PAIR)),
                    ("the same, as the hook saw it: highest", *(size(_top(found, e)[1]) for e in PAIR)),
                    ("ops that the hook saw", *(str(len(found[e]["curve"]) // 2) for e in PAIR)),
                ],
                [lower, smaller(*held.values()), smaller(*(_top(found, e)[1] for e in PAIR)), None],
                says="All from the model on; the batch does not count.",
            ),
        ],
        means=_means(lower, held, {engine: _top(found, engine)[0] for engine in PAIR}),
        otherwise=_otherwise(lower, held),
        threats=[
            "For a run that somebody watches static lays no plan; the broken lines were measured without "
            "the hook.",
        ],
    )  # fmt: skip


def _top(found: Json, engine: str) -> tuple[float, int]:
    """Where the curve has its highest point, as a share of the step, and how high it is."""
    heights = [held for *_, held in found[engine]["curve"]]
    return heights.index(max(heights)) / len(heights), max(heights)


def _curves(found: Json) -> Curves:
    series, mark = [], None
    for engine in PAIR:
        curve = found[engine]["curve"]
        share = [100 * place / (len(curve) - 1) for place in range(len(curve))]
        series.append(Series(f"{engine}, watched", share, [held for *_, held in curve], engine))
        series.append(Series(f"{engine}, most of an unwatched step", [0, 100], [found[engine]["peak"]] * 2,
                             engine, dashed=True))  # fmt: skip
        turns = [at for at, (phase, *_) in zip(share, curve, strict=True) if phase == "backward"]
        if turns:
            mark = (turns[0], f"{engine} turns back")
    return Curves(
        "Held within a step, from the same hook", "share of the step's ops that have run, in percent",
        "held", series, unit="bytes", mark=mark,
        says="Read before and after each op.",
    )  # fmt: skip


def _answer(lower: str | None, peaks: Json, held: Json) -> str:
    between = f"between steps dynamic holds {size(held['dynamic'])}, static {size(held['static'])}"
    if lower is None:
        return f"Both need about {size(peaks['dynamic'])} at the highest point; {between}."
    return (
        f"{lower.capitalize()} needs less at the highest point of a step, {size(peaks[lower])} against "
        f"{size(peaks[OTHER[lower]])}; {between}."
    )


def _means(lower: str | None, held: Json, tops: dict[str, float]) -> list[str]:
    said = []
    if all(0.1 < top < 0.9 for top in tops.values()):
        places = " and ".join(f"after {percent(tops[engine])} of {engine}'s ops" for engine in PAIR)
        said.append(
            f"The curve has its top within the step on both sides, {places}."
        )
    less = smaller(*held.values())
    if less is not None:
        reasons = {
            "dynamic": "Between steps dynamic keeps the gradients until they are cleared, static its arena",
            "static": "Between steps dynamic keeps more than static's graph and arena take",
        }
        both = f"{size(held['dynamic'])} against {size(held['static'])}"
        said.append(f"{reasons[less]}: with all else that is held {both}.")
    if lower is not None:
        reasons = {
            "static": "Static knows the last reader of each value before it runs, and writes over the dead.",
            "dynamic": "On dynamic a value goes when Python and the tape let go of it, and that is soon "
            "enough to hold less than static's plan does.",
        }
        said.append(reasons[lower])
    return said or ["Neither engine holds less, at the highest point or between steps."]


def _otherwise(lower: str | None, held: Json) -> list[str]:
    less, said = smaller(*held.values()), []
    if lower is not None:
        said.append(
            {
                "static": "Where static's values lie is settled before the first step.",
                "dynamic": "On dynamic what is held is what the program's variables and the tape hold: to "
                "drop a Tensor, or to recompute a part (`dynamic.checkpoint`), is a line of the program.",
            }[OTHER[lower]]
        )
    if less is not None and less != lower:
        said.append("Beside other work on the same machine what is held between steps is in the way, and "
                    f"there {less} holds less.")  # fmt: skip
    return said or [
        "Neither side is seen to have come off worse."
    ]


EXPERIMENT = Experiment(
    name="memory_in_step",
    title="Memory within one step",
    question="When in a training step is memory needed, and who gives it back?",
    dimension="memory",
    run=run,
    read=read,
    sizes=lambda found: (
        f"Seven dense layers: weights of {size(found['weights'])}, a batch of {size(found['batch'])}."
    ),
    level="exact",
)
