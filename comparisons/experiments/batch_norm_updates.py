"""Batch norm's running statistics: does a training step update them, however it is written?"""

from __future__ import annotations

from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import MEASURED, Verdict, by_design
from comparisons.statistics.effect import smaller
from comparisons.statistics.quantities import OTHER, PAIR, listed, percent

STEPS = 60

# A step written as each engine has it.


def plain_dynamic() -> dict[str, float]:
    """A training step as usual."""
    import dynamic
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(STEPS):
        images, labels = next(data)
        loss = ops.cross_entropy(model(dynamic.tensor(images)), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with dynamic.no_grad(), nn.evaluating(model):
        logits = model(dynamic.tensor(digits.test_x))
        right = ops.accuracy(logits, digits.test_y).item()
    mean = abs(model[2].running_mean.numpy()).max().item()
    return {"loss": loss.item(), "right": right, "mean": mean}


def plain_static() -> dict[str, float]:
    """A training step as usual."""
    import static
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 1, 8, 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    train = opt.minimize(loss)
    with nn.evaluating(model):
        accuracy = ops.accuracy(model(x), y)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for _ in range(STEPS):
            images, labels = next(data)
            value, _ = session.run([loss, train], {x: images, y: labels})
        right = session.run(accuracy, {x: digits.test_x, y: digits.test_y})
        session.store(model)
    mean = abs(model[2].running_mean.numpy()).max().item()
    return {"loss": value.item(), "right": right.item(), "mean": mean}


# A step in halves, to clip the gradients between them.


def halves_dynamic() -> dict[str, float]:
    """Gradients, clipped, and then applied."""
    import dynamic
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(STEPS):
        images, labels = next(data)
        loss = ops.cross_entropy(model(dynamic.tensor(images)), labels)
        opt.zero_grad()
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
    with dynamic.no_grad(), nn.evaluating(model):
        logits = model(dynamic.tensor(digits.test_x))
        right = ops.accuracy(logits, digits.test_y).item()
    mean = abs(model[2].running_mean.numpy()).max().item()
    return {"loss": loss.item(), "right": right, "mean": mean}


def halves_static() -> dict[str, float]:
    """Gradients, clipped, and then applied."""
    import static
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 1, 8, 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    gradients, variables = zip(*opt.compute_gradients(loss), strict=True)
    clipped, _ = optim.clip_by_global_norm(gradients, 1.0)
    train = opt.apply_gradients(zip(clipped, variables, strict=True))
    with nn.evaluating(model):
        accuracy = ops.accuracy(model(x), y)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for _ in range(STEPS):
            images, labels = next(data)
            value, _ = session.run([loss, train], {x: images, y: labels})
        right = session.run(accuracy, {x: digits.test_x, y: digits.test_y})
        session.store(model)
    mean = abs(model[2].running_mean.numpy()).max().item()
    return {"loss": value.item(), "right": right.item(), "mean": mean}


def grouped_static() -> dict[str, float]:
    """Gradients, clipped, and then applied together with what the layers want updated."""
    import static
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    data = batches(digits.train_x, digits.train_y, 50)
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1)
    x = static.placeholder("float32", ("N", 1, 8, 8), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    loss = ops.cross_entropy(model(x), y)
    gradients, variables = zip(*opt.compute_gradients(loss), strict=True)
    clipped, _ = optim.clip_by_global_norm(gradients, 1.0)
    step = opt.apply_gradients(zip(clipped, variables, strict=True))
    train = static.group(step, *static.get_collection(static.UPDATE_OPS))
    with nn.evaluating(model):
        accuracy = ops.accuracy(model(x), y)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for _ in range(STEPS):
            images, labels = next(data)
            value, _ = session.run([loss, train], {x: images, y: labels})
        right = session.run(accuracy, {x: digits.test_x, y: digits.test_y})
        session.store(model)
    mean = abs(model[2].running_mean.numpy()).max().item()
    return {"loss": value.item(), "right": right.item(), "mean": mean}


# The model only looked at, in training mode.


def look_dynamic() -> float:
    """One batch goes through, and nothing is trained."""
    import numpy as np

    import dynamic
    from shared import nn

    layer = nn.BatchNorm1d(3)
    layer(dynamic.tensor(np.ones((4, 3), np.float32)))
    return abs(layer.running_mean.numpy()).max().item()


def look_static() -> float:
    """One batch goes through, and nothing is trained."""
    import numpy as np

    import static
    from shared import nn

    layer = nn.BatchNorm1d(3)
    x = static.placeholder("float32", ("N", 3), name="x")
    y = layer(x)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run(y, {x: np.ones((4, 3))})
        session.store(layer)
    return abs(layer.running_mean.numpy()).max().item()


def run(context: Context) -> dict[str, Any]:
    on_dynamic = attempt(halves_dynamic)
    return {
        "steps": STEPS,
        "plain": {"dynamic": attempt(plain_dynamic), "static": attempt(plain_static)},
        "halves": {"dynamic": on_dynamic, "static": attempt(halves_static)},
        "grouped": {"dynamic": on_dynamic, "static": attempt(grouped_static)},
        "look": {"dynamic": attempt(look_dynamic), "static": attempt(look_static)},
    }


# What is said of it.

CASES = {
    "plain": ("A step as usual", "`minimize`"),
    "halves": ("A step in halves", "`compute_gradients`, then `apply_gradients`"),
    "grouped": ("A step in halves, and the updates with it", "the same, grouped with `UPDATE_OPS`"),
}
"""What each case is called, and how static writes it."""


def read(found: Json) -> Reading:
    stale = {case: [e for e in PAIR if not found[case][e]["value"]["mean"]] for case in CASES}
    halves, look = stale["halves"], found["look"]
    moved = [engine for engine in PAIR if look[engine]["value"]]
    return Reading(
        answer=_answer(found, stale),
        verdicts=[
            by_design(_verdict("batch norm: test accuracy after a usual training step", found["plain"])),
            by_design(_verdict("batch norm: test accuracy, gradients clipped by hand", found["halves"])),
        ],
        evidence=[
            *(
                Pair(title, found[case]["dynamic"], found[case]["static"], says=f"On static: {way}.")
                for case, (title, way) in CASES.items()
            ),
            Table(
                f"After {found['steps']} steps",
                ("step", "engine", "training loss", "largest running mean", "right on test data"),
                [
                    (title, engine, *_figures(found[case][engine]["value"]))
                    for case, (title, _) in CASES.items()
                    for engine in PAIR
                ],
            ),
            Pair("A batch looked at, and no step", look["dynamic"], look["static"], says=_looked(moved)),
        ],
        means=_means(halves, stale["grouped"]),
        otherwise=_otherwise(halves, moved),
        threats=[
            "In TensorFlow 1 `minimize` ran no updates either; here it runs those that its loss depends on.",
            "How bad it is depends on how far the true statistics are from a fresh layer's.",
        ],
    )  # fmt: skip


def _figures(value: Json) -> tuple[str, str, str]:
    return f"{value['loss']:.4f}", f"{value['mean']:.3f}", percent(value["right"])


def _verdict(title: str, case: Json) -> Verdict:
    wrong = {engine: 1 - case[engine]["value"]["right"] for engine in PAIR}
    cells = {engine: percent(case[engine]["value"]["right"]) for engine in PAIR}
    leader = smaller(wrong["dynamic"], wrong["static"])
    return Verdict(title, cells["dynamic"], cells["static"], leader, basis=MEASURED)


def _answer(found: Json, stale: Json) -> str:
    if not stale["plain"] and not stale["halves"]:
        return "Yes, on both engines, whether a step is written as usual or in halves."
    usual = (
        f"Written as usual, they are not updated on {listed(stale['plain'])}"
        if stale["plain"]
        else "Written as usual, a step updates them on both engines"
    )
    if not stale["halves"]:
        return f"{usual}; written in halves, it does."
    right = listed([percent(found["halves"][engine]["value"]["right"]) for engine in stale["halves"]])
    return (
        f"{usual}. On {listed(stale['halves'])} one written in halves leaves them as they were, without a "
        f"word: {right} of the test data are right."
    )


def _looked(moved: list[str]) -> str:
    if not moved:
        return "To look at a batch in training mode moves the running mean on neither engine."
    return f"To look at a batch in training mode moves the running mean on {listed(moved)}."


def _means(halves: list[str], grouped: list[str]) -> list[str]:
    if not halves:
        return ["Who clips gradients by hand has nothing else to remember, on either engine."]
    said = [
        f"On {engine} the layer writes its statistics when it is called."
        for engine in PAIR
        if engine not in halves
    ]
    said.append(
        f"On {listed(halves)} it describes the update, which happens if what is run leads to it; the "
        "training loss shows nothing of it."
    )
    if set(grouped) < set(halves):
        said.append(
            "To group the step with the updates mends it, for who knows."
        )
    return said


def _otherwise(halves: list[str], moved: list[str]) -> list[str]:
    if len(halves) != 1:
        return ["Neither side is seen to have come off worse."]
    (behind,) = halves
    said = [
        "An update that is an operation can be left out on purpose: to fine-tune with frozen statistics, "
        "say.",
    ]
    if behind not in moved and OTHER[behind] in moved:
        said.append(
            f"And who fetches a loss on {behind}, only to look at it, changes nothing; a batch in training "
            f"mode moves the statistics on {OTHER[behind]}."
        )
    return said


EXPERIMENT = Experiment(
    name="batch_norm_updates",
    title="Batch norm without its updates",
    question="Batch norm keeps running statistics. Does a training step update them, however I write it?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: (
        f"A network of two layers with batch norm between, {found['steps']} steps on the digits."
    ),
    level="fast",
)
