"""The page on other systems: does what was found here hold where people work?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from comparisons.lab.blocks import Panels, Table
from comparisons.lab.dimensions import Dimension
from comparisons.lab.reading import Reading
from comparisons.report.look.panels import Dot, Line, stacked
from comparisons.report.page import Page
from comparisons.statistics.effect import ahead, smaller
from comparisons.statistics.quantities import (
    PAIR,
    Json,
    at_most,
    count,
    listed,
    no_further,
    number,
    seconds,
    size,
    spread_of,
)

NAME = "peers"
PEERS = Dimension(NAME, "Other systems", "Does it hold in the systems that people use?")
"""What stands in the place of a dimension on this page."""

PAGE = f"[the page on other systems]({NAME}.html)"
"""A link to it, as a sentence has one."""

BOTH_DESIGNS = (
    ("Diptych", "dynamic", "static"),
    ("PyTorch", "torch-eager", "torch-compile"),
    ("TensorFlow", "tensorflow-eager", "tensorflow"),
    ("JAX", "jax-eager", "jax-jit"),
    ("Paddle", "paddle-dynamic", "paddle-static"),
)
"""Systems that offer both designs: a name, what runs ops at once, and what makes a graph first."""


class Case(NamedTuple):
    """A workload in a system that offers both designs. `step` and `first` are the design that is ahead
    ("dynamic", "static" or None) once running, and to the first loss of a process that has run nothing."""

    system: str
    workload: str
    eager: Json
    graph: Json
    step: str | None
    first: str | None


def page_of_peers(report: Json) -> Page | None:
    """The page: of those that were asked for, or else, where a task was compared, of what was recorded."""
    entry = report.get(NAME)
    if entry is None:
        compared = any(task["verify"] for task in report["tasks"].values())
        return _recorded(recorded()) if compared and RECORDED.exists() else None
    reading, trouble = None, ""
    if entry["status"] == "failed":
        trouble = f"The race failed. {entry['error']['type']}: {entry['error']['message']}"
    elif entry["status"] != "done":
        trouble = "The race was interrupted before it was finished."
    if "found" in entry:
        reading = read(entry["found"])
    full = " --full" if report["full"] else ""
    command = f"python -m comparisons run stepper{full} {options(entry)}"
    method = _method(entry["found"]) if "found" in entry else []
    return Page(NAME, TITLE, QUESTION, PEERS, reading, trouble, method, command)


TITLE = "Does it hold in the systems people use?"
QUESTION = (
    "The same models, weights and batches in other systems: is the design that is ahead here ahead there?"
)
RECORDED = Path(__file__).with_name("recorded.json")
"""A race that was run once, with its date, its host and the versions of all that ran."""


@cache
def recorded() -> Json:
    """That race, as the bench gave it."""
    found: Json = json.loads(RECORDED.read_text(encoding="utf-8"))
    return found


def when(found: Json) -> str:
    """When and on what a race was run."""
    host = found["host"]
    return f"on {found['made'][:10]} ({host['processor']}, {count(host['cores'], 'core')})"


def _recorded(found: Json) -> Page:
    reading = read(found)
    said = replace(
        reading, answer=f"Recorded {when(found)}, and not in this run. {reading.answer}",
        threats=[*reading.threats, *_busy(found["host"])],
    )  # fmt: skip
    return Page(NAME, TITLE, QUESTION, PEERS, said, "", _method(found), RACE)


def _busy(host: Json) -> list[str]:
    """Whether other work was done beside the race."""
    if (host.get("load") or 0.0) <= 0.25 * host["cores"]:
        return []
    return [
        f"Other work was done beside this race ({host['load']:.1f} processes on "
        f"{count(host['cores'], 'core')}): what is not resolved here may be elsewhere."
    ]


RACE = "python -m comparisons run stepper --full --peers torch,tensorflow,jax,paddle"
"""What races them anew."""


def options(entry: Json) -> str:
    """What makes a run race those that were asked for."""
    elsewhere = (f"--python {family}={path}" for family, path in entry.get("pythons", {}).items())
    return " ".join([f"--peers {','.join(entry['asked'])}", *elsewhere])


def _method(found: Json) -> list[str]:
    settings = found["settings"]
    in_each = count(settings["steps"], "step") if settings["steps"] else "as many steps as the workload says"
    said = [
        f"Every variant in a process of its own, with pools of {count(settings['threads'], 'thread')}; "
        f"{count(settings['rounds'], 'round')} in turn, {in_each} each, after {number(settings['warm'])} to "
        "warm up. Cold is a fresh process, once, from its model on, imports apart. Static runs at `fast`, "
        "its default.",
    ]
    return [*said, *left_out(found)]


def left_out(found: Json) -> list[str]:
    """What was asked for and not raced, and why."""
    said = []
    if found["not_installed"]:
        said.append(f"Not installed here, so left out: {listed(found['not_installed'])}.")
    if slow := found.get("too_slow"):
        said.append(f"What compiles for minutes is left out of a quick run, unless named: {listed(slow)}.")
    return said


# --- the reading ------------------------------------------------------------------------------


def cold(entry: Json) -> float:
    """Seconds of a process that has run nothing, from its model to its first loss, imports apart."""
    return float(sum(entry.get(phase, 0.0) for phase in ("build", "compile", "first")))


ONCE = 0.5
"""Cold times nearer than this share of each other are not told apart: each was taken once."""


def sooner(eager: Json, graph: Json) -> str | None:
    """The design whose first loss comes sooner, cold; None if they are close."""
    one, other = cold(eager), cold(graph)
    return None if abs(one - other) <= ONCE * max(one, other) else smaller(one, other)


def cases(found: Json) -> Iterator[Case]:
    """Every system that offers both designs, in every workload that both were measured in."""
    for workload, entry in found["workloads"].items():
        for system, eager, graph in BOTH_DESIGNS:
            one, other = (entry["found"].get(name, {}) for name in (eager, graph))
            if "step" in one and "step" in other:
                leader = ahead(one["step"], other["step"])
                yield Case(system, workload, one, other, leader, sooner(one, other))


def read(found: Json) -> Reading:
    """What the page says of a bench's report."""
    known = list(cases(found))
    ours = {case.workload: case for case in known if case.system == "Diptych"}
    theirs = [case for case in known if case.system != "Diptych" and case.workload in ours]
    return Reading(
        answer=_answer(theirs, ours),
        verdicts=[],
        evidence=[*([_drawn(known, ours), _designs(known)] if known else []), *_races(found)],
        happened=_speeds(found),
        means=_means(theirs, ours),
        otherwise=[
            "A system that is slower here may be faster on larger arrays, more cores, an accelerator."
        ],
        threats=[
            "The models are the bench's, like the tasks of this report but not the same ones.",
            "Only the first losses are compared, within a tolerance.",
            "CPU alone, and few cores.",
        ],
    )


