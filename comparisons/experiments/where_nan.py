"""`where` with a branch that is NaN: is the gradient of the other branch saved? A control."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, source_of
from comparisons.lab.verdict import Verdict
from comparisons.statistics.quantities import OTHER, PAIR, listed, spread_of

X = np.array([-1.0, 1.0, 4.0], np.float32)
MANY = np.ones(10_000, np.float32)
CHOICES = {"where": "`where`, which takes from both", "cond": "`cond`, which runs one"}


def naive_dynamic() -> dict[str, Any]:
    """The root where there is one, and 0 elsewhere."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X, requires_grad=True)
    y = ops.where(x > 0, ops.sqrt(x), 0.0)
    slope = dynamic.grad(y.sum(), x)
    return {"y": y.tolist(), "slope": slope.tolist()}


def naive_static() -> dict[str, Any]:
    """The root where there is one, and 0 elsewhere."""
    import static
    from shared import ops

    x = static.placeholder("float32", (3,), name="x")
    y = ops.where(x > 0, ops.sqrt(x), 0.0)
    (slope,) = static.gradients(y, [x])
    with static.Session() as session:
        values = session.run({"y": y, "slope": slope}, {x: X})
    return {name: value.tolist() for name, value in values.items()}


def exact_static() -> dict[str, Any]:
    """The same at the level that computes what dynamic does, bit for bit."""
    import static
    from shared import ops

    x = static.placeholder("float32", (3,), name="x")
    y = ops.where(x > 0, ops.sqrt(x), 0.0)
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        values = session.run({"y": y, "slope": slope}, {x: X})
    return {name: value.tolist() for name, value in values.items()}


def guarded_dynamic() -> dict[str, Any]:
    """The root never sees what it has no answer to."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X, requires_grad=True)
    safe = ops.where(x > 0, x, 1.0)
    y = ops.where(x > 0, ops.sqrt(safe), 0.0)
    slope = dynamic.grad(y.sum(), x)
    return {"y": y.tolist(), "slope": slope.tolist()}


def guarded_static() -> dict[str, Any]:
    """The root never sees what it has no answer to."""
    import static
    from shared import ops

    x = static.placeholder("float32", (3,), name="x")
    safe = ops.where(x > 0, x, 1.0)
    y = ops.where(x > 0, ops.sqrt(safe), 0.0)
    (slope,) = static.gradients(y, [x])
    with static.Session() as session:
        values = session.run({"y": y, "slope": slope}, {x: X})
    return {name: value.tolist() for name, value in values.items()}


def twenty(x: Any) -> Any:
    """Twenty ops."""
    from shared import ops

    for _ in range(20):
        x = ops.tanh(x)
    return x


def branches_dynamic(choose: str, differentiate: bool) -> Callable[[], Any]:
    """A choice between two branches of twenty ops, by `where` or by `cond`, with its gradient or without."""
    import dynamic
    from shared import ops

    def call() -> Any:
        x = dynamic.tensor(MANY, requires_grad=differentiate)
        first = ops.sum(x) > 0
        if choose == "where":
            y = ops.where(first, twenty(x), twenty(-x))
        else:
            y = ops.cond(first, lambda: twenty(x), lambda: twenty(-x))
        return dynamic.grad(ops.sum(y), x) if differentiate else y

    return call


def branches_static(choose: str, differentiate: bool) -> Callable[[], Any]:
    """The same as a graph."""
    import static
    from shared import ops

    x = static.placeholder("float32", MANY.shape, name="x")
    first = ops.sum(x) > 0
    if choose == "where":
        y = ops.where(first, twenty(x), twenty(-x))
    else:
        y = ops.cond(first, lambda: twenty(x), lambda: twenty(-x))
    wanted = static.gradients(y, [x])[0] if differentiate else y
    session = static.Session(optimize="exact")
    return lambda: session.run(wanted, {x: MANY})


def run(context: Context) -> dict[str, Any]:
    makers = {"dynamic": branches_dynamic, "static": branches_static}
    calls = {
        (engine, choose, slope): make(choose, slope)
        for engine, make in makers.items() for choose in CHOICES for slope in (False, True)
    }  # fmt: skip
    taken = context.time({" ".join(map(str, key)): call for key, call in calls.items()})
    return {
        "codes": {engine: {"code": source_of(make)} for engine, make in makers.items()},
        "branches": [
            {"choose": choose, "slope": slope, **{e: taken[f"{e} {choose} {slope}"] for e in PAIR}}
            for choose in CHOICES for slope in (False, True)
        ],
        "x": X.tolist(),
        "naive": {"dynamic": _values(naive_dynamic), "static": _values(naive_static)},
        "exact": _values(exact_static),
        "guarded": {"dynamic": _values(guarded_dynamic), "static": _values(guarded_static)},
    }


def _values(function: Any) -> dict[str, Any]:
    """What a snippet came to, its numbers as text, since NaN is no JSON."""
    with np.errstate(all="ignore"):  # NumPy's warning of a root below zero says nothing of the engines
        found = attempt(function)
    found["value"] = {name: [f"{v:g}" for v in numbers] for name, numbers in found["value"].items()}
    return found


def doctored(found: Json) -> Json:
    """Evidence in which static's gradient came out finite."""
    found = copy.deepcopy(found)
    found["naive"]["static"]["value"]["slope"][0] = "0"
    return found


