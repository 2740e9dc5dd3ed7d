"""What a message, a sum over ranks and a handshake take here, and what that foretells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from statistics import median
from typing import Any

from comparisons.bench.process import Settings
from comparisons.bench.ranks import cost
from comparisons.bench.ranks.team import Team
from comparisons.statistics.spread import spread

SIZES = tuple(4**k for k in range(1, 13))
"""Bytes of messages, 4 to 16 million."""
SUMS = tuple(4**k for k in range(3, 13))
COUNT = 15
"""How often each is done in a round."""
LARGE = 1 << 20
"""Bytes from which it is memory that counts: adding and copying are looked at there."""
LIKE = {"resnet50": ("resnet50", 4 * 3 * 2 * 4.09e9), "gpt": ("gpt-wide", 4 * 256 * 6 * 18_900_000)}
"""By net the workload whose step, of so many operations, gives the rate at which such steps run."""


def wires(
    settings: Settings, found: dict[str, Any], watch: Callable[[str], None], sizes: Sequence[int] = SIZES,
    sums: Sequence[int] = SUMS,
) -> None:  # fmt: skip
    """Measure, fit and foretell. Into `found`:

    mpi        whose MPI it is
    echo       by bytes, seconds of one way, on 2 ranks: a spread over the rounds' medians
    add, copy  by bytes, seconds of adding, and of copying in and out, likewise
    costs      the constants: {alpha, beta, gamma, copy, call}, and `intervals` of the first two
    sums       by ranks and bytes: {measured (a spread), predicted}
    handshake  by ranks: seconds that one adds to a sum of 64 bytes, a spread over the rounds
    rates      by net, operations in a second that a step like its own reaches on one rank
    predicted  see `cost.predicted`
    """
    settings = replace(settings, threads=1)
    taken: dict[str, dict[str, list[float]]] = {}

    def note(kind: str, size: int, seconds: Sequence[float]) -> None:
        taken.setdefault(kind, {}).setdefault(str(size), []).append(median(seconds))

    for ranks in (2, 4):
        with Team("dynamic", ranks, settings) as team:
            found |= team.ask("library")[0]
            for turn in range(settings.rounds):
                watch(f"wires: {ranks} ranks, round {turn + 1} of {settings.rounds}")
                for size in sizes if ranks == 2 else ():
                    note("echo", size, team.ask("echo", size=size, count=COUNT)[0]["seconds"])
                    if size >= LARGE:
                        local = team.ask("adds", size=size, count=COUNT)
                        for kind in ("add", "copy"):
                            note(kind, size, [s for answer in local for s in answer[kind]])
                for size in sums:
                    note(f"sums {ranks}", size, _slowest(team.ask("sums", size=size, count=COUNT)))
                plain, checked = (
                    median(_slowest(team.ask("sums", size=64, count=10 * COUNT, check=check)))
                    for check in (False, True)
                )
                note("handshake", ranks, [checked - plain])
    for kind, at in taken.items():
        found[kind] = {size: spread(values) for size, values in at.items()}
    _fitted(found)
    found["rates"] = {net: _rate(net, settings, watch) for net in LIKE}
    found["predicted"] = cost.predicted(cost.Costs(**found["costs"]), found["rates"])


def _slowest(said: Sequence[dict[str, Any]]) -> list[float]:
    """A sum is there when the last rank has it."""
    return [max(turn) for turn in zip(*[answer["seconds"] for answer in said], strict=True)]


def _fitted(found: dict[str, Any]) -> None:
    """Constants, and what they say of the sums."""
    echo = found["echo"]
    through = cost.line([int(size) for size in echo], [at["median"] for at in echo.values()])
    per_byte = {
        kind: median([at["median"] / int(size) for size, at in found[kind].items()])
        for kind in ("add", "copy")
    }
    costs = cost.Costs(through.alpha[0], through.beta[0], per_byte["add"], per_byte["copy"])
    smallest = min(found["sums 2"], key=int)
    own = found["sums 2"][smallest]["median"] - cost.ordered(2, int(smallest), costs)
    costs = replace(costs, call=max(own, 0.0))
    found["costs"], found["intervals"] = asdict(costs), {"alpha": through.alpha, "beta": through.beta}
    found["sums"] = {
        str(n): {
            size: {"measured": at, "predicted": cost.ordered(n, int(size), costs)}
            for size, at in found.pop(f"sums {n}").items()
        }
        for n in (2, 4)
    }


def _rate(net: str, settings: Settings, watch: Callable[[str], None]) -> float:
    workload, operations = LIKE[net]
    watch(f"wires: a step of {workload} on one rank")
    with Team("static", 1, settings) as team:
        team.ask("first", workload=workload, weak=True)
        return operations / min(team.ask("steps", warm=0, count=1)[0]["seconds"] for _ in range(3))
