"""The derivative of the derivative of tanh, and so on: how do the graphs grow?"""

from __future__ import annotations

from itertools import pairwise
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
from comparisons.statistics.ahead import ahead
from comparisons.statistics.quantities import PAIR, count, number, seconds
from shared import ops

X = np.linspace(-1, 1, 5, dtype=np.float32)
ORDER, DRAWN = 4, 2


def tanh_dynamic() -> Any:
    """Each derivative is recorded like anything else, so it has one of its own."""
    x = dynamic.tensor(X, requires_grad=True)
    y = ops.tanh(x)
    for _ in range(ORDER):
        y = dynamic.grad(ops.sum(y), x, create_graph=True)
    return y.numpy()


def tanh_static() -> Any:
    """Each derivative is graph like anything else, so it has one of its own."""
    x = static.placeholder("float32", (5,))
    y = ops.tanh(x)
    for _ in range(ORDER):
        (y,) = static.gradients(ops.sum(y), [x])
    with static.Session() as session:
        return session.run(y, {x: X})


def run(context: Context) -> dict[str, Any]:
    orders = []
    for order in range(1, context.pick(5, 8) + 1):
        context.note(f"derivative {order} of tanh")
        orders.append({"order": order, **_measured(context, order)})
    built = {"dynamic": _taped(DRAWN), "static": _described(DRAWN)[1]}
    return {
        "codes": {"dynamic": {"code": source_of(tanh_dynamic)}, "static": {"code": source_of(tanh_static)}},
        "orders": orders,
        "drawn": DRAWN,
        "pictures": {engine: context.drawing(y) for engine, y in built.items()},
    }


def _taped(order: int) -> Any:
    x = dynamic.tensor(X, requires_grad=True)
    y = ops.tanh(x)
    for _ in range(order):
        y = dynamic.grad(ops.sum(y), x, create_graph=True)
    return y


def _described(order: int) -> tuple[Any, Any]:
    with static.Graph().as_default():
        x = static.placeholder("float32", X.shape, name="x")
        y = ops.tanh(x)
        for _ in range(order):
            (y,) = static.gradients(ops.sum(y), [x])
    return x, y


def _measured(context: Context, order: int) -> dict[str, Any]:
    """Nodes on dynamic's tape and in static's graph; what static's passes leave of them; seconds for
    the derivative at another x, and for static to build and compile once."""
    x, y = _described(order)
    without = [one.name for one in static.PASSES]
    steps = {"without passes": without, "prune and cse": None, "all passes": []}
    blocks = {
        name: static.Session(y.graph, **({"optimize": "exact"} if left is None else {"without": left}))
        for name, left in steps.items()
    }
    session = blocks["all passes"]
    once = context.time(
        {"built": lambda: _described(order), "compiled": lambda: static.Session(y.graph).block(y, [x])},
        rounds=3, at_least=0,
    )  # fmt: skip
    call = session.make_callable(y, [x])
    times = context.time(
        {"dynamic": lambda: _taped(order), "static": lambda: call(X)}, rounds=context.pick(5, 21)
    )
    taped = _taped(order)
    return {
        "nodes": {
            "dynamic": dynamic.to_networkx(taped).number_of_nodes(),
            "static": static.to_networkx([y]).number_of_nodes(),
        },
        "left": {name: len(one.block(y, [x]).steps) for name, one in blocks.items()},
        "times": times,
        "once": once,
        "apart": float(np.abs(call(X) - taped.numpy()).max() / np.abs(taped.numpy()).max()),
    }


# What is said of it.


def read(found: Json) -> Reading:
    orders = found["orders"]
    last = orders[-1]
    leader = ahead(*(last["times"][engine] for engine in PAIR))
    nodes = [number(last["nodes"][engine]) for engine in PAIR]
    return Reading(
        answer=_answer(leader, last),
        verdicts=[
            timed(f"derivative {last['order']} of tanh, at another x",
                  *(last["times"][engine] for engine in PAIR)),
            Verdict(f"nodes of derivative {last['order']}", *nodes),
        ],
        evidence=[
            Pair(f"Derivative {ORDER} of tanh", found["codes"]["dynamic"], found["codes"]["static"]),
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
                ("order", "dynamic's nodes", "static's nodes", "after prune and cse", "after all passes",
                 "dynamic", "static", "static, once before"),
                [
                    (str(at["order"]), *(number(at["nodes"][engine]) for engine in PAIR),
                     number(at["left"]["prune and cse"]), number(at["left"]["all passes"]),
                     *(seconds(at["times"][engine]["median"]) for engine in PAIR), seconds(_once(at)))
                    for at in orders
                ],
                [ahead(*(at["times"][engine] for engine in PAIR)) for at in orders],
                says="The times are for the derivative at another x. Dynamic goes through all lower orders "
                "each time; static runs the program of the highest, which was built and compiled once.",
            ),
        ],
        happened=_happened(leader, orders),
        means=_means(leader, last),
        otherwise=_otherwise(leader, last),
        threats=[
            "The hyperbolic tangent is the kindest function to merge: all its derivatives are polynomials "
            "in it. The arrays have five numbers, so what is timed is the nodes and not the arithmetic.",
            _apart(last["apart"]),
        ],
    )  # fmt: skip


