"""Python's own control flow: a `while` on a value, and a network that has the shape of its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from comparisons.lab.blocks import Curves, Json, Pair, Series
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, source_of, written
from comparisons.lab.verdict import Verdict, by_design, counted, timed
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import PAIR, count

X = np.array([3.0, 4.0], np.float32)

Tree = Any
"""A number, or a pair of trees."""


# A loop that a computed value ends.


def loop_dynamic() -> list[float]:
    """Halved until it is short enough."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X)
    while ops.norm(x) > 1:
        x = x / 2
    return x.tolist()


def loop_static() -> list[float]:
    """Halved until it is short enough."""
    import static
    from shared import ops

    x = static.placeholder("float32", (2,), name="x")
    while ops.norm(x) > 1:
        x = x / 2
    with static.Session(optimize="exact") as session:
        return session.run(x, {x: X}).tolist()


def node_static() -> list[float]:
    """The loop becomes a node that holds its condition and its body."""
    import static
    from shared import ops

    x = static.placeholder("float32", (2,), name="x")
    (y,) = static.while_loop(lambda y: ops.norm(y) > 1, lambda y: [y / 2], [x])
    with static.Session(optimize="exact") as session:
        return session.run(y, {x: X}).tolist()


# A network that has the shape of its input.


def tree_dynamic(trees: Sequence[Tree]) -> list[float]:
    """A recursion, as one would write it down."""
    import dynamic
    from shared import nn, ops

    nn.manual_seed(0)
    leaf, pair = nn.Linear(1, 4), nn.Linear(8, 4)

    def read(tree):
        if isinstance(tree, float):
            return leaf(dynamic.tensor([[tree]]))
        below = [read(branch) for branch in tree]
        return ops.tanh(pair(ops.concatenate(below, 1)))

    return [read(tree).sum().item() for tree in trees]


def rebuilt_static(trees: Sequence[Tree]) -> list[float]:
    """The same recursion; it describes one tree, so each has a graph of its own."""
    import static
    from shared import nn, ops

    nn.manual_seed(0)
    leaf, pair = nn.Linear(1, 4), nn.Linear(8, 4)

    def read(tree):
        if isinstance(tree, float):
            return leaf(static.constant([[tree]]))
        below = [read(branch) for branch in tree]
        return ops.tanh(pair(ops.concatenate(below, 1)))

    answers = []
    for tree in trees:
        with static.Graph().as_default():
            y = read(tree).sum()
            with static.Session(optimize="exact") as session:
                session.run(static.global_variables_initializer())
                answers.append(session.run(y).item())
    return answers


def tree_static(trees: Sequence[Tree]) -> list[float]:
    """A tree is written down as rows, children first, and one graph reads the rows of any tree."""
    import static
    from shared import nn, ops

    nn.manual_seed(0)
    leaf, pair = nn.Linear(1, 4), nn.Linear(8, 4)

    def encode(tree, rows):
        if isinstance(tree, float):
            rows.append((tree, -1, -1))
        else:
            rows.append((0.0, *[encode(branch, rows) for branch in tree]))
        return len(rows) - 1

    def step(states, row):
        i, number, left, right = row

        def join():
            below = [ops.take(states, branch, 0) for branch in (left, right)]
            return ops.tanh(pair(ops.concatenate(below).reshape(1, 8)))

        state = static.cond(left < 0, lambda: leaf(number.reshape(1, 1)), join)
        here = ops.arange(states.shape[0], like=states) == i
        return ops.where(here.reshape(-1, 1), state, states), state

    with static.Graph().as_default(), static.Session(optimize="exact") as session:
        numbers = static.placeholder("float32", ("rows",), name="numbers")
        left = static.placeholder("int64", ("rows",), name="left")
        right = static.placeholder("int64", ("rows",), name="right")
        inputs = numbers, left, right
        places = ops.arange(numbers.shape[0], like=numbers)
        states = ops.zeros((numbers.shape[0], 4), "float32", like=numbers)
        _, states = static.scan(step, states, (places, numbers, left, right))
        y = states[-1].sum()
        session.run(static.global_variables_initializer())
        answers = []
        for tree in trees:
            rows: list = []
            encode(tree, rows)
            feed = dict(zip(inputs, zip(*rows, strict=True), strict=True))
            answers.append(session.run(y, feed).item())
    return answers


