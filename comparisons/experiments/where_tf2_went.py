"""One model in three styles, line by line, as a graph, and both at once: where TensorFlow 2 went."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import Verdict, by_design, counted, timed
from comparisons.statistics.effect import ahead, effect
from comparisons.statistics.quantities import PAIR, count, listed, spread_of, times_of
from shared import nn, ops, optim

DRAW = np.random.default_rng(0)
BATCHES = [(DRAW.random((n, 16), np.float32), DRAW.integers(0, 4, n)) for n in (32, 32, 32, 32, 32, 20)]
"""Five batches of a size, and a smaller one at the end, as a data set leaves it."""
X = np.array([0.5, -3.0], np.float32)
WAYS = ("plain", "decorated")
NAMES = {
    ("plain", "dynamic"): "line by line", ("plain", "static"): "as a graph",
    ("decorated", "dynamic"): "`dynamic.function`", ("decorated", "static"): "`static.function`",
}  # fmt: skip
"""The four ways to make the same step, by whether it is decorated and by engine."""
LINES, GRAPH, DECORATED = ("plain", "dynamic"), ("plain", "static"), ("decorated", "dynamic")


def network() -> Any:
    layers = [layer for _ in range(6) for layer in (nn.Linear(16, 16), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(16, 4))


def train_dynamic() -> float:
    """Line by line."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def step(x, y):
        print("step is run with", x.shape)
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    for x, y in BATCHES:
        loss = step(dynamic.tensor(x), dynamic.tensor(y))
    return loss.item()


def train_static() -> float:
    """As a graph."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)
    x_in = static.placeholder("float32", ("N", 16))
    y_in = static.placeholder("int64", ("N",))
    print("the graph is built with", x_in.shape)
    loss = ops.cross_entropy(model(x_in), y_in)
    train = opt.minimize(loss)

    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for x, y in BATCHES:
            value, _ = session.run([loss, train], {x_in: x, y_in: y})
    return value.item()


def function_dynamic() -> float:
    """Both at once: Python leads."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    @dynamic.function
    def step(x, y):
        print("step is run with", x.shape)
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    for x, y in BATCHES:
        loss = step(dynamic.tensor(x), dynamic.tensor(y))
    return loss.item()


def function_static() -> float:
    """Both at once: the graph leads."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    @static.function(optimize="exact")
    def step(x, y):
        print("step is traced with", x.shape)
        loss = ops.cross_entropy(model(x), y)
        opt.minimize(loss)
        return loss

    for x, y in BATCHES:
        loss = step(x, y)
    return loss.item()


def choice_dynamic() -> list[float]:
    """A Python `if` on a value."""

    @dynamic.function
    def shortened(x):
        size = ops.max(ops.abs(x))
        return x / size if size > 1 else x

    return shortened(dynamic.tensor(X)).tolist()


def choice_static() -> list[float]:
    """A Python `if` on a value."""

    @static.function
    def shortened(x):
        size = ops.max(ops.abs(x))
        return x / size if size > 1 else x

    return shortened(X).tolist()


def chosen_dynamic() -> list[float]:
    """The choice as an op."""

    @dynamic.function
    def shortened(x):
        size = ops.max(ops.abs(x))
        return ops.where(size > 1, x / size, x)

    return shortened(dynamic.tensor(X)).tolist()


def chosen_static() -> list[float]:
    """The choice as an op."""

    @static.function
    def shortened(x):
        size = ops.max(ops.abs(x))
        return ops.where(size > 1, x / size, x)

    return shortened(X).tolist()


SNIPPETS: dict[str, dict[str, Callable[[], Any]]] = {
    "plain": {"dynamic": train_dynamic, "static": train_static},
    "decorated": {"dynamic": function_dynamic, "static": function_static},
    "choice": {"dynamic": choice_dynamic, "static": choice_static},
    "chosen": {"dynamic": chosen_dynamic, "static": chosen_static},
}


def run(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = {"batches": len(BATCHES), "shapes": len({x.shape for x, _ in BATCHES})}
    for name, sides in SNIPPETS.items():
        found[name] = {}
        for engine, snippet in sides.items():
            nn.manual_seed(context.seed)
            found[name][engine] = attempt(snippet)
    return found | {"times": _times(context)}


def _times(context: Context) -> dict[str, Any]:
    """Seconds of a step, each way, once that has met the shapes and compiled what it will."""
    x, y = BATCHES[0]
    steps = {(way, engine): _step(way, engine) for way, engine in NAMES}
    for step in steps.values():
        for _ in range(6):
            step(x, y)
    took = context.time({" ".join(key): partial(step, x, y) for key, step in steps.items()})
    return {way: {engine: took[f"{way} {engine}"] for engine in PAIR} for way in WAYS}


def _step(way: str, engine: str) -> Callable[..., Any]:
    """The step of a snippet, without its print, as a function of arrays."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def trained(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    def built(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        return loss, opt.minimize(loss)

    if engine == "dynamic":
        step = dynamic.function(trained, at_once=True) if way == "decorated" else trained
        return lambda x, y: step(dynamic.tensor(x), dynamic.tensor(y)).item()
    if way == "decorated":
        traced = static.function(lambda x, y: built(x, y)[0], optimize="exact")
        return lambda x, y: traced(x, y).item()
    graph = static.Graph()
    with graph.as_default():
        inputs = [static.placeholder("float32", ("N", 16)), static.placeholder("int64", ("N",))]
        fetches = built(*inputs)
    session = static.Session(graph, optimize="exact")
    session.load(model, opt)
    call = session.make_callable(fetches, inputs)
    return lambda x, y: call(x, y)[0].item()


