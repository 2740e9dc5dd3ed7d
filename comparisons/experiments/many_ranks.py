"""Two processes that train one model: when does either engine know which gradient is ready when?"""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.verdict import counted
from comparisons.statistics.quantities import OTHER, PAIR, number
from shared.errors import NoTransportError
from shared.ranks import launch

HOME = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("data") / "many_ranks.json"
STEPS, LAYERS, WIDTH = 3, 8, 128

MODEL = """\
import numpy as np

from shared import nn, ops, optim, ranks


class Tower(nn.Module):
    def __init__(self):  # the head first: nobody has to define layers in the order in which they are used
        self.head = nn.Linear(WIDTH, 10)
        self.layers = nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)])

    def forward(self, x):
        for layer in reversed(list(self.layers)):
            x = ops.tanh(layer(x))
        return self.head(x)


comm = ranks.world()
nn.manual_seed(SEED)
model = Tower()
parallel = nn.parallel.data_parallel(model, comm)
opt = optim.SGD(model.parameters(), lr=0.1)
rows = np.random.default_rng(SEED).standard_normal((8 * comm.size, WIDTH)).astype("float32")
labels = np.arange(8 * comm.size) % 10
a, b = rows[comm.rank :: comm.size], labels[comm.rank :: comm.size]
"""

DYNAMIC = """\
import dynamic

for step in range(STEPS):
    loss = ops.cross_entropy(parallel(dynamic.tensor(a)), b)
    opt.zero_grad()
    loss.backward()
    opt.step()
    told(step, loss.item())
"""

STATIC = """\
import static

x, y = static.placeholder("float32", (None, WIDTH)), static.placeholder("int64", (None,))
loss = ops.cross_entropy(parallel(x), y)
train = opt.minimize(loss)
with static.Session(optimize="exact") as session:
    session.run(static.global_variables_initializer())
    for step in range(STEPS):
        value, _ = session.run([loss, train], {x: a, y: b})
        told(step, value.item())
"""

ON_DYNAMIC = """
def messages():
    return parallel.averager.messages, parallel.averager.share[0]
"""

ON_STATIC = """
def messages():
    steps = session.block([loss, train]).steps
    begun = [step for step in steps if step.op.name == "begin_sum"]
    gradients = {x for step in begun for x in step.inputs[:-1]}
    found, ready, early = [], 0, 0
    for step in steps:
        ready += len(gradients.intersection(step.outputs))
        if step in begun:
            found.append((sum(int(np.prod(x.shape)) * 4 for x in step.inputs[:-1]), ready))
            early += found[-1][0] * (ready < len(gradients))
    return found, early
"""

TOLD = """
import json
import os

found = []


def told(step, loss):
    sent, early = messages()
    found.append({"messages": sent, "early": early, "loss": loss.hex()})
    if step == STEPS - 1 and comm.rank == 0:
        gradients = list(model.parameters())
        size = sum(p.numpy().nbytes for p in gradients)
        line = json.dumps({"steps": found, "bytes": size, "gradients": len(gradients)}) + "\\n"
        os.write(1, line.encode())

"""
WATCH = {"dynamic": ON_DYNAMIC, "static": ON_STATIC}
LOOP = {"dynamic": DYNAMIC, "static": STATIC}


def missing() -> str:
    """Why ranks can not be started here; "" if they can."""
    if find_spec("mpi4py") is None:
        return "mpi4py is not installed"
    try:
        launch.mpirun()
    except NoTransportError:
        return "there is no mpirun"
    return ""


def run(context: Context) -> dict[str, Any]:
    return measured(context, 2)


def measured(context: Context, ranks: int) -> dict[str, Any]:
    """What so many ranks do; what was recorded of two, where none can be started."""
    if why := missing():
        return {**json.loads(RECORDED.read_text(encoding="utf-8")), "why": why}
    found: dict[str, Any] = {"ranks": ranks, "why": "", "layers": LAYERS}
    for engine in PAIR:
        context.note(f"{ranks} ranks on {engine}")
        found[engine] = _trained(engine, ranks, context.seed)
    return found


def _trained(engine: str, ranks: int, seed: int) -> dict[str, Any]:
    settings = f"SEED, STEPS, WIDTH, LAYERS = {seed}, {STEPS}, {WIDTH}, {LAYERS}\n"
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{engine}_ranks.py"
        path.write_text(settings + MODEL + WATCH[engine] + TOLD + LOOP[engine], encoding="utf-8")
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(HOME)
        try:
            outcome, printed = launch.launch(ranks, [str(path)], limit=120, output=subprocess.PIPE)
        finally:
            os.environ.pop("PYTHONPATH")
            if before is not None:
                os.environ["PYTHONPATH"] = before
    lines = [line for line in printed.splitlines() if line.startswith('{"steps"')]
    if outcome.status or not lines:
        raise RuntimeError(f"{ranks} ranks on {engine}: {outcome.told(ranks)}\n{printed}")
    return {**json.loads(lines[-1]), "code": LOOP[engine]}


