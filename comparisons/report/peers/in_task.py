"""What a task's page says of other systems: the bench's workload that is next of kin to the task, in
every system that was raced in it, and whether the trade-off measured here is the one found there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comparisons.lab.blocks import Block, Prose, Table
from comparisons.report.peers.page import (
    BOTH_DESIGNS,
    PAGE,
    RESOLVED,
    Case,
    agreeing,
    cases,
    cold,
    left_out,
    ratio,
    sooner,
)
from comparisons.report.tasks.measured import both
from comparisons.statistics.effect import ahead, whole
from comparisons.statistics.quantities import PAIR, Json, count, factor, listed, seconds, spread_of

TITLE = "In other systems"
LEADS = {
    "dynamic": "running ops at once is ahead",
    "static": "the graph is ahead",
    None: "neither is resolved to be ahead",
}
WHEN = {"step": "Once running", "first": "To the first loss, cold"}


def in_other_systems(name: str, task: Json, peers: Json | None) -> Iterator[Block]:
    """The blocks for a task, from the report's entry on peers; None where none were raced."""
    kin = task.get("kin", "")
    if peers is None:
        if kin:
            yield Prose(TITLE, [
                f"This task's next of kin among the bench's workloads, `{kin}`, was recorded on {PAGE}; "
                f"`python -m comparisons run {name} --peers torch` races it beside this task.",
            ])  # fmt: skip
        return
    races = peers.get("found", {}).get("workloads", {})
    if not kin:
        yield Prose(TITLE, [
            "None of the bench's workloads is like this task, so it was raced in no other system. What was "
            f"found there of others is on {PAGE}.",
        ])  # fmt: skip
    elif kin not in races or not races[kin]["found"]:
        said = f"The workload `{kin}`, this task's next of kin, was not raced to an end; see {PAGE}."
        yield Prose(TITLE, [said])
    else:
        yield from _raced(kin, task, peers, races[kin])


def _raced(kin: str, task: Json, peers: Json, race: Json) -> Iterator[Block]:
    found = peers["found"]
    known = list(cases({"workloads": {kin: race}}))
    ours = next((case for case in known if case.system == "Diptych"), None)
    theirs = [case for case in known if case.system != "Diptych"]
    here = _here(task)
    kinship = [
        f"The next of kin among the workloads raced elsewhere is the bench's `{kin}`: {race['title']}, "
        f"by plain SGD. {task['unlike']}",
        *([_stands_in(here, ours)] if here and ours else []),
    ]
    if peers["status"] != "done":
        kinship.append("The race did not come to its end; this is what it had found.")
    yield Prose(TITLE, _compared(theirs, ours) if ours else [], says=" ".join(kinship))
    if known:
        yield _trade_off([*([here] if here else []), *known])
    yield _everyone(race["found"], [*left_out(found), f"How it was raced, and memory, is on {PAGE}."])


# --- the sentences --------------------------------------------------------------------------


def _here(task: Json) -> Case | None:
    """The task itself as a case, static at its default level as in the bench."""
    if not both(task):
        return None
    found = task["measure"]
    dynamic, static = (
        {"step": side["warm"]["step"], "build": side["cold"]["build"],
         "compile": side["cold"].get("compile", 0.0), "first": side["cold"]["first_step"]}
        for side in (found["engines"]["dynamic"], found.get("fast") or found["engines"]["static"])
    )  # fmt: skip
    leader = ahead(dynamic["step"], static["step"])
    return Case("Diptych", "this task", dynamic, static, leader, sooner(dynamic, static))


def _stands_in(here: Case, ours: Case) -> str:
    """Whether the workload comes out here as the task does."""
    apart = [what for what in WHEN if getattr(here, what) != getattr(ours, what)]
    if not apart:
        return "In Diptych the workload comes out as the task does, in who is ahead."
    said = [
        f"{WHEN[what][0].lower()}{WHEN[what][1:]}, {LEADS[getattr(here, what)]} on the task and "
        f"{LEADS[getattr(ours, what)]} on the workload"
        for what in apart
    ]
    return f"In Diptych the workload does not come out as the task does: {'; '.join(said)}."


def _compared(theirs: Sequence[Case], ours: Case) -> list[str]:
    """Who is ahead in each system, and what follows."""
    if not theirs:
        return ["No other system that was raced has both designs, so only speeds stand side by side."]
    said = [_led(what, theirs, ours) for what in WHEN]
    holds = {case.system: _holds(case, ours) for case in theirs}
    verdicts = [
        f"{words} in {listed([system for system, found in holds.items() if found == words])}"
        for words in dict.fromkeys(holds.values())
    ]
    return [*said, f"So the trade-off that this workload shows here {', '.join(verdicts)}."]