def agreeing(theirs: Sequence[Case], ours: dict[str, Case], what: str) -> tuple[int, int]:
    """In how many cases the same design is ahead there and here, and of how many: of those in which
    one is seen to be ahead on both sides."""
    pairs = [(getattr(case, what), getattr(ours[case.workload], what)) for case in theirs]
    told = [(there, here) for there, here in pairs if there and here]
    return sum(there == here for there, here in told), len(told)


def _answer(theirs: Sequence[Case], ours: dict[str, Case]) -> str:
    if not theirs:
        return "No other system measured here offers both designs, so only speeds stand side by side."
    (steps, of), (firsts, all_firsts) = (agreeing(theirs, ours, what) for what in ("step", "first"))
    systems = listed(list(dict.fromkeys(case.system for case in theirs)))
    left = "" if of == all_firsts == len(theirs) else " Cases in which it is not resolved are left out."
    same = "the one that is ahead here"
    if not of and not all_firsts:
        return f"In {systems}, it is not resolved whether the design that is ahead here is ahead there."
    if not of:
        return (
            f"In {systems}, the design that is ahead to the first loss is {same} in {firsts} of "
            f"{count(all_firsts, 'case')}; once running, it is resolved in no case.{left}"
        )
    first = "it is resolved in no case" if not all_firsts else f"in {firsts}"
    first += f" of {all_firsts}" if all_firsts and all_firsts != of else ""
    return (
        f"In {systems}, the design that is ahead once running is {same} in {steps} of "
        f"{count(of, 'case')}; to the first loss, {first}.{left}"
    )


def _speeds(found: Json) -> list[str]:
    """The fastest of all in each workload, where that is resolved."""
    said = []
    for workload, entry in found["workloads"].items():
        timed = {name: side["step"] for name, side in entry["found"].items() if "step" in side}
        if len(timed) < 2:
            continue
        best, second, *_ = sorted(timed, key=lambda name: timed[name]["median"])
        figure = spread_of(timed[best])
        if ahead(timed[best], timed[second]) is None:
            said.append(
                f"Which makes the shortest step on the {workload} is not resolved: {best} takes {figure}, "
                f"{second} {spread_of(timed[second])}."
            )
        else:
            said.append(f"Of all, {best} makes the shortest step on the {workload}: {figure}.")
    return said


def _means(theirs: Sequence[Case], ours: dict[str, Case]) -> list[str]:
    if not theirs:
        return ["Whether the trade-off holds elsewhere can be said only where a system offers both designs."]
    said = []
    for what, words in (("step", "once it runs"), ("first", "to the first loss")):
        same, of = agreeing(theirs, ours, what)
        if not of:
            said.append(
                f"Whether what is said in this report of the designs {words} holds there is not resolved."
            )
        elif same == of:
            said.append(f"What is said in this report of the designs {words} holds there too.")
        elif same == 0:
            said.append(f"What is said in this report of the designs {words} does not hold there.")
        else:
            said.append(f"What is said in this report of the designs {words} holds there in part.")
    return said


