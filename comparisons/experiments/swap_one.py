"""Layer, model, optimiser and loader are apart: one of them is swapped, and the diff shows what follows."""

from __future__ import annotations

import copy
from difflib import ndiff
from typing import Any

from comparisons.lab.blocks import Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import counted
from comparisons.statistics.quantities import OTHER, PAIR, count, listed


def train_dynamic() -> None:
    """One epoch of digits."""
    import dynamic
    from shared import nn, ops, optim
    from shared.data import DataLoader, TensorDataset, load_digits

    digits = TensorDataset(*load_digits()[:2])
    layer = nn.ReLU()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), layer, nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.2)
    loader = DataLoader(digits, batch_size=50)

    losses = []
    for x, y in loader:
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())


def train_static() -> None:
    """One epoch of digits."""
    import static
    from shared import nn, ops, optim
    from shared.data import DataLoader, TensorDataset, load_digits

    digits = TensorDataset(*load_digits()[:2])
    layer = nn.ReLU()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), layer, nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.2)
    loader = DataLoader(digits, batch_size=50)

    images = static.placeholder("float32", (None, 1, 8, 8))
    labels = static.placeholder("int64", (None,))
    loss = ops.cross_entropy(model(images), labels)
    train = opt.minimize(loss)
    losses = []
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for x, y in loader:
            value, _ = session.run([loss, train], {images: x, labels: y})
            losses.append(value.item())


TRAIN = {"dynamic": train_dynamic, "static": train_static}
SWAPS = {
    "the layer": ("layer = nn.ReLU()", "layer = nn.Tanh()"),
    "the model": (
        "model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), layer, nn.Linear(32, 10))",
        "model = nn.Sequential(nn.Conv2d(1, 4, 3), layer, nn.Flatten(), nn.Linear(144, 10))",
    ),
    "the optimiser": (
        "opt = optim.SGD(model.parameters(), lr=0.2)",
        "opt = optim.Adam(model.parameters(), lr=0.01)",
    ),
    "the loader": (
        "loader = DataLoader(digits, batch_size=50)",
        "loader = DataLoader(digits, batch_size=80, shuffle=True, seed=1, drop_last=True)",
    ),
}
"""Of each part the line that makes it, and another one."""


def run(context: Context) -> dict[str, Any]:
    base = {engine: source_of(function) for engine, function in TRAIN.items()}
    cases = []
    for part, (old, new) in {"nothing": ("", ""), **SWAPS}.items():
        context.note(f"swapping {part}")
        codes = {engine: code.replace(old, new) if old else code for engine, code in base.items()}
        losses = {engine: _losses(code, context.seed) for engine, code in codes.items()}
        cases.append({"part": part, "losses": losses, **{e: _difference(base[e], codes[e]) for e in PAIR}})
    return {"codes": base, "cases": cases}


def _losses(code: str, seed: int) -> list[float]:
    """What a program's `losses` are in the end."""
    import static
    from shared import nn

    static.reset_default_graph()
    nn.manual_seed(seed)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    losses: list[float] = namespace["losses"]
    return losses


def _difference(before: str, after: str) -> list[str]:
    """The lines that only one of the two has, marked as in a diff."""
    return [line.rstrip() for line in ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]


def doctored(found: Json) -> Json:
    """Evidence in which a swap asks dynamic for another line, and the engines' losses part."""
    found = copy.deepcopy(found)
    found["cases"][-1]["dynamic"] += ["- losses = []", "+ losses = [0.0]"]
    found["cases"][-1]["losses"]["dynamic"][-1] += 0.5
    return found


def read(found: Json) -> Reading:
    base, *swaps = found["cases"]
    most = {engine: max(_lines(case[engine]) for case in swaps) for engine in PAIR}
    alike = [case["part"] for case in swaps if case["dynamic"] == case["static"]]
    equal = sum(case["losses"]["dynamic"] == case["losses"]["static"] for case in found["cases"])
    whole = equal == len(found["cases"])
    moved = [case["part"] for case in swaps if case["losses"]["dynamic"] != base["losses"]["dynamic"]]
    once = max(most.values()) == 1 and len(alike) == len(swaps)
    row = counted("lines changed to swap layer, model, optimiser or data", most["dynamic"], most["static"])
    told = (f"Of {count(len(found['cases']), 'program')} {equal} gave the same losses on both engines, step "
            f"by step. Losses were others than before for {listed(moved or ['none'])}.")
    return Reading(
        answer="One line, and the same one on both engines." if once
        else f"Up to {count(max(most.values()), 'line')}; the same on both for {listed(alike or ['none'])}.",
        verdicts=[row],
        evidence=[
            Pair("The program", *({"code": found["codes"][engine]} for engine in PAIR)),
            *(Output(f"Swapped: {case['part']}", {e: "\n".join(case[e]) + "\n" for e in PAIR})
              for case in swaps),
            Table(
                "The last loss", ("swapped", *PAIR),
                [(c["part"], *(f"{c['losses'][e][-1]:.6f}" for e in PAIR)) for c in found["cases"]],
            ),
        ],
        happened=[told],
        means=[
            "Layers, optimisers and loaders are written in ops and arrays, and know of no engine; what knows "
            "of one is the loop." if once and whole
            else "What is swapped here does not stand apart from what is around it.",
        ],
        otherwise=[
            "A part that changes what goes in or comes out, another loss for instance, touches the loop."
            if row.ahead is None
            else f"The lines that {OTHER[row.ahead]} needs more stand where they take effect.",
        ],
        threats=["Four swaps, chosen because each part has a line of its own."],
    )  # fmt: skip


def _lines(difference: list[str]) -> int:
    """How many lines are new."""
    return sum(line.startswith("+") for line in difference)


EXPERIMENT = Experiment(
    name="swap_one",
    title="One part swapped for another",
    question="If I swap the layer, the model, the optimiser or the loader, what else has to change?",
    dimension="writing",
    run=run,
    read=read,
    sizes=lambda found: f"{count(len(found['cases']), 'program')}, one epoch of small digits each.",
    level="exact",
    doctor=doctored,
)
