"""What many ranks cost, as a part of a report's page: of a run that is recorded, for it takes minutes and two
cores that do nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from comparisons.bench.peers import SCALED
from comparisons.bench.ranks.record import RECORDED
from comparisons.lab.blocks import Block, Curves, Json, Series, Table
from comparisons.statistics.quantities import count, factor, percent, size, within

COMMAND = "python -m comparisons bench ranks --peers torch"


@cache
def recorded() -> Json:
    """What was measured, as the bench gave it."""
    found: Json = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def blocks() -> list[Block]:
    """Scaling, and what the model foretells; docs/ranks.md holds it against measurements."""
    found = recorded()
    costs = found["workloads"]["wires"]["found"]["ranks"]
    return [_scaling(found), *_foretold(costs)]


def when(found: Json) -> str:
    """When and on what it was measured."""
    host = found["host"]
    cores = count(host["cores"], "core")
    load = host.get("load") or 0.0
    busy = " In the minute before the machine was busy." if load > 0.25 * host["cores"] else ""
    made = f"Recorded on {found['made'][:10]} ({host['processor']}, {cores}) by {COMMAND}, not in this run."
    return made + busy


def _scaling(found: Json) -> Table:
    rows = [row for name in SCALED for row in _systems(name, found["workloads"].get(name, {"found": {}}))]
    return Table(
        "What a second rank brings",
        ("", "samples a second on 1", "2 ranks", "2 apart", "of DDP's 2", "memory a rank"),
        rows,
        says=f"{when(found)} Two ranks have a batch each; apart, they do not talk, and that is the most that "
        "these cores give. DDP is PyTorch's DistributedDataParallel, by gloo. In brackets the quartiles.",
    )


def _systems(name: str, entry: Json) -> Iterator[tuple[str, ...]]:
    for system in ("dynamic", "static", "torch-ddp"):
        one, two, apart = (entry["found"].get(f"{system} {key}", {}) for key in ("one", "weak", "apart"))
        if "times" in two:
            yield (
                f"{SCALED[name]}, {system}",
                f"{one['rate']['median']:,.0f}",
                _times(two["times"]),
                _times(apart.get("times")),
                _times(two.get("ddp")),
                size(two["memory"]["step"]) if "memory" in two else "-",
            )


def _times(found: Any) -> str:
    if found is None:
        return "-"
    return f"{factor(found['median'])} times ({within(found['low'], found['high'], factor)})"


def _foretold(costs: Json) -> Iterator[Curves]:
    for measured in (True, False):
        these = [one for one in costs["predicted"] if one["measured"] == measured]
        series = []
        for one in these:
            name = one["title"].partition(",")[0]
            series.append(
                Series(
                    f"{name}: at worst, and up to the best", one["ranks"], one["worst"],
                    low=one["worst"], high=one["best"],
                )
            )  # fmt: skip
            if not measured:
                series.append(Series(f"{name}: sums by halving", one["ranks"], one["halving"], dashed=True))
        place = these[0]["place"]
        last = ", ".join(
            f"{one['title'].partition(',')[0]} {percent(one['worst'][-1])} to {percent(one['best'][-1])}"
            for one in these
        )
        yield Curves(
            f"Foretold and not measured: {place}", "ranks", "a step of one rank over a step of so many",
            series, log_x=True,
            says=f"On 1,024 ranks: {last}; assumptions: docs/ranks.md.",
        )  # fmt: skip
