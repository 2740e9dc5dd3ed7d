"""Loss and accuracy of one batch: is the model computed once or twice?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import OTHER, PAIR, count, number

_random = np.random.default_rng(0)
X = _random.normal(size=(100, 20)).astype(np.float32)
Y = _random.integers(0, 5, 100)


def apart_dynamic() -> list[float]:
    """Loss and accuracy, asked for one after the other."""
    import dynamic
    from shared import nn, ops

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 5))

    logits = model(dynamic.tensor(X))
    loss = ops.cross_entropy(logits, Y)
    right = ops.accuracy(logits, Y)
    return [loss.item(), right.item()]


def apart_static() -> list[float]:
    """Loss and accuracy, asked for one after the other."""
    import static
    from shared import nn, ops

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 5))

    x = static.placeholder("float32", ("N", 20), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    logits = model(x)
    loss = ops.cross_entropy(logits, y)
    right = ops.accuracy(logits, y)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        a = session.run(loss, {x: X, y: Y})
        b = session.run(right, {x: X, y: Y})
    return [a.item(), b.item()]


def together_static() -> list[float]:
    """Both are fetched by one run."""
    import static
    from shared import nn, ops

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 5))

    x = static.placeholder("float32", ("N", 20), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    logits = model(x)
    loss = ops.cross_entropy(logits, y)
    right = ops.accuracy(logits, y)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        a, b = session.run([loss, right], {x: X, y: Y})
    return [a.item(), b.item()]


# A training step, and then the loss.


def step_dynamic() -> float:
    """The loss of the step is printed after the step."""
    import dynamic
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 5))
    opt = optim.SGD(model.parameters(), lr=0.5)

    loss = ops.cross_entropy(model(dynamic.tensor(X)), Y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def step_static() -> float:
    """The loss of the step is printed after the step."""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 50), nn.Tanh(), nn.Linear(50, 5))
    opt = optim.SGD(model.parameters(), lr=0.5)

    x = static.placeholder("float32", ("N", 20), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.run(train, {x: X, y: Y})
        value = session.run(loss, {x: X, y: Y})
    return value.item()


def run(context: Context) -> dict[str, Any]:
    counted = {"apart": (apart_dynamic, apart_static), "together": (apart_dynamic, together_static)}
    found: dict[str, Any] = {
        case: {
            engine: {**attempt(function), "kernels": _kernels(context, function)}
            for engine, function in zip(PAIR, functions, strict=True)
        }
        for case, functions in counted.items()
    }
    return found | {"step": {"dynamic": attempt(step_dynamic), "static": attempt(step_static)}}


def _kernels(context: Context, function: Callable[[], Any]) -> dict[str, int]:
    """The ops that ran, by name, without those that give variables their first values."""
    ops = context.kernels(function)["ops"]
    return {name: times for name, times in ops.items() if name != "initial_value"}


# What is said of it.


def read(found: Json) -> Reading:
    apart, together, step = found["apart"], found["together"], found["step"]
    kernels = {engine: sum(apart[engine]["kernels"].values()) for engine in PAIR}
    gathered = {engine: sum(together[engine]["kernels"].values()) for engine in PAIR}
    again = [engine for engine in PAIR if kernels[engine] > gathered[engine]]
    later = [engine for engine in PAIR if step[engine]["value"] != together[engine]["value"][0]]
    return Reading(
        answer=_answer(again, kernels, gathered),
        verdicts=[
            by_design(counted("kernels run to ask for loss, then for accuracy", kernels["dynamic"],
                              kernels["static"], "kernels")),
            by_design(counted("kernels run to ask for loss and accuracy together",
                              gathered["dynamic"], gathered["static"],
                              "kernels")),
            by_design(Verdict("a loss read after the training step", _whose("dynamic" in later),
                              _whose("static" in later), OTHER[later[0]] if len(later) == 1 else None)),
        ],
        evidence=[
            Pair("One question after the other", apart["dynamic"], apart["static"],
                 says=_same(apart)),
            _table("What ran", apart),
            Pair("Both at once", together["dynamic"], together["static"], says=_gathered(kernels, gathered)),
            Pair("A training step, then the loss", step["dynamic"], step["static"],
                 says=f"Before the step the loss is {together['dynamic']['value'][0]:.4f}."),
        ],
        means=_means(again, later),
        otherwise=_otherwise(again),
        threats=[
            "In TensorFlow 1 a random op drew anew in every run, so with dropout loss and accuracy were of "
            "two passes.",
        ],
    )  # fmt: skip


def _same(apart: Json) -> str:
    if apart["dynamic"]["value"] == apart["static"]["value"]:
        return "A model of two layers. Both engines give the same loss and the same accuracy."
    return "A model of two layers. The engines do not give the same loss and accuracy."


def _whose(later: bool) -> str:
    return "is the loss after it" if later else "is the loss of the step"


def _table(title: str, sides: Json) -> Table:
    names = sorted({name for engine in PAIR for name in sides[engine]["kernels"]})
    counts = [[sides[engine]["kernels"].get(name, 0) for engine in PAIR] for name in names]
    return Table(
        title,
        ("op", *PAIR),
        [(name, *map(number, pair)) for name, pair in zip(names, counts, strict=True)],
        [None if a == b else PAIR[a > b] for a, b in counts],
        says="How often each op was computed.",
    )


def _answer(again: list[str], kernels: dict[str, int], gathered: dict[str, int]) -> str:
    if not again:
        return "Once, on both engines: the second question finds the model computed."
    if len(again) == 2:
        return "Twice, on both engines: each question computes what it needs."
    one, other = again[0], OTHER[again[0]]
    return (
        f"On {one} once for each question, {kernels[one]} kernels where {gathered[one]} would do; on {other} "
        f"once, {kernels[other]} kernels for both."
    )


def _gathered(kernels: dict[str, int], gathered: dict[str, int]) -> str:
    said = [
        f"On {engine} this runs {count(gathered[engine], 'kernel')}"
        + (f" in the place of {kernels[engine]}." if kernels[engine] != gathered[engine] else ", as before.")
        for engine in PAIR
    ]
    return " ".join(said)


def _means(again: list[str], later: list[str]) -> list[str]:
    said = []
    for engine in PAIR:
        if engine in again:
            said.append(
                f"On {engine} a question is a run, which keeps nothing for the next."
            )
        else:
            said.append(
                f"On {engine} what has been computed is an object in the user's hands."
            )
    said += [
        f"On {engine} a name such as `loss` stands for a recipe: read after the step, it gives the loss of "
        "the next one, and nothing says so."
        for engine in later
    ]
    return said


def _otherwise(again: list[str]) -> list[str]:
    reasons = {
        "static": "A run frees each value after its last use, and a list of fetches computes just what it "
        "needs.",
        "dynamic": "A pass of its own for each question needs no object to be kept between them.",
    }
    if len(again) == 1:
        return [reasons[again[0]]]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="two_runs",
    title="Loss, then accuracy",
    question="I ask for the loss and then for the accuracy. How often is the model computed?",
    dimension="construction",
    run=run,
    read=read,
    sizes=lambda found: "Two dense layers of 20, 50 and 5 units, a batch of 100 rows.",
    level="exact",
)