# What is said of it.


def read(found: Json) -> Reading:
    times, choice = found["times"], found["choice"]
    prints = {key: len(found[way][engine]["out"].splitlines()) for key in NAMES for way, engine in [key]}
    return Reading(
        answer=_answer(found),
        verdicts=[
            timed("a step under dynamic.function / static.function", *(times["decorated"][e] for e in PAIR)),
            by_design(counted(f"prints seen in {found['batches']} calls of a decorated step",
                              prints["decorated", "dynamic"], prints["decorated", "static"], more=True)),
            by_design(Verdict("a Python if on a value, inside a decorated function", *_ends(choice),
                              _only(choice))),
        ],
        evidence=[
            Pair("Line by line, and as a graph", found["plain"]["dynamic"], found["plain"]["static"]),
            Pair("Both at once", found["decorated"]["dynamic"], found["decorated"]["static"],
                 says="Under `static.function` a step is asked for by `minimize`."),
            Table("The same step, four ways", ("", "prints", "last loss", "a step"),
                  [(NAMES[way, engine], str(prints[way, engine]), f"{found[way][engine]['value']:.7g}",
                    spread_of(times[way][engine])) for way, engine in NAMES],
                  says=_losses(found)),
            Pair("An if on a value", choice["dynamic"], choice["static"]),
            Pair("The same choice as an op", found["chosen"]["dynamic"], found["chosen"]["static"],
                 says=_both_run(found["chosen"])),
        ],
        means=[
            *_means(found),
            "History: TensorFlow 1 began with static's way alone, and users left for PyTorch. TensorFlow 2 "
            "made dynamic's way the first, with `tf.function` to build a graph of a function; JAX did so "
            "from the start. `dynamic.function` goes another way, after Terra (Kim et al. 2021): Python "
            "runs in each call.",
        ],
        otherwise=_otherwise(found),
        threats=[
            "The layers are narrow, so a step's time is mostly the engine's.",
        ],
    )  # fmt: skip


def _by(key: tuple[str, str]) -> str:
    name = NAMES[key]
    return f"under {name}" if name.startswith("`") else name


def _ends(pair: Json) -> tuple[str, str]:
    errors = [pair[engine]["error"] for engine in PAIR]
    first, second = ("runs" if error is None else error["type"] for error in errors)
    return first, second


