"""Two processes that train one model: when does either engine know which gradient is ready when, what hides
behind its computing, and what if the processes part ways?"""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from comparisons.bench.ranks import page
from comparisons.lab.blocks import Block, Curves, Json, Lane, Pair, Series, Table, Timeline
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.verdict import Verdict, counted, recorded, timed
from comparisons.ranks.programs import BRANCHES, MODEL, NUMBER, STEP
from comparisons.ranks.rank import MARK
from comparisons.statistics.effect import effect
from comparisons.statistics.quantities import OTHER, PAIR, number, seconds, spread_of
from shared.durable import files
from shared.errors import NoTransportError
from shared.ranks import launch
from shared.ranks.mpi import INSTALL

HOME = Path(__file__).resolve().parents[2]
RECORDED = Path(__file__).with_name("data") / "many_ranks.json"
LAYERS, WIDTH, ROWS = 8, 256, 128

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
    context.note(f"{ranks} ranks, on both engines in turns")
    with files.scratch() as folder:
        settings = f"SEED, LAYERS, WIDTH, ROWS = {context.seed}, {LAYERS}, {WIDTH}, {ROWS}\n"
        for engine in PAIR:
            (folder / f"step_on_{engine}.py").write_text(settings + MODEL + STEP[engine], encoding="utf-8")
            for name, branch in BRANCHES.items():
                (folder / f"{name}_on_{engine}.py").write_text(NUMBER + branch[engine], encoding="utf-8")
        found = _of_rank_0(ranks, str(folder), str(context.rounds))
    for engine in PAIR:
        found[engine]["code"] = STEP[engine]
    return {"ranks": ranks, "why": "", "layers": LAYERS, **found}