# --- what is shown ----------------------------------------------------------------------------


SIGNS = {"Diptych": "D", "PyTorch": "Py", "TensorFlow": "TF", "JAX": "Jx", "Paddle": "Pa"}


def _drawn(known: Sequence[Case], ours: dict[str, Case]) -> Panels:
    """Every case on two panels: ops at once on the left, the graph on the right."""
    lines = []
    for workload, here in ours.items():
        cases_of = [case for case in known if case.workload == workload]
        for what, words in (("step", "a step"), ("first", "the first loss, cold")):
            dots = [_dot(case, what) for case in cases_of]
            same, of = agreeing([case for case in cases_of if case is not here], ours, what)
            said = f"{same} of {of} as here" if of else "not resolved"
            lines.append(Line(f"{workload}: {words}", stacked(dots), said, getattr(here, what)))
    signs = listed([f"{sign} "
    f"{system}" for system, sign in SIGNS.items() if any(c.system == system for c in known)])
    return Panels(
        "Drawn", lines, ("at once is ahead", "the graph is ahead"),
        alt="; ".join(f"{line.title}: {line.says}" for line in lines),
        says=f"{signs}. Further out: a larger factor; on the hinge: not resolved.",
    )  # fmt: skip


def _dot(case: Case, what: str) -> Dot:
    """A case: how many times as long the slower design takes."""
    eager, graph = (
        side["step"]["median"] if what == "step" else cold(side) for side in (case.eager, case.graph)
    )
    says = f"{case.system}: {seconds(eager)} at once, {seconds(graph)} as a graph"
    times = max(eager, graph) / min(eager, graph)
    return Dot(getattr(case, what), times, says, SIGNS.get(case.system, "?"), case.system == "Diptych")


def _designs(known: Sequence[Case]) -> Table:
    names = {"dynamic": "at once", "static": "as a graph"}
    rows, leaders = [], []
    for case in known:
        for what, leader, values in (
            ("a step", case.step, [spread_of(side["step"]) for side in (case.eager, case.graph)]),
            ("first loss, cold", case.first, [seconds(cold(side)) for side in (case.eager, case.graph)]),
        ):
            rows.append((f"{case.system}, {case.workload}: {what}", *values))
            leaders.append(names[leader] if leader else None)
    says = (
        "Where a system offers both. A gilded dot marks what is ahead: for steps where that is resolved, "
        "for the first loss, which was timed once, by a factor of two."
    )
    return Table("Both designs in one system", ("", *names.values()), rows, leaders, says=says)


def _races(found: Json) -> Iterator[Table]:
    columns = ("", "a step", "dynamic is", "static is", "first loss, cold", "memory", "first losses")
    says = "The median step and its quartiles; how many times as fast, or as slow, ours are as each, by the "
    says += f"median of the rounds. {RESOLVED}"
    for workload, entry in found["workloads"].items():
        rows = [_row(name, side, entry["found"]) for name, side in entry["found"].items()]
        yield Table(f"{workload}: {entry['title']}", columns, rows, says=says)
        says = ""  # the same of all


def _row(name: str, side: Json, found: Json) -> tuple[str, ...]:
    if "step" not in side:
        return (name, side.get("error", "not measured"), *["-"] * 5)
    memory = side.get("memory")
    return (
        f"{name} {side.get('version', '')}".strip(),
        spread_of(side["step"]),
        *(ratio(found, engine, side) for engine in PAIR),
        seconds(cold(side)),
        size(memory["step"]) if memory else "-",
        _agreement(side.get("agrees")),
    )


RESOLVED = "Where the steps are not resolved to differ, or the rounds do not agree, it is not resolved."


def ratio(found: Json, engine: str, side: Json) -> str:
    """How many times as fast ours is; a slowdown as one. It is not resolved where the steps are not, so
    that no row says what the table of both designs leaves open, nor where the rounds do not agree."""
    rounds = side["ratios"].get(engine)
    if rounds is None:
        return "-"
    times = rounds["median"]
    leader = ahead(found[engine]["step"], side["step"])
    agreed = times > 1 if leader == "dynamic" else times < 1  # the first of two spreads is ours
    if leader is None or not agreed or rounds["low"] <= 1 <= rounds["high"]:
        return "not resolved"
    return f"{times:.1f} times as fast" if times >= 1 else f"{1 / times:.1f} times as slow"


def _agreement(found: Any) -> str:
    if found is None:
        return "the reference"
    if found["bitwise"]:
        return "equal bit for bit"
    if found["error"] is None:
        return "not finite"
    return no_further(found["error"]) if found["agrees"] else f"off by {at_most(found['error'])}"
