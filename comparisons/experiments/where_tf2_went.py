"""One function, run line by line to be debugged and built once to be fast: why TensorFlow 2 came."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Output, Pair
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt, written
from comparisons.lab.verdict import Verdict, by_design, counted, timed
from comparisons.statistics.effect import ahead, effect
from comparisons.statistics.quantities import OTHER, PAIR, count, spread_of, times_of
from shared import nn, ops, optim

DRAW = np.random.default_rng(0)
BATCHES = [(DRAW.random((n, 16), np.float32), DRAW.integers(0, 4, n)) for n in (32, 32, 32, 32, 32, 20)]
"""Five batches of a size, and a smaller one at the end, as a data set leaves it."""
X = np.array([0.5, -3.0], np.float32)


def traced(function: Callable[..., Any], model: Any, opt: Any) -> Callable[..., Any]:
    """A training step by `function`, built the first time that arrays of such shapes come."""
    graph = static.Graph()
    session = static.Session(graph, optimize="exact")
    built: dict[Any, Callable[..., Any]] = {}

    def step(*arrays: Any) -> Any:
        key = tuple((array.shape, array.dtype) for array in arrays)
        if key not in built:
            with graph.as_default():
                inputs = [static.placeholder(array.dtype, array.shape) for array in arrays]
                loss = function(*inputs)
                fetches = [loss, opt.minimize(loss)]
            if not built:
                session.load(model, opt)
            built[key] = session.make_callable(fetches, inputs)
        loss, _ = built[key](*arrays)
        return loss

    return step


def network() -> Any:
    layers = [layer for _ in range(6) for layer in (nn.Linear(16, 16), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(16, 4))


def train_dynamic() -> float:
    """The function runs in every step."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def loss_of(x, y):
        print("loss_of is called with", x.shape)
        return ops.cross_entropy(model(x), y)

    for x, y in BATCHES:
        loss = loss_of(dynamic.tensor(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    return loss.item()


def train_static() -> float:
    """The function runs when a graph is made of it."""
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def loss_of(x, y):
        print("loss_of is called with", x.shape)
        return ops.cross_entropy(model(x), y)

    step = traced(loss_of, model, opt)
    for x, y in BATCHES:
        loss = step(x, y)
    return loss.item()


def choice_dynamic() -> list[float]:
    """A Python `if` on a value."""
    x = dynamic.tensor(X)

    def shortened(x):
        size = ops.max(ops.abs(x))
        return x / size if size > 1 else x

    y = shortened(x)
    return y.tolist()


def choice_static() -> list[float]:
    """A Python `if` on a value."""
    x = static.placeholder("float32", (2,))

    def shortened(x):
        size = ops.max(ops.abs(x))
        return x / size if size > 1 else x

    y = shortened(x)
    with static.Session() as session:
        return session.run(y, {x: X}).tolist()


def chosen_dynamic() -> list[float]:
    """The choice as an op."""
    x = dynamic.tensor(X)

    def shortened(x):
        size = ops.max(ops.abs(x))
        return ops.where(size > 1, x / size, x)

    y = shortened(x)
    return y.tolist()


def chosen_static() -> list[float]:
    """The choice as an op."""
    x = static.placeholder("float32", (2,))

    def shortened(x):
        size = ops.max(ops.abs(x))
        return ops.where(size > 1, x / size, x)

    y = shortened(x)
    with static.Session() as session:
        return session.run(y, {x: X}).tolist()


SNIPPETS: dict[str, dict[str, Callable[[], Any]]] = {
    "train": {"dynamic": train_dynamic, "static": train_static},
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
    return found | {"tracer": inspect.getsource(traced), "times": _times(context)}


def _times(context: Context) -> dict[str, Any]:
    """Seconds of a step of the same function on either way, all shapes having been seen."""
    x, y = BATCHES[0]
    model = network()
    opt = optim.SGD(model.parameters(), lr=0.1)

    def loss_of(x, y):
        return ops.cross_entropy(model(x), y)

    def eager() -> None:
        loss = loss_of(dynamic.tensor(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()

    eager()
    step = traced(loss_of, model, opt)
    return context.time({"dynamic": eager, "static": lambda: step(x, y)})


# What is said of it.


def read(found: Json) -> Reading:
    train, choice, times = found["train"], found["choice"], found["times"]
    calls = {engine: len(train[engine]["out"].splitlines()) for engine in PAIR}
    faster = ahead(*(times[engine] for engine in PAIR))
    free = [engine for engine in PAIR if choice[engine]["error"] is None]
    return Reading(
        answer=_answer(faster, free, times),
        verdicts=[
            timed("a training step of one function, run or built", *(times[engine] for engine in PAIR)),
            by_design(counted(f"prints of that function in {found['batches']} steps", calls["dynamic"],
                              calls["static"], more=True)),
            by_design(Verdict("an if on a value, inside a function", *_ends(choice),
                              free[0] if len(free) == 1 else None)),
        ],
        evidence=[
            Pair("One function, trained by either engine", train["dynamic"], train["static"],
                 says=f"`loss_of` is the same text on both sides. {_losses(train)}"),
            Output("A tracer in its simplest form", {"static": found["tracer"]},
                   says="What `tf.function` and `jax.jit` are at heart: run the function once on Tensors "
                   "without values, keep the program, and choose it by the shapes that come."),
            Pair("An if on a value", choice["dynamic"], choice["static"]),
            Pair("The same choice as an op", found["chosen"]["dynamic"], found["chosen"]["static"],
                 says=_both_run(found["chosen"])),
        ],
        happened=[
            _losses(train),
            f"Over {found['batches']} steps with batches of {count(found['shapes'], 'shape')}, `loss_of` was "
            f"called {calls['dynamic']} times on dynamic and {calls['static']} times on static.",
            f"Afterwards a step takes {spread_of(times['dynamic'])} on dynamic and "
            f"{spread_of(times['static'])} on static.",
            *(f"The `if` on a value: {_said(engine, choice[engine])}" for engine in PAIR),
        ],
        means=[
            *_means(faster, free, calls, found),
            "History: TensorFlow 1 began with static's way alone (from 1.5 on it offered the other to who "
            "asked "
            "for it), and users left for PyTorch, where a line is done when it is passed. TensorFlow 2 made "
            "dynamic's way the first, with `tf.function` to build "
            "a graph of a function; JAX did so from the start with `jit`, PyTorch came from the other side "
            "with `torch.compile`. All three run one text in two ways, as this page does.",
        ],
        otherwise=_otherwise(faster, free, calls),
        threats=[
            f"This tracer has {written(found['tracer'])} lines. Those in use also key on Python values and "
            "structures, turn some of Python's `if` and `while` into nodes, and find leaked Tensors; each of "
            "these has surprises of its own. Neither of this project's is on this page: `static.function` "
            "traces as they do, and refuses such an `if`; `dynamic.function` runs Python in every call, and "
            "as programs what lies between two looks at a value.",
            "The layers are narrow, so that a step's time is the engine's more than the arithmetic's.",
        ],
    )  # fmt: skip


def _ends(pair: Json) -> tuple[str, str]:
    errors = [pair[engine]["error"] for engine in PAIR]
    first, second = ("runs" if error is None else error["type"] for error in errors)
    return first, second


def _said(engine: str, side: Json) -> str:
    if side["error"] is None:
        return f"{engine} gave {side['value']}."
    return f"{engine} refused it with a {side['error']['type']}, at the line where it stands."


def _losses(train: Json) -> str:
    values = [train[engine]["value"] for engine in PAIR]
    if values[0] == values[1]:
        return f"After the last step both losses are {values[0]:.7g}, the same to the last bit."
    return f"After the last step the losses are {values[0]:.7g} on dynamic and {values[1]:.7g} on static."


def _both_run(pair: Json) -> str:
    runs = [engine for engine in PAIR if pair[engine]["error"] is None]
    if len(runs) == 2 and pair["dynamic"]["value"] == pair["static"]["value"]:
        return "Written like this, the same text runs on both, and gives the same."
    return f"Written like this, it runs on {runs[0]} alone." if len(runs) == 1 else "The results differ."


def _answer(faster: str | None, free: list[str], times: Json) -> str:
    if faster is None and len(free) != 1:
        return "One text runs on both engines, and which runs it faster is not resolved."
    said = []
    if faster is not None:
        gain = times_of(effect(*(times[engine] for engine in PAIR)))
        said.append(f"a step of it is {gain} as fast on {faster}")
    if len(free) == 1:
        said.append(f"on {free[0]} alone it may ask for a value while it runs")
    return f"One text runs on both engines: {', and '.join(said)}."


def _means(faster: str | None, free: list[str], calls: Json, found: Json) -> list[str]:
    said = []
    if len(free) == 1:
        said.append(
            f"To find a mistake one wants the function on {free[0]}: each line has values, which can be "
            "printed and asked, and the debugger stands in it."
        )
    if faster is not None:
        said.append(
            f"To train for days one wants it on {faster}"
            + (
                ": the function has been gone through once, and what is left is its program."
                if faster == "static"
                else ", which needs nothing built to be the faster one."
            )
        )
    if calls["static"] < calls["dynamic"]:
        said.append(
            f"What is Python's own in the function (a print, a counter, a list that is appended to) happens "
            f"when it is traced: here {count(calls['static'], 'time')}, once for each of "
            f"{count(found['shapes'], 'shape')}, and not in each of {found['batches']} steps."
        )
    elif calls["dynamic"] < calls["static"]:
        said.append("What is Python's own in the function happened less often on dynamic.")
    return said or ["Which of the two ways to choose is not resolved here."]


def _otherwise(faster: str | None, free: list[str], calls: Json) -> list[str]:
    said = []
    if faster is not None:
        slower = OTHER[faster]
        said.append(
            "Dynamic's way is slower here, by a factor that is another one for other layers: where it does "
            "not matter, nothing is to be gained by a tracer and its surprises."
            if slower == "dynamic"
            else "Static's program can be kept and sent, whichever way is the faster."
        )
    if len(free) == 1:
        refusing = OTHER[free[0]]
        said.append(
            f"That {refusing} refuses an `if` on a value is the price of having one program for all values; "
            + {
                "static": "with `ops.where` or `ops.cond` the choice is in the program, and visible to it.",
                "dynamic": "a choice as an op is one that gradients pass through.",
            }[refusing]
        )
    if calls["dynamic"] != calls["static"]:
        fewer = min(PAIR, key=lambda engine: calls[engine])
        said.append(f"Not to run Python in each step is the point of {fewer}'s way, prints included.")
    return said or [
        "Neither side is seen to have come off worse, so there is nothing to be said for the other."
    ]


EXPERIMENT = Experiment(
    name="where_tf2_went",
    title="One text, run or built: where TensorFlow 2 went",
    question="Can I debug a function line by line and then have it as a graph?",
    dimension="writing",
    run=run,
    read=read,
    sizes=lambda found: f"Seven dense layers of width 16, {found['batches']} batches of up to 32 rows.",
    level="exact",
)
