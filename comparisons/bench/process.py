"""A peer's process, and what it is started with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import comparisons
from comparisons.bench.peers import Peer
from comparisons.machine.threads import SETTINGS

ENGINES = ("dynamic", "static")
"""Ours, which the ratios are of."""
WARM = 2
"""Steps of a turn that are not timed."""

POOLS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC", "CPU_NUM",
)  # fmt: skip
"""What pools of threads read their size from; NPROC is XLA's, CPU_NUM Paddle's."""

CPU_ONLY = {
    "CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}  # fmt: skip

CACHES = {
    "DIPTYCH_CACHE": "diptych", "TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton",
    "JAX_COMPILATION_CACHE_DIR": "jax",
}  # fmt: skip
"""Where systems keep what they have compiled, each in a folder of its own. TensorFlow's Session and
Paddle keep nothing."""

KEPT = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}  # as the others do, however short it was


HOME = str(Path(comparisons.__file__).resolve().parent.parent)

START = "import sys; sys.path.append({home!r}); from {module} import main; main()"


class PeerError(RuntimeError):
    """A peer's process ended before it had answered; the text is what it said last."""


@dataclass(frozen=True)
class Settings:
    """How a race is run.

    rounds   how often each peer's turn comes
    steps    how many steps a turn has; None for what the workload says
    threads  how large every pool of threads is
    pythons  by family: the Python to run a peer in, where it is not this one
    """

    rounds: int = 7
    steps: int | None = None
    threads: int = 1
    pythons: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What every process is given, whatever the user's own settings are."""
        return SETTINGS | dict.fromkeys(POOLS, str(self.threads)) | CPU_ONLY


class Process:
    """A running `worker.py`, stopped while nobody asks it. Close it, or use it in a `with` block."""

    def __init__(self, peer: Peer, workload: str, settings: Settings, **environment: str) -> None:
        code = START.format(home=HOME, module="comparisons.bench.worker")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (a full pipe would stop the process)
        self._process = subprocess.Popen(
            [settings.pythons.get(peer.family, sys.executable), "-c", code, peer.name, workload],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True,
            env=os.environ | settings.environment() | environment,
        )  # fmt: skip
        try:
            self.hello = self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **more: int) -> dict[str, Any]:
        """One request, answered."""
        assert self._process.stdin is not None
        self._process.send_signal(signal.SIGCONT)
        self._process.stdin.write(json.dumps({"do": do} | more) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace")
            raise PeerError(last_words(said) or f"it ended with status {self._process.returncode}")
        self._process.send_signal(signal.SIGSTOP)
        return cast("dict[str, Any]", json.loads(line))

    def close(self) -> None:
        """End the process; it holds nothing worth waiting for."""
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def last_words(said: str) -> str:
    """Of what a process wrote before it ended: the line that names its error, else the last one."""
    lines = said.strip().splitlines()
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Interrupt)\b", line)]
    return (named or lines or [""])[-1]


def new_caches(folder: Path) -> dict[str, str]:
    """What has every system look for compiled code, and keep it, in a folder that is new."""
    return {key: str(folder / name) for key, name in CACHES.items()} | KEPT
