"""The tables of what was measured on many ranks, from its JSON alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comparisons.bench.ranks.scaling import CASES
from comparisons.bench.text import ABSENT, TextTable, agreement_of, ratio_of, spread_of
from comparisons.statistics.quantities import number, percent, seconds, size, spread_of as in_words, within

GOALS = {"times": 1.8, "ddp": 1.2}
"""What two ranks with a batch each want of the rate of one, and of PyTorch's two."""


def scaling(name: str, entry: Mapping[str, Any]) -> TextTable:
    """One workload: every system in every case."""
    rows = []
    for at, found in entry["found"].items():
        system, _, key = at.rpartition(" ")
        title = f"{system}, {CASES[key].title}"
        if "error" in found:
            rows.append([title, found["error"][:60], *[ABSENT] * 6])
            continue
        memory = found.get("memory")
        rows.append(
            [
                title,
                spread_of(found["rate"], 1, 0) if "rate" in found else ABSENT,
                ratio_of(found.get("times")),
                ratio_of(found.get("ddp")),
                f"{1e3 * found['cpu']['median']:.2f}" if "cpu" in found else ABSENT,
                f"{memory['step'] / 2**20:.1f}" if memory else ABSENT,
                f"{memory['whole'] / 2**20:.0f}" if memory else ABSENT,
                agreement_of(found.get("agrees")),
            ]
        )
    columns = [
        "", "samples/s", "of one rank", "of torch-ddp", "CPU a step, ms", "memory a rank, MiB", "in all",
        "losses",
    ]  # fmt: skip
    notes = [
        "One thread a rank. Losses of ranks that share a batch are held against one rank's on all of it."
    ]
    return TextTable(f"{name}: {entry['title']}", columns, rows, [*notes, *_goals(entry["found"])])


def _goals(found: Mapping[str, Any]) -> list[str]:
    said = []
    for system in ("dynamic", "static"):
        ours, theirs = found.get(f"{system} weak", {}), found.get("torch-ddp weak", {})
        for what, words in (("times", "1"), ("ddp", "torch-ddp")):
            if what in ours:
                is_, wanted = ours[what]["median"], GOALS[what]
                met = "reached" if is_ >= wanted else "missed"
                said.append(
                    f"goal {met}: {system} on 2 ranks {wanted:g} times the rate of {words}, {is_:.2f}"
                )
        if "memory" in ours and "memory" in theirs:
            mine, other = (side["memory"]["step"] / 2**20 for side in (ours, theirs))
            met = "reached" if mine < other else "missed"
            said.append(f"goal {met}: {system} less memory a rank than torch-ddp, {mine:.1f} of {other:.1f}")
    return said


def wires(name: str, entry: Mapping[str, Any]) -> TextTable:
    """Messages, sums beside what was foretold of them, and efficiencies that are foretold."""
    found = entry["found"]["ranks"]
    if "costs" not in found:
        why = found.get("error", "not measured")
        return TextTable(f"{name}: {entry['title']}", ["", ""], [[why, ABSENT]])
    rows = [
        [
            size(int(bytes_)),
            in_words(found["echo"][bytes_]) if bytes_ in found["echo"] else ABSENT,
            *(cell for n in ("2", "4") for cell in _sum(found["sums"][n].get(bytes_))),
        ]
        for bytes_ in found["echo"]
    ]
    columns = ["bytes", "one way", "sum, 2 ranks", "foretold", "sum, 4 ranks", "foretold"]
    return TextTable(f"{name}: {entry['title']}", columns, rows, [*constants(found), *_foretold(found)])


def _sum(at: Mapping[str, Any] | None) -> tuple[str, str]:
    return (in_words(at["measured"]), seconds(at["predicted"])) if at else (ABSENT, ABSENT)


def constants(found: Mapping[str, Any]) -> list[str]:
    """What the model is made of, in sentences."""
    costs, intervals = found["costs"], found["intervals"]
    (_, *alpha), (beta, *betas) = intervals["alpha"], intervals["beta"]
    rates = within(1e-9 / max(betas[1], 1e-15), 1e-9 / max(betas[0], 1e-15), lambda rate: f"{rate:.1f}")
    handshakes = found["handshake"]
    return [
        f"A message takes {seconds(costs['alpha'])} ({within(alpha[0], alpha[1], seconds)}) and its bytes "
        f"go at {1e-9 / beta:.1f} GB/s ({rates}), by least squares; in brackets two standard errors.",
        f"A sum takes {seconds(costs['call'])} by itself; its bytes are added at "
        f"{1e-9 / costs['gamma']:.1f} GB/s, and copied into a message and out of it at "
        f"{1e-9 / costs['copy']:.1f} GB/s.",
        f"A handshake adds {in_words(handshakes['2'])} on 2 ranks, {in_words(handshakes['4'])} on 4.",
    ]


def _foretold(found: Mapping[str, Any]) -> list[str]:
    said = []
    for one in found.get("predicted", ()):
        shares = [
            f"{number(n)} ranks {percent(worst)} to {percent(best)}"
            for n, best, worst in zip(one["ranks"], one["best"], one["worst"], strict=True)
            if n in (2, 8, 64, 1024)
        ]
        said.append(f"Foretold, not measured: {one['title']}; {one['place']}: {', '.join(shares)}.")
    return said
