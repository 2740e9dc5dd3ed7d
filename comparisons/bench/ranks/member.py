"""The process of one rank: `team.py` starts it and asks it to go on, by lines of JSON over a socket."""

from __future__ import annotations

import gc
import importlib
import json
import os
import socket
import sys
from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np

from comparisons.bench import resident
from comparisons.bench.ranks.training import TRAINED, Training, share


class Member:
    """One rank of a team.

    Every request reaches all ranks, and each makes the same calls.
    """

    def __init__(self, system: str, rank: int, size: int) -> None:
        self.system, self.rank, self.size = system, rank, size
        self.foreign = system.startswith("torch")
        self.talk = os.environ["DIPTYCH_BENCH_TALKS"] == "1"
        self.training: Training | None = None

    def hello(self) -> dict[str, Any]:
        """Who this is."""
        module = importlib.import_module(f"comparisons.bench.{'on_torch' if self.foreign else 'models'}")
        return {"rank": self.rank, "pid": os.getpid(), "version": module.VERSION}

    # --- training ---

    def first(self, workload: str, weak: bool) -> dict[str, Any]:
        """Up to the end of the first step."""
        self.training, loss = self._started(workload, weak)
        return {"loss": loss}

    def steps(self, warm: int, count: int) -> dict[str, Any]:
        """Seconds by the clock and of the processor of `count` steps together, and all losses."""
        assert self.training is not None
        losses = [next(self.training) for _ in range(warm)]
        start, busy = perf_counter(), process_time()
        losses += [next(self.training) for _ in range(count)]
        return {"seconds": perf_counter() - start, "cpu": process_time() - busy, "losses": losses}

    def memory(self, workload: str, weak: bool, count: int) -> dict[str, Any]:
        """As `comparisons.bench.worker.Worker.memory`, of this rank; and the bytes of the whole process."""
        self._started(workload, weak)[0].close()  # type: ignore[attr-defined]
        before = resident.forget()
        training, _ = self._started(workload, weak)
        resident.forget()
        for _ in range(count):
            next(training)
        most = resident.most()
        return {"step": most - before, "whole": most}

    def _started(self, workload: str, weak: bool) -> tuple[Training, float]:
        gc.collect()
        training = TRAINED[self.system](share(workload, self.rank, self.size, weak, self.talk))
        for said in training:
            if not isinstance(said, str):
                return training, said
        raise RuntimeError("it ended before its first step")

    # --- messages ---

    def echo(self, size: int, count: int) -> dict[str, Any]:
        """Seconds of one way of messages of `size` bytes between rank 0 and rank 1, there and back."""
        from shared.ranks import mpi

        world = mpi.load().COMM_WORLD
        array = np.zeros(size, np.uint8)
        there, back = (world.Send, world.Recv) if self.rank == 0 else (world.Recv, world.Send)
        other = 1 - self.rank

        def once() -> None:
            there(array, other)
            back(array, other)

        return {"seconds": [taken / 2 for taken in self._timed(once, count if self.rank < 2 else 0)]}

    def sums(self, size: int, count: int, check: bool = False) -> dict[str, Any]:
        """Seconds of sums over all ranks of float32 arrays of `size` bytes, begun and waited for. `check`:
        with a handshake."""
        from shared.ranks.transfer import Call

        comm, array, call = self._comm(), np.ones(size // 4, np.float32), Call("sum", "")

        def once() -> None:
            comm.check = check
            comm.result(comm.begin_sum(call, [array], "mean", 1.0))
            comm.check = False

        return {"seconds": self._timed(once, count)}

    def adds(self, size: int, count: int) -> dict[str, Any]:
        """Seconds in which an array of `size` bytes is added to another, and in which it is copied into a
        message, weighted, and out of it, divided."""
        array, message = np.ones(size // 4, np.float32), np.zeros(size // 4, np.float32)
        one = np.float32(1)

        def copied() -> None:
            np.multiply(array, one, out=message)
            np.divide(message, one)

        return {
            "add": self._timed(lambda: np.add(message, array, out=message), count, False),
            "copy": self._timed(copied, count, False),
        }

    def library(self) -> dict[str, Any]:
        """Which MPI it is."""
        from shared.ranks import mpi

        return {"mpi": mpi.load().Get_library_version().partition(",")[0]}

    def _timed(self, call: Callable[[], Any], count: int, together: bool = True) -> list[float]:
        """Of each call; `together`: all ranks begin at once."""
        taken = []
        for turn in range(count + 2):
            if together:
                self._comm().barrier()
            start = perf_counter()
            call()
            if turn >= 2:
                taken.append(perf_counter() - start)
        return taken

    def _comm(self) -> Any:
        from shared import ranks

        return ranks.world()


def joined(system: str, place: list[str]) -> Member:
    """This process as a rank: by MPI if it was not told which; PyTorch's ranks meet in a file."""
    if not place:
        from shared import ranks

        comm = ranks.world()
        return Member(system, comm.rank, comm.size)
    rank, size = map(int, place)
    if system.startswith("torch") and os.environ["DIPTYCH_BENCH_TALKS"] == "1":
        from comparisons.bench import on_torch

        on_torch.meet(f"{sys.argv[2]}.meeting", rank, size)
    return Member(system, rank, size)


def main() -> None:
    """Answer requests until there are none."""
    system, door, *place = sys.argv[1:]
    member = joined(system, place)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(door)
        asked = line.makefile("rw")
        request: dict[str, Any] = {"do": "hello"}
        while True:
            answer = getattr(member, request.pop("do"))(**request)
            asked.write(json.dumps(answer) + "\n")
            asked.flush()
            said = asked.readline()
            if not said:
                os._exit(0)
            request = json.loads(said)