def forest(size: int, seed: int) -> list[Tree]:
    """Trees of 8 leaves each, of shapes drawn at random."""
    random = np.random.default_rng(seed)

    def grow(leaves: int) -> Tree:
        if leaves == 1:
            return float(random.normal())
        left = int(random.integers(1, leaves))
        return grow(left), grow(leaves - left)

    return [grow(LEAVES) for _ in range(size)]


LEAVES = 8
WAYS: dict[str, Callable[[Sequence[Tree]], list[float]]] = {
    "dynamic": tree_dynamic, "static": tree_static, "rebuilt": rebuilt_static,
}  # fmt: skip


def run(context: Context) -> dict[str, Any]:
    totals = []
    for size in context.pick((1, 5, 20), (1, 5, 20, 100)):
        context.note(f"{size} trees")
        trees = forest(size, context.seed)
        calls = {way: _reading(function, trees) for way, function in WAYS.items()}
        totals.append({"trees": size, **context.time(calls)})
    some = forest(5, context.seed)
    answers = {way: function(some) for way, function in WAYS.items()}
    apart = max(abs(a - b) for way in WAYS for a, b in zip(answers["dynamic"], answers[way], strict=True))
    return {
        "loop": {"dynamic": attempt(loop_dynamic), "static": attempt(loop_static)},
        "node": {"dynamic": attempt(loop_dynamic), "static": attempt(node_static)},
        "leaves": LEAVES,
        "codes": {
            "dynamic": {"code": source_of(tree_dynamic)}, "static": {"code": source_of(tree_static)},
        },
        "recursion": {"code": source_of(rebuilt_static)},
        "apart": apart,
        "totals": totals,
    }  # fmt: skip


def _reading(function: Callable[[Sequence[Tree]], list[float]], trees: Sequence[Tree]) -> Callable[[], Any]:
    return lambda: function(trees)


# What is said of it.

LABELS = {
    "dynamic": ("dynamic, the recursion", "dynamic", False),
    "static": ("static, one graph that reads rows", "static", False),
    "rebuilt": ("static, the recursion: a graph for each tree", "static", True),
}
"""What was timed: its label, and whose colour its line has and whether it is dashed."""


def read(found: Json) -> Reading:
    loop, node, codes, totals = (found[name] for name in ("loop", "node", "codes", "totals"))
    plain = [engine for engine in PAIR if loop[engine]["error"] is None]
    lines = {engine: written(codes[engine]["code"]) for engine in PAIR}
    described = written(found["recursion"]["code"])
    most = totals[-1]
    leader = ahead(most["dynamic"], most["static"])
    trees = count(most["trees"], "tree")
    return Reading(
        answer=_answer(plain, lines),
        verdicts=[
            counted("lines of code of a network shaped like its tree", lines["dynamic"], lines["static"]),
            by_design(Verdict("a Python while on a computed value", _cell(loop["dynamic"]),
                              _cell(loop["static"]), plain[0] if len(plain) == 1 else None)),
            timed(f"time for {trees} of different shapes, building included",
                  most["dynamic"], most["static"]),
        ],
        evidence=[
            Pair("A while on a value", loop["dynamic"], loop["static"]),
            Pair("The loop as each engine wants it", node["dynamic"], node["static"], says=_same(node)),
            Pair("A network that has the shape of its input", codes["dynamic"], codes["static"],
                 says=f"{_apart(found['apart'])}"),
            Pair("The recursion, on both engines", codes["dynamic"], found["recursion"],
                 says=f"In this form static's program has {count(described, 'line')} and "
                 "describes one tree: it is made anew for each."),
            Curves(
                "From nothing to the answers", "trees", "time", [_curve(totals, way) for way in LABELS],
                unit="seconds", log_x=True, log_y=True,
                says=f"Trees of {found['leaves']} leaves, in shapes drawn at random.",
            ),
        ],
        means=_means(plain, leader),
        otherwise=_otherwise(plain, leader),
        threats=[
            "One tree after the other; static's rows could be batched, as the task `tree_lstm` does in a "
            "full run.",
            "The layers are small: what an op costs beside its arithmetic counts most.",
        ],
    )  # fmt: skip


