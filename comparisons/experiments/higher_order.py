"""The derivative of the derivative of tanh, and so on: how do the graphs grow?"""

from __future__ import annotations

from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Curves, Drawing, Json, Pair, Series, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import Verdict, timed
from comparisons.statistics.effect import BreakEven, ahead, break_even
from comparisons.statistics.quantities import PAIR, at_most, number, spread_of, steps_of
from shared import ops

X = np.linspace(-1, 1, 5, dtype=np.float32)
DRAWN = 2


def tanh_dynamic(values: Any, order: int) -> Any:
    """Each derivative is recorded like anything else, so it has one of its own."""
    x = dynamic.tensor(values, requires_grad=True)
    y = ops.tanh(x)
    for _ in range(order):
        y = dynamic.grad(ops.sum(y), x, create_graph=True)
    return y


def tanh_static(values: Any, order: int) -> Any:
    """Each derivative is graph like anything else, so it has one of its own."""
    x = static.placeholder("float32", values.shape, name="x")
    y = ops.tanh(x)
    for _ in range(order):
        (y,) = static.gradients(ops.sum(y), [x])
    call = static.Session().make_callable(y, [x])
    call(values)
    return x, y, call


def run(context: Context) -> dict[str, Any]:
    orders = []
    for order in range(1, context.pick(4, 8) + 1):
        context.note(f"derivative {order} of tanh")
        orders.append({"order": order, **_measured(context, order)})
    built = {"dynamic": tanh_dynamic(X, DRAWN), "static": _described(DRAWN)[1]}
    return {
        "codes": {"dynamic": {"code": source_of(tanh_dynamic)}, "static": {"code": source_of(tanh_static)}},
        "orders": orders,
        "drawn": DRAWN,
        "pictures": {engine: context.drawing(y) for engine, y in built.items()},
    }


def _described(order: int) -> tuple[Any, Any, Any]:
    with static.Graph().as_default():
        x, y, call = tanh_static(X, order)
    return x, y, call


def _measured(context: Context, order: int) -> dict[str, Any]:
    """Nodes on dynamic's tape and in static's graph; what static's passes leave of them; and seconds:
    `start` from nothing to the derivative, `step` for it at another x, for which dynamic goes through all
    orders again and static runs what it has built."""
    x, y, call = _described(order)
    without = [one.name for one in static.PASSES]
    steps = {"without passes": without, "prune and cse": None, "all passes": []}
    blocks = {
        name: static.Session(y.graph, **({"optimize": "exact"} if left is None else {"without": left}))
        for name, left in steps.items()
    }
    start = context.time(
        {"dynamic": lambda: tanh_dynamic(X, order), "static": lambda: _described(order)}, at_least=0
    )
    step = context.time({"dynamic": lambda: tanh_dynamic(X, order), "static": lambda: call(X)})
    taped = tanh_dynamic(X, order)
    return {
        "nodes": {
            "dynamic": dynamic.to_networkx(taped).number_of_nodes(),
            "static": static.to_networkx([y]).number_of_nodes(),
        },
        "left": {name: len(one.block(y, [x]).steps) for name, one in blocks.items()},
        **{engine: {"start": start[engine], "step": step[engine]} for engine in PAIR},
        "apart": float(np.abs(call(X) - taped.numpy()).max() / np.abs(taped.numpy()).max()),
    }


# What is said of it.