# What is said of it.


def read(found: Json) -> Reading:
    naive, guarded = found["naive"], found["guarded"]
    bad = [engine for engine in PAIR if _spoilt(naive[engine])]
    cured = [engine for engine in PAIR if not _spoilt(guarded[engine])]
    cells = {engine: "NaN" if engine in bad else "finite" for engine in PAIR}
    leader = OTHER[bad[0]] if len(bad) == 1 else None
    return Reading(
        answer=_answer(bad),
        verdicts=[
            Verdict("gradient of where() if the way not taken is NaN",
                    cells["dynamic"], cells["static"], leader)
        ],
        evidence=[
            Pair("A root where there is one", naive["dynamic"], naive["static"],
                 says=f"x is {listed(_texts(found))}. The first has no root; `where` does not choose it."),
            Table("What came out", ("x", "y, dynamic", "y, static", "dynamic", "static"), _rows(found),
                  says="The last two columns are the gradient of the sum of y by x."),
            Pair("The same, guarded", guarded["dynamic"], guarded["static"], says=_cured(cured)),
            Pair("Two ways of twenty ops", found["codes"]["dynamic"], found["codes"]["static"]),
            Table("What the way not taken costs", ("", *PAIR), [
                (CHOICES[one["choose"]] + ", with its gradient" * one["slope"],
                 *(spread_of(one[engine]) for engine in PAIR)) for one in found["branches"]
            ], says="One choice for 10,000 numbers between two ways of twenty ops."),
        ],
        means=_means(bad),
        otherwise=_otherwise(bad),
        threats=[
            "A control: an experiment whose outcome should not hang on the design.",
            "PyTorch and JAX behave in the same way.",
        ],
    )  # fmt: skip


def _spoilt(side: Json) -> bool:
    return "nan" in side["value"]["slope"]


def _rows(found: Json) -> list[tuple[str, ...]]:
    values = [found["naive"][engine]["value"][what] for what in ("y", "slope") for engine in PAIR]
    return list(zip(_texts(found), *values, strict=True))


def _texts(found: Json) -> list[str]:
    return [f"{value:g}" for value in found["x"]]


def _answer(bad: list[str]) -> str:
    if len(bad) == 2:
        return "It is NaN on both engines: what `where` did not choose spoils the gradient all the same."
    if not bad:
        return "It is finite on both engines."
    return f"It is NaN on {bad[0]} alone."


def _cured(cured: list[str]) -> str:
    if len(cured) == 2:
        return "With a second `where` inside, the gradient is finite on both."
    return f"With a second `where` inside, the gradient is finite on {listed(cured) if cured else 'neither'}."


def _means(bad: list[str]) -> list[str]:
    if len(bad) == 1:
        return [
            f"On {bad[0]} a branch that is not chosen is computed, and its slope is taken; the other left it "
            "out."
        ]
    if not bad:
        return ["Neither engine takes the slope of a branch that is not chosen."]
    return [
        "It comes with taking derivatives rule by rule, and not with either design. `where` computes both "
        "of its branches; zero times a slope that is NaN is NaN.",
        "To describe the whole first does not help: who goes which way is known only with numbers.",
    ]


def _otherwise(bad: list[str]) -> list[str]:
    if len(bad) == 1:
        return [
            f"What {bad[0]} gives is what the rules of calculation say, element by element; an engine that "
            "gives something else has changed the program."
        ]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="where_nan",
    title="A branch that is NaN",
    question="The branch that is not taken is NaN. Is the gradient of the other one all right?",
    dimension="stability",
    run=run,
    read=read,
    sizes=lambda found: "Three numbers; for times 10,000.",
    level="both",
    doctor=doctored,
)
