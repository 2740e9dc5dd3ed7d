"""Races: every peer in a process of its own, all in turn, round after round.

While one process works the others are stopped, so that no thread pool of theirs can take a core.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, cast

import comparisons
from comparisons.bench import memory
from comparisons.bench.peers import Peer
from comparisons.bench.workloads import WORKLOADS
from comparisons.measure import spread
from comparisons.threads import SETTINGS

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

ENGINES = ("dynamic", "static")
"""Ours, which the ratios are of."""
WARM = 2
WARM_STARTS = 3
"""How many processes start with what the first one has compiled."""
COLD_GOAL, WARM_GOAL = 0.25, 0.3
"""What we want until the first loss: cold, of what a system takes that compiles; warm, in seconds."""
MEMORY_STEPS = 5
TOLERANCE = 1e-4
"""How far a loss may be off the reference's, relative to it. Only the first few are compared
(`Peer.losses`): rounding differs between systems, and training makes that larger step by step."""


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


def race(
    name: str,
    peers: Sequence[Peer],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """Race peers in a workload. What is found out goes into `found` as it comes, by peer, so that
    an interruption loses nothing; times in seconds, sizes in bytes.

    version, import        of the peer
    build, compile, first  seconds of the phases up to the end of the first step, in a process
                           that has run nothing and finds nothing compiled; compile only where it
                           is a phase of its own
    warm                   the same of later processes, which find what that one has compiled; each
                           with the seconds of its import
    rounds                 the seconds of each step, round by round; `step` is their spread
    cpu                    the seconds that all cores together worked in each step
    losses                 of all steps so far
    memory                 {step}: see `Worker.memory`
    ratios                 by our engine, how many times as fast it is: the spread over the rounds
    agrees                 {with, steps, error, bitwise, agrees}: its first losses beside another's
    error                  what a peer said that failed; it has no other entries then
    """
    with tempfile.TemporaryDirectory() as folder:
        caches = {peer.name: _caches(Path(folder) / peer.name) for peer in peers}
        _steps(name, peers, settings, caches, found, watch)
        for peer in peers:
            if "error" not in found[peer.name]:
                _once_more(name, peer, settings, caches[peer.name], found[peer.name], watch)


def _caches(folder: Path) -> dict[str, str]:
    """What has every system look for compiled code, and keep it, in a folder that is new."""
    return {key: str(folder / name) for key, name in CACHES.items()} | KEPT


def _steps(
    name: str,
    peers: Sequence[Peer],
    settings: Settings,
    caches: Mapping[str, Mapping[str, str]],
    found: dict[str, Any],
    watch: Callable[[str], None],
) -> None:
    """The race itself: the first step of each, cold, and then the rounds."""
    steps = settings.steps or WORKLOADS[name].steps
    running: dict[str, Process] = {}
    try:
        for peer in peers:
            watch(f"{name}: first step of {peer.name}")
            entry = found[peer.name] = {}
            try:
                running[peer.name] = process = Process(peer, name, settings, **caches[peer.name])
                first = process.ask("first")
                entry |= process.hello | first | {"rounds": [], "cpu": [], "losses": [first["loss"]]}
            except PeerError as error:
                _failed(found, running, peer.name, error)
        for turn in range(settings.rounds):
            watch(f"{name}: round {turn + 1} of {settings.rounds}")
            names = list(running)
            first_in_turn = turn % max(len(names), 1)
            for racer in names[first_in_turn:] + names[:first_in_turn]:
                try:
                    answer = running[racer].ask("steps", warm=WARM, count=steps)
                except PeerError as error:
                    _failed(found, running, racer, error)
                    continue
                found[racer]["rounds"].append(answer["seconds"])
                found[racer]["cpu"] += answer["cpu"]
                found[racer]["losses"] += answer["losses"]
            compare(found, peers)
    finally:
        for process in running.values():
            process.close()


def _once_more(
    name: str,
    peer: Peer,
    settings: Settings,
    caches: Mapping[str, str],
    entry: dict[str, Any],
    watch: Callable[[str], None],
) -> None:
    """A peer in processes of their own: its warm starts, and its memory."""
    watch(f"{name}: warm start of {peer.name}")
    with suppress(PeerError):  # what does not start again shows its cold start alone
        for _ in range(min(WARM_STARTS, settings.rounds)):
            with Process(peer, name, settings, **caches) as process:
                start = {"import": process.hello["import"]} | process.ask("first")
            entry.setdefault("warm", []).append(start)
    watch(f"{name}: memory of {peer.name}")
    try:
        with Process(peer, name, settings, **caches, **memory.RETURNED_AT_ONCE) as process:
            entry["memory"] = process.ask("memory", count=MEMORY_STEPS)
    except PeerError as error:
        entry["memory_error"] = str(error)


def to_first_loss(phases: Mapping[str, Any]) -> float:
    """Seconds from the model's construction to the first loss, imports apart."""
    return float(sum(phases.get(phase, 0.0) for phase in ("build", "compile", "first")))