def read(found: Json) -> Reading:
    orders = found["orders"]
    last = orders[-1]
    first, later = (ahead(*(last[engine][part] for engine in PAIR)) for part in ("start", "step"))
    nodes = [number(last["nodes"][engine]) for engine in PAIR]
    return Reading(
        answer=_answer(first, later, last),
        verdicts=[
            timed(f"derivative {last['order']} of tanh, building included",
                  *(last[e]["start"] for e in PAIR)),
            timed(f"derivative {last['order']} of tanh, built before, at another x",
                  *(last[e]["step"] for e in PAIR)),
            Verdict(f"graph nodes behind derivative {last['order']} of tanh", *nodes),
        ],
        evidence=[
            Pair(f"A derivative of tanh, and its derivative, {last['order']} times over",
                 found["codes"]["dynamic"], found["codes"]["static"],
                 says="At another x dynamic's runs again; static's has given `call`."),
            Drawing(
                f"What stands there for derivative {found['drawn']}", found["pictures"],
                says="Dynamic's is the tape that the last line leaves; static's is the graph before anything "
                "has rewritten it.",
            ),
            Curves(
                "Nodes, by order", "order of the derivative", "nodes",
                [
                    *(Series(engine, *_along(orders, lambda at, e=engine: at["nodes"][e]), side=engine)
                      for engine in PAIR),
                    *(Series(f"static, {name}", *_along(orders, lambda at, n=name: at["left"][n]),
                             side="static" if name == "all passes" else "", dashed=True)
                      for name in last["left"] if name != "without passes"),
                ],
                log_y=True,
                says="What each side holds; as broken lines, the steps that static's passes leave to run.",
            ),
            Table(
                "Order by order",
                ("order", "after prune and cse", "after all passes", "dynamic, from nothing",
                 "static, from nothing", "dynamic, again", "static, again"),
                [
                    (str(at["order"]), number(at["left"]["prune and cse"]), number(at["left"]["all passes"]),
                     *(spread_of(at[engine][part]) for part in ("start", "step") for engine in PAIR))
                    for at in orders
                ],
                says="Again is at another x.",
            ),
        ],
        means=_means(later, last),
        otherwise=_otherwise(first, later, last),
        threats=[
            "All derivatives of tanh are polynomials in it, which is kind to who merges; five numbers time "
            "the nodes, not the arithmetic.",
            _apart(last["apart"]),
        ],
    )  # fmt: skip


def _apart(share: float) -> str:
    if share == 0:
        return "The two engines' values of the last derivative are the same to the last bit."
    return f"The two engines' values of the last derivative differ by {at_most(share)} of the largest."


def _along(orders: Json, value: Any) -> tuple[list[float], list[float]]:
    return [at["order"] for at in orders], [value(at) for at in orders]


def _answer(first: str | None, later: str | None, last: Json) -> str:
    order = last["order"]
    start = (
        f"On which engine derivative {order} comes sooner from nothing is not resolved" if first is None
        else f"Derivative {order} comes sooner from nothing on {first}"
    )  # fmt: skip
    again = (
        "which is faster at another x is not resolved"
        if later is None
        else f"again, at another x, {later} is faster"
    )
    even = _even(last)
    paid = f"; what static spent before is won back after {places_of(even)}" if even else ""
    return f"{start}; {again}{paid}."


def places_of(even: BreakEven) -> str:
    """After so many places, with the range."""
    return steps_of(even).replace("steps", "places").replace("step ", "place ")


def _even(last: Json) -> BreakEven | None:
    return break_even(last["dynamic"], last["static"])


def _means(leader: str | None, last: Json) -> list[str]:
    left = last["left"]
    twice = left["without passes"] / left["prune and cse"]
    work = (
        "A graph that stands before it runs can be searched for what is computed twice, which leaves one "
        f"step of {twice:.1f} here; all passes together leave {number(left['all passes'])} of "
        f"{number(left['without passes'])}."
    )
    alike = " and ".join(f"{number(last['nodes'][engine])} on {engine}" for engine in PAIR)
    rules = (
        f"Both engines derive by the same rules, and neither is spared their growth: {alike}."
    )
    reasons = {
        "static": "On static the work of deriving is done once, and a later x costs only what is left.",
        "dynamic": "On dynamic the rules run anew for every x, and that is still the faster way here.",
    }
    return [rules, work, reasons[leader]] if leader is not None else [rules, work]


def _otherwise(first: str | None, later: str | None, last: Json) -> list[str]:
    if first is None and later is None:
        return ["Neither is resolved to have come off worse in time."]
    said = []
    even = _even(last)
    if even:
        said.append(
            f"Who wants derivative {last['order']} at fewer than {number(even.step)} places is done sooner "
            "on "
            "dynamic, which builds nothing first."
        )
    if "static" in (first, later):
        said.append(
            "Where the order is not known beforehand, on dynamic that is a `while`."
        )
    if "dynamic" in (first, later):
        said.append(
            "Static's derivative is a graph that can be kept, printed and run where nobody can derive."
        )
    return said


EXPERIMENT = Experiment(
    name="higher_order",
    title="The derivatives of tanh, one after the other",
    question="What does the derivative of a derivative of a derivative cost?",
    dimension="gradients",
    run=run,
    read=read,
    sizes=lambda found: f"Five numbers, and the first {len(found['orders'])} derivatives of tanh.",
    level="both",
)
