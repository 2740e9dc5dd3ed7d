"""Training mode and evaluation mode: when are they decided, and what of a switch that is forgotten?"""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import Verdict, by_design, counted
from comparisons.statistics.quantities import OTHER, PAIR

X = np.ones((1, 8), np.float32)
Y = np.array([1])


# A switch to evaluation, after the model has been used for training.


def switch_dynamic() -> dict[str, Any]:
    """The model is trained, then switched to evaluation and asked."""
    import dynamic
    from shared import nn, ops

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    logits = model(dynamic.tensor(X))
    ops.cross_entropy(logits, Y).backward()

    model.eval()
    logits = model(dynamic.tensor(X))
    dropped = "dropout" in dynamic.show(logits)
    return {"dropped": dropped, "logits": logits.tolist()}


def switch_static() -> dict[str, Any]:
    """The model is trained, then switched to evaluation and asked."""
    import warnings

    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    x = static.placeholder("float32", ("N", 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    logits = model(x)
    loss = ops.cross_entropy(logits, y)
    train = optim.SGD(model.parameters(), lr=0.0).minimize(loss)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.run(train, {x: X, y: Y})

        model.eval()
        with warnings.catch_warnings(action="ignore"):  # it says that the switch comes too late
            values = session.run(logits, {x: X})
        program = session.program(logits)
    return {"dropped": "dropout" in program, "logits": values.tolist()}


# The switch that works on each engine.


def rebuilt_dynamic() -> dict[str, Any]:
    """Evaluation, for the length of a block."""
    import dynamic
    from shared import nn, ops

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    logits = model(dynamic.tensor(X))
    ops.cross_entropy(logits, Y).backward()

    with nn.evaluating(model):
        logits = model(dynamic.tensor(X))
    dropped = "dropout" in dynamic.show(logits)
    return {"dropped": dropped, "logits": logits.tolist()}


def rebuilt_static() -> dict[str, Any]:
    """The model is described twice, once for each mode, over the same variables."""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    x = static.placeholder("float32", ("N", 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = optim.SGD(model.parameters(), lr=0.0).minimize(loss)
    with nn.evaluating(model):
        logits = model(x)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.run(train, {x: X, y: Y})
        values = session.run(logits, {x: X})
        program = session.program(logits)
    return {"dropped": "dropout" in program, "logits": values.tolist()}


# The switch back that is forgotten.


def forgotten_dynamic() -> dict[str, Any]:
    """Three steps, an evaluation after each, and no way back: in which was there dropout?"""
    import dynamic
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    opt = optim.SGD(model.parameters(), lr=0.1)
    dropped, losses = [], []
    for _ in range(3):
        loss = ops.cross_entropy(model(dynamic.tensor(X)), Y)
        dropped.append("dropout" in dynamic.show(loss))
        losses.append(loss.item())
        opt.zero_grad()
        loss.backward()
        opt.step()

        model.eval()
        model(dynamic.tensor(X))
    return {"dropped": dropped, "losses": losses}


def forgotten_static() -> dict[str, Any]:
    """Three steps, an evaluation after each, and no way back: in which was there dropout?"""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
    opt = optim.SGD(model.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    model.eval()
    logits = model(x)
    dropped, losses = [], []
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(3):
            value, _ = session.run([loss, train], {x: X, y: Y})
            dropped.append("dropout" in session.program(train))
            losses.append(value.item())

            session.run(logits, {x: X})
    return {"dropped": dropped, "losses": losses}


CASES = {
    "switch": (switch_dynamic, switch_static),
    "rebuilt": (rebuilt_dynamic, rebuilt_static),
    "forgotten": (forgotten_dynamic, forgotten_static),
}


def run(context: Context) -> dict[str, Any]:
    return {
        name: {engine: attempt(function) for engine, function in zip(PAIR, functions, strict=True)}
        for name, functions in CASES.items()
    }


# What is said of it.


def read(found: Json) -> Reading:
    switch, rebuilt, forgotten = (found[name] for name in CASES)
    free = [engine for engine in PAIR if not switch[engine]["value"]["dropped"]]
    sure = [engine for engine in PAIR if all(forgotten[engine]["value"]["dropped"])]
    lost = {engine: forgotten[engine]["value"]["dropped"].count(False) for engine in PAIR}
    lines = {engine: written(rebuilt[engine]["code"]) for engine in PAIR}
    return Reading(
        answer=_answer(free, sure),
        verdicts=[
            counted("lines of code to switch between training and eval", lines["dynamic"], lines["static"]),
            by_design(Verdict("model.eval() called once the model is built", _obeys("dynamic" in free),
                              _obeys("static" in free), free[0] if len(free) == 1 else None)),
            by_design(counted("steps trained without dropout when train() is forgotten",
                              lost["dynamic"], lost["static"])),
        ],
        evidence=[
            Pair("A switch to evaluation", switch["dynamic"], switch["static"],
                 says="The last line looks for dropout in the program that gave the logits."),
            Pair("A switch that works on each engine", rebuilt["dynamic"], rebuilt["static"],
                 says=_rebuilt(rebuilt)),
            Pair("No way back", forgotten["dynamic"], forgotten["static"],
                 says="`model.train()` is missing at the end of the loop."),
        ],
        means=_means(free, sure, forgotten),
        otherwise=_otherwise(free, sure),
        threats=[
            "TensorFlow 1 had a third way, a placeholder `training`; forgetting to feed it was the mistake "
            "then.",
            "Dropout stands for every layer with two modes, batch normalisation among them.",
        ],
    )  # fmt: skip


def _obeys(free: bool) -> str:
    return "is obeyed" if free else "is ignored, with a warning"


def _answer(free: list[str], sure: list[str]) -> str:
    if len(free) != 1:
        return f"A switch of the mode {'is obeyed at once' if free else 'comes too late'} on both engines."
    one, other = free[0], OTHER[free[0]]
    said = (
        f"On {one} when the model is called; on {other} when it is described: a switch after the session was "
        "made is ignored, with a warning."
    )
    if sure == [other]:
        return f"{said} In this script it can not be left on by mistake on {other}, and on {one} it can."
    return said


def _rebuilt(rebuilt: Json) -> str:
    right = [engine for engine in PAIR if not rebuilt[engine]["value"]["dropped"]]
    if len(right) == 2:
        return "Under `nn.evaluating` both leave dropout out, and what comes after is as it was."
    return f"Under `nn.evaluating` dropout is left out on {right[0] if right else 'neither'}."


def _means(free: list[str], sure: list[str], forgotten: Json) -> list[str]:
    said = []
    for engine in PAIR:
        if engine in free:
            said.append(
                f"On {engine} the mode is read in every call. One model serves both, and each line must know "
                "how the last has left it."
            )
        else:
            said.append(
                f"On {engine} the mode is read while the graph is built: two modes are two descriptions over "
                "one set of variables."
            )
        if engine not in sure:
            first, *_, last = forgotten[engine]["value"]["losses"]
            noticed = "went down all the same" if last < first else "did not go down"
            said.append(
                f"On {engine} a mode that is left on by mistake changes the training; the loss {noticed}, "
                f"from {first:.3f} to {last:.3f}."
            )
    return said


def _otherwise(free: list[str], sure: list[str]) -> list[str]:
    reasons = {
        "static": "What is baked in can not be forgotten, and a graph made for evaluation is smaller.",
        "dynamic": "A mode that can be switched needs no second description: the model that was trained is "
        "the one that is asked.",
    }
    if len(free) == 1:
        return [reasons[OTHER[free[0]]]]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="train_eval",
    title="Training and evaluation",
    question="When is it decided whether a model trains or is asked?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: "Two dense layers with dropout between, one row of eight numbers.",
    level="exact",
)