def _of_rank_0(ranks: int, *arguments: str) -> dict[str, Any]:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(HOME)
    try:
        script = ["-m", "comparisons.ranks.rank", *arguments]
        outcome, printed = launch.launch(ranks, script, limit=120, output=subprocess.PIPE)
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
    lines = [line.removeprefix(MARK) for line in printed.splitlines() if line.startswith(MARK)]
    if outcome.status or not lines:
        raise RuntimeError(f"{ranks} ranks: {outcome.told()}\n{printed}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def read(found: Json) -> Reading:
    first = {engine: found[engine]["steps"][0] for engine in PAIR}
    last = {engine: found[engine]["steps"][-1] for engine in PAIR}
    total = found["dynamic"]["bytes"]
    shares = {engine: round(100 * first[engine]["early"] / total) for engine in PAIR}
    row = counted(
        "ranks: gradient bytes sent while backward 1 still runs", shares["dynamic"], shares["static"], "%",
        more=True
    )
    same = [s["loss"] for s in found["dynamic"]["steps"]] == [s["loss"] for s in found["static"]["steps"]]
    rows = [row, *_parted(found), *_waiting(found)]
    rows = recorded(rows) if found["why"] else rows
    return Reading(
        answer=_answer(row.ahead, first, total),
        verdicts=rows,
        evidence=[
            Pair("The step of each rank", found["dynamic"], found["static"], says=_origin(found)),
            _timeline(found["traced"]),
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
            *_delays(found["delayed"]),
            *_branches(found.get("branches", {})),
            *page.blocks(),
        ],
        happened=[
            *(
                f"Of {number(total)} bytes of gradients {engine} had sent {number(first[engine]['early'])} "
                "when the last were ready in the first backward, and in the last one "
                f"{number(last[engine]['early'])}."
                for engine in PAIR
            ),
            *_hidden(found["delayed"][-1]),
            f"Losses were {'the same, to the bit,' if same else 'not the same, to the bit,'} on both.",
        ],
        means=_means(row.ahead),
        otherwise=_otherwise(row.ahead),
        threats=[
            "The model defines its layers in another order than it uses them in; where the two are the same, "
            "the first guess is right.",
            "Bytes on their way hide behind computing only if the network and the cores have room for both.",
            "A delay is a wait of the process that sends: messages wait beside each other, as where latency "
            "counts and bandwidth does not.",
            "The step that is drawn is one step; with its strokes it takes longer than the others.",
        ],
    )  # fmt: skip


def _origin(found: Json) -> str:
    before = "What stands before is the same on both: the model, `data_parallel` and this rank's rows."
    if not found["why"]:
        return before
    why = f"All that this page shows was recorded in November 2026, for here {found['why']}: {INSTALL}."
    return f"{before} {why}"


def _timeline(traced: Json) -> Block:
    """The steps that were traced."""
    labels = {
        "guessed": "dynamic, the first step", "dynamic": "dynamic, every later one", "static": "static, each",
    }  # fmt: skip
    lanes = [
        Lane(
            label, "static" if name == "static" else "dynamic",
            **{key: traced[name][key] for key in ("end", "ready", "messages", "waits")},
        )
        for name, label in labels.items()
    ]  # fmt: skip
    told = "; ".join(f"{label}: {_early(traced[name])}" for name, label in labels.items())
    return Timeline(
        "Computing and talking, in one step of rank 0", lanes,
        says="Messages that are begun before the last gradient is ready, and what is then waited, when each "
        f"part of a message takes {seconds(traced['delay'])} or more. {told[0].upper()}{told[1:]}.",
    )  # fmt: skip


def _early(of: Json) -> str:
    early = sum(begun < max(of["ready"]) for begun, _ in of["messages"])
    waited = sum(end - start for start, end in of["waits"])
    return f"{early} of {len(of['messages'])} messages, {seconds(waited)}"


def _delays(delayed: Json) -> list[Block]:
    """What rank 0 waits when each message is delayed."""
    at = [1e3 * one["delay"] for one in delayed]
    lines = [
        Series(
            f"waits on {engine}", at, [one[engine]["waited"]["median"] for one in delayed], engine,
            low=[one[engine]["waited"]["low"] for one in delayed],
            high=[one[engine]["waited"]["high"] for one in delayed],
        )
        for engine in PAIR
    ]  # fmt: skip
    lines += [
        Series(f"put into all on {engine}", at, [_put(one, engine) for one in delayed], engine, dashed=True)
        for engine in PAIR
    ]
    last = delayed[-1]
    rows = [
        [seconds(one["delay"]) if one["delay"] else "none", *[_delay(one, engine) for engine in PAIR]]
        for one in delayed
    ]
    each = " and ".join(f"{_share(last, engine)} % on {engine}" for engine in PAIR)
    return [
        Curves(
            "What a delay in each message costs a step", "milliseconds in each part of a message",
            "in a step", lines, "seconds",
            says=f"Of {seconds(last['delay'])} in each part, {each} are hidden: behind computing, and behind "
            "other messages. The last message has nothing left to hide behind.",
        ),
        Table(
            "Delay that was put into a step, and what rank 0 waited", ["delay", *PAIR], rows,
            says="Of all messages of a step; in brackets the middle half of the samples, and what is hidden.",
        ),
    ]  # fmt: skip


def _put(one: Json, engine: str) -> float:
    return float(one["delay"] * one[engine]["parts"])


def _share(one: Json, engine: str) -> int:
    """Of the delay that was put in, the percentage that was not waited for."""
    return max(0, round(100 * (1 - one[engine]["waited"]["median"] / _put(one, engine))))


def _delay(one: Json, engine: str) -> str:
    waited = f"{spread_of(one[engine]['waited'])} waited"
    if not _put(one, engine):
        return waited
    return f"{seconds(_put(one, engine))} put in, {waited}: {_share(one, engine)} % hidden"


def _waiting(found: Json) -> list[Verdict]:
    last = found["delayed"][-1]
    title = f"ranks: waiting, {seconds(last['delay'])} put in each part of a message"
    return [timed(title, last["dynamic"]["waited"], last["static"]["waited"])]


def _hidden(last: Json) -> list[str]:
    waits = [last[engine]["waited"] for engine in PAIR]
    told = " and ".join(
        f"{spread_of(one)} of {seconds(_put(last, engine))} on {engine}"
        for engine, one in zip(PAIR, waits, strict=True)
    )
    which = effect(*waits).leader
    end = "which of the two waits less is not resolved" if which is None else f"{which} waits less"
    return [f"With {seconds(last['delay'])} put into each part of a message rank 0 waited {told}; {end}."]


def _parted(found: Json) -> list[Verdict]:
    if "branches" not in found:
        return []
    begun = [max(rank["begun"] for rank in found["branches"]["one"][engine]) for engine in PAIR]
    return [counted("ranks: collectives begun before a mismatch is found", *begun)]


def _branches(branches: Json) -> list[Block]:
    """What ranks that part ways are told."""
    return [
        Pair(BRANCHES[name]["title"], *[_side(name, engine, of[engine]) for engine in PAIR], says=_said(of))
        for name, of in branches.items()
    ]


def _side(name: str, engine: str, of: Json) -> Json:
    first, *others = of
    out = "".join(f"rank {rank}: {one['out']}" for rank, one in enumerate(of) if one["out"])
    side: dict[str, Any] = {"code": BRANCHES[name][engine], "out": out, "error": None}
    if first["error"] is not None:
        lines = [one["error"]["line"] for one in (first, *others) if one["error"] is not None]
        side["error"] = {**first["error"], "stopped": lines[0], "named": lines[-1]}
    return side


def _said(of: Json) -> str:
    parts = []
    for engine in PAIR:
        begun, wrong = max(one["begun"] for one in of[engine]), [one["error"] for one in of[engine]]
        if not any(wrong):
            parts.append(f"on {engine} it runs")
        elif all(wrong):
            when = "in the handshake that comes next" if begun else "before anything is sent"
            parts.append(f"on {engine} every rank has the error, {when}")
        else:
            parts.append(f"on {engine} {sum(map(bool, wrong))} of {len(wrong)} ranks have an error")
    told = "; ".join(parts)
    shown = " The words are rank 0's." if any(one["error"] for side in of.values() for one in side) else ""
    return f"{told[0].upper()}{told[1:]}.{shown}"


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
