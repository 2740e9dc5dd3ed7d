"""The things that a graph may get wrong: what comes of each, on the engines, on the bridge and elsewhere?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dynamic.bridge
from comparisons.lab.blocks import Cell, Json, Listing, Matrix, Pair, Row
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import by_design, counted
from comparisons.pitfalls import FAMILIES, PITFALLS, Pitfall, peers
from comparisons.pitfalls.pitfall import ABSENT, OTHER, REFUSED, SAME, outcome, verdict
from comparisons.pitfalls.systems import OURS, PEERS, SYSTEMS, built
from comparisons.statistics.quantities import OTHER as THE_OTHER, PAIR, count, listed

KINDS = {
    SAME: ("same", "=", "as Python gives it"),
    REFUSED: ("refused", "!", "refused with an error"),
    OTHER: ("other", "≠", "something else, in silence"),
    ABSENT: ("absent", "-", "no such thing there"),
}
"""By verdict: the name, the sign and the words of a cell."""
SHOWN = "closure"
"""The pitfall that stands on the page in full."""


def run(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = {name: {} for name in PITFALLS}
    worth, dynamic.bridge.WORTH = dynamic.bridge.WORTH, 0
    try:
        for pitfall in PITFALLS.values():
            for system in OURS:
                came = outcome(pitfall.text(system.name), system.words())
                found[pitfall.name][system.name] = came | {"code": source_of(pitfall.text(system.name))}
    finally:
        dynamic.bridge.WORTH = worth
    others = {}
    for system in PEERS:
        context.note(system.name)
        live = peers.live(system.name) if context.full else None
        came = live or peers.recorded()[system.name]
        for name, cell in came.pop("found").items():
            if name in PITFALLS and cell["text"] == peers.digest(PITFALLS[name], system.name):
                found[name][system.name] = cell | {"code": peers.code(PITFALLS[name], system.name)}
        others[system.name] = came | {"live": live is not None}
    return {"cells": found, "others": others, "graph": source_of(built)}


# What is said of it.


def read(found: Json) -> Reading:
    cells, others = found["cells"], found["others"]
    known = [name for name in PITFALLS if name in cells]
    tallies = {system: _tally(cells, known, system) for system in SYSTEMS}
    kept = {engine: tallies[engine][SAME] for engine in PAIR}
    return Reading(
        answer=_answer(tallies, len(known)),
        verdicts=[
            by_design(counted(f"of {len(known)} pitfalls of tracing, the result of plain Python",
                              kept["dynamic"],
                              kept["static"], more=True)),
        ],
        evidence=[
            _matrix(cells, known, others),
            Pair(PITFALLS[SHOWN].title, *(_side(found, engine) for engine in PAIR),
                 says=f"{PITFALLS[SHOWN].says} `function` makes functions: nothing on dynamic, the following "
                 "on static."),
            Listing("What makes a function on static", found["graph"], "static",
                    says="A graph made in the first call, which a session runs in each."),
        ],
        means=_means(kept),
        otherwise=_otherwise(kept),
        threats=[
            *_when(others),
            "Which pitfalls there are was decided here; each is one text of many that fall into it.",
            "On this page `dynamic.function` follows functions of any length, and from their first call on.",
        ],
    )  # fmt: skip


def _tally(cells: Json, known: list[str], system: str) -> dict[str, int]:
    came = [
        verdict(cells[name][system], PITFALLS[name].right) for name in known if system in cells[name]
    ]
    return {kind: came.count(kind) for kind in KINDS}


def _answer(tallies: dict[str, dict[str, int]], many: int) -> str:
    wrong = {system: tally[OTHER] for system, tally in tallies.items()}
    others = [f"{system.name} into {wrong[system.name]}" for system in PEERS]
    return (
        f"Of {many} pitfalls dynamic falls into {wrong['dynamic']} in silence, and a graph that is built "
        f"once, static's way, into {wrong['static']}; `dynamic.function` into {wrong['dynamic.function']}, "
        f"`static.function` into {wrong['static.function']}, {listed(others)}."
    )


def _means(kept: dict[str, int]) -> list[str]:
    if kept["dynamic"] == kept["static"]:
        return ["Neither design is seen to lose more of Python than the other."]
    leader = max(PAIR, key=lambda engine: kept[engine])
    said = {
        "dynamic": "Where Python runs in each call, what it says is what happens; where it is run once, "
        "what it said then is what happens ever after. `dynamic.function` lets Python run and compares; "
        "`static.function` watches names, attributes and small lists, and refuses time, chance and "
        "iterators; what is read from a file, say, it does not see.",
        "static": "A graph kept more of Python here than the engine that runs it.",
    }
    return [said[leader]]


def _otherwise(kept: dict[str, int]) -> list[str]:
    if kept["dynamic"] == kept["static"]:
        return ["Neither side came off worse."]
    behind = THE_OTHER[max(PAIR, key=lambda engine: kept[engine])]
    said = {
        "static": "That Python is gone by the time it runs is what a graph is for.",
        "dynamic": "Dynamic looks at everything in each call, which is what makes it easy to change.",
    }
    return [said[behind]]


def _when(others: Json) -> Iterator[str]:
    """When other systems were run."""
    for name, at in others.items():
        backend = ', backend="eager",' if name == "torch.compile" else ""
        ran = "was run with this page" if at["live"] else f"was run on {at['made']} ({at['processor']})"
        yield f"`{name}`{backend} of {SYSTEMS[name].package} {at['version']}, Python {at['python']}, {ran}."


def _side(found: Json, engine: str) -> Json:
    cell = found["cells"][SHOWN][engine]
    error = cell["error"]
    said = f"{error['type']}: {error['message']}" if error else str(cell["value"])
    return {"code": cell["code"], "out": said}


def _matrix(cells: Json, known: list[str], others: Json) -> Matrix:
    groups = [
        (family.title, [_row(family[name], cells[name]) for name in family if name in known])
        for family in FAMILIES
    ]
    old = [name for name, at in others.items() if not at["live"]]
    says = (
        "A row opens to its code, and to what each system said. A number: how often it was traced. "
        + (f"Columns in italics ({listed(old)}) were recorded before." if old else "")
    )
    kinds = {name: (sign, words) for name, sign, words in KINDS.values()}
    return Matrix("What came of each", [*SYSTEMS], old, kinds, groups, says=says.strip())


def _row(pitfall: Pitfall, cells: Json) -> Row:
    texts: dict[str, list[tuple[str, str, str]]] = {}
    shown = []
    for system in SYSTEMS:
        if system not in cells:
            shown.append(Cell(KINDS[ABSENT][0]))
            continue
        kind = KINDS[verdict(cells[system], pitfall.right)][0]
        traces = cells[system]["traces"] or 0
        shown.append(Cell(kind, f"{traces}x" if traces > 1 else ""))
        results = texts.setdefault(cells[system]["code"], [])
        results.append((system, kind, _said(cells[system])))
    return Row(pitfall.title, pitfall.says, shown, [*texts.items()])


def _said(cell: Json) -> str:
    error = cell["error"]
    return f"{error['type']}: {error['message']}" if error else repr(cell["value"])


EXPERIMENT = Experiment(
    name="pitfalls",
    title="The pitfalls",
    question="My function is made into a graph. Is it still what I wrote?",
    dimension="bridge",
    run=run,
    read=read,
    sizes=lambda found: f"{count(len(found['cells']), 'text')} of a few lines, on arrays of a few numbers.",
    level="",
)
