"""A trained model is handed to somebody who does not have its code: does it run?"""

from __future__ import annotations

from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import written
from comparisons.lab.verdict import Verdict, by_design, counted, timed, weighed
from comparisons.statistics.quantities import OTHER, PAIR, count, listed, size, spread_of
from comparisons.statistics.spread import spread
from shared.durable import files

NET = """from shared import nn


class Net(nn.Module):
    def __init__(self):
        self.first = nn.Linear(64, 128)
        self.second = nn.Linear(128, 10)

    def forward(self, x):
        return self.second(self.first(x).tanh())
"""
"""The module that is there when the model is trained, and not where it is used."""


LATER = NET.replace(".tanh()", ".relu()")
"""What has become of the module since the model was kept."""

KEEP = {
    "dynamic": """from net import Net

from shared import nn

nn.manual_seed(0)
model = Net()
model.save("model.safetensors")
""",
    "static": """from net import Net

import static
from shared import nn

nn.manual_seed(0)
model = Net()
x = static.placeholder("float32", ("N", 64), name="x")
y = model(x)
static.get_default_graph().save("model.diptych", {"y": y})
""",
}
USE = {
    "dynamic": """import numpy as np
from net import Net

import dynamic

model = Net()
model.load("model.safetensors")
x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 64)
with dynamic.no_grad():
    y = model(dynamic.tensor(x)).numpy()
print(y[0, :3].tolist())
""",
    "static": """import numpy as np

import static

model = static.load("model.diptych")
x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(1, 64)
y = model(x=x)["y"]
print(y[0, :3].tolist())
""",
}
"""Scripts by engine, each for an interpreter of its own."""
KEPT = {"dynamic": "model.safetensors", "static": "model.diptych"}


