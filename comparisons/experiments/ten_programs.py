"""Ten programs that no tracer follows, as they stand and decorated: the same bits, and in what time?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Bars, Block, Json, Listing, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design, timed
from comparisons.programs import PROGRAMS, Program
from comparisons.statistics.effect import ahead, effect
from comparisons.statistics.quantities import (
    OTHER,
    PAIR,
    at_most,
    count,
    listed,
    percent,
    spread_of,
    times_of,
)
from comparisons.statistics.spread import spread
from comparisons.training.verify import levels_apart
from shared import nn, ops
from shared.errors import DiptychError
from shared.nest import flatten

X = np.random.default_rng(0).standard_normal((4, 12)).astype("float32")
WAYS = {"plain": "as it stands", "exact": "decorated", "fast": 'at "fast"'}
"""How a program is run, and what that is called."""
AT_FAST = 12
"""So many steps at "fast" have their losses compared: training makes the smallest difference larger."""
SIDES = {"dynamic": "plain", "static": "exact", "fast": "fast"}
"""Who does what is done: one engine, as it stands; decorated, the other one's programs."""


def stop_dynamic() -> list[int]:
    """A loop that a value ends, by a `return` in it, decorated by `dynamic.function`."""
    cell, head = nn.GRUCell(1, 8), nn.Linear(8, 2)

    @dynamic.function
    def read(x):
        h = ops.zeros((4, 8), like=x)
        for t in range(12):
            h = cell(x[:, t : t + 1], h)
            sure = ops.softmax(head(h), -1).max(axis=-1)
            if sure.min() > 0.5 + 0.02 * (12 - t):
                return h, t + 1
        return h, 12

    found = [read(dynamic.tensor(X * scale)) for scale in (0, 1, 2, 4)]
    return [steps for h, steps in found]


def stop_static() -> list[int]:
    """A loop that a value ends, by a `return` in it, decorated by `static.function`."""
    cell, head = nn.GRUCell(1, 8), nn.Linear(8, 2)

    @static.function
    def read(x):
        h = ops.zeros((4, 8), like=x)
        for t in range(12):
            h = cell(x[:, t : t + 1], h)
            sure = ops.softmax(head(h), -1).max(axis=-1)
            if sure.min() > 0.5 + 0.02 * (12 - t):
                return h, t + 1
        return h, 12

    found = [read(X * scale) for scale in (0, 1, 2, 4)]
    return [steps for h, steps in found]


def run(context: Context) -> dict[str, Any]:
    nn.manual_seed(context.seed)
    found: dict[str, Any] = {"stop": {"dynamic": attempt(stop_dynamic)}}
    nn.manual_seed(context.seed)
    found["stop"]["static"] = attempt(stop_static)
    steps = context.pick(24, 200)
    programs = []
    for name, program in PROGRAMS.items():
        context.note(f"{name}: as it stands, and decorated")
        programs.append(_ran(context, program, steps))
    return found | {
        "steps": steps,
        "programs": programs,
        "all": {side: _sum([one["times"][way] for one in programs]) for side, way in SIDES.items()},
    }


def _ran(context: Context, program: Program, steps: int) -> dict[str, Any]:
    """One program, run each way."""
    made = {way: program.make(context.seed) for way in WAYS}
    bridged = dynamic.function(made["exact"][0], at_once=True)
    fast = dynamic.function(made["fast"][0], optimize="fast", at_once=True)
    ways: dict[str, Callable[[], Any]] = {"plain": made["plain"][0], "exact": bridged, "fast": fast}
    many = {"plain": steps, "exact": steps, "fast": min(steps, AT_FAST)}
    runs = {way: [_told(step, made[way][1]) for _ in range(many[way])] for way, step in ways.items()}
    equal = [a["all"] == b["all"] for a, b in zip(runs["plain"], runs["exact"], strict=True)]
    losses = [[loss for one in runs[way][:AT_FAST] for loss in one["losses"]] for way in ("plain", "fast")]
    refused = _refused(program, context.seed)
    counts = dict(bridged.counts)  # of the steps that are compared: timing makes more
    times = context.time({way: partial(_quiet, step) for way, step in ways.items()})
    happened = counts["events"] * (1 + counts["plain"] / max(counts["followed"], 1))
    return {
        "name": program.name, "does": program.does, "beyond": program.beyond, "code": program.code,
        "equal": sum(equal), "arrays": len(runs["plain"][0]["all"][2]), "apart": levels_apart(*losses),
        "lines": sum(len(one["all"][0].splitlines()) for one in runs["plain"]),
        "share": counts["compiled"] / max(happened, 1), "paths": bridged.paths, "plainly": counts["plain"],
        "calls": counts["plain"] + counts["followed"], "refused": refused,
        "explained": bridged.explain(), "times": times,
    }  # fmt: skip