def _holds(case: Case, ours: Case) -> str:
    """Whether the designs come out in a system as they do here, as far as one is seen to be ahead in both."""
    found = [agreeing([case], {case.workload: ours}, what) for what in WHEN]
    same, of = sum(pair[0] for pair in found), sum(pair[1] for pair in found)
    if not of:
        return "is not resolved"
    return "holds" if same == of else "holds in part" if same else "does not hold"


def _led(what: str, theirs: Sequence[Case], ours: Case) -> str:
    leader = getattr(ours, what)
    parts = [f"{WHEN[what]}, {LEADS[leader]} in Diptych"]
    for other in (leader, *(each for each in LEADS if each != leader)):
        systems = [case.system for case in theirs if getattr(case, what) == other]
        if systems:
            parts.append(f"{'so it is' if other == leader else LEADS[other]} in {listed(systems)}")
    return f"{', '.join(parts)}."


# --- the tables -----------------------------------------------------------------------------


def _trade_off(known: Sequence[Case]) -> Table:
    """For each system the first loss and a later step in either design, and what the graph gains."""
    rows, leaders = [], []
    names = {"dynamic": "at once", "static": "as a graph", None: None}
    for case in known:
        where = f"{case.system}, this task" if case.workload == "this task" else case.system
        firsts = [cold(side) for side in (case.eager, case.graph)]
        steps = [side["step"] for side in (case.eager, case.graph)]
        rows.append((f"{where}: first loss, cold", *map(seconds, firsts), _times(case.first, *firsts)))
        medians = [step["median"] for step in steps]
        rows.append((
            f"{where}: a later step, warm", *map(spread_of, steps),
            f"{_times(case.step, *medians)}{_won_back(case)}",
        ))  # fmt: skip
        leaders += [names[case.first], names[case.step]]
    says = (
        "Where a system offers both. Static runs at `fast`. Cold is a fresh process, once, from its model "
        "to its first loss, imports apart; warm is the median step and its quartiles. A gilded dot marks "
        "what is ahead: of steps where that is resolved, of first losses by a factor of two, since each was "
        "taken once."
    )
    columns = ("", "at once", "as a graph", "the graph is")
    return Table(f"{TITLE}: both designs of each", columns, rows, leaders, says=says)


def _times(leader: str | None, eager: float, graph: float) -> str:
    if leader is None:
        return "not resolved"
    if leader == "static":
        return f"{factor(eager / graph)} times as fast"
    return f"{factor(graph / eager)} times as slow"


def _won_back(case: Case) -> str:
    """After how many steps the graph has made up for its start."""
    owed = cold(case.graph) - cold(case.eager)
    if case.first != "dynamic":
        return ""
    if case.step != "static":
        return ", not seen to win its start back"
    won = case.eager["step"]["median"] - case.graph["step"]["median"]
    return f", by the medians made up for after {count(whole(1 + owed / won), 'step')}"


def _everyone(found: Json, more: Sequence[str]) -> Table:
    """A row for each that ran, the two designs of a system next to each other."""
    paired = [name for _, *pair in BOTH_DESIGNS for name in pair if name in found]
    ours = {"dynamic", "static"} & found.keys()
    first = [name for name in paired if name in ours]
    rest = [name for name in found if name not in first]
    order = [*first, *sorted(rest, key=lambda name: _place(name, rest))]
    rows = [_row(name, found[name], found) for name in order]
    says = [
        "Cold and warm as above. How many times as fast, or as slow, ours are, by the median of the "
        f"rounds. {RESOLVED}", *more,
    ]  # fmt: skip
    columns = ("", "first loss, cold", "a later step, warm", "dynamic is", "static is")
    return Table(f"{TITLE}: all that were raced", columns, rows, says=" ".join(says))


def _place(name: str, names: Sequence[str]) -> tuple[int, int]:
    """Where a peer stands: with the first of its system, its two designs before its other variants."""
    for _, *pair in BOTH_DESIGNS:
        if name in pair:
            start = min(names.index(each) for each in pair if each in names)
            return start, pair.index(name)
    return names.index(name), 2


def _row(name: str, side: Json, found: Json) -> tuple[str, ...]:
    if "step" not in side:
        return (name, side.get("error", "not measured"), "-", "-", "-")
    return (
        f"{name} {side.get('version', '')}".strip(), seconds(cold(side)), spread_of(side["step"]),
        *(ratio(found, engine, side) for engine in PAIR),
    )  # fmt: skip
