"""Training on one rank and on two, ours beside PyTorch's, in turns: samples a second, and memory a rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from comparisons.bench import race, resident
from comparisons.bench.peers import Peer
from comparisons.bench.process import PeerError, Settings
from comparisons.bench.ranks.team import Team
from comparisons.bench.ranks.training import Share
from comparisons.bench.workloads import EVERY
from comparisons.statistics.spread import spread

Watch = Callable[[str], None]
STEPS = {"mlp": 60, "cnn": 12, "lstm": 16, "gpt": 6}
"""How many steps a turn has, by default, in each workload that is trained on ranks."""
WARM = 12
"""Steps that are made once before all turns: after ten, collectives begin without a handshake."""
MEMORY_STEPS = 5
DDP = "torch-ddp"


@dataclass(frozen=True)
class Case:
    """How a workload is spread over ranks.

    weak   whether each rank has the workload's batch, else they share it
    talk   whether they average their gradients
    timed  whether there are cores enough for that
    """

    title: str
    ranks: int
    weak: bool
    talk: bool = True
    timed: bool = True


CASES = {
    "one": Case("1 rank", 1, True, talk=False),
    "apart": Case("2 that do not talk", 2, True, talk=False),
    "weak": Case("2, a batch each", 2, True),
    "strong": Case("2, sharing one batch", 2, False),
    "four": Case("4, sharing one batch", 4, False, timed=False),
}
"""By name. `apart` is what two cores do with two of these processes: no sum over ranks can be faster."""


class Entry(NamedTuple):
    """A system in a case, by its name."""

    system: str
    key: str

    @property
    def case(self) -> Case:
        return CASES[self.key]

    def __str__(self) -> str:
        return f"{self.system} {self.key}"


def scaling(
    name: str, peers: Sequence[Peer], settings: Settings, found: dict[str, Any], watch: Watch
) -> None:
    """Race in a workload, with one thread a rank. What is found out goes into `found` by system and case,
    "dynamic weak":

    version  of the system
    rate     samples a second of all ranks together: the spread over the rounds
    cpu      seconds of the processor of a step of one rank, likewise
    losses   the mean over ranks of each step's
    times    how many times the rate of one rank it is: the spread over the rounds
    ddp      how many times the rate of PyTorch's DistributedDataParallel it is, in the same case
    memory   {step, whole}: bytes at the highest point of a rank, without what was there before, and in all
    agrees   of the losses, with dynamic's; of ranks that share a batch, with those of one rank on all of it
    error    what went wrong; there is nothing else then
    """
    settings = replace(settings, threads=1)
    entries = [Entry(peer.name, key) for peer in peers for key in CASES]
    running: dict[Entry, Team] = {}
    rounds: dict[Entry, list[dict[str, float]]] = {}
    try:
        for entry in entries:
            if entry.case.timed:
                watch(f"{name}: first steps of {entry}")
                with _reported(found, entry, running):
                    team = running[entry] = Team(
                        entry.system, entry.case.ranks, settings, talk=entry.case.talk
                    )
                    losses = _begun(team, name, entry.case, WARM)
                    found[str(entry)] = {"version": team.hellos[0]["version"], "losses": losses}
                    rounds[entry] = []
        for turn in range(settings.rounds):
            watch(f"{name}: round {turn + 1} of {settings.rounds}")
            racers = list(running)
            first = turn * len(racers) // settings.rounds
            for entry in racers[first:] + racers[:first]:
                with _reported(found, entry, running):
                    rounds[entry].append(_turn(name, entry, running[entry], settings.steps or STEPS[name]))
            _compared(found, {entry: rounds[entry] for entry in running})
    finally:
        for team in running.values():
            team.close()
    for entry in entries:
        if "error" not in found.setdefault(str(entry), {}) and (entry.case.talk or entry.case.ranks == 1):
            watch(f"{name}: memory of {entry}")
            with _reported(found, entry, {}):
                _alone(name, entry, settings, found[str(entry)])
    _agreements(found, entries)


@contextmanager
def _reported(found: dict[str, Any], entry: Entry, running: dict[Entry, Team]) -> Iterator[None]:
    """A block in which ranks may fail: they are out of the race then."""
    try:
        yield
    except PeerError as error:
        found[str(entry)] = {"error": str(error)}
        if entry in running:
            running.pop(entry).close()


def _mean(said: Sequence[Mapping[str, Any]], key: str) -> float:
    return sum(answer[key] for answer in said) / len(said)


def _begun(team: Team, name: str, case: Case, steps: int) -> list[float]:
    """The losses of the first steps, means over ranks, which have equal rows."""
    first = _mean(team.ask("first", workload=name, weak=case.weak), "loss")
    more = [answer["losses"] for answer in team.ask("steps", warm=steps, count=0)]
    return [first, *[sum(at) / len(at) for at in zip(*more, strict=True)]]


def _turn(name: str, entry: Entry, team: Team, count: int) -> dict[str, float]:
    rows = Share(EVERY[name], 0, entry.case.ranks, entry.case.weak).rows
    said = team.ask("steps", warm=2, count=count)
    rate = sum(rows * count / answer["seconds"] for answer in said)
    return {"rate": rate, "cpu": _mean(said, "cpu") / count}


def _compared(found: dict[str, Any], rounds: Mapping[Entry, Sequence[Mapping[str, float]]]) -> None:
    for entry, turns in rounds.items():
        into = found[str(entry)]
        for what in ("rate", "cpu"):
            into[what] = spread([turn[what] for turn in turns])
        for said, other in (("times", Entry(entry.system, "one")), ("ddp", Entry(DDP, entry.key))):
            if other in rounds and other != entry:
                pairs = zip(turns, rounds[other], strict=True)
                into[said] = spread([mine["rate"] / theirs["rate"] for mine, theirs in pairs])


def _alone(name: str, entry: Entry, settings: Settings, into: dict[str, Any]) -> None:
    """In processes of their own: memory, and the losses of what is not timed."""
    system, case = entry.system, entry.case
    with Team(system, case.ranks, settings, talk=case.talk, **resident.RETURNED_AT_ONCE) as team:
        said = team.ask("memory", workload=name, weak=case.weak, count=MEMORY_STEPS)
        into["memory"] = {key: max(answer[key] for answer in said) for key in ("step", "whole")}
    if not case.timed:
        with Team(system, case.ranks, settings, talk=case.talk) as team:
            into |= {"version": team.hellos[0]["version"], "losses": _begun(team, name, case, MEMORY_STEPS)}


def _agreements(found: dict[str, Any], entries: Sequence[Entry]) -> None:
    """Losses of ranks that share a batch are those of one rank on all of it; the others' are dynamic's."""
    for entry in entries:
        other = Entry("dynamic", entry.key) if entry.case.weak else Entry(entry.system, "one")
        mine, reference = (found.get(str(one), {}).get("losses") for one in (entry, other))
        if mine and reference and other != entry:
            found[str(entry)]["agrees"] = race.agreement(mine, reference, str(other), 5)
