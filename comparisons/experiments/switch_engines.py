"""A training run that changes engines on its way: does the loss curve notice?"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from comparisons.lab.blocks import Curves, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import Verdict
from comparisons.statistics.quantities import PAIR, listed
from shared import nn, optim
from shared.data import batches, load_digits

Batches = Iterator[tuple[Any, Any]]


def stretch_dynamic(model: Any, opt: Any, data: Batches, steps: int) -> list[float]:
    """Some steps on dynamic, from wherever model and optimiser stand."""
    import dynamic
    from shared import ops

    losses = []
    for _ in range(steps):
        x, y = next(data)
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


def stretch_static(model: Any, opt: Any, data: Batches, steps: int) -> list[float]:
    """Some steps on static, from wherever model and optimiser stand."""
    import static
    from shared import ops

    losses = []
    graph = static.Graph()
    with graph.as_default(), static.Session(optimize="exact") as session:
        images = static.placeholder("float32", (None, 1, 8, 8), name="images")
        labels = static.placeholder("int64", (None,), name="labels")
        loss = ops.cross_entropy(model(images), labels)
        train = opt.minimize(loss)
        session.load(model, opt)
        for _ in range(steps):
            x, y = next(data)
            value, _ = session.run([loss, train], {images: x, labels: y})
            losses.append(value.item())
        session.store(model, opt)
    return losses


STRETCH = {"dynamic": stretch_dynamic, "static": stretch_static}


def run(context: Context) -> dict[str, Any]:
    third = context.pick(20, 100)
    whole = 3 * third
    plans = {
        "dynamic": [("dynamic", whole)],
        "static": [("static", whole)],
        "switched": [("dynamic", third), ("static", third), ("dynamic", third)],
        "back": [("static", third), ("dynamic", third), ("static", third)],
    }
    runs = {}
    for name, parts in plans.items():
        context.note(listed([f"{steps} steps on {engine}" for engine, steps in parts]))
        runs[name] = {"parts": parts, **_trained(context, parts)}
    context.note("the same, with an optimiser that starts anew")
    forgot = _trained(context, plans["switched"], anew=True)
    states = {name: entry.pop("states") for name, entry in runs.items()}
    equal = {
        name: sum(states[name][key] == value for key, value in states["dynamic"].items()) for name in states
    }
    return {
        "codes": {engine: {"code": source_of(function)} for engine, function in STRETCH.items()},
        "runs": runs,
        "forgot": forgot["losses"],
        "states": {"all": len(states["dynamic"]), "equal": equal},
    }


def _trained(context: Context, parts: list[tuple[str, int]], anew: bool = False) -> dict[str, Any]:
    """A run in stretches: its losses, and the bytes of everything that model and optimiser hold at
    its end. `anew`: each stretch gets an optimiser that knows nothing of the one before."""
    nn.manual_seed(context.seed)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.2), nn.Linear(36, 10),
    )  # fmt: skip
    opt = optim.Adam(model.parameters(), lr=0.01)
    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50, seed=context.seed)
    losses: list[float] = []
    for engine, steps in parts:
        losses += STRETCH[engine](model, opt, data, steps)
        if anew:
            opt = optim.Adam(model.parameters(), lr=0.01)
    states = {**dict(model.named_states()), **{f"Adam {name}": s for name, s in opt.named_states()}}
    return {"losses": losses, "states": {name: s.value().tobytes() for name, s in states.items()}}


def doctored(found: Json) -> Json:
    """Evidence in which the loss jumps where the run changes engines."""
    found = copy.deepcopy(found)
    for name in SWITCHED:
        (_, first), *_ = found["runs"][name]["parts"]
        losses = found["runs"][name]["losses"]
        losses[first:] = [loss + 0.5 for loss in losses[first:]]
        found["states"]["equal"][name] -= 2
    return found


# What is said of it.

SWITCHED = ("switched", "back")


def read(found: Json) -> Reading:
    runs, states = found["runs"], found["states"]
    steps = len(runs["dynamic"]["losses"])
    equal = {
        engine: min(_equal(runs[engine]["losses"], runs[name]["losses"]) for name in SWITCHED)
        for engine in PAIR
    }
    kept = min(states["equal"][name] for name in SWITCHED)
    same = all(equal[engine] == steps for engine in PAIR)
    return Reading(
        answer=_answer(same, steps, kept == states["all"]),
        verdicts=[
            Verdict("losses equal though training changes engines midway",
                    *(f"{equal[engine]} of {steps}" for engine in PAIR)),
        ],
        evidence=[
            Pair("A stretch on each engine", found["codes"]["dynamic"], found["codes"]["static"],
                 says="The model has batch norm and dropout; the optimiser is Adam."),
            _curve(found),
            Table(
                "What is the same at the end", ("run", "losses", "arrays of model and optimiser"),
                [(_named(runs[name]["parts"]), f"{_equal(runs['dynamic']['losses'], runs[name]['losses'])} "
                f"of {steps}",
                  f"{states['equal'][name]} of {states['all']}") for name in runs],
                says="Compared, bit for bit, with the run on dynamic alone.",
            ),
        ],
        means=_means(same),
        otherwise=[
            "To stay on one engine is right where nothing is gained by the other: each stretch on static is "
            "described and compiled anew, in another form.",
        ],
        threats=[
            "A control: an experiment whose outcome should not hang on the design. Between two systems that "
            "share no layers, a switch converts names and layouts.",
            'At optimize="fast" the losses agree within a tolerance, not bit for bit.',
        ],
    )  # fmt: skip


def _equal(one: list[float], other: list[float]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _named(parts: Json) -> str:
    return ", ".join(f"{steps} steps on {engine}" for engine, steps in parts)


def _curve(found: Json) -> Curves:
    runs, forgot = found["runs"], found["forgot"]
    parts = runs["switched"]["parts"]
    x = list(range(1, len(forgot) + 1))
    series = [Series("dynamic alone", x, runs["dynamic"]["losses"], "dynamic")]
    at = 0
    for engine, steps in parts:
        if engine == "static":
            middle = runs["switched"]["losses"][at : at + steps]
            series.append(Series("switched, on static", x[at : at + steps], middle, "static"))
        at += steps
    series.append(Series("switched, Adam starts anew", x, forgot, dashed=True))
    same = runs["switched"]["losses"] == runs["dynamic"]["losses"]
    lies = f"The run that is switched {'lies' if same else 'does not lie'} on the one that is not"
    return Curves(
        "The loss curve", "step", "loss", series, mark=(parts[0][1] + 0.5, "the first switch"),
        says=f"{lies}. Dashed: a check, in which the optimiser forgets at each switch.",
    )  # fmt: skip


def _answer(same: bool, steps: int, kept: bool) -> str:
    if same and kept:
        return (
            f"No: all {steps} losses, and every array of the model and of Adam at the end, equal those of a "
            "run that never changed engines, bit for bit."
        )
    if same:
        return f"Not in its {steps} losses, but model and optimiser are left with other numbers."
    return "Yes: from the switch on the losses are others than those of a run that never changed engines."


def _means(same: bool) -> list[str]:
    if not same:
        return [
            "On this machine a run does not survive a change of engines: something that it depends on stays "
            "behind."
        ]
    return [
        "A training run is its numbers: parameters, statistics, the optimiser's and the generators' state, "
        "the place in the data. Who hands them on hands on the run.",
        "So the choice need not be made once. Try a model where it can be looked at, train it where steps "
        "are short.",
    ]


EXPERIMENT = Experiment(
    name="switch_engines",
    title="Changing engines in the middle of a run",
    question="A run goes from one engine to the other and back. Does its loss curve notice?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: "A small convolutional network with dropout, batches of 50 digits, "
    f"{len(found['runs']['switched']['losses'])} steps.",
    level="exact",
    doctor=doctored,
)
