"""What one rank runs: `python -m comparisons.ranks.rank FOLDER ROUNDS`, started by `launch`.

Rank 0 prints what was found, as a line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import static
from comparisons.ranks.programs import BRANCHES, NUMBER
from comparisons.statistics.quantities import PAIR
from comparisons.statistics.spread import spread
from shared import ranks
from shared.errors import DiptychError
from shared.ranks.transfer import Call, Transfer
from shared.watch.hooks import Event, Hook, watching

STEPS = 3
"""Steps whose messages are told."""
DELAYS = (0.0, 0.001, 0.002, 0.004)
"""Seconds that are put into each message."""
TRACED = 0.002
"""Seconds that each message takes in the steps that are drawn."""
OF = 5
"""Steps of which the middle one is drawn."""
MARK = "FOUND "


class Trace(Hook):
    """One step of this rank: seconds since its beginning, of what happened.

    ready     when each gradient was there
    messages  when each was begun, and when it was seen to be over
    waits     from when to when nothing was computed, for a message was waited for
    """

    def __init__(self, comm: ranks.Communicator) -> None:
        self.comm = comm
        self.ready: list[float] = []
        self.waits: list[list[float]] = []
        self._begun: dict[Transfer, list[float]] = {}
        self._made: dict[int, float] = {}

    def around(self, step: Any) -> dict[str, Any]:
        """What a step did."""
        self._start = perf_counter()
        self.comm.heard = self._heard
        try:
            with watching(self):
                step()
        finally:
            self.comm.heard = None
        return {
            "ready": sorted(self.ready), "messages": [*self._begun.values()], "waits": self.waits,
            "end": self._now(),
        }  # fmt: skip

    def _now(self) -> float:
        return round(perf_counter() - self._start, 6)

    def _heard(self, what: str, of: Any) -> None:
        if what == "ready":
            self.ready.append(self._now())
        elif what == "begun":
            self._begun[of] = [self._now()]
        elif what == "over":
            self._begun[of].append(self._now())
        elif what == "waits":
            self.waits.append([self._now()])
        else:
            self.waits[-1].append(self._now())

    def before(self, event: Event) -> None:
        """In a graph a gradient is ready when the step is over that made what a message takes."""
        if event.op.name == "begin_sum":
            taken = event.inputs[: len(event.inputs) - event.settings["weighted"]]
            self.ready += [self._made[id(array)] for array in taken]

    def after(self, event: Event) -> None:
        """What was made, and when."""
        if event.engine == "static":
            made = event.outputs if isinstance(event.outputs, tuple) else (event.outputs,)
            now = self._now()
            self._made |= {id(array): now for array in made}


def messages(space: dict[str, Any]) -> tuple[list[tuple[int, int]], int]:
    """Of the last step of an engine: the bytes of each message, with how many gradients were ready when it
    was begun, and the bytes that were begun before the last one was."""
    if "session" not in space:
        averager = space["parallel"].averager
        return averager.messages, averager.share[0]
    steps = space["session"].block([space["loss"], space["train"]]).steps
    begun = [step for step in steps if step.op.name == "begin_sum"]
    gradients = {value for step in begun for value in step.inputs[:-1]}
    found: list[tuple[int, int]] = []
    ready, early = 0, 0
    for step in steps:
        ready += len(gradients.intersection(step.outputs))
        if step in begun:
            size = sum(int(np.prod(value.shape)) * 4 for value in step.inputs[:-1])
            found.append((size, ready))
            early += size * (ready < len(gradients))
    return found, early


def first_steps(space: dict[str, Any]) -> dict[str, Any]:
    """What the first steps sent, and their losses."""
    steps = []
    for _ in range(STEPS):
        loss = space["step"]()
        sent, early = messages(space)
        steps.append({"messages": sent, "early": early, "loss": loss.hex()})
    parameters = list(space["model"].parameters())
    return {
        "steps": steps, "bytes": sum(p.numpy().nbytes for p in parameters), "gradients": len(parameters)
    }  # fmt: skip


def traces(comm: ranks.Communicator, spaces: dict[str, Any]) -> dict[str, Any]:
    """A step of each engine when all is warm, the middle one of some by how long they took; of dynamic one
    that knows no order yet, too."""
    comm.wires.delay = TRACED
    found = {}
    for name, engine in (("guessed", "dynamic"), ("dynamic", "dynamic"), ("static", "static")):
        made = []
        for _ in range(2 + OF):  # a graph compiles anew for who watches
            if name == "guessed":
                spaces[engine]["parallel"].averager.start_again()
            comm.barrier()
            made.append(Trace(comm).around(spaces[engine]["step"]))
        found[name] = sorted(made[2:], key=lambda one: one["end"])[OF // 2]
    comm.wires.delay = 0.0
    return found


def delayed(comm: ranks.Communicator, spaces: dict[str, Any], rounds: int) -> list[dict[str, Any]]:
    """For each delay, of each engine what a step takes, how long it waits, and in how many parts its messages
    go, each of which has the delay; the engines and the delays take turns."""
    taken: dict[tuple[float, str], list[tuple[float, float, int]]] = {}
    for turn in range(rounds):
        for delay in DELAYS:
            for engine in PAIR if turn % 2 else PAIR[::-1]:
                comm.barrier()
                comm.wires.delay = delay
                taken.setdefault((delay, engine), []).append(_timed(comm, spaces[engine]["step"]))
                comm.wires.delay = 0.0
    found = []
    for delay in DELAYS:
        sides = {}
        for engine in PAIR:
            step, waited, parts = zip(*taken[delay, engine], strict=True)
            sides[engine] = {"step": spread(step), "waited": spread(waited), "parts": max(parts)}
        found.append({"delay": delay, **sides})
    return found


def _timed(comm: ranks.Communicator, step: Any) -> tuple[float, float, int]:
    """Seconds of a step, those in which it waited, and in how many parts its messages went."""
    seen: dict[tuple[str, Any], float] = {}

    def heard(what: str, of: Any) -> None:
        seen[what, of] = perf_counter()

    comm.heard = heard
    start = perf_counter()
    step()
    took = perf_counter() - start
    comm.heard = None
    waited = sum(at - seen["waits", of] for (what, of), at in seen.items() if what == "waited")
    return took, waited, sum(of.parts for what, of in seen if what == "begun")


def branches(comm: ranks.Communicator, folder: Path) -> dict[str, Any]:
    """What each rank does in each of the programs that part: {name: {engine: [of each rank]}}."""
    comm.limit = 20.0
    found: dict[str, Any] = {}
    for name in BRANCHES:
        for engine in PAIR:
            comm.barrier()
            mine = json.dumps(_tried(comm, folder / f"{name}_on_{engine}.py")).encode().ljust(4096)
            rows = comm.result(comm.begin_gather(_CALL, np.frombuffer(mine, np.uint8)[None]))
            found.setdefault(name, {})[engine] = [json.loads(bytes(row)) for row in rows]
    return found


_CALL = Call("outcome()", "")


def _tried(comm: ranks.Communicator, path: Path) -> dict[str, Any]:
    static.reset_default_graph()
    before, error, said = comm.count, None, io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            runpy.run_path(str(path))
    except DiptychError as raised:
        line = None if raised.line is None else raised.line.number - 1 - NUMBER.count("\n")
        error = {"type": type(raised).__name__, "message": raised.message[:2000], "line": line}
    return {"out": said.getvalue(), "error": error, "begun": comm.count - before}


@contextlib.contextmanager
def unchecked(comm: ranks.Communicator) -> Iterator[None]:
    """Within the block there is no handshake, as in all steps but the first ten."""
    comm.check = False
    try:
        yield
    finally:
        comm.check = True


def main() -> None:
    """What a rank does."""
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    comm = ranks.world()
    spaces = {engine: runpy.run_path(str(folder / f"step_on_{engine}.py")) for engine in PAIR}
    found: dict[str, Any] = {engine: first_steps(spaces[engine]) for engine in PAIR}
    with unchecked(comm):
        found["traced"] = {"delay": TRACED, **traces(comm, spaces)}
        found["delayed"] = delayed(comm, spaces, rounds)
    if comm.size > 1:
        found["branches"] = branches(comm, folder)
    if comm.rank == 0:
        os.write(1, f"{MARK}{json.dumps(found)}\n".encode())


if __name__ == "__main__":
    main()
