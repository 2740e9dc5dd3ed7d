"""The same mistakes on both engines: when is each found, and where does the message point?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from comparisons.experiment import Experiment, attempt

X = np.linspace(0, 1, 128, dtype=np.float32).reshape(2, 64)
Y = np.array([3, 7])

Reached = Callable[[str], None]


# A layer of the wrong size: the shapes alone give it away.


def wrong_size_dynamic(reached: Reached) -> None:
    """Two layers that do not fit."""
    import dynamic
    from shared import nn

    first, second = nn.Linear(64, 32), nn.Linear(23, 10)
    reached("the layers are made")
    hidden = first(dynamic.tensor(X))
    reached("the first layer has computed")
    second(hidden)


def wrong_size_static(reached: Reached) -> None:
    """Two layers that do not fit."""
    import static
    from shared import nn

    first, second = nn.Linear(64, 32), nn.Linear(23, 10)
    reached("the layers are made")
    with static.Graph().as_default():
        x = static.placeholder("float32", ("N", 64), name="x")
        hidden = first(x)
        reached("the first layer is described")
        second(hidden)


# A label out of range: only the values give it away.


def wrong_label_dynamic(reached: Reached) -> None:
    """Five classes, and a label of 7."""
    import dynamic
    from shared import nn, ops

    model = nn.Linear(64, 5)
    logits = model(dynamic.tensor(X))
    reached("the model has computed")
    loss = ops.cross_entropy(logits, Y)
    loss.backward()


def wrong_label_static(reached: Reached) -> None:
    """Five classes, and a label of 7."""
    import static
    from shared import nn, ops

    model = nn.Linear(64, 5)
    with static.Graph().as_default():
        x = static.placeholder("float32", ("N", 64), name="x")
        y = static.placeholder("int64", ("N",), name="y")
        loss = ops.cross_entropy(model(x), y)
        reached("the graph is built")
        with static.Session() as session:
            session.run(static.global_variables_initializer())
            reached("the variables are initialised")
            session.run(loss, {x: X, y: Y})


# Python's own `if` on a value that is computed.


def python_if_dynamic(reached: Reached) -> None:
    """A choice by value."""
    import dynamic

    x = dynamic.tensor(X)
    if x.sum() > 0:
        x = x * 2
    reached("the choice is made")


def python_if_static(reached: Reached) -> None:
    """A choice by value."""
    import static

    with static.Graph().as_default():
        x = static.placeholder("float32", ("N", 64), name="x")
        if x.sum() > 0:
            x = x * 2
        reached("the choice is made")


CASES = (
    ("wrong_size", "A layer of the wrong size", wrong_size_dynamic, wrong_size_static),
    ("wrong_label", "A label that is no class", wrong_label_dynamic, wrong_label_static),
    ("python_if", "An if on a computed value", python_if_dynamic, python_if_static),
)


def run() -> dict[str, Any]:
    """Each case on both engines."""
    return {
        "cases": [
            {"name": name, "title": title, "dynamic": attempt(dynamic), "static": attempt(static)}
            for name, title, dynamic, static in CASES
        ]
    }


EXPERIMENT = Experiment(
    name="mistakes",
    title="The same mistake, twice",
    question="When is a mistake found, and does the message lead to the line that made it?",
    run=run,
)
