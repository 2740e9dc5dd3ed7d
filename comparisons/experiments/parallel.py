"""Two branches that do not need each other: do two workers halve the time?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Bars, Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import timed
from comparisons.statistics.effect import ahead, effect
from comparisons.statistics.quantities import OTHER, PAIR, listed, spread_of, times_of
from shared import ops

BRANCHES = 2
Workers = ThreadPoolExecutor | None
"""None: one branch after the other, in the caller's thread."""


def branches_dynamic(x: Any, weights: Sequence[Any], layers: int) -> Callable[[Workers], list[Any]]:
    """A branch is a function; who has workers gives it to them."""
    towers = [dynamic.tensor(w) for w in weights]

    def branch(w):
        y = dynamic.tensor(x)
        with dynamic.no_grad():
            for _ in range(layers):
                y = ops.tanh(y @ w)
        return y.numpy()

    def run(workers):
        each = map if workers is None else workers.map
        return list(each(branch, towers))

    return run


def branches_static(x: Any, weights: Sequence[Any], layers: int) -> Callable[[Workers], list[Any]]:
    """A branch is what leads to a fetch; one session may be run by several threads at once."""
    x_in = static.placeholder(x.dtype, x.shape)
    ends = []
    for w in map(static.constant, weights):
        y = x_in
        for _ in range(layers):
            y = ops.tanh(y @ w)
        ends.append(y)
    session = static.Session()
    towers = [session.make_callable(y, [x_in]) for y in ends]

    def branch(tower):
        return tower(x)

    def run(workers):
        each = map if workers is None else workers.map
        return list(each(branch, towers))

    return run


def branches_plain(x: Any, weights: Sequence[Any], layers: int) -> Callable[[Workers], list[Any]]:
    """The same arrays through NumPy alone: what this machine gives two workers at best."""

    def branch(w):
        y = x
        for _ in range(layers):
            y = np.tanh(y @ w)
        return y

    def run(workers):
        each = map if workers is None else workers.map
        return list(each(branch, weights))

    return run


MADE = {"plain": branches_plain, "dynamic": branches_dynamic, "static": branches_static}
CASES = (("few large layers", 320, 6), ("many small layers", 8, 300))
"""What a branch is: what it is called, the width of its layers and how many they are."""


def run(context: Context) -> dict[str, Any]:
    draw, cases = np.random.default_rng(context.seed), []
    for title, width, layers in CASES:
        context.note(f"{BRANCHES} branches of {title}")
        x = draw.random((width, width), np.float32)
        weights = [draw.random((width, width), np.float32) / width for _ in range(BRANCHES)]
        with static.Graph().as_default():
            runs = {engine: make(x, weights, layers) for engine, make in MADE.items()}
        with ThreadPoolExecutor(BRANCHES) as workers:
            calls = {
                f"{engine} {name}": lambda run=run, given=given: run(given)
                for engine, run in runs.items()
                for name, given in (("one", None), ("two", workers))
            }
            times = context.time(calls)
        cases.append(
            {
                "title": title, "width": width, "layers": layers,
                **{way: {name: times[f"{way} {name}"] for name in ("one", "two")} for way in MADE},
            }
        )  # fmt: skip
    codes = {engine: {"code": source_of(MADE[engine])} for engine in PAIR}
    return {"codes": codes, "cases": cases}


# What is said of it.


def read(found: Json) -> Reading:
    cases = found["cases"]
    leaders = [ahead(*(case[engine]["two"] for engine in PAIR)) for case in cases]
    return Reading(
        answer=" ".join(_answered(case) for case in cases),
        verdicts=[
            timed(f"two branches of {case['title']}, on two threads", *(case[e]["two"] for e in PAIR))
            for case in cases
        ],
        evidence=[
            Pair(f"{BRANCHES} branches, with workers or without",
                 found["codes"]["dynamic"], found["codes"]["static"],
                 says="The workers are Python's threads on both sides."),
            Table(
                "One after the other, and beside each other",
                ("branches", "dynamic, 1", "dynamic, 2", "gain", "static, 1", "static, 2", "gain", "NumPy"),
                [
                    (f"{case['title']} ({case['layers']} of {case['width']} by {case['width']})",
                     *(cell for engine in PAIR for cell in _cells(case[engine])), _gain(case["plain"]))
                    for case in cases
                ],
                says="Columns 1 and 2 are workers; the last is the gain of NumPy alone.",
            ),
            *(
                Bars(f"{BRANCHES} branches of {case['title']}", ("1 worker", "2 workers"),
                     {e: [case[e][name]["median"] for name in ("one", "two")] for e in PAIR}, unit="seconds")
                for case in cases
            ),
        ],
        means=_means(cases, leaders),
        otherwise=_otherwise(cases, leaders),
        threats=[
            "Matrix products were held to one thread; left free, they take the cores themselves.",
            "A busy machine has nothing for a second worker to do.",
        ],
    )  # fmt: skip