def _cell(side: Json) -> str:
    return "runs" if side["error"] is None else "is refused"


def _curve(totals: Json, way: str) -> Series:
    label, side, dashed = LABELS[way]
    x = [at["trees"] for at in totals]
    middle, low, high = ([at[way][what] for at in totals] for what in ("median", "low", "high"))
    return Series(label, x, middle, side, dashed, low=low, high=high)


def _answer(plain: list[str], lines: dict[str, int]) -> str:
    how = f"a network that follows a tree takes {_each(lines)}"
    if len(plain) == 1:
        other = PAIR[plain[0] == PAIR[0]]
        return (
            f"On {plain[0]} with Python's own `while`, `if` and recursion; on {other} with nodes for loop "
            f"and choice, and trees as rows, since no value is there to decide by. So {how}."
        )
    if plain:
        return f"With Python's own `while` and `if`, on both engines; {how}."
    return f"On neither engine with Python's own `while`; {how}."


def _each(lines: dict[str, int]) -> str:
    return " and ".join(f"{count(lines[engine], 'line')} on {engine}" for engine in PAIR)


def _same(node: Json) -> str:
    if node["dynamic"]["value"] == node["static"]["value"]:
        return f"Both give {node['dynamic']['value']}."
    return f"Dynamic gives {node['dynamic']['value']}, static {node['static']['value']}."


def _apart(apart: float) -> str:
    if apart == 0:
        return "All the programs shown give the same numbers, bit for bit."
    return f"The programs shown give numbers that differ by {apart:.1g} at most."


def _means(plain: list[str], leader: str | None) -> list[str]:
    said = []
    for engine in PAIR:
        if engine in plain:
            said.append(
                f"On {engine} the host language is the control flow."
            )
        else:
            said.append(
                f"On {engine} a Python `if` or `while` is decided while the graph is built; a choice for "
                "each run needs another vocabulary, and a tree is laid out as rows of numbers."
            )
    if leader is not None:
        reasons = {
            "dynamic": "To make the graph, and to go through a loop of nodes, took longer than Python took "
            "to walk the trees.",
            "static": "A program that is made once and reads any tree saved more than it took to make.",
        }
        said.append(reasons[leader])
    return said


def _otherwise(plain: list[str], leader: str | None) -> list[str]:
    reasons = {
        "static": "A loop that is a node can be differentiated as a whole, saved, and run without Python.",
        "dynamic": "Where the shape of the data changes with every example, nothing has to be encoded "
        "before it is read.",
    }
    if len(plain) == 1:
        behind = PAIR[plain[0] == PAIR[0]]
        said = reasons[behind]
        return [f"{said} And {behind} was the faster one here." if leader == behind else said]
    return ["Neither side is seen to have come off worse."]


EXPERIMENT = Experiment(
    name="python_if_tree",
    title="A loop, a choice, a tree",
    question="How does one write a model that goes another way for another input?",
    dimension="control_flow",
    run=run,
    read=read,
    sizes=lambda found: (
        f"Up to {found['totals'][-1]['trees']} trees of {LEAVES} leaves each, cells of a few units."
    ),
    level="exact",
)
