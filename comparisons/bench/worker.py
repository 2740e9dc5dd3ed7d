"""The process in which one peer trains one workload: `process.py` starts it and asks it to go on.

It answers one JSON request per line of its input with one JSON line, until the input ends. It
runs in whatever Python has the peer, so it needs nothing but the standard library and NumPy.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import platform
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from time import perf_counter, process_time
from typing import Any

from comparisons.bench import resident
from comparisons.bench.peers import PEERS
from comparisons.bench.workloads import EVERY, Workload

PR_SET_PDEATHSIG = 1
CHAIN = 1000
"""How many ops the chain of the workload `overhead` has."""


class Worker:
    """A peer, and one training of it."""

    def __init__(self, peer: str, workload: str) -> None:
        self.peer = PEERS[peer]
        self.workload: Workload | None = EVERY.get(workload)
        start = perf_counter()
        self.module = importlib.import_module(f"comparisons.bench.{self.peer.module}")
        self.imported = perf_counter() - start
        self.training: Iterator[str | float] | None = None

    def hello(self) -> dict[str, Any]:
        """Seconds to import the peer, and the versions."""
        return {
            "import": self.imported,
            "version": self.module.VERSION,
            "python": platform.python_version(),
        }

    def first(self) -> dict[str, Any]:
        """Up to the end of the first step: the seconds of each phase."""
        self.training, phases = self._started(self.workload)
        return phases

    def steps(self, warm: int, count: int) -> dict[str, Any]:
        """Seconds by the clock, seconds of all cores together, and losses of some steps, after a
        few that bring the caches back."""
        assert self.training is not None
        losses = [next(self.training) for _ in range(warm)]
        seconds, cpu = [], []
        for _ in range(count):
            start, busy = perf_counter(), process_time()
            losses.append(next(self.training))
            seconds.append(perf_counter() - start)
            cpu.append(process_time() - busy)
        return {"seconds": seconds, "cpu": cpu, "losses": losses}

    def memory(self, count: int) -> dict[str, Any]:
        """The bytes at the highest point of some steps, beyond those of a process that has run a
        step before: so neither code nor data counts, but parameters and gradients do."""
        self._started(self.workload)[0].close()  # type: ignore[attr-defined]
        before = resident.forget()
        training, _ = self._started(self.workload)
        resident.forget()
        for _ in range(count):
            next(training)
        return {"step": resident.most() - before}

    def chain(self, warm: int, count: int) -> dict[str, Any]:
        """Seconds per op of the chain, forward and backward."""
        run = self.module.chain(CHAIN)
        pairs = [run() for _ in range(warm + count)][warm:]
        return {
            "forward": [forward / CHAIN for forward, _ in pairs],
            "backward": [backward / CHAIN for _, backward in pairs],
        }

    def _started(self, workload: Any) -> tuple[Iterator[str | float], dict[str, Any]]:
        gc.collect()
        found: dict[str, Any] = {}
        start = perf_counter()
        training = self.module.train(workload, self.peer.style)
        while True:
            said = next(training)
            now = perf_counter()
            if not isinstance(said, str):
                return training, found | {"first": now - start, "loss": said}
            found[said], start = now - start, now


def main() -> None:
    """Answer requests until the input ends. What libraries print goes to stderr."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks decides when it ends
    with suppress(OSError, AttributeError):  # Linux's: end with who asks, even while stopped
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(*sys.argv[1:3])
    request: dict[str, Any] = {"do": "hello"}
    while True:
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps(answer), file=answers, flush=True)
        line = sys.stdin.readline()
        if not line:
            os._exit(0)  # without the end that some libraries take seconds for
        request = json.loads(line)