def run(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = {"net": NET, "engines": {}}
    with files.scratch() as made:
        here, there, later = (made / name for name in ("here", "there", "later"))
        for folder in (here, there, later):
            folder.mkdir()
        (here / "net.py").write_text(NET, encoding="utf-8")
        (later / "net.py").write_text(LATER, encoding="utf-8")
        for engine in PAIR:
            context.note(f"{engine}: kept in one interpreter, used in others")
            kept = context.fresh(KEEP[engine], folder=here)
            data = (here / KEPT[engine]).read_bytes()
            for folder in (there, later):
                (folder / KEPT[engine]).write_bytes(data)
            found["engines"][engine] = {
                "keep": kept["code"],
                "file": KEPT[engine],
                "bytes": len(data),
                "here": context.fresh(USE[engine], folder=here),
                "there": context.fresh(USE[engine], folder=there),
                "later": context.fresh(USE[engine], folder=later),
            }
        taken: dict[str, list[float]] = {engine: [] for engine in PAIR}
        for turn in range(context.rounds):
            context.note("how long a fresh interpreter takes to the first answer")
            for engine in PAIR if turn % 2 == 0 else reversed(PAIR):
                taken[engine].append(context.fresh(USE[engine], folder=here)["seconds"])
        found["times"] = {engine: spread(samples) for engine, samples in taken.items()}
    return found


# What is said of it.


def read(found: Json) -> Reading:
    engines, times = found["engines"], found["times"]
    runs = [engine for engine in PAIR if engines[engine]["there"]["status"] == 0]
    able = {engine: _verdict(engines[engine]) for engine in PAIR}
    leader = runs[0] if len(runs) == 1 else None
    first = Verdict("a saved model, where its Python code is missing",
                    able["dynamic"], able["static"], leader)
    second = _since(engines)
    right = {engine: _right(engines[engine]) for engine in PAIR}
    return Reading(
        answer=_answer(runs, engines),
        verdicts=[
            counted(f"a saved model answers as before, of {len(WHERE)} places",
                    right["dynamic"], right["static"], more=True),
            by_design(first),
            timed("a saved model, from process start to first answer", *(times[e] for e in PAIR)),
        ],
        evidence=[
            Pair("Kept", *({"code": f"{found['net']}\n\n# keep.py\n{engines[e]['keep']}"} for e in PAIR),
                 says="The model is a module `net.py` of its own, above; below it the script that keeps it."),
            Pair("Used in a fresh interpreter that can not import the module",
                 *(_side(engines[e]["there"]) for e in PAIR), says=_same(engines)),
            Table(
                "The files",
                ("", "dynamic", "static"),
                [
                    ("what it is", *(f"`{engines[e]['file']}`" for e in PAIR)),
                    ("size", *(size(engines[e]["bytes"]) for e in PAIR)),
                    ("where `net` can be imported", *(_verdict(engines[e], "here") for e in PAIR)),
                    ("where it can not", *able.values()),
                    ("where `net` has changed since", second.dynamic, second.static),
                    ("fresh interpreter to answer", *(spread_of(times[e]) for e in PAIR)),
                ],
                [None, weighed("", *(engines[e]["bytes"] for e in PAIR)).ahead, None, first.ahead,
                 second.ahead, timed("", *(times[e] for e in PAIR)).ahead],
                says="The change: `tanh` has become `relu`. The "
                "time is that of the whole process.",
            ),
        ],
        means=[*_means(runs), _lines(engines)],
        otherwise=_otherwise(runs),
        threats=[
            "Diptych itself has to be installed where the model is used; without Python there is "
            "`graph.export_onnx`, on static alone.",
            "A program that is kept holds what was built, in the mode that it had.",
            "PyTorch met the same want with tracers (`torch.jit.trace`, `torch.export`).",
        ],
    )  # fmt: skip


ANSWERS = {True: "the same answer", False: "another answer, silently"}


WHERE = ("here", "there", "later")
"""Where a kept model is asked: its module can be imported, can not, is another one by now."""


def _right(engine: Json) -> int:
    """In how many of these places it gives the answer that it gave where it was kept."""
    return sum(engine[at]["status"] == 0 and engine[at]["out"] == engine["here"]["out"] for at in WHERE)


def _verdict(engine: Json, where: str = "there") -> str:
    done = engine[where]
    return "runs" if done["status"] == 0 else _error(done["err"])["type"]


def _since(engines: Json) -> Verdict:
    """What the kept model gives where its module is another one by now."""
    answers = {}
    for engine in PAIR:
        here, later = (engines[engine][where] for where in ("here", "later"))
        same = later["out"] == here["out"]
        answers[engine] = _verdict(engines[engine], "later") if later["status"] else ANSWERS[same]
    kept = [engine for engine in PAIR if answers[engine] == ANSWERS[True]]
    leader = kept[0] if len(kept) == 1 else None
    return Verdict("a saved model, its Python code changed since",
                   answers["dynamic"], answers["static"], leader)


def _error(err: str) -> dict[str, str]:
    kind, _, message = err.strip().rpartition("\n")[2].partition(": ")
    return {"type": kind, "message": message}


def _side(done: Json) -> dict[str, Any]:
    """A script that ran in an interpreter of its own, as `attempt` would give it."""
    if done["status"] == 0:
        return {"code": done["code"], "out": done["out"], "error": None}
    lines = [line for line in done["err"].splitlines() if 'File "script.py", line' in line]
    stopped = int(lines[-1].split("line ")[1].split(",")[0]) - 1 if lines else 0
    return {
        "code": done["code"],
        "out": "",
        "error": {**_error(done["err"]), "stopped": stopped, "named": None},
    }


def _same(engines: Json) -> str:
    outs = [engines[engine][where]["out"] for engine in PAIR for where in ("here", "there")
            if engines[engine][where]["status"] == 0]  # fmt: skip
    if len(set(outs)) == 1:
        return f"All {count(len(outs), 'answer')}, with and without `net`, are the same to the last digit."
    return f"{count(len(outs), 'answer')} came, and they are not all the same."


def _answer(runs: list[str], engines: Json) -> str:
    if len(runs) == 1:
        other = OTHER[runs[0]]
        return (
            f"On {runs[0]} one file is enough: it holds the program and the weights. On {other} it ends in "
            f"{_verdict(engines[other])}: the class has to come along."
        )
    return "It runs on both engines." if runs else "It runs on neither engine without its code."


def _lines(engines: Json) -> str:
    """What has to be written to keep a model, and to ask it."""
    told = [
        f"{written(engines[e]['keep'])} and {count(written(engines[e]['there']['code']), 'line')} on {e}"
        for e in PAIR
    ]
    return f"To keep it and to ask it takes {listed(told)}."


def _means(runs: list[str]) -> list[str]:
    if len(runs) != 1:
        return ["Whether the code has to come along is no reason to choose here."]
    reasons = {
        "static": "On static a model is data before it is run; on dynamic it is the Python code that runs.",
        "dynamic": "On dynamic the file was enough, and static's was not.",
    }
    return [
        reasons[runs[0]],
        f"So on {runs[0]} a model can be given away, kept for years, or served by a program that knows "
        "nothing of how it was made.",
    ]


def _otherwise(runs: list[str]) -> list[str]:
    if len(runs) != 1:
        return ["Neither side is seen to have come off worse."]
    reasons = {
        "dynamic": "Who goes on working on a model has its code, and wants the weights alone, by name: "
        "`strict=False` loads those that still fit.",
        "static": "Static's file can be read by a program that never saw Python's classes.",
    }
    return [reasons[OTHER[runs[0]]]]


EXPERIMENT = Experiment(
    name="deployment",
    title="A model without its code",
    question="I send a trained model to somebody who does not have my module. Does it run?",
    dimension="deployment",
    run=run,
    read=read,
    sizes=lambda found: "A network of 64, 128 and 10 units; answers to one row.",
    level="fast",
)
