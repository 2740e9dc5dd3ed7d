"""The same programs on both engines, counted: lines, and names that one has to know."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, source_of, written
from comparisons.lab.verdict import counted
from comparisons.statistics.quantities import OTHER, PAIR, count, number
from comparisons.training import loops

X = np.array([0.5, 1.0], np.float32)


# Train a classifier and ask it.


def train_dynamic() -> float:
    """Forty steps, and how many of the test images are read correctly."""
    import dynamic
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    opt = optim.Adam(model.parameters(), lr=0.01)
    data = batches(digits.train_x, digits.train_y, 50)

    for _ in range(40):
        x, y = next(data)
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    with dynamic.no_grad(), nn.evaluating(model):
        logits = model(dynamic.tensor(digits.test_x))
        right = ops.accuracy(logits, digits.test_y)
    return right.item()


def train_static() -> float:
    """Forty steps, and how many of the test images are read correctly."""
    import static
    from shared import nn, ops, optim
    from shared.data import batches, load_digits

    digits = load_digits()
    nn.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10))
    opt = optim.Adam(model.parameters(), lr=0.01)
    data = batches(digits.train_x, digits.train_y, 50)

    images = static.placeholder("float32", (None, 1, 8, 8))
    labels = static.placeholder("int64", (None,))
    loss = ops.cross_entropy(model(images), labels)
    train = opt.minimize(loss)
    with nn.evaluating(model):
        right = ops.accuracy(model(images), labels)

    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(40):
            x, y = next(data)
            session.run(train, {images: x, labels: y})
        feed = {images: digits.test_x, labels: digits.test_y}
        return session.run(right, feed).item()


# Newton's method, until it is near enough.


def newton_dynamic() -> float:
    """The root of 2."""
    import dynamic

    def f(x):
        return x * x - 2

    x = dynamic.tensor(1.0, requires_grad=True)
    while abs(f(x)) > 1e-6:
        y = f(x)
        x = x - y / dynamic.grad(y, x)
    return x.item()


def newton_static() -> float:
    """The root of 2."""
    import static

    def f(x):
        return x * x - 2

    x = static.placeholder("float32", ())
    y = f(x)
    (slope,) = static.gradients(y, [x])
    better = x - y / slope
    value = np.float32(1.0)
    with static.Session(optimize="exact") as session:
        while abs(session.run(y, {x: value})) > 1e-6:
            value = session.run(better, {x: value})
    return value.item()


# A second derivative.


def second_dynamic() -> list[float]:
    """The second derivative of tanh."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X, requires_grad=True)
    slope = dynamic.grad(ops.tanh(x).sum(), x, create_graph=True)
    curve = dynamic.grad(slope.sum(), x)
    return curve.tolist()


def second_static() -> list[float]:
    """The second derivative of tanh."""
    import static
    from shared import ops

    x = static.placeholder("float32", (2,))
    (slope,) = static.gradients(ops.tanh(x), [x])
    (curve,) = static.gradients(slope, [x])
    with static.Session(optimize="exact") as session:
        return session.run(curve, {x: X}).tolist()


CASES = (
    ("train", "Train a classifier", train_dynamic, train_static),
    ("newton", "Newton's method", newton_dynamic, newton_static),
    ("second", "A second derivative", second_dynamic, second_static),
)


def run(context: Context) -> dict[str, Any]:
    cases = [
        {
            "name": name,
            "title": title,
            "dynamic": {**attempt(dynamic), **_count(dynamic)},
            "static": {**attempt(static), **_count(static)},
        }
        for name, title, dynamic, static in CASES
    ]
    names = sorted({found.name.rpartition("_")[0] for found in pkgutil.iter_modules(loops.__path__)})
    scripts = [{"name": name, **{engine: _count(_script(name, engine)) for engine in PAIR}} for name in names]
    return {"cases": cases, "scripts": scripts}


def _script(name: str, engine: str) -> Callable[..., Any]:
    """The loop that trains the tasks of one kind, as their pages show it."""
    train: Callable[..., Any] = importlib.import_module(f"{loops.__name__}.{name}_{engine}").train
    return train


def _count(function: Callable[..., Any]) -> dict[str, Any]:
    """Lines of a function's body that hold code, and the names that it takes from a library."""
    code = source_of(function)
    found = {_name(node) for node in ast.walk(ast.parse(f"def _():\n{_indented(code)}"))} - {""}
    return {"lines": written(code), "names": sorted(found)}


def _indented(code: str) -> str:
    return "".join(f"    {line}" for line in code.splitlines(keepends=True))


MODULES = {"dynamic", "static", "nn", "ops", "optim"}


def _name(node: ast.AST) -> str:
    """`static.Session` of a module, `.run` of an object; nothing of NumPy's, or of what is no attribute."""
    if not isinstance(node, ast.Attribute):
        return ""
    of = node.value.id if isinstance(node.value, ast.Name) else ""
    return "" if of == "np" else ast.unparse(node) if of in MODULES else f".{node.attr}"


# What is said of it.