def read(found: Json) -> Reading:
    first = {engine: found[engine]["steps"][0] for engine in PAIR}
    last = {engine: found[engine]["steps"][-1] for engine in PAIR}
    total = found["dynamic"]["bytes"]
    shares = {engine: round(100 * first[engine]["early"] / total) for engine in PAIR}
    row = counted(
        "gradients sent while a first backward runs", shares["dynamic"], shares["static"], "%", more=True
    )
    same = [s["loss"] for s in found["dynamic"]["steps"]] == [s["loss"] for s in found["static"]["steps"]]
    return Reading(
        answer=_answer(row.ahead, first, total),
        verdicts=[row],
        evidence=[
            Pair("The loop of each rank", found["dynamic"], found["static"], says=_origin(found)),
            Table(
                "The messages of the first backward",
                ["message", "dynamic", "static"],
                _rows(first, found["dynamic"]["gradients"]),
                says="How many bytes each has, and how many gradients were ready when it was begun.",
            ),
            Table(
                f"The messages of backward number {len(found['dynamic']['steps'])}",
                ["message", "dynamic", "static"],
                _rows(last, found["dynamic"]["gradients"]),
            ),
        ],
        happened=[
            *(
                f"On {engine} {number(first[engine]['early'])} of {number(total)} bytes were on their way "
                "before the last gradient of the first backward was ready, and "
                f"{number(last[engine]['early'])} in the last one."
                for engine in PAIR
            ),
            f"Losses were {'the same, to the bit,' if same else 'not the same, to the bit,'} on both.",
        ],
        means=_means(row.ahead),
        otherwise=_otherwise(row.ahead),
        threats=[
            "The model defines its layers in another order than it uses them in; where the two are the same, "
            "the first guess is right.",
            "Bytes on their way hide behind computing only if the network and the cores have room for both.",
        ],
    )  # fmt: skip


def _origin(found: Json) -> str:
    before = "What stands before is the same on both: the model, `data_parallel` and this rank's rows."
    return f"{before} Recorded in November 2026, for here {found['why']}." if found["why"] else before


def _rows(at: Json, gradients: int) -> list[list[str]]:
    most = max(len(at[engine]["messages"]) for engine in PAIR)
    rows = []
    for which in range(most):
        cells = []
        for engine in PAIR:
            messages = at[engine]["messages"]
            cells.append(
                f"{number(messages[which][0])} bytes at {messages[which][1]} of {gradients}"
                if which < len(messages) else ""
            )  # fmt: skip
        rows.append([str(which + 1), *cells])
    return rows


def _answer(leader: str | None, first: Json, total: int) -> str:
    if leader is None:
        return "Both engines send the same bytes while the first backward still runs."
    ahead, behind = (round(100 * first[engine]["early"] / total) for engine in (leader, OTHER[leader]))
    return (
        f"On {leader} {ahead} % of the bytes are on their way before the last gradient of the first backward "
        f"is ready, on {OTHER[leader]} {behind} %."
    )


def _means(leader: str | None) -> list[str]:
    if leader is None:
        return ["Which engine it is makes no difference to what hides behind backward."]
    if leader == "static":
        return [
            "Define-and-run has the order of all gradients before the first run, and places each message by "
            "it; define-by-run begins with a guess, the order of the definitions, and goes by what it saw "
            "from then on."
        ]
    return ["To see which gradient is ready, as they come, does better here than a plan made beforehand."]


def _otherwise(leader: str | None) -> list[str]:
    if leader == "static":
        return [
            "Dynamic loses one step of a whole training by it. From the second backward on it goes by what "
            "it saw, and where ranks take branches of their own, as Python lets them, no plan is broken."
        ]
    if leader == "dynamic":
        return ["Static's plan can be read before anything has run, by `session.explain`, and stays."]
    return ["Static's plan can be read beforehand, and dynamic's ranks may take branches of their own."]


def on(ranks: int) -> Experiment:
    """The experiment on so many ranks."""
    return Experiment(
        name="many_ranks",
        title="Gradients on their way",
        question="Several processes train one model. When is it known which gradient can be sent when?",
        dimension="concurrency",
        run=lambda context: measured(context, ranks),
        read=read,
        sizes=lambda found: f"{found['ranks']} ranks, and a network of {found['layers']} layers and a head.",
        level="exact",
    )


EXPERIMENT = on(2)
