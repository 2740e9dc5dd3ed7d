"""A model with several outputs, of which one is asked for: what is computed?"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import by_design, counted, timed
from comparisons.statistics.quantities import OTHER, PAIR, count, number
from shared import nn, ops

X = np.linspace(0, 1, 6400, dtype=np.float32).reshape(100, 64)
Y = np.arange(100) % 10


class Model(nn.Module):
    """Reads a digit, and draws it again."""

    def __init__(self) -> None:
        self.encode = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU())
        self.read = nn.Linear(32, 10)
        self.draw = nn.Sequential(nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 64), nn.Sigmoid())

    def forward(self, x: Any, y: Any) -> dict[str, Any]:
        code = self.encode(x)
        logits, picture = self.read(code), self.draw(code)
        return {
            "label": ops.argmax(logits, axis=1),
            "picture": picture,
            "loss": ops.cross_entropy(logits, y) + ops.mean(ops.square(picture - x)),
        }


def whole_dynamic() -> list[int]:
    """Everything that `forward` says is done when it has been called."""
    model = Model()
    with dynamic.no_grad():
        made = model(dynamic.tensor(X), Y)
    return made["label"].tolist()


def whole_static() -> list[int]:
    """A run does what leads to the fetch; a placeholder that it does not need is not fed."""
    model = Model()
    x = static.placeholder("float32", ("N", 64), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    made = model(x, y)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        return session.run(made["label"], {x: X}).tolist()


def part_dynamic() -> list[int]:
    """The author writes a second way through the model, for the label alone."""
    model = Model()
    with dynamic.no_grad():
        code = model.encode(dynamic.tensor(X))
        label = ops.argmax(model.read(code), axis=1)
    return label.tolist()


def part_static() -> list[int]:
    """The same second way, which changes nothing."""
    model = Model()
    x = static.placeholder("float32", ("N", 64), name="x")
    code = model.encode(x)
    label = ops.argmax(model.read(code), axis=1)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        return session.run(label, {x: X}).tolist()


WANTED = (["label"], ["picture"], ["loss"], ["label", "picture", "loss"])


def run(context: Context) -> dict[str, Any]:
    nn.manual_seed(context.seed)
    model = Model()

    def called() -> Any:
        with dynamic.no_grad():
            return model(dynamic.tensor(X), Y)

    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", ("N", 64), name="x")
        y = static.placeholder("int64", ("N",), name="y")
        made = model(x, y)
    session = static.Session(graph, optimize="exact")
    session.load(model)

    def asked(names: list[str]) -> Any:
        return session.run([made[name] for name in names], {x: X, y: Y} if "loss" in names else {x: X})

    fetches = [
        {
            "wanted": names,
            "dynamic": context.kernels(called)["total"],
            "static": context.kernels(partial(asked, names))["total"],
        }
        for names in WANTED
    ]
    later = {
        "dynamic": context.kernels(called)["total"],
        "static": sum(context.kernels(partial(asked, [name]))["total"] for name in WANTED[-1]),
    }
    times = {
        name: context.time({"dynamic": called, "static": partial(asked, names)})
        for name, names in (("label", ["label"]), ("all", WANTED[-1]))
    }
    return {
        "whole": {"dynamic": _whole(whole_dynamic), "static": _whole(whole_static)},
        "part": {"dynamic": attempt(part_dynamic), "static": attempt(part_static)},
        "part_ops": {"dynamic": context.kernels(part_dynamic)["total"], "static": fetches[0]["static"]},
        "fetches": fetches,
        "later": later,
        "times": times,
        "program": session.program(made["label"], [x]),
    }


def _whole(snippet: Callable[[], list[int]]) -> dict[str, Any]:
    """A snippet attempted, and shown below the model that it uses."""
    found = attempt(snippet)
    return found | {"code": f"{inspect.getsource(Model)}\n{found['code']}"}


# What is said of it.


def read(found: Json) -> Reading:
    fetches, later = found["fetches"], found["later"]
    label, whole = fetches[0], fetches[-1]
    one = counted("ops that run for one output of a model with three", label["dynamic"], label["static"])
    two = counted("ops that run for three outputs, asked for one by one", later["dynamic"], later["static"])
    spent = timed("time for one output of a model with three", *(found["times"]["label"][e] for e in PAIR))
    return Reading(
        answer=_answer(one.ahead, label, whole),
        verdicts=[spent, by_design(one), by_design(two)],
        evidence=[
            Pair("The label of a model that has more to give", found["whole"]["dynamic"],
                 found["whole"]["static"], says="`Model` is the same on both sides."),
            Table(
                "Ops that run, by what is wanted",
                ("wanted", "dynamic", "static"),
                [
                    *((_said(row["wanted"]), *(number(row[e]) for e in PAIR)) for row in fetches),
                    ("everything, one after the other", *(number(later[engine]) for engine in PAIR)),
                ],
                [*(counted("", row["dynamic"], row["static"]).ahead for row in fetches), two.ahead],
                says="In the last row static makes three runs.",
            ),
            Output("What static runs for the label", {"static": found["program"]}),
            Pair("For the label alone, written for the purpose", found["part"]["dynamic"],
                 found["part"]["static"], says=_by_hand(found)),
        ],
        means=_means(one.ahead, found),
        otherwise=_otherwise(one.ahead, two.ahead, later),
        threats=[
            "Dynamic's model computes all outputs because it was written so.",
        ],
    )  # fmt: skip


def _said(wanted: list[str]) -> str:
    return f"the {wanted[0]}" if len(wanted) == 1 else "everything"


def _by_hand(found: Json) -> str:
    ops_run = found["part_ops"]
    same = "as many as" if ops_run["dynamic"] == ops_run["static"] else f"against {ops_run['static']} of"
    return f"So written, dynamic runs {count(ops_run['dynamic'], 'op')}, {same} static."


def _answer(leader: str | None, label: Json, whole: Json) -> str:
    if leader is None:
        return f"Both engines run {count(label['dynamic'], 'op')} for the label alone."
    other = OTHER[leader]
    return (
        f"{leader.capitalize()} runs {label[leader]} ops for the label alone and {whole[leader]} for "
        f"everything; {other} runs {label[other]} and {whole[other]}."
    )


def _means(leader: str | None, found: Json) -> list[str]:
    if leader is None:
        return ["What is not asked for costs as much on both engines."]
    reasons = {
        "static": "A fetch says what is wanted before anything has run, so static leaves out the rest. On "
        "dynamic nobody can know yet that a result will be dropped.",
        "dynamic": "Static runs more for a part of the model here than dynamic does for the whole of it.",
    }
    said = [reasons[leader]]
    if found["part_ops"]["dynamic"] <= found["part_ops"]["static"]:
        said.append(
            "On dynamic one writes a method for each use."
        )
    return said


def _otherwise(leader: str | None, later: str | None, numbers: Json) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    said = []
    if later == OTHER[leader]:
        said.append(
            f"Who looks at the label first, then wants the picture, then the loss, is better off on {later}: "
            f"{numbers[later]} ops against {numbers[leader]}. "
            + {
                "dynamic": "There all of it is held and only has to be looked at; on static each run begins "
                "from the beginning, unless the wishes were foreseen.",
                "static": "Its second run computes only what the first did not.",
            }[later]
        )
    reasons = {
        "dynamic": "Whatever a line of dynamic's has computed is there to be looked at, unasked.",
        "static": "What static runs is written in one program that can be read before it is run.",
    }
    return [*said, reasons[OTHER[leader]]]


EXPERIMENT = Experiment(
    name="pruning",
    title="A model that has more to give than is wanted",
    question="I ask a model for one of its outputs. Does it compute the others too?",
    dimension="optimisation",
    run=run,
    read=read,
    sizes=lambda found: "An encoder, a reader and a painter of dense layers; 100 rows of 64 numbers.",
    level="exact",
)
