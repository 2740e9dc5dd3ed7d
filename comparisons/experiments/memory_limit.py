"""A step that shall hold less: values computed twice, by hand on dynamic, by a limit on static."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Curves, Json, Output, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of, written
from comparisons.lab.verdict import MEASURED, Verdict, counted
from comparisons.statistics.effect import ahead, effect, smaller
from comparisons.statistics.quantities import OTHER, PAIR, number, percent, size, spread_of, times_of
from comparisons.statistics.tally import plain
from shared import nn, ops, optim
from shared.errors import MemoryLimitError

Step = Callable[[], object]
LAYERS = 16


def step_dynamic(parts: int, blocks: Any, head: Any, opt: Any, x: Any, y: Any) -> Step:
    """The author cuts the model into parts. Between two only their border is kept."""
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
        return loss.item()

    return step


def step_static(limit: int | None, blocks: Any, head: Any, opt: Any, x: Any, y: Any) -> Step:
    """The model stays as it is. The session is told how many bytes a run may hold."""
    x_in = static.placeholder(x.dtype, x.shape)
    y_in = static.placeholder(y.dtype, y.shape)
    h = x_in
    for block in blocks:
        h = block(h)
    loss = ops.cross_entropy(head(h), y_in)
    train = opt.minimize(loss)
    session = static.Session(memory_limit=limit)
    session.run(static.global_variables_initializer())
    step = session.make_callable([loss, train], [x_in, y_in])
    return lambda: step(x, y)[0].item()


PARTS = (1, 2, 4, 8)
SHARES = (1.0, 0.8, 0.6, 0.45)
"""The limits, as shares of what a run holds without one."""
NEVER = 0.1


def run(context: Context) -> dict[str, Any]:
    width, batch = context.pick((64, 1024), (256, 2048))
    draw = np.random.default_rng(context.seed)
    x, y = draw.random((batch, width), np.float32), draw.integers(0, 10, batch)

    def model() -> tuple[Any, Any, Any, Any, Any]:
        nn.manual_seed(context.seed)
        blocks = [nn.Sequential(nn.Linear(width, width), nn.Tanh()) for _ in range(LAYERS)]
        head = nn.Linear(width, 10)
        opt = optim.SGD([*nn.Sequential(*blocks, head).parameters()], lr=0.1)
        for block in blocks:  # an initialiser that waits for its layer's first input has one now
            block(dynamic.tensor(x[:1]))
        return blocks, head, opt, x, y

    def limited(limit: int | None) -> tuple[Step, Any]:
        with static.Graph().as_default() as graph:
            return step_static(limit, *model()), graph

    limited(None)[0]()  # kernels load
    free = context.working(lambda: limited(None)[0])["bytes"]
    limits = [int(free * share) for share in SHARES]
    sides: dict[str, Callable[[], Step]] = {
        **{f"parts {parts}": partial(_in_parts, parts, model) for parts in PARTS},
        **{
            f"limit {share}": partial(_limited, limited, limit)
            for share, limit in zip(SHARES, limits, strict=True)
        },
    }
    peaks, own = {}, {}
    for name, made in sides.items():
        context.note(f"memory of a step: {name}")
        peaks[name] = context.held(made)["peak"]
        own[name] = context.working(made)
    steps = {name: made() for name, made in sides.items()}
    losses = {
        "dynamic": [step_dynamic(parts, *model())() for parts in PARTS],
        "static": [limited(limit)[0]() for limit in limits],
    }
    times = context.time(steps)
    return {
        "codes": {"dynamic": {"code": source_of(step_dynamic)}, "static": {"code": source_of(step_static)}},
        "layers": LAYERS, "width": width, "batch": batch,
        "dynamic": [
            {"asked": n, "peak": peaks[f"parts {n}"], "own": own[f"parts {n}"], "time": times[f"parts {n}"],
             "loss": loss}
            for n, loss in zip(PARTS, losses["dynamic"], strict=True)
        ],
        "static": [
            {"asked": limit, "peak": peaks[f"limit {share}"], "own": own[f"limit {share}"],
             "time": times[f"limit {share}"], "loss": loss}
            for share, limit, loss in zip(SHARES, limits, losses["static"], strict=True)
        ],
        "refused": {"limit": int(free * NEVER), "error": _refusal(limited, int(free * NEVER))},
    }  # fmt: skip


def _refusal(limited: Callable[[int], Any], limit: int) -> str:
    try:
        limited(limit)
    except MemoryLimitError as error:
        return error.message
    return ""


def _in_parts(parts: int, model: Callable[[], Any]) -> Step:
    return step_dynamic(parts, *model())


def _limited(limited: Callable[[int], tuple[Step, Any]], limit: int) -> Step:
    return limited(limit)[0]


# What is said of it.


def read(found: Json) -> Reading:
    found = plain(found)
    least = {engine: min(found[engine], key=lambda at: at["peak"]) for engine in PAIR}
    free = {engine: found[engine][0] for engine in PAIR}
    leader = smaller(*(least[engine]["peak"] for engine in PAIR))
    lines = {engine: written(found["codes"][engine]["code"]) for engine in PAIR}
    saved, paid = zip(*(_change(free[engine], least[engine]) for engine in PAIR), strict=True)
    quicker = ahead(*(least[engine]["time"] for engine in PAIR))
    return Reading(
        answer=_answer(free, least),
        verdicts=[
            counted("lines of code of a step that can hold less", lines["dynamic"], lines["static"], "lines"),
            Verdict(f"{found['layers']} layers, asked to hold less: memory saved",
                    saved[0], saved[1], basis=MEASURED),
            Verdict(f"{found['layers']} layers, asked to hold less: time for it",
                    paid[0], paid[1], basis=MEASURED),
        ],
        evidence=[
            Pair("A network that holds less", found["codes"]["dynamic"], found["codes"]["static"],
                 says="On dynamic the model is rewritten in parts; on static a session is made otherwise."),
            Curves(
                "Time for memory", "MB at the highest point", "a step takes",
                [
                    Series(
                        engine, [at["peak"] / 1e6 for at in points],
                        [at["time"]["median"] for at in points], engine,
                        low=[at["time"]["low"] for at in points],
                        high=[at["time"]["high"] for at in points],
                    )
                    for engine in PAIR
                    for points in [sorted(found[engine], key=lambda at: at["peak"])]
                ],
                unit="seconds",
                says="To the left is less memory. Each point is a number of parts, or a limit.",
            ),
            Table(
                "What was asked for, and what came of it",
                ("asked for", "held at the peak", "the step's own", "a step takes", "first loss"),
                [
                    (f"{engine}{ask(at['asked'])}", size(at["peak"]), size(at["own"]), spread_of(at["time"]),
                     f"{at['loss']:.7f}")
                    for engine, ask in (("dynamic", _parts), ("static", _within))
                    for at in found[engine]
                ],
                says="Held at the peak: all that a side has. The step's own: beside what stood before it.",
            ),
            Output("A limit that can not be kept", {"static": found["refused"]["error"]},
                   says=f"With {size(found['refused']['limit'])}, before anything has run."),
        ],
        means=_means(leader, quicker),
        otherwise=_otherwise(leader or quicker),
        threats=[
            "Layers that are all alike are the best case for either way.",
            "Static's limit is for a run's own memory; variables, graph and program are held beside it.",
        ],
    )  # fmt: skip


def _change(free: Json, least: Json) -> tuple[str, str]:
    """What was saved, and in what time: no share of it where the spread hides the difference."""
    saved = percent(1 - least["peak"] / free["peak"])
    found = effect(free["time"], least["time"])
    if found.leader is None:
        return saved, "in a time that is not resolved to differ"
    return saved, f"in {times_of(found)} {'the' if found.leader == 'dynamic' else 'less'} time"


def _parts(asked: int) -> str:
    return f" in {asked} parts" if asked > 1 else " as it is"


def _within(asked: int) -> str:
    return f" within {size(asked)}"


def _answer(free: Json, least: Json) -> str:
    said = []
    for engine, by in (("dynamic", "by checkpoints in its code"), ("static", "by a number")):
        saved, time = _change(free[engine], least[engine])
        said.append(f"{engine} saved {saved} of its memory {time}, {by}")
    held = any(least[engine]["peak"] < free[engine]["peak"] for engine in PAIR)
    return f"{'Yes' if held else 'No'}: {'; '.join(said)}."


def _otherwise(leader: str | None) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    reasons = {
        "dynamic": "On dynamic the author knows which part is cheap to compute again; static estimates it.",
        "static": "On static nothing of the model is rewritten, and whether it fits is known before "
        "anything has run.",
    }
    return [reasons[OTHER[leader]]]


def _means(leader: str | None, quicker: str | None) -> list[str]:
    said = [
        "The trade is the same: values are forgotten and computed again. On static it is a property of the "
        "run, on dynamic one of the code.",
    ]
    if leader is not None:
        said.append(
            f"In what was tried {leader} came to hold less than {OTHER[leader]}; the least that either can "
            "hold was not asked for."
        )
    if quicker is not None:
        said.append(f"At the least memory of each, a step of {quicker} is the shorter one.")
    return said


EXPERIMENT = Experiment(
    name="memory_limit",
    title="A limit of memory",
    question="My step does not fit into memory. Can it hold less, if it may take longer?",
    dimension="memory",
    run=run,
    read=read,
    sizes=lambda found: (
        f"{found['layers']} dense layers of width {found['width']}, a batch of {number(found['batch'])} rows."
    ),
    level="fast",
)