def _effect(side: Json) -> str:
    """Whether two workers are "faster", "slower" or neither, beyond the spread."""
    return {"dynamic": "faster", "static": "slower", None: ""}[ahead(side["two"], side["one"])]


def _times(side: Json) -> str:
    """How many times as fast two workers are, or how many times as long they take."""
    words = {"faster": "as fast", "slower": "as long"}[_effect(side)]
    return f"{times_of(effect(side['one'], side['two']))} {words}"


def _gain(side: Json) -> str:
    return _times(side) if _effect(side) else "not resolved"


def _cells(side: Json) -> tuple[str, str, str]:
    return spread_of(side["one"]), spread_of(side["two"]), _gain(side)


def _answered(case: Json) -> str:
    said: dict[str, list[str]] = {}
    for engine in PAIR:
        verb, other = {
            "faster": ("are", f"as one on {engine}"),
            "slower": ("take", f"as one on {engine}"),
            "": ("are not resolved to be faster or slower", f"than one on {engine}"),
        }[_effect(case[engine])]
        times = f"{_times(case[engine])} " if _effect(case[engine]) else ""
        said.setdefault(verb, []).append(f"{times}{other}")
    both = " and ".join(f"{verb} {' and '.join(parts)}" for verb, parts in said.items())
    return f"With {case['title']} two workers {both}: {_takes(case)}."


def _takes(case: Json) -> str:
    return " and ".join(f"{spread_of(case[engine]['two'])} on {engine}" for engine in PAIR)


def _means(cases: Json, leaders: list[str | None]) -> list[str]:
    said = []
    for found_effect, what in (
        ("faster", "pay"),
        ("slower", "cost"),
        ("", "are not resolved to change anything"),
    ):
        found = [
            f"{case['title']} on {e}" for case in cases for e in PAIR if _effect(case[e]) == found_effect
        ]
        if found:
            said.append(f"Two workers {what} with {listed(found)}.")
    if any(_effect(case[engine]) == "slower" for case in cases for engine in PAIR):
        said.append(
            "A kernel lets go of Python's global lock while it computes; the program between kernels does "
            "not."
        )
    if not any(_effect(case[way]) == "faster" for case in cases for way in MADE):
        said.append(
            "Plain NumPy is not seen to have gained anything either: this machine may have had no second "
            "core to give."
        )
    for engine in PAIR:
        if titles := [case["title"] for case, leader in zip(cases, leaders, strict=True) if leader == engine]:
            said.append(f"With two workers {engine} is ahead on {listed(titles)}.")
    if tied := [case for case, leader in zip(cases, leaders, strict=True) if leader is None]:
        these = listed([f"{case['title']} ({_takes(case)})" for case in tied])
        said.append(f"With two workers it is not resolved which engine is ahead on {these}.")
    return said


def _otherwise(cases: Json, leaders: list[str | None]) -> list[str]:
    """What is to be said for each side, by the cases in which the other came off better."""
    said = []
    for engine in PAIR:
        pairs = zip(cases, leaders, strict=True)
        behind = [case["title"] for case, leader in pairs if leader == OTHER[engine]]
        if behind:
            said.append(f"{engine.capitalize()} was behind with {listed(behind)}. {_FOR[engine]}")
    nobody = "Neither side is seen to have come off worse."
    return said or [nobody]


_FOR = {
    "dynamic": "Any Python function of it can be handed to a worker; on static a branch has to be foreseen "
    "as a fetch.",
    "static": "Which parts do not need each other stands in its graph, before it runs. On dynamic the "
    "author has to know it.",
}


EXPERIMENT = Experiment(
    name="parallel",
    title="Two branches beside each other",
    question="Two parts of my model do not need each other. Do two workers halve the time?",
    dimension="concurrency",
    run=run,
    read=read,
    sizes=lambda found: (
        "Two branches: "
        + "; ".join(f"{case['title']}, {case['layers']} of width {case['width']}" for case in found["cases"])
        + "."
    ),
)