def read(found: Json) -> Reading:
    cases, scripts = found["cases"], found["scripts"]
    first = cases[0]
    lines = {engine: sum(case[engine]["lines"] for case in cases) for engine in PAIR}
    names = {engine: _together(cases, engine) for engine in PAIR}
    own = {engine: sorted(set(names[engine]) - set(names[OTHER[engine]])) for engine in PAIR}
    tasks = {engine: sum(script[engine]["lines"] for script in scripts) for engine in PAIR}
    return Reading(
        answer=_answer(cases, lines, own),
        verdicts=[
            counted("lines of code to train and test a classifier",
                    first["dynamic"]["lines"], first["static"]["lines"],
                    "lines"),
            counted("API names only this engine needs, in 3 programs",
                    len(own["dynamic"]), len(own["static"])),
            counted("lines of code of the tasks' training loops", tasks["dynamic"], tasks["static"], "lines"),
        ],
        evidence=[
            *(Pair(case["title"], case["dynamic"], case["static"], says=_said(case)) for case in cases),
            Output(
                "Names that one engine needs and the other does not",
                {engine: "\n".join(own[engine]) + "\n" for engine in PAIR},
                says=f"From the {count(len(cases), 'program')} above; `.run` is a method, whatever the "
                "object.",
            ),
            Table(
                "The training loops of the tasks", ("loop", *PAIR),
                [(_titled(s["name"]), *(number(s[engine]["lines"]) for engine in PAIR)) for s in scripts],
                [_fewer({engine: s[engine]["lines"] for engine in PAIR}) for s in scripts],
                says="Lines of code. The page of a task shows its script whole, where the run trained it.",
            ),
        ],
        means=_means(lines, own),
        otherwise=_otherwise(lines),
        threats=[
            "Lines and names are what can be counted. How long it takes to learn a name is not.",
            "Layers, ops and optimisers are the same here. In TensorFlow 1 and PyTorch they were not.",
        ],
    )  # fmt: skip


def _together(cases: Json, engine: str) -> list[str]:
    return sorted({name for case in cases for name in case[engine]["names"]})


def _titled(name: str) -> str:
    return name.replace("_", " ")


def _fewer(numbers: dict[str, int]) -> str | None:
    if numbers["dynamic"] == numbers["static"]:
        return None
    return min(PAIR, key=numbers.__getitem__)


def _each(numbers: dict[str, int], unit: str) -> str:
    return " and ".join(f"{count(numbers[engine], unit)} on {engine}" for engine in PAIR)


def _said(case: Json) -> str:
    values = [case[engine]["value"] for engine in PAIR]
    same = "The answer is the same" if values[0] == values[1] else "The answers differ"
    return f"{same}. {_each({engine: case[engine]['lines'] for engine in PAIR}, 'line')}."


def _answer(cases: Json, lines: dict[str, int], own: dict[str, list[str]]) -> str:
    fewer = _fewer(lines)
    programs = count(len(cases), "program")
    beyond = f"{len(own['dynamic'])} names of dynamic's own and {len(own['static'])} of static's"
    if fewer is None:
        return (
            f"As much on one engine as on the other: {lines['dynamic']} lines for {programs}, with {beyond}."
        )
    more = lines[OTHER[fewer]] / lines[fewer] - 1
    return f"{more:.0%} more lines on {OTHER[fewer]} than on {fewer} for the same {programs}, with {beyond}."


def _means(lines: dict[str, int], own: dict[str, list[str]]) -> list[str]:
    fewer = _fewer(lines)
    reasons = {
        "dynamic": "A description needs lines for what is not there yet, and for what makes it happen: "
        "inputs, first values, a session.",
        "static": "To describe a computation took fewer lines here than to do it.",
        None: "Neither design asks for more to be written.",
    }
    most = {engine: len(own[engine]) for engine in PAIR}
    wordier = _fewer(most)
    if wordier is None:
        return [reasons[fewer], "Each engine has as many names of its own to learn."]
    return [
        reasons[fewer],
        f"The names that come on top are {OTHER[wordier]}'s: "
        f"{most[OTHER[wordier]]} that {wordier} does without, against {most[wordier]}.",
    ]


def _otherwise(lines: dict[str, int]) -> list[str]:
    fewer = _fewer(lines)
    reasons = {
        "static": "Static's lines say what a program is fed and gives, with shape and dtype, which somebody "
        "writes down anyhow where others run it.",
        "dynamic": "The lines that dynamic asks for are steps that can be changed one by one: what is done "
        "with a gradient before the optimiser has it stands in the loop.",
        None: "Neither side is seen to have come off worse.",
    }
    return [reasons[OTHER[fewer]] if fewer else reasons[None]]


EXPERIMENT = Experiment(
    name="concepts",
    title="How much one has to write, and to know",
    question="How many lines, and how many names, does the same program take on each engine?",
    dimension="writing",
    run=run,
    read=read,
    sizes=lambda found: (
        f"{count(len(found['cases']), 'program')}, and {len(found['scripts'])} training loops."
    ),
    level="exact",
)
