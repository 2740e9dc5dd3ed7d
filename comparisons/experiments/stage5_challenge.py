"""The fifth stage of the book: a recurrent network on a sine, stopped, saved, and taken up again."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of, written
from comparisons.lab.verdict import Verdict, counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, count, number
from shared import nn, ops
from shared.durable import files

STEPS, LENGTH = 20, 30
WAVE = np.sin(np.linspace(0, 8 * np.pi, 200)).astype(np.float32)
X = np.stack([WAVE[i : i + LENGTH] for i in range(0, 160, 10)], axis=1)[:, :, None]
Y = np.stack([WAVE[i + 1 : i + LENGTH + 1] for i in range(0, 160, 10)], axis=1)[:, :, None]


class Foreteller(nn.Module):
    """From each point of a curve, the next one."""

    def __init__(self) -> None:
        self.lstm, self.head = nn.LSTM(1, 16), nn.Linear(16, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Any) -> Any:
        h, _ = self.lstm(x)
        return self.head(self.dropout(h))


def train_dynamic(model: Any, opt: Any, steps: int) -> list[float]:
    """Some steps of training."""
    import dynamic

    losses = []
    for _ in range(steps):
        loss = ops.mse_loss(model(dynamic.tensor(X)), Y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def train_static(model: Any, opt: Any, steps: int) -> list[float]:
    """Some steps of training."""
    import static

    with static.Graph().as_default():
        x = static.placeholder("float32", X.shape, name="x")
        y = static.placeholder("float32", Y.shape, name="y")
        loss = ops.mse_loss(model(x), y)
        train = opt.minimize(loss)
        losses = []
        with static.Session(optimize="exact") as session:
            session.load(model, opt)
            for _ in range(steps):
                value, _ = session.run([loss, train], {x: X, y: Y})
                losses.append(value.item())
            session.store(model, opt)
    return losses


TRAIN = {"dynamic": train_dynamic, "static": train_static}


def run(context: Context) -> dict[str, Any]:
    return {
        "codes": {engine: {"code": source_of(train)} for engine, train in TRAIN.items()},
        "half": STEPS,
        "straight": {engine: _straight(engine) for engine in PAIR},
        "resumed": {engine: _resumed(engine) for engine in PAIR},
        "whole": context.time({engine: partial(_straight, engine) for engine in PAIR}),
    }


def _made() -> tuple[Any, Any]:
    from shared import optim

    nn.manual_seed(0)
    model = Foreteller()
    return model, optim.Adam(model.parameters(), lr=0.01)


def _straight(engine: str) -> list[float]:
    """The losses of a training run that nobody stops."""
    return TRAIN[engine](*_made(), 2 * STEPS)


def _resumed(engine: str) -> list[float]:
    """Those of one that is stopped in the middle, and goes on from two files, model and optimiser."""
    model, opt = _made()
    losses = TRAIN[engine](model, opt, STEPS)
    with files.scratch() as folder:
        paths = [folder / name for name in ("model.safetensors", "optimizer.safetensors")]
        model.save(paths[0])
        opt.save(paths[1])
        nn.manual_seed(1)
        other, opt = _made()
        other.load(paths[0])
        opt.load(paths[1])
    return losses + TRAIN[engine](other, opt, STEPS)


def read(found: Json) -> Reading:
    lines = {engine: written(found["codes"][engine]["code"]) for engine in PAIR}
    straight, resumed, half = found["straight"], found["resumed"], found["half"]
    equal = {engine: _equal(straight[engine][half:], resumed[engine][half:]) for engine in PAIR}
    said = {engine: f"{equal[engine]} of {half}" for engine in PAIR}
    rows = [
        counted("lines of code to train an LSTM", lines["dynamic"], lines["static"]),
        timed(f"{2 * half} steps of a small LSTM, building included", *(found["whole"][e] for e in PAIR)),
        Verdict("losses equal after saving, stopping and going on",
                said["dynamic"], said["static"], _ahead(equal)),
    ]
    steps = list(range(1, 2 * half + 1))
    return Reading(
        answer=_answer(equal, half, rows[1].ahead),
        verdicts=rows,
        evidence=[
            Pair("Training an LSTM", found["codes"]["dynamic"], found["codes"]["static"],
                 says="The loop over time is inside the layer."),
            Curves("Stopped, saved, and gone on with", "step", "loss",
                   [*(Series(engine, steps, straight[engine], engine) for engine in PAIR),
                    *(Series(f"{engine}, resumed", steps, resumed[engine], engine, dashed=True)
                      for engine in PAIR)],
                   log_y=True, mark=(half + 0.5, "restart"),
                   says="Kept by `model.save(path)` and `opt.save(path)`, on static behind `session.store`; "
                   "taken up by `load`."),
        ],
        means=_means(rows[0].ahead, rows[1].ahead),
        otherwise=_otherwise(rows[1].ahead),
        threats=[
            f"Sixteen hidden values, {number(LENGTH)} points, {count(2 * half, 'step')}: too small to say "
            "much about speed.",
        ],
    )  # fmt: skip


def _equal(a: Json, b: Json) -> int:
    return sum(x == y for x, y in zip(a, b, strict=True))


def _ahead(equal: Json) -> str | None:
    if equal["dynamic"] == equal["static"]:
        return None
    return max(PAIR, key=lambda engine: equal[engine])


def _answer(equal: Json, half: int, faster: str | None) -> str:
    whole = all(equal[engine] == half for engine in PAIR)
    said = (
        "A run that is stopped and goes on from a file gives the losses of one that was not stopped, on both"
        if whole
        else "A run that goes on from a file is not everywhere the run that was not stopped"
    )
    return f"{said}." if faster is None else f"{said}; {faster} is the faster one here."


def _means(shorter: str | None, faster: str | None) -> list[str]:
    said = [
        "What must be kept is the same: parameters, the optimiser's state, the generator. On dynamic it is "
        "in the model and its optimiser; on static in the session, until somebody stores it."
    ]
    said += [f"{shorter.capitalize()} has less to write."] if shorter is not None else []
    said += [f"{faster.capitalize()} has less to wait for."] if faster is not None else []
    return said


def _otherwise(faster: str | None) -> list[str]:
    if faster is None:
        return ["Neither side is seen to have come off worse."]
    if OTHER[faster] == "static":
        return [
            "A session of its own for each run means that two can train from one model side by side, "
            "and neither sees the other's half-made steps.",
        ]
    return [
        "On dynamic there is one copy of every value, in the model or its optimiser: it can be looked at, "
        "saved or changed after any step, and nobody has to remember to store it.",
    ]


EXPERIMENT = Experiment(
    name="stage5_challenge",
    title="Stage 5: stopped, saved, and gone on with",
    question="Does a recurrent network with dropout go on from a file as if it had never stopped?",
    dimension="book",
    run=run,
    read=read,
    sizes=lambda found: (
        f"A small LSTM with dropout, 16 stretches of {LENGTH} points, {2 * found['half']} steps."
    ),
    level="exact",
)
