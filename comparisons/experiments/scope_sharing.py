"""Two inputs through one set of weights: is it one set?"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import by_design, counted
from comparisons.statistics.quantities import PAIR, count, listed

X = np.linspace(0, 1, 16, dtype=np.float32).reshape(2, 8)
WANTED = 8 * 4 + 4
"""Numbers in one set of weights: a matrix and a bias."""


def weights_in(graph: Any) -> int:
    """How many numbers the parameters in a drawn graph hold together."""
    return sum(prod(node["shape"]) for _, node in graph.nodes(data=True) if node["kind"] == "parameter")


# As each style was taught: an object on one side, a function and its names on the other.


def taught_dynamic() -> dict[str, float]:
    """The same picture on the left and on the right: their distance is 0."""
    import dynamic
    from shared import nn, ops

    tower = nn.Sequential(nn.Linear(8, 4), nn.Tanh())

    left, right = dynamic.tensor(X), dynamic.tensor(X)
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(dynamic.to_networkx(distance))
    return {"numbers": numbers, "distance": distance.item()}


def taught_static() -> dict[str, float]:
    """The same picture on the left and on the right: their distance is 0."""
    import static
    from shared import ops

    random = np.random.default_rng(0)

    def tower(x):
        start = random.normal(size=(8, 4))
        weight = static.Variable(start, name="weight", dtype="float32")
        bias = static.Variable(np.zeros(4), name="bias", dtype="float32")
        return ops.tanh(x @ weight + bias)

    left = static.placeholder("float32", ("N", 8), name="left")
    right = static.placeholder("float32", ("N", 8), name="right")
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(static.to_networkx(distance))
    print(", ".join(v.name for v in static.trainable_variables()))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        value = session.run(distance, {left: X, right: X})
    return {"numbers": numbers, "distance": value.item()}


# Names that say whether they are new.


def named_static() -> dict[str, float]:
    """Names are looked up in a scope, and nobody has said that they shall be shared."""
    import static
    from shared import ops

    def tower(x):
        with static.variable_scope("tower"):
            weight = static.get_variable("weight", (8, 4))
            bias = static.get_variable("bias", 4)
        return ops.tanh(x @ weight + bias)

    left = static.placeholder("float32", ("N", 8), name="left")
    right = static.placeholder("float32", ("N", 8), name="right")
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(static.to_networkx(distance))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        value = session.run(distance, {left: X, right: X})
    return {"numbers": numbers, "distance": value.item()}


def reused_static() -> dict[str, float]:
    """Names are looked up in a scope that shares them."""
    import static
    from shared import ops

    def tower(x):
        with static.variable_scope("tower", reuse=static.AUTO_REUSE):
            weight = static.get_variable("weight", (8, 4))
            bias = static.get_variable("bias", 4)
        return ops.tanh(x @ weight + bias)

    left = static.placeholder("float32", ("N", 8), name="left")
    right = static.placeholder("float32", ("N", 8), name="right")
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(static.to_networkx(distance))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        value = session.run(distance, {left: X, right: X})
    return {"numbers": numbers, "distance": value.item()}


# The same way on both: one object called twice, and a layer made at each call.


def object_static() -> dict[str, float]:
    """One object, called on both."""
    import static
    from shared import nn, ops

    tower = nn.Sequential(nn.Linear(8, 4), nn.Tanh())

    left = static.placeholder("float32", ("N", 8), name="left")
    right = static.placeholder("float32", ("N", 8), name="right")
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(static.to_networkx(distance))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        value = session.run(distance, {left: X, right: X})
    return {"numbers": numbers, "distance": value.item()}


def inside_dynamic() -> dict[str, float]:
    """A function that makes its layer when it is called."""
    import dynamic
    from shared import nn, ops

    def tower(x):
        return ops.tanh(nn.Linear(8, 4)(x))

    left, right = dynamic.tensor(X), dynamic.tensor(X)
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(dynamic.to_networkx(distance))
    return {"numbers": numbers, "distance": distance.item()}


def inside_static() -> dict[str, float]:
    """A function that makes its layer when it is called."""
    import static
    from shared import nn, ops

    def tower(x):
        return ops.tanh(nn.Linear(8, 4)(x))

    left = static.placeholder("float32", ("N", 8), name="left")
    right = static.placeholder("float32", ("N", 8), name="right")
    distance = ops.sum(ops.square(tower(left) - tower(right)))
    numbers = weights_in(static.to_networkx(distance))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        value = session.run(distance, {left: X, right: X})
    return {"numbers": numbers, "distance": value.item()}


def run(context: Context) -> dict[str, Any]:
    on_dynamic = attempt(taught_dynamic)
    return {
        "wanted": WANTED,
        "taught": {"dynamic": on_dynamic, "static": attempt(taught_static)},
        "named": {"dynamic": on_dynamic, "static": attempt(named_static)},
        "reused": {"dynamic": on_dynamic, "static": attempt(reused_static)},
        "object": {"dynamic": on_dynamic, "static": attempt(object_static)},
        "inside": {"dynamic": attempt(inside_dynamic), "static": attempt(inside_static)},
    }


# What is said of it.

WAYS = (
    ("taught", "an object, and a function with named variables"),
    ("named", "an object, and names looked up in a scope"),
    ("reused", "an object, and names that a scope shares"),
    ("object", "one object on both"),
    ("inside", "a layer made at each call on both"),
)
"""Each way of writing it: on dynamic, and on static."""


def read(found: Json) -> Reading:
    taught, named, wanted = found["taught"], found["named"], found["wanted"]
    split = _split(taught, wanted)
    return Reading(
        answer=_answer(taught, split, wanted),
        verdicts=[
            by_design(_verdict("numbers in weights used twice, in each style as taught", taught)),
            by_design(_verdict("numbers in weights used twice, one layer object", found["object"])),
            by_design(_verdict("numbers in weights used twice, a layer made at each call", found["inside"])),
        ],
        evidence=[
            Pair("As each style was taught", taught["dynamic"], taught["static"],
                 says="`weights_in` counts the numbers that the distance depends on."),
            Table(
                f"One set of weights holds {count(wanted, 'number')}",
                ("written with", "numbers, dynamic", "numbers, static", "distance, static"),
                [(way, *_cells(found[key])) for key, way in WAYS],
            ),
            Pair("Names looked up in a scope", named["dynamic"], named["static"], says=_lookup(found)),
            Pair("A layer made at each call", found["inside"]["dynamic"], found["inside"]["static"],
                 says=_inside(found["inside"], wanted)),
        ],
        means=_means(split, found),
        otherwise=_otherwise(split, named),
        threats=[
            "In TensorFlow 1 `tf.get_variable` refused a name that was there, as it does here; "
            "`tf.Variable` and layer functions numbered what they made, in silence.",
            "The first row compares two ways of writing, the other two the engines.",
        ],
    )  # fmt: skip


def _split(case: Json, wanted: int) -> list[str]:
    """The engines on which there is more than one set of weights, and nobody was told."""
    return [e for e in PAIR if case[e]["value"] is not None and case[e]["value"]["numbers"] > wanted]


def _verdict(title: str, case: Json) -> Any:
    return counted(title, *(case[engine]["value"]["numbers"] for engine in PAIR))


def _cells(case: Json) -> tuple[str, str, str]:
    on_dynamic, on_static = (
        case[engine]["error"]["type"] if case[engine]["error"] else str(case[engine]["value"]["numbers"])
        for engine in PAIR
    )
    value = case["static"]["value"]
    return on_dynamic, on_static, "" if value is None else f"{value['distance']:.3f}"


def _answer(taught: Json, split: list[str], wanted: int) -> str:
    if not split:
        return f"Yes: on both engines one set of weights stands in the graph, {count(wanted, 'number')}."
    said = f"there are {listed([str(taught[engine]['value']['numbers']) for engine in split])} numbers"
    said = f"{said} where there should be {wanted}, and nothing says so"
    if len(split) == 2:
        return f"No, on neither engine: {said}."
    (right,) = [engine for engine in PAIR if engine not in split]
    return f"On {right} it is. In the style that was taught for {split[0]} it is not: {said}."


def _lookup(found: Json) -> str:
    shares = found["reused"]["static"]["value"]
    said = "Here static uses `get_variable`, which looks a name up before it makes a variable."
    if found["named"]["static"]["error"] and shares and shares["numbers"] == found["wanted"]:
        return f"{said}"
    return said


def _inside(inside: Json, wanted: int) -> str:
    split = _split(inside, wanted)
    if not split:
        return "Even so, there is one set of weights on both engines."
    return f"Two calls make two layers on {listed(split)}, and no message says so."


def _means(split: list[str], found: Json) -> list[str]:
    said = []
    for engine in PAIR:
        if engine not in split:
            said.append(
                f"As {engine} is written, weights are an object: to share them is to use it twice."
            )
        else:
            said.append(
                f"As {engine} was taught, weights are what a name stands for: sharing hangs on the function "
                "that makes a variable, and its scope."
            )
    same, apart = (_split(found[way], found["wanted"]) for way in ("object", "inside"))
    if split and not same and len(apart) == len(PAIR):
        said.append(
            "It is the habit, not the graph: layers that are objects are shared on both."
        )
    return said


def _otherwise(split: list[str], named: Json) -> list[str]:
    if len(split) != 1:
        return ["Neither side is seen to have come off worse."]
    said = []
    if named[split[0]]["error"]:
        said.append(
            f"A name is a check that objects do not have: with `get_variable` {split[0]} stops at the second "
            "tower."
        )
    said.append(
        "Names outlive the program, and find weights in a checkpoint."
    )
    return said


EXPERIMENT = Experiment(
    name="scope_sharing",
    title="Weights that should be shared",
    question="Two inputs go through the same tower. Is it the same weights that they meet?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: f"A tower of one dense layer of {found['wanted']} numbers, two rows of eight.",
    level="",
)