def _refused(program: Program, seed: int) -> str | None:
    """What `static.function` has against a program, which would trace it; None if it has nothing."""
    step, _ = program.make(seed)
    try:
        with redirect_stdout(StringIO()):
            static.function(step)()
    except DiptychError as error:
        return error.message.partition(";")[0].partition(": ")[2]
    return None


def _told(step: Callable[[], Any], parts: list[Any]) -> dict[str, Any]:
    """What a step prints, what it gives, and what all States hold then, to the bit; and its losses."""
    with redirect_stdout(StringIO()) as out:
        given, _ = flatten(step())
    arrays = [x.numpy() if isinstance(x, dynamic.Tensor) else np.asarray(x) for x in given]
    held = [state.numpy() for part in parts for _, state in part.named_states()]
    bits = [[(a.shape, a.dtype, a.tobytes()) for a in some] for some in (arrays, held)]
    return {
        "all": (out.getvalue(), *bits),
        "losses": [float(a) for a in arrays if a.dtype.kind == "f"],
    }


def _quiet(step: Callable[[], Any]) -> None:
    with redirect_stdout(StringIO()):
        step()


def _sum(found: list[Json]) -> dict[str, Any]:
    """What a step of each takes in all, round by round."""
    return spread([sum(samples) for samples in zip(*(one["samples"] for one in found), strict=True)])


# What is said of it.


def read(found: Json) -> Reading:
    programs, stop, steps = found["programs"], found["stop"], found["steps"]
    times = found["all"]
    same = [one["name"] for one in programs if one["equal"] == steps]
    equal = f"{len(same)} of {len(programs)}"
    free = [engine for engine in PAIR if stop[engine]["error"] is None]
    faster = ahead(*(times[engine] for engine in PAIR))
    return Reading(
        answer=_answer(len(same), len(programs), faster, times),
        verdicts=[
            timed("ten programs' steps: plain / under dynamic.function", *(times[engine] for engine in PAIR)),
            by_design(Verdict("decorated: an early return from a loop, on a value", *_ends(stop),
                              free[0] if len(free) == 1 else None)),
            Verdict("of ten programs, same bits under dynamic.function", equal, equal, together=equal),
        ],
        evidence=[
            Pair("A loop that a value ends, under either engine's decorator", stop["dynamic"], stop["static"],
                 says="`dynamic.function` runs Python in every call; `static.function` once, as "
                 "`tf.function` and `jax.jit` do."),
            *_tables(programs, steps),
            Bars(
                "The same, drawn", [one["name"] for one in programs],
                {said: [one["times"][way]["median"] for one in programs] for way, said in WAYS.items()},
                unit="seconds", says="Medians.",
            ),
            *(_listing(one) for one in programs),
        ],
        means=_means(faster, free),
        otherwise=_otherwise(faster, free, programs),
        threats=[
            "The programs are written for this page, on made-up data, in the spirit of the ten of the Terra "
            "paper (Kim et al., NeurIPS 2021, arXiv:2201.09210), of which its abstract says: AutoGraph "
            "failed on five, and Terra ran all ten, faster than line by line. Neither has been run here.",
            f'At `"fast"` the first {count(programs[0]["apart"]["first"], "loss", "losses")} are compared: '
            "training makes the smallest difference larger, step by step.",
        ],
    )  # fmt: skip


