"""A variable asked for together with its update: the value before it, or after?"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import counted
from comparisons.statistics.quantities import PAIR, count, listed

NAMES = ("before", "update", "after")


def together_dynamic() -> list[float]:
    """A counter read, raised, and read again."""
    import dynamic

    counter = dynamic.tensor(10.0)
    before = counter
    update = counter = counter + 1.0
    after = counter
    return [value.item() for value in (before, update, after)]


def together_static() -> list[float]:
    """A counter read, raised, and read again, in one run."""
    import static

    counter = static.Variable(10.0, name="counter")
    before = counter.value()
    update = counter.assign_add(1.0)
    after = counter.value()
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        values = session.run([before, update, after])
        return [value.item() for value in values]


def run(context: Context) -> dict[str, Any]:
    return {
        "dynamic": {**attempt(together_dynamic), **_as_written()},
        "static": {**attempt(together_static), **_in_every_order()},
        "cell": _with_a_cell(),
    }


def _as_written() -> dict[str, Any]:
    """Dynamic has one order: that of the lines."""
    return {"orders": 1, "values": [attempt(together_dynamic)["value"]]}


def _built() -> tuple[Any, list[Any]]:
    """The graph of `together_static`, and what it fetches, with work beside it that could come
    at any time."""
    import static

    with static.Graph().as_default() as graph:
        counter = static.Variable(10.0, name="counter")
        before = counter.value()
        aside = before * 2.0
        update = counter.assign_add(1.0)
        after = counter.value()
        behind = after * 2.0
    return graph, [before, update, after, aside, behind]


def _in_every_order() -> dict[str, Any]:
    """What the compiled run gives, over every order of fetching and every order of its steps in
    which each comes behind what it needs."""
    import static

    graph, fetches = _built()
    seen: list[list[float]] = []
    with static.Session(graph=graph, optimize="exact", without=["fuse"]) as session:
        for asked in permutations(range(len(NAMES))):
            session.run(static.global_variables_initializer())
            given = session.run([fetches[i] for i in asked])
            _note(seen, [given[asked.index(i)].item() for i in range(len(NAMES))])
        session.run(static.global_variables_initializer())
        variable, _ = session.run([graph.variables[0], fetches[NAMES.index("update")]])
        block = session.block(fetches)
    makers = block.makers()
    needs = [{block.steps.index(makers[x]) for x in step.values() if x in makers} for step in block.steps]
    orders = 0
    for order in _orders(needs):
        orders += 1
        held: dict[Any, Any] = {value: variable.initial() for variable, value in block.reads.items()}
        held |= block.constants
        for step in (block.steps[i] for i in order):
            inputs = [held.get(x, x) for x in step.inputs]
            held[step.outputs[0]] = step.op.compute(*inputs, **step.settings)
        _note(seen, [float(held[value]) for value in block.results[: len(NAMES)]])
    return {"orders": orders, "values": seen, "variable": variable.item()}


def _with_a_cell() -> dict[str, Any]:
    """The same graph run as TensorFlow 1 would: the variable is one cell of memory, a read and an
    assignment happen when their turn comes, and any order is legal in which each node comes
    behind its inputs."""
    from static.graph.graph import ASSIGN, CONSTANT, READ

    graph, fetches = _built()
    constants = {node: node.outputs[0] for node in graph.get_operations() if node.op is CONSTANT}
    nodes = [node for node in graph.get_operations() if node not in constants]
    seen: list[list[float]] = []
    orders = 0
    needs = [
        {nodes.index(x.node) for x in node.inputs if hasattr(x, "node") and x.node not in constants}
        for node in nodes
    ]
    for order in _orders(needs):
        orders += 1
        cell, held = 10.0, {y: float(node.settings["value"]) for node, y in constants.items()}
        for node in (nodes[i] for i in order):
            inputs = [held.get(x, x) for x in node.inputs]
            if node.op is READ:
                value = cell
            elif node.op is ASSIGN:
                value = cell = inputs[0]
            else:
                value = float(node.op.compute(*inputs, **node.settings))
            held[node.outputs[0]] = value
        _note(seen, [held[fetch] for fetch in fetches[: len(NAMES)]])
    return {"orders": orders, "values": seen}


def _orders(needs: Sequence[set[int]]) -> Iterator[list[int]]:
    """Every order of things in which each comes behind those that it needs."""

    def extend(done: list[int]) -> Iterator[list[int]]:
        if len(done) == len(needs):
            yield done
        for i, before in enumerate(needs):
            if i not in done and before <= {*done}:
                yield from extend([*done, i])

    return extend([])


def _note(seen: list[list[float]], values: list[float]) -> None:
    if values not in seen:
        seen.append(values)


# What is said of it.


def undefined(found: Json) -> Json:
    """Evidence of a static engine whose order is not defined."""
    changed = copy.deepcopy(found)
    changed["static"].update(changed["cell"])
    return changed


def read(found: Json) -> Reading:
    several = [engine for engine in PAIR if len(found[engine]["values"]) > 1]
    cell = found["cell"]
    return Reading(
        answer=_answer(found, several),
        verdicts=[
            counted("possible results of reading a variable and its update",
                    len(found["dynamic"]["values"]), len(found["static"]["values"])),
        ],
        evidence=[
            Pair("Read, raise, read again", found["dynamic"], found["static"], says=_gave(found)),
            Table(
                "Every legal order, tried",
                ("rule", "orders", "before, update, after"),
                [
                    ("dynamic: the order of the lines", *_tried(found["dynamic"])),
                    ("static: a read sees the last update above it", *_tried(found["static"])),
                    ("a cell of memory, any order along the edges", *_tried(cell)),
                ],
                says="The last row runs the same graph by the rule of TensorFlow 1.",
            ),
        ],
        means=_means(several, cell),
        otherwise=_otherwise(several, cell),
        threats=[
            "The last row is TensorFlow 1's rule, tried here, not TensorFlow 1.",
        ],
    )  # fmt: skip


def _said(values: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _tried(side: Json) -> tuple[str, str]:
    return str(side["orders"]), "; or ".join(map(_said, side["values"]))


def _gave(found: Json) -> str:
    given = {engine: found[engine]["value"] for engine in PAIR}
    if given["dynamic"] == given["static"]:
        return f"Both give {_said(given['dynamic'])}."
    return f"Dynamic gives {_said(given['dynamic'])}, static {_said(given['static'])}."


def _answer(found: Json, several: list[str]) -> str:
    if not several:
        return (
            "On both engines the order of the lines decides: a read above the update gives the old "
            "value, and one below it, where the update is asked for, the new one."
        )
    said = " and ".join(f"{_tried(found[engine])[1]} on {engine}" for engine in several)
    return f"One program can give different answers: {said}."


def _means(several: list[str], cell: Json) -> list[str]:
    if several:
        return [
            f"On {listed(several)} the order of the lines is not part of the program. A result that was "
            "right in a thousand runs is no sign that it will be in the next.",
        ]
    return [
        "While the graph is built Python still goes from line to line: static notes which update stands "
        "above each read.",
        "Where a variable is a cell that nodes share instead, edges alone allow "
        f"{count(len(cell['values']), 'answer')}. TensorFlow 1 asked for `control_dependencies`; "
        "`tf.function` put the order of the lines back.",
    ]


def _otherwise(several: list[str], cell: Json) -> list[str]:
    if several:
        return [
            "Where nothing says which of two comes first, both can be done at once: for counters and "
            "statistics that are only looked at now and then, that freedom costs nothing.",
        ]
    return [
        "Neither came off worse; with one cell on a server and many machines, an order of lines would mean "
        f"waiting. Any of the {cell['orders']} orders is then good enough.",
    ]


EXPERIMENT = Experiment(
    name="fetch_with_update",
    title="A variable and its update in one run",
    question="I ask for a variable and for its update at once. Do I get the value before it, or after?",
    dimension="state",
    run=run,
    read=read,
    sizes=lambda found: "One counter, read twice and raised once.",
    level="",
    doctor=undefined,
)
