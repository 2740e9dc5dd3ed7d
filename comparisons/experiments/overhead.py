"""A chain of small ops: what the engine itself costs, fixed and for each op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import timed
from comparisons.statistics.effect import ahead, effect
from comparisons.statistics.quantities import OTHER, PAIR, factor, number, seconds, spread_of, within
from comparisons.statistics.spread import spread

LENGTHS = {False: (1, 10, 100, 1_000), True: (1, 10, 100, 1_000, 10_000)}
"""Ops in the chains of one number, by whether the run is a full one."""
SIZES = (1, 100, 10_000, 100_000, 1_000_000)
CHAIN = 20
"""Ops in the chain whose tensors grow."""
Pass = Callable[[], object]


def chain_dynamic(x: Any, length: int, recorded: bool) -> Pass:
    """Each line computes as Python reaches it."""
    leaf = dynamic.tensor(x, requires_grad=recorded)

    def run():
        y = leaf
        for _ in range(length):
            y = y * 1.0001
        return y

    return run


def chain_static(x: Any, length: int) -> tuple[Pass, Pass]:
    """The loop describes the chain once; a run is the last line alone."""
    leaf = static.placeholder("float32", x.shape)
    y = leaf
    for _ in range(length):
        y = y * 1.0001
    session = static.Session(optimize="exact", without=["fuse"])
    call = session.make_callable(y, [leaf])
    return lambda: session.run(y, {leaf: x}), lambda: call(x)


def run(context: Context) -> dict[str, Any]:
    lengths, sizes = [], []
    for length in LENGTHS[context.full]:
        context.note(f"a chain of {length:,} ops on one number")
        lengths.append({"ops": length, **_timed(context, length, 1)})
    for size in SIZES:
        context.note(f"a chain of {CHAIN} ops on {size:,} numbers")
        sizes.append({"numbers": size, **_timed(context, CHAIN, size)})
    codes = {"dynamic": {"code": source_of(chain_dynamic)}, "static": {"code": source_of(chain_static)}}
    return {"codes": codes, "chain": CHAIN, "lengths": lengths, "sizes": sizes}


def _timed(context: Context, length: int, size: int) -> dict[str, Any]:
    """Seconds of one pass through a chain: dynamic without and with a record for a gradient, static
    through `session.run` and through `make_callable`, built and run once before."""
    values = np.ones(size, np.float32)
    with static.Graph().as_default():
        by_run, by_call = chain_static(values, length)
    return context.time(
        {
            "dynamic": chain_dynamic(values, length, False),
            "recording": chain_dynamic(values, length, True),
            "static": by_run,
            "callable": by_call,
        }
    )


WAYS = {
    "dynamic": ("dynamic", "dynamic", False),
    "recording": ("dynamic, recording for a gradient", "dynamic", True),
    "static": ("static, session.run", "static", False),
    "callable": ("static, make_callable", "static", True),
}
"""What was timed: its label, and whose colour its line has and whether it is dashed."""


def read(found: Json) -> Reading:
    lengths, sizes = found["lengths"], found["sizes"]
    shortest, longest = lengths[0], lengths[-1]
    each = {way: _per_op(shortest, longest, way) for way in WAYS}
    leader, first = ahead(*(each[engine] for engine in PAIR)), ahead(*(shortest[engine] for engine in PAIR))
    same = _vanishes(sizes)
    return Reading(
        answer=_answer(leader, each, same, sizes),
        verdicts=[
            timed("one multiplication of one number, from call to result", *(shortest[e] for e in PAIR)),
            timed("each further multiplication of one number", *(each[e] for e in PAIR)),
            timed(f"{found['chain']} multiplications of {number(sizes[-1]['numbers'])} numbers",
                  *(sizes[-1][e] for e in PAIR)),
        ],
        evidence=[
            Pair("The chain", found["codes"]["dynamic"], found["codes"]["static"],
                 says=f"Timed for {number(shortest['ops'])} to {number(longest['ops'])} ops."),
            _curves("Ops on one number", lengths, "ops", "ops in the chain"),
            Table(
                "Fixed, and for each op",
                ("way", "a pass of one op", "each further op"),
                [(label, *map(spread_of, (shortest[way], each[way]))) for way, (label, *_) in WAYS.items()],
                says="The second figure is the slope from the shortest chain to the longest, round by round.",
            ),
            _curves(f"{found['chain']} ops on growing tensors", sizes, "numbers", "numbers in each tensor"),
            Table(
                f"{found['chain']} ops, by the size of the tensors",
                ("numbers", "dynamic", "static", "dynamic over static"),
                [(number(at["numbers"]), *(spread_of(at[e]) for e in PAIR), _over(at)) for at in sizes],
                [ahead(*(at[e] for e in PAIR)) for at in sizes],
                says="By way of `session.run`.",
            ),
        ],
        means=_means(leader, same),
        otherwise=_otherwise(leader, first, shortest),
        threats=[
            'Static is kept from making one kernel of the chain (`without=["fuse"]`): this page asks what an '
            "op costs that is called for itself.",
            "Every op is the same cheap multiplication; whole training steps, of one size and another, stand "
            "under \"What grows with size\". Building and compiling are not in these times.",
        ],
    )  # fmt: skip


def _per_op(shortest: Json, longest: Json, way: str) -> Json:
    """The spread of what each op beyond the first takes."""
    pairs = zip(shortest[way]["samples"], longest[way]["samples"], strict=True)
    return spread([(long - short) / (longest["ops"] - shortest["ops"]) for short, long in pairs])


def _over(at: Json) -> str:
    """How many times as long dynamic takes as static, with the interval."""
    found = effect(at["static"], at["dynamic"])
    return f"{factor(found.ratio)} times ({within(found.low, found.high, factor)})"


def _vanishes(sizes: Json) -> int | None:
    """The smallest size from which on neither engine is ahead; None if there is none."""
    found = None
    for at in reversed(sizes):
        if ahead(at["dynamic"], at["static"]) is not None:
            break
        found = at["numbers"]
    return found


def _curves(title: str, points: Json, along: str, x_label: str) -> Curves:
    series = [
        Series(
            label, [at[along] for at in points], [at[way]["median"] for at in points], side, dashed,
            low=[at[way]["low"] for at in points], high=[at[way]["high"] for at in points],
        )
        for way, (label, side, dashed) in WAYS.items()
    ]  # fmt: skip
    says = "Time for one pass."
    return Curves(title, x_label, "time", series, unit="seconds", log_x=True, log_y=True, says=says)


def _answer(leader: str | None, each: Json, same: int | None, sizes: Json) -> str:
    if leader is None:
        return f"On which engine an op costs less is not resolved: {_both(each)}."
    until = (
        f"with {number(sizes[-1]['numbers'])} numbers in a tensor the difference can still be told"
        if same is None
        else f"from tensors of {number(same)} numbers on the difference is not resolved"
    )
    return f"An op costs {_both(each)}; {until}."


def _both(values: Json) -> str:
    return f"{spread_of(values['dynamic'])} on dynamic and {spread_of(values['static'])} on static"


def _means(leader: str | None, same: int | None) -> list[str]:
    if leader is None:
        return ["Whether to know the whole chain beforehand gains anything is not resolved here."]
    reasons = {
        "static": "What is decided for each op every time on dynamic (which dtype, is a gradient wanted) "
        "static has decided once.",
        "dynamic": "What static saves by deciding beforehand is less than what its runs cost: on this "
        "machine dynamic's way to the kernel is the shorter.",
    }
    said = [reasons[leader]]
    if same is not None:
        said.append(
            f"It matters for models of many small ops; with {number(same)} numbers in a tensor it is not "
            "resolved here that it matters at all."
        )
    return said


def _otherwise(leader: str | None, first: str | None, shortest: Json) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    said = []
    if first == OTHER[leader]:
        saved = shortest[leader]["median"] - shortest[first]["median"]
        spared = {
            "dynamic": "it has no run to prepare, no feeds to check and no program to look up",
            "static": "its program is ready, and the kernel is called at once",
        }
        said.append(
            f"For a single op {first} is the faster one, static by `session.run`, by {seconds(saved)}: "
            f"{spared[first]}."
        )
    reasons = {
        "dynamic": "The time that each op takes buys the freedom to decide the next one by what the last "
        "one gave.",
        "static": "A graph that stands as a whole can be kept, sent and looked at, however fast it runs.",
    }
    return [*said, reasons[OTHER[leader]]]


EXPERIMENT = Experiment(
    name="overhead",
    title="What an op costs beside its arithmetic",
    question="How much time goes to the engine, and from which size of tensor on does it not matter?",
    dimension="speed",
    run=run,
    read=read,
    sizes=lambda found: (
        f"Chains of up to {number(found['lengths'][-1]['ops'])} multiplications, of up to "
        f"{number(found['sizes'][-1]['numbers'])} numbers."
    ),
    level="exact",
)