def _only(pair: Json) -> str | None:
    """The engine on which alone it runs."""
    runs = [engine for engine in PAIR if pair[engine]["error"] is None]
    return runs[0] if len(runs) == 1 else None


def _equal(found: Json) -> bool:
    return len({found[way][engine]["value"] for way, engine in NAMES}) == 1


def _losses(found: Json) -> str:
    values = {key: found[way][engine]["value"] for key in NAMES for way, engine in [key]}
    if _equal(found):
        (value,) = set(values.values())
        return f"After the last step all four losses are {value:.7g}, the same to the last bit."
    told = listed([f"{value:.9g} {_by(key)}" for key, value in values.items()])
    return f"After the last step the losses are {told}."


def _both_run(pair: Json) -> str:
    runs = [engine for engine in PAIR if pair[engine]["error"] is None]
    if len(runs) == 2 and pair["dynamic"]["value"] == pair["static"]["value"]:
        return "Written like this, the same text runs under both, and gives the same."
    return f"Written like this, it runs on {runs[0]} alone." if len(runs) == 1 else "The results differ."


def _compared(times: Json, *ways: tuple[str, str]) -> tuple[str, tuple[str, str] | None]:
    """How many times as fast the faster of two ways is, and which that is; None if it is not resolved."""
    a, b = (times[way][engine] for way, engine in ways)
    leader = ahead(a, b)
    return times_of(effect(a, b)), None if leader is None else ways[PAIR.index(leader)]


def _answer(found: Json) -> str:
    times, free = found["times"], _only(found["choice"])
    gain, leader = _compared(times, LINES, DECORATED)
    same = "each of the four ways gives the same loss to the bit" if _equal(found) else "the losses differ"
    if leader == DECORATED:
        said = f"Decorated, the step that was written line by line is {gain} as fast"
    elif leader == LINES:
        said = f"Decorated, the step that was written line by line is slower: without, it is {gain} as fast"
    else:
        said = "Whether the step that was written line by line is faster decorated is not resolved"
    asked = f". Of the decorators `{free}.function` alone lets it ask for a value" if free else ""
    return f"{said}; {same}{asked}."


def _means(found: Json) -> list[str]:
    free = _only(found["choice"])
    said = []
    if free is not None:
        said.append(
            f"A loss that is asked for its value, a loop that a value ends, a list that grows: "
            f"`{free}.function` takes them as they stand."
        )
    lines = {e: len(found["decorated"][e]["out"].splitlines()) for e in PAIR}
    if lines["dynamic"] != lines["static"]:
        fewer = min(PAIR, key=lambda engine: lines[engine])
        said.append(
            f"What is Python's own in the function (a print, a counter) happens "
            f"{count(lines[fewer], 'time')} under `{fewer}.function`, and not in each of "
            f"{found['batches']} calls: a trace is run in the place of the text."
        )
    return said or ["Which of the two ways to choose is not resolved here."]


def _otherwise(found: Json) -> list[str]:
    """Where the bridge loses."""
    times, said = found["times"], []
    gain, leader = _compared(times, GRAPH, DECORATED)
    if leader == GRAPH:
        said.append(
            f"A graph's step is {gain} as fast as the decorated one: there Python still runs in each call."
        )
    free = _only(found["choice"])
    if free is not None:
        other = PAIR[1 - PAIR.index(free)]
        said.append(
            f"What `{other}.function` refuses it refuses by name and line, and the function's own Python "
            "runs where it is traced, not in each call."
            if other == "static"
            else f"`{other}.function` refuses an `if` on a value."
        )
    said.append(
        "What Python leads can't be sent anywhere without its Python: a graph can be saved, exported and run "
        "by others."
    )
    return said


EXPERIMENT = Experiment(
    name="where_tf2_went",
    title="One model, three styles: where TensorFlow 2 went",
    question="Can I write a step line by line, debug it so, and have it run as a graph?",
    dimension="bridge",
    run=run,
    read=read,
    sizes=lambda found: f"Seven dense layers of width 16, {found['batches']} batches of up to 32 rows.",
    level="exact",
)