def _failed(found: dict[str, Any], running: dict[str, Process], name: str, error: PeerError) -> None:
    found[name] = {"error": str(error)}
    if name in running:
        running.pop(name).close()


def compare(found: dict[str, Any], peers: Sequence[Peer]) -> None:
    """Spreads, ratios and agreement, from what the rounds have brought so far."""
    timed = {name: entry for name, entry in found.items() if entry.get("rounds")}
    middle = {name: [spread(r)["median"] for r in entry["rounds"]] for name, entry in timed.items()}
    for peer in peers:
        if peer.name not in timed:
            continue
        entry = timed[peer.name]
        entry["step"] = spread([seconds for r in entry["rounds"] for seconds in r])
        entry["ratios"] = {
            name: spread([b / a for a, b in zip(middle[name], middle[peer.name], strict=False)])
            for name in ENGINES
            if name in timed and name != peer.name
        }
        if peer.twin in timed:
            entry["agrees"] = agreement(entry["losses"], timed[peer.twin]["losses"], peer.twin, None)
        elif "dynamic" in timed and peer.name != "dynamic":
            entry["agrees"] = agreement(entry["losses"], timed["dynamic"]["losses"], "dynamic", peer.losses)


def agreement(
    losses: Sequence[float], reference: Sequence[float], name: str, count: int | None
) -> dict[str, Any]:
    """How far two runs' first losses are apart, as the largest relative error, and whether that is
    in order: within the tolerance, and for twins (count is None) no difference at all."""
    pairs = list(zip(losses, reference, strict=False))[:count]
    errors = [abs(a - b) / max(abs(b), 1e-30) for a, b in pairs]
    bitwise = all(a == b for a, b in pairs)
    within = all(error <= TOLERANCE for error in errors)  # false for NaN
    return {
        "with": name, "steps": len(pairs), "error": max(errors) if all(map(isfinite, errors)) else None,
        "bitwise": bitwise, "agrees": bitwise if count is None else within,
    }  # fmt: skip


def overhead(
    peers: Sequence[Peer],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """Seconds per op of a chain of 1,000 additions and multiplications of one-element float32
    tensors, by peer: {forward, backward, both} as spreads, and `ratios` as in `race`."""
    rounds: dict[str, dict[str, list[Any]]] = {}
    running: dict[str, Process] = {}
    try:
        for peer in peers:
            try:
                running[peer.name] = Process(peer, "overhead", settings)
                rounds[peer.name] = {"forward": [], "backward": []}
                found[peer.name] = dict(running[peer.name].hello)
            except PeerError as error:
                found[peer.name] = {"error": str(error)}
        for turn in range(settings.rounds):
            watch(f"overhead: round {turn + 1} of {settings.rounds}")
            for name, process in running.items():
                answer = process.ask("chain", warm=WARM, count=settings.steps or 10)
                for way, seconds in answer.items():
                    rounds[name][way].append(seconds)
            _per_op(found, rounds)
    finally:
        for process in running.values():
            process.close()


def _per_op(found: dict[str, Any], rounds: Mapping[str, Any]) -> None:
    both = {
        name: [
            [f + b for f, b in zip(*turn, strict=True)]
            for turn in zip(ways["forward"], ways["backward"], strict=True)
        ]
        for name, ways in rounds.items()
    }
    middle = {name: [spread(turn)["median"] for turn in turns] for name, turns in both.items()}
    for name, ways in rounds.items():
        entry = found[name]
        for way, turns in {**ways, "both": both[name]}.items():
            entry[way] = spread([seconds for turn in turns for seconds in turn])
        entry["ratios"] = {
            engine: spread([b / a for a, b in zip(middle[engine], middle[name], strict=True)])
            for engine in ENGINES
            if engine in middle and engine != name
        }


def ablation(
    names: Sequence[str],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """What `comparisons.bench.ablation` finds for each workload, each in a process of its own."""
    code = START.format(home=HOME, module="comparisons.bench.ablation")
    for name in names:
        watch(f"passes: {name}")
        steps = settings.steps or WORKLOADS[name].steps
        found[name] = _asked(code, settings, name, "layer", str(settings.rounds), str(steps))


def _asked(code: str, settings: Settings, *arguments: str) -> dict[str, Any]:
    """What a process answers that is started for one question, or {error}."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
        env=os.environ | settings.environment(), start_new_session=True,
    )  # fmt: skip
    return {"error": last_words(done.stderr)} if done.returncode else json.loads(done.stdout)


def growth(
    counts: Sequence[int],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """Seconds of static's stages by the number of nodes in a chain, each in a process of its own."""
    code = START.format(home=HOME, module="comparisons.bench.growth")
    for count in counts:
        watch(f"graph: {count} nodes")
        found[str(count)] = _asked(code, settings, str(count))
