"""Each pass of static's optimiser left out in its turn: which of them are worth their place?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import dynamic
import static
from comparisons.bench import ablation, models
from comparisons.bench.workloads import WORKLOADS, Workload
from comparisons.lab.blocks import Bars, Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import timed
from comparisons.statistics.effect import Effect, ahead, effect
from comparisons.statistics.quantities import (
    OTHER,
    PAIR,
    count,
    factor,
    listed,
    no_further,
    number,
    seconds,
    size,
    spread_of,
    times_of,
    within,
)
from shared import optim

SHORT = 12
QUICK = (
    (f"an LSTM cell in a loop of {SHORT}", replace(WORKLOADS["tiny"], times=SHORT), "loop"),
    ("an RNN cell in a scan", replace(WORKLOADS["rnn"], times=20, width=64), "scan"),
    ("the benchmark's CNN, 8 images", replace(WORKLOADS["cnn"], batch=8), "layer"),
)
FULL = (
    ("an LSTM cell in a loop of 50", WORKLOADS["lstm"], "loop"),
    ("an RNN cell in a scan", WORKLOADS["rnn"], "scan"),
    ("the benchmark's CNN, 64 images", WORKLOADS["cnn"], "layer"),
)
"""What is trained: how it is called, and its workload and style in the benchmark."""
Step = Callable[[], object]


def step_dynamic(model: Any, x: Any, y: Any) -> Step:
    """What is computed is what stands there, line by line."""
    opt = optim.SGD(model.parameters(), lr=0.1)

    def step():
        loss = model(dynamic.tensor(x), dynamic.tensor(y))
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss.item()

    return step


def step_static(model: Any, x: Any, y: Any, without: list[str], said: list[str]) -> Step:
    """The passes can be left out by name, and say what they have done."""
    opt = optim.SGD(model.parameters(), lr=0.1)
    x_in = static.placeholder(x.dtype, x.shape)
    y_in = static.placeholder(y.dtype, y.shape)
    loss = model(x_in, y_in)
    train = opt.minimize(loss)
    session = static.Session(without=without)
    session.run(static.global_variables_initializer())
    said += session.explain([loss, train], [x_in, y_in]).splitlines()
    step = session.make_callable([loss, train], [x_in, y_in])
    return lambda: step(x, y)[0].item()


def run(context: Context) -> dict[str, Any]:
    found = []
    for title, workload, style in context.pick(QUICK, FULL):
        context.note(f"{title}: each pass left out")
        said: list[str] = []
        times = _times(context, workload, style, said)
        variants = ablation.measure(workload, style, context.rounds, context.pick(1, 3), context.full)
        found.append(
            {"title": title, "sizes": f"{title} ({workload.sizes})", "times": times, "variants": variants,
             "explained": said}
        )  # fmt: skip
    return {
        "codes": {"dynamic": {"code": source_of(step_dynamic)}, "static": {"code": source_of(step_static)}},
        "passes": [{"name": one.name, "about": one.about, "level": one.level} for one in static.PASSES],
        "models": found,
    }


def _times(context: Context, workload: Workload, style: str, said: list[str]) -> dict[str, Any]:
    """Seconds of a training step on both engines, static with all its passes."""
    x, y = workload.data()
    eager = step_dynamic(models.model(workload, style), x, y)
    with static.Graph().as_default():
        planned = step_static(models.model(workload, style), x, y, [], said)
    return context.time({"dynamic": eager, "static": planned})


# What is said of it.

PAYS, COSTS, NEITHER = "pays", "costs", "neither"
LINES = 40


def read(found: Json) -> Reading:
    trained, names = found["models"], [one["name"] for one in found["passes"]]
    leaders = {one["title"]: ahead(*(one["times"][engine] for engine in PAIR)) for one in trained}
    judged = {name: {one["title"]: _judged(one, name) for one in trained} for name in names}
    paying = [name for name in names if PAYS in judged[name].values()]
    costing = [name for name in names if COSTS in judged[name].values()]
    return Reading(
        answer=_answer(trained, leaders, paying, costing, names),
        verdicts=[
            timed(f"a training step of {one['title']}", *(one["times"][engine] for engine in PAIR))
            for one in trained
        ],
        evidence=[
            Pair("A training step, and how a pass is left out", found["codes"]["dynamic"],
                 found["codes"]["static"]),
            Table(
                "The passes, in their order",
                ("pass", "what it does", "runs from level", *(one["title"] for one in trained)),
                [
                    (f"`{one['name']}`", one["about"], one["level"],
                     *(_worth(t, one["name"]) for t in trained))
                    for one in found["passes"]
                ],
                says="The last columns: how many times as long a step is without the pass, where that is "
                "resolved.",
            ),
            *(block for one in trained for block in _blocks(one, names)),
            Output(
                f"What the passes say they did: {trained[0]['title']}",
                {"static": "\n".join(_cut(trained[0]["explained"])) + "\n"},
                says="What `session.explain` prints, with the line of the program that made it.",
            ),
        ],
        means=_means(leaders, trained, costing),
        otherwise=_otherwise(leaders, trained),
        threats=[
            "A pass that is left out leaves its work to others: `cse` finds what `simplify` would have.",
            "At `fast` the passes may change the last digits: the losses after the same training are "
            + _losses(trained) + ".",
        ],
    )  # fmt: skip


def _judged(model: Json, name: str) -> str:
    with_it, without = (model["variants"][variant] for variant in ("all", f"without {name}"))
    if without["same"]:  # it found nothing to do
        return NEITHER
    shorter = ahead(with_it["step"], without["step"])
    return {"dynamic": PAYS, "static": COSTS, None: NEITHER}[shorter]


def _worth(model: Json, name: str) -> str:
    if _judged(model, name) == NEITHER:
        return ""
    found = effect(*(model["variants"][variant]["step"] for variant in ("all", f"without {name}")))
    return f"{factor(found.ratio)} ({within(found.low, found.high, factor)})"


def _gained(model: Json) -> Effect:
    """What all passes together gain over none."""
    return effect(*(model["variants"][variant]["step"] for variant in ("all", "none")))


def _blocks(model: Json, names: list[str]) -> Iterator[Table | Bars]:
    variants = model["variants"]
    rows = ["all", *(f"without {name}" for name in names), "exact", "none"]
    said = {"all": "all passes", "exact": "those of `exact` alone", "none": "no pass"}
    yield Table(
        f"{model['title'][0].upper()}{model['title'][1:]}: each pass left out",
        ("variant", "a step", "steps of the program", "products", "bytes given", "compiling, once"),
        [
            (said.get(row, row), spread_of(one["step"]), number(one["steps"]),
             number(one["products"]), size(one["bytes"]), seconds(one["compile"]))
            for row in rows for one in (variants[row],)
        ],
        says="Products are of matrices; bytes of all arrays that the steps give. These took turns among "
        "themselves, apart from the race with dynamic; the first to compile loads what all need.",
    )  # fmt: skip
    if f"up to {names[0]}" not in variants:  # a quick run
        return
    grown = ["none", *(f"up to {name}" for name in names[:-1]), "all"]
    yield Bars(
        f"{model['title'][0].upper()}{model['title'][1:]}: the passes added one after the other",
        [{"none": "no pass", "all": f"all, up to {names[-1]}"}.get(row, row) for row in grown],
        {"static": [variants[row]["step"]["median"] for row in grown]},
        unit="seconds",
    )


def _cut(lines: list[str]) -> list[str]:
    return (
        lines
        if len(lines) <= LINES
        else [*lines[:LINES], f"... and {count(len(lines) - LINES, 'more line')}"]
    )


def _losses(trained: Json) -> str:
    apart = [
        max(
            abs(v["loss"] - one["variants"]["exact"]["loss"]) / abs(v["loss"])
            for v in one["variants"].values()
        )
        for one in trained
    ]
    return "the same to the last bit" if max(apart) == 0 else f"{no_further(max(apart))} of each other"


def _answer(trained: Json, leaders: Json, paying: list[str], costing: list[str], names: list[str]) -> str:
    gains = {one["title"]: _gained(one) for one in trained}
    seen = [
        f"{times_of(gain)} as fast for {title}" for title, gain in gains.items() if gain.leader == "dynamic"
    ]
    worth = f"{len(paying) or 'None'} of {count(len(names), 'pass', 'passes')} can be seen to pay"
    worth += f", {len(costing)} to cost" if costing else ""
    together = (
        f"Together they make a step {listed(seen)}"
        if seen
        else "Whether all of them together pay is not resolved"
    )
    if seen:
        slower = [f"{times_of(gain)} as slow for {t}" for t, gain in gains.items() if gain.leader == "static"]
        open_ = [title for title, gain in gains.items() if gain.leader is None]
        together += f"; {listed(slower)}" if slower else ""
        together += f"; for {listed(open_)} that is not resolved" if open_ else ""
    first = trained[0]
    leader = leaders[first["title"]]
    who = "who is ahead is not resolved" if leader is None else f"{leader} is ahead"
    return f"{worth}. {together}. With all of them a step of {first['title']} takes {_both(first)}: {who}."


def _both(model: Json) -> str:
    return " and ".join(f"{spread_of(model['times'][e])} on {e}" for e in PAIR)


def _means(leaders: Json, trained: Json, costing: list[str]) -> list[str]:
    ahead_on = {engine: [title for title, leader in leaders.items() if leader == engine] for engine in PAIR}
    gains = {one["title"]: _gained(one) for one in trained}
    seen = any(gain.leader == "dynamic" for gain in gains.values())
    open_ = [title for title, gain in gains.items() if gain.leader is None]
    said = []
    if seen:
        said.append(
            "To see the whole program first is worth what the passes find in it, and that hangs on the model."
        )
    if open_:
        said.append(f"Whether it is worth anything is not resolved for {listed(open_)}.")
    if costing:
        said.append(
            f"A pass may cost more than it gains ({listed(costing)} here, on some model): what pays was "
            "settled on other shapes. So each can be left out."
        )
    for engine, titles in ahead_on.items():
        if titles:
            said.append(f"After all passes {engine} is ahead on {listed(titles)}.")
    if tied := [f"{one['title']} ({_both(one)})" for one in trained if leaders[one["title"]] is None]:
        said.append(f"After all passes it is not resolved which engine is ahead on {listed(tied)}.")
    return said


def _otherwise(leaders: Json, trained: Json) -> list[str]:
    ahead_on = {engine: [title for title, leader in leaders.items() if leader == engine] for engine in PAIR}
    first = max(PAIR, key=lambda engine: len(ahead_on[engine]))
    if not ahead_on[first]:
        return ["Neither side is seen to have come off worse."]
    dearest = max(trained, key=lambda one: one["variants"]["all"]["compile"])
    compiling = seconds(dearest["variants"]["all"]["compile"])
    if OTHER[first] == "dynamic":
        return [
            "What passes find, an author can write: `nn.LSTM` takes the product by the inputs out of its "
            f"loop on both engines. On dynamic that costs no compiling ({compiling} for {dearest['title']}).",
            "A step that is slow on dynamic is a line of the program. On static it is a kernel that the "
            "passes have made, of several lines, maybe.",
        ]
    return [
        f"Static spends {compiling} on compiling {dearest['title']}; what it has found it can say, "
        "and the program text stays as plain as it was written.",
    ]


EXPERIMENT = Experiment(
    name="ablation",
    title="What each pass of the optimiser is worth",
    question="Static rewrites a program before it runs. Which of its rewritings pay?",
    dimension="optimisation",
    run=run,
    read=read,
    sizes=lambda found: f"Trained: {listed([one['sizes'] for one in found['models']])}.",
    level="both",
)
