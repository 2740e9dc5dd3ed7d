"""A model that is built twice, and then restored: do its weights find their places?"""

from __future__ import annotations

import re
from contextlib import chdir
from typing import Any

import numpy as np

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design
from comparisons.statistics.quantities import OTHER, PAIR, count, listed
from shared.durable import files

X = np.ones((2, 8), np.float32)

# A cell of a notebook, run a second time: the model is built again, and its weights are restored.


def twice_dynamic() -> dict[str, Any]:
    """Built and saved; built again, and restored."""
    import dynamic
    from shared import nn

    def build():
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))

    model = build()
    before = model(dynamic.tensor(X)).numpy()
    model.save("model.safetensors")

    model = build()
    names = [name for name, _ in model.named_parameters()]
    print(", ".join(names))
    model.load("model.safetensors")
    after = model(dynamic.tensor(X)).numpy()
    return {"same": bool((before == after).all())}


def twice_static() -> dict[str, Any]:
    """Built and saved; built again, and restored."""
    import static
    from shared import nn

    def build():
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
        x = static.placeholder("float32", ("N", 8), name="x")
        return x, model(x)

    x, y = build()
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        before = session.run(y, {x: X})
        static.Saver().save(session, "model.safetensors")

    x, y = build()
    names = [variable.name for variable in static.global_variables()]
    print(", ".join(names))
    with static.Session() as session:
        static.Saver().restore(session, "model.safetensors")
        after = session.run(y, {x: X})
    return {"same": bool((before == after).all())}


# The same with a graph for each time that the model is built.


def fresh_static() -> dict[str, Any]:
    """Built and saved; built again on a graph of its own, and restored."""
    import static
    from shared import nn

    def build():
        model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
        x = static.placeholder("float32", ("N", 8), name="x")
        return x, model(x)

    x, y = build()
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        before = session.run(y, {x: X})
        static.Saver().save(session, "model.safetensors")

    static.reset_default_graph()
    x, y = build()
    names = [variable.name for variable in static.global_variables()]
    print(", ".join(names))
    with static.Session() as session:
        static.Saver().restore(session, "model.safetensors")
        after = session.run(y, {x: X})
    return {"same": bool((before == after).all())}


def run(context: Context) -> dict[str, Any]:
    with files.scratch() as folder, chdir(folder):
        on_dynamic = attempt(twice_dynamic)
        return {
            "twice": {"dynamic": on_dynamic, "static": attempt(twice_static)},
            "fresh": {"dynamic": on_dynamic, "static": attempt(fresh_static)},
        }


# What is said of it.


def read(found: Json) -> Reading:
    twice, fresh = found["twice"], found["fresh"]
    fails = [engine for engine in PAIR if not _restored(twice[engine])]
    return Reading(
        answer=_answer(twice, fails),
        verdicts=[
            by_design(_verdict("weights restored after a model was built twice", twice)),
            by_design(_verdict("weights restored, each model on a graph of its own", fresh)),
        ],
        evidence=[
            Pair("Built twice, restored once", twice["dynamic"], twice["static"],
                 says="Printed: the names of the parameters when the model stands for the second time."),
            Table(
                "Names when the model stands for the second time",
                ("", *PAIR),
                [
                    ("weights that are there", *(count(len(_names(twice[e])), "name") for e in PAIR)),
                    ("of them in the file", *(_in_file(twice[e]) for e in PAIR)),
                ],
            ),
            Pair("A graph for each time", fresh["dynamic"], fresh["static"], says=_mended(fresh)),
        ],
        means=_means(fails, fresh),
        otherwise=_otherwise(fails),
        threats=[
            "In TensorFlow 1 this was `Key v1_5 not found in checkpoint`.",
            "It is the default graph that remembers, not the engine.",
        ],
    )  # fmt: skip


def _restored(side: Json) -> bool:
    return side["error"] is None and bool(side["value"]["same"])


def _names(side: Json) -> list[str]:
    return str(side["out"]).strip().split(", ")


def _renamed(side: Json) -> list[str]:
    """The names that were numbered because they were taken."""
    return [name for name in _names(side) if re.search(r"_\d+$", name)]


def _in_file(side: Json) -> str:
    return count(len(_names(side)) - len(_renamed(side)), "name")


def _ended(side: Json) -> str:
    if _restored(side):
        return "restored"
    return "another result" if side["error"] is None else str(side["error"]["type"])


def _verdict(title: str, case: Json) -> Verdict:
    good = [engine for engine in PAIR if _restored(case[engine])]
    on_dynamic, on_static = (_ended(case[engine]) for engine in PAIR)
    return Verdict(title, on_dynamic, on_static, good[0] if len(good) == 1 else None)


def _answer(twice: Json, fails: list[str]) -> str:
    if not fails:
        return "They are, on both engines: the second model gives what the first one gave."
    reasons = [f"the second model's weights have names that the file does not know ({_example(twice[e])})"
               for e in fails if _renamed(twice[e])]  # fmt: skip
    why = f": {reasons[0]}" if reasons else ""
    if len(fails) == 2:
        return f"They are found on neither engine{why}."
    return f"On {OTHER[fails[0]]} they are. On {fails[0]} they are not{why}."


def _example(side: Json) -> str:
    return f"`{_renamed(side)[0]}`"


def _mended(fresh: Json) -> str:
    good = [engine for engine in PAIR if _restored(fresh[engine])]
    if not good:
        return "Even so, the weights are restored on neither engine."
    return f"So written, the weights are restored on {listed(good)}."


def _means(fails: list[str], fresh: Json) -> list[str]:
    said = [
        f"On {engine} a parameter is called by its place in the model that holds it."
        for engine in PAIR
        if engine not in fails
    ]
    said += [
        f"On {engine} a variable is called by its place in a graph, which only grows, and keeps what a cell "
        "built."
        for engine in fails
    ]
    if any(_restored(fresh[engine]) for engine in fails):
        said.append("The cure is a graph for each model.")
    return said


def _otherwise(fails: list[str]) -> list[str]:
    if len(fails) != 1:
        return ["Neither side is seen to have come off worse."]
    if fails == ["static"]:
        return [
            "Names of its own let a graph be saved whole; silently shared ones would have mixed two models' "
            "weights.",
        ]
    return ["Names that begin anew each time can be given by code that remembers nothing of the last time."]


EXPERIMENT = Experiment(
    name="model_built_twice",
    title="The model built twice",
    question="I run the cell that builds my model again, and restore its weights. Are they found?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: "Two dense layers, two rows of eight numbers.",
    level="",
)