def _apart(share: float) -> str:
    if share == 0:
        return "The two engines' values of the last derivative are the same to the last bit."
    return f"The two engines' values of the last derivative differ by {share:.0e} of the largest."


def _along(orders: Json, value: Any) -> tuple[list[float], list[float]]:
    return [at["order"] for at in orders], [value(at) for at in orders]


def _once(at: Json) -> float:
    return at["once"]["built"]["median"] + at["once"]["compiled"]["median"]


def _growth(orders: Json, value: Any) -> float:
    """By how much the last orders multiply a number, on average."""
    sizes = [value(at) for at in orders[-3:]]
    ratios = [after / before for before, after in pairwise(sizes)]
    return sum(ratios) / len(ratios)


def _answer(leader: str | None, last: Json) -> str:
    nodes = last["nodes"]
    grown = (
        f"By derivative {last['order']} they hold {number(nodes['dynamic'])} nodes on dynamic and "
        f"{number(nodes['static'])} on static"
    )
    if leader is None:
        return f"{grown}; to evaluate it takes as long on both."
    return f"{grown}; to evaluate it again is faster on {leader}."


def _happened(leader: str | None, orders: Json) -> list[str]:
    last = orders[-1]
    left = last["left"]
    times = " and ".join(f"{seconds(last['times'][engine]['median'])} on {engine}" for engine in PAIR)
    growth = [_growth(orders, lambda at, e=engine: at["nodes"][e]) for engine in PAIR]
    said = [
        f"Each further derivative multiplies the nodes by about {growth[0]:.1f} on dynamic and "
        f"{growth[1]:.1f} on static: every rule, applied to what the rules before it wrote, writes several.",
        f"Of static's {count(left['without passes'], 'step')} for derivative {last['order']}, pruning and "
        f"the merging of what is computed twice leave {number(left['prune and cse'])}, all passes "
        f"{number(left['all passes'])}.",
        f"At another x, derivative {last['order']} takes {times}; static spent {seconds(_once(last))} on "
        "building and compiling before.",
    ]
    return said if leader is not None else [*said, "Neither is ahead in time."]


def _means(leader: str | None, last: Json) -> list[str]:
    left = last["left"]
    twice = left["without passes"] / left["prune and cse"]
    work = (
        "A graph that stands before it runs can be searched for what is computed twice, which leaves one "
        f"step of {twice:.1f} here; all passes together leave {number(left['all passes'])} of "
        f"{number(left['without passes'])}. A tape is written while it computes: what is on it is done."
    )
    alike = " and ".join(f"{number(last['nodes'][engine])} on {engine}" for engine in PAIR)
    rules = (
        f"Both engines derive by the same rules, and neither is spared their growth: {alike}. The choice of "
        "an engine decides how often this work is done, and not how much it is."
    )
    reasons = {
        "static": "On static the work of deriving is done once, and a later x costs only what is left.",
        "dynamic": "On dynamic the rules run anew for every x, and that is still the faster way here.",
    }
    return [rules, work, reasons[leader]] if leader is not None else [rules, work]


def _otherwise(leader: str | None, last: Json) -> list[str]:
    if leader is None:
        return ["Neither came off worse in time, so there is nothing to be said for the other side."]
    if leader == "dynamic":
        return ["Static's derivative is a graph that can be kept, printed and run where nobody can derive."]
    won = last["times"]["dynamic"]["median"] - last["times"]["static"]["median"]
    return [
        f"Who wants derivative {last['order']} at fewer than {number(_once(last) / won + 1)} places is done "
        "sooner on dynamic, which builds nothing first.",
        "In a program that goes on until a derivative is small enough, the order is not known beforehand; "
        "on dynamic that is a `while` of Python's.",
    ]


EXPERIMENT = Experiment(
    name="higher_order",
    title="The derivatives of tanh, one after the other",
    question="What does the derivative of a derivative of a derivative cost?",
    dimension="gradients",
    run=run,
    read=read,
    level="both",
)
