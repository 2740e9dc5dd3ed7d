"""The fourth stage of the book: a small network learns a curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import Verdict, counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, number

STEPS = 300
_RNG = np.random.default_rng(0)
X = _RNG.random((100, 1), dtype=np.float32)
Y = (np.sin(2 * np.pi * X) + 0.3 * _RNG.random((100, 1))).astype(np.float32)
GRID = np.linspace(0, 1, 41, dtype=np.float32)[:, None]


def fit_dynamic() -> dict[str, list[float]]:
    """A network of one hidden layer learns a noisy sine."""
    import dynamic
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 20), nn.Sigmoid(), nn.Linear(20, 1))
    opt = optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(STEPS):
        loss = ops.mse_loss(model(dynamic.tensor(X)), Y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    with dynamic.no_grad():
        fitted = model(dynamic.tensor(GRID))
    return {"losses": losses, "fitted": fitted.numpy().ravel().tolist()}


def fit_static() -> dict[str, list[float]]:
    """A network of one hidden layer learns a noisy sine."""
    import static
    from shared import nn, ops, optim

    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(1, 20), nn.Sigmoid(), nn.Linear(20, 1))
    opt = optim.Adam(model.parameters(), lr=0.05)
    x = static.placeholder("float32", (None, 1), name="x")
    y = static.placeholder("float32", (None, 1), name="y")
    fitted = model(x)
    loss = ops.mse_loss(fitted, y)
    train = opt.minimize(loss)
    losses = []
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(STEPS):
            value, _ = session.run([loss, train], {x: X, y: Y})
            losses.append(value.item())
        curve = session.run(fitted, {x: GRID})
    return {"losses": losses, "fitted": curve.ravel().tolist()}


def run(context: Context) -> dict[str, Any]:
    codes = {"dynamic": attempt(fit_dynamic), "static": attempt(fit_static)}
    return {
        "codes": codes,
        "points": [X.ravel().tolist(), Y.ravel().tolist()],
        "grid": GRID.ravel().tolist(),
        "whole": context.time({"dynamic": fit_dynamic, "static": fit_static}),
    }


def read(found: Json) -> Reading:
    codes = found["codes"]
    lines = {engine: written(codes[engine]["code"]) for engine in PAIR}
    losses = {engine: codes[engine]["value"]["losses"] for engine in PAIR}
    fitted = {engine: codes[engine]["value"]["fitted"] for engine in PAIR}
    equal = sum(a == b for a, b in zip(losses["dynamic"], losses["static"], strict=True))
    steps = len(losses["dynamic"])
    rows = [
        counted("lines of code for a network that learns", lines["dynamic"], lines["static"]),
        timed(f"{number(steps)} steps of a small network, building included",
              *(found["whole"][e] for e in PAIR)),
        Verdict("losses of a small network, equal bit for bit", *[f"{number(equal)} of {number(steps)}"] * 2),
    ]
    return Reading(
        answer=_answer(rows[1].ahead, equal, steps),
        verdicts=rows,
        evidence=[
            Pair("One hidden layer", codes["dynamic"], codes["static"],
                 says="Model, loss and optimiser come from `shared` on both sides."),
            Curves("What it learnt", "x", "y",
                   [Series(engine, found["grid"], fitted[engine], engine, dashed=engine == "static")
                    for engine in PAIR],
                   says="The dashed curve lies on the other where the numbers are the same."),
            Curves("How it learnt", "step", "loss",
                   [Series(e, list(range(1, steps + 1)), losses[e], e, dashed=e == "static") for e in PAIR],
                   log_y=True),
        ],
        means=_means(rows[0].ahead, rows[1].ahead),
        otherwise=_otherwise(rows[1].ahead),
        threats=[
            "The network has 61 numbers: its arithmetic hardly counts.",
        ],
    )  # fmt: skip


def _answer(faster: str | None, equal: int, steps: int) -> str:
    same = "the same network, number for number" if equal == steps else "networks that are not quite the same"
    if faster is None:
        return f"Both learn {same}; which is done sooner is not resolved."
    return f"Both learn {same}; {faster} is done sooner."


def _means(shorter: str | None, faster: str | None) -> list[str]:
    said = [
        "A layer called on dynamic's Tensors computes, called on static's it describes: the model is "
        "written once, and the loop differs."
    ]
    said += [f"Of that loop {shorter}'s is the shorter one."] * (shorter is not None)
    said += [f"Run from beginning to end, {faster}'s is the faster one here."] * (faster is not None)
    return said


def _otherwise(faster: str | None) -> list[str]:
    if faster is None:
        return ["Neither side is seen to have come off worse."]
    if OTHER[faster] == "dynamic":
        return [
            "Dynamic's loop is the one to change: a print in the middle is one line, and nothing has to be "
            "built again.",
        ]
    return [
        "Static pays for the graph once.",
    ]


EXPERIMENT = Experiment(
    name="stage4_networks",
    title="Stage 4: a network learns",
    question="How does one train a small network, and do both learn the same one?",
    dimension="book",
    run=run,
    read=read,
    sizes=lambda found: (
        f"One hidden layer, 100 points, {len(found['codes']['dynamic']['value']['losses'])} steps."
    ),
    level="exact",
)
