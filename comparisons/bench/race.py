"""Races: every peer in a process of its own, all in turn, round after round.

While one process works the others are stopped, so that no thread pool of theirs can take a core.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import isfinite
from typing import Any

from comparisons.bench import resident
from comparisons.bench.peers import Peer
from comparisons.bench.process import ENGINES, WARM, PeerError, Process, Settings, new_caches
from comparisons.bench.workloads import EVERY
from comparisons.statistics.spread import spread
from shared.durable import files

WARM_STARTS = 3
"""How many processes start with what the first one has compiled."""
COLD_GOAL, WARM_GOAL = 0.25, 0.3
"""What we want until the first loss: cold, of what a system takes that compiles; warm, in seconds."""
MEMORY_STEPS = 5
TOLERANCE = 1e-4
"""How far a loss may be off the reference's, relative to it. Only the first few are compared
(`Peer.losses`): rounding differs between systems, and training makes that larger step by step."""


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
    with files.scratch() as folder:
        caches = {peer.name: new_caches(folder / peer.name) for peer in peers}
        _steps(name, peers, settings, caches, found, watch)
        for peer in peers:
            if "error" not in found[peer.name]:
                _once_more(name, peer, settings, caches[peer.name], found[peer.name], watch)


def _steps(
    name: str,
    peers: Sequence[Peer],
    settings: Settings,
    caches: Mapping[str, Mapping[str, str]],
    found: dict[str, Any],
    watch: Callable[[str], None],
) -> None:
    """The race itself: the first step of each, cold, and then the rounds."""
    steps = settings.steps or EVERY[name].steps
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
        with Process(peer, name, settings, **caches, **resident.RETURNED_AT_ONCE) as process:
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