def _tables(programs: Json, steps: int) -> list[Block]:
    became = [
        (
            one["name"], "yes" if one["equal"] == steps else f"in {one['equal']} of {steps}",
            str(one["paths"]), percent(one["share"]),
            _apart(one["apart"]["first_apart"]),
        )
        for one in programs
    ]  # fmt: skip
    took = [(one["name"], *(spread_of(one["times"][way]) for way in WAYS)) for one in programs]
    rounds = programs[0]["times"]["plain"]["count"]
    return [
        Table(
            "What became of each",
            ("program", "every bit", "paths", "in programs", 'first losses apart, at "fast"'),
            became,
            says="Decorated by `dynamic.function(step, at_once=True)`, at `exact`.",
        ),
        Table(
            "The time of a step", ("program", *WAYS.values()), took,
            says=f"Medians of {count(rounds, 'round')}, and the middle half.",
        ),
    ]  # fmt: skip


def _apart(found: float | None) -> str:
    return "beyond any number" if found is None else at_most(found) if found else "none"


def _listing(one: Json) -> Listing:
    return Listing(
        f"{one['name']}", one["code"], "dynamic", out=one["explained"], folded=True,
        says=one["does"],
    )  # fmt: skip


def _ends(stop: Json) -> tuple[str, str]:
    errors = [stop[engine]["error"] for engine in PAIR]
    first, second = ("runs" if error is None else error["type"] for error in errors)
    return first, second


def _answer(same: int, many: int, faster: str | None, times: Json) -> str:
    kept = f"{same} of {many} programs give the same decorated as not, to the last bit"
    if faster is None:
        return f"{kept}; whether a step takes less time decorated is not resolved."
    gain = times_of(effect(*(times[engine] for engine in PAIR)))
    which = "decorated" if faster == "static" else "as they stand"
    return f"{kept}; a step of all of them is {gain} as fast {which}."


def _means(faster: str | None, free: list[str]) -> list[str]:
    said = []
    if free == ["dynamic"]:
        said.append(
            "What a tracer would have to refuse or to freeze (a branch on a value, a list that grows, a "
            "recursion, NumPy in between) is no special case where Python runs in every call."
        )
    elif free == ["static"]:
        said.append("The decorator that has no values runs the loop that a value ends; the other does not.")
    if faster == "static":
        said.append("Taken together, the ten gain by a line above them, at no price in bits.")
    elif faster == "dynamic":
        said.append("Taken together, the ten lose by being decorated: it costs more than it saves.")
    return said or ["By these times it is not to be told whether a decorator is worth its line."]


def _otherwise(faster: str | None, free: list[str], programs: Json) -> list[str]:
    said = []
    if faster is not None:
        said.append(
            {
                "static": "A program of a few steps is done before a decorator is of use.",
                "dynamic": "Where steps repeat for hours and paths are few, programs are what one wants, "
                "also if these ten have other paths in every step.",
            }[faster]
        )
    if len(free) == 1:
        refusing = OTHER[free[0]]
        said.append(
            f"What {refusing}'s decorator takes "
            + {
                "static": "is run as Python where it is traced, and not in each call; it can be kept in a "
                "file, and looked at as a whole; what it does not take, it says, at the line.",
                "dynamic": "costs little to write, and it is debugged where it stands.",
            }[refusing]
        )
    paths = [one["name"] for one in programs if one["plainly"] > one["calls"] / 2]
    if paths:
        said.append(
            f"In {listed(paths)} most calls ran plainly."
        )
    return said or ["Neither side came off worse here."]


EXPERIMENT = Experiment(
    name="ten_programs",
    title="Ten programs that no tracer follows",
    question="Can code that branches, loops and prints as it likes run as a graph, and stay what it is?",
    dimension="bridge",
    run=run,
    read=read,
    sizes=lambda found: f"Ten networks of some thousand numbers, {count(found['steps'], 'step')} of each.",
    level="both",
)
