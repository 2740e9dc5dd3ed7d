"""`python -m comparisons bench`: chooses who races in what, and writes the results down."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from comparisons.bench import chains, process, race
from comparisons.bench.peers import (
    FAMILIES,
    GRAPH,
    ON_RANKS,
    OVERHEAD,
    PASSES,
    PEERS,
    SCALED,
    WIRES,
    Peer,
    choose,
    installed,
    passed_over,
)
from comparisons.bench.ranks import scaling, wires
from comparisons.bench.workloads import EVERY, LARGER, WORKLOADS
from comparisons.machine import host
from shared.durable import files

FORMAT = 1
USUAL = (*WORKLOADS, OVERHEAD, GRAPH, PASSES)
RANKS = "ranks"
"""What all workloads on ranks are called together."""
NAMES = (*USUAL, *LARGER, *ON_RANKS)
QUICK_PASSES = ("mlp", "tiny")
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000, 10_000)
ROUNDS, QUICK_ROUNDS, QUICK_STEPS = 7, 3, 3


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def bench(
    names: Sequence[str],
    wanted: Sequence[str],
    settings: process.Settings,
    quick: bool = False,
    watch: Callable[[str], None] = lambda text: None,
    done: Callable[[str, dict[str, Any]], None] = lambda name, report: None,
) -> dict[str, Any]:
    """Race in the named workloads, and give all that was found out, as JSON.

    names   of workloads, "ranks" being all those on ranks; if there are none, all but these and the larger
            ones
    wanted  families or names of peers
    watch   told what is being done
    done    told the name of each workload that is over

    Ctrl-C ends it early: `status` then says "interrupted".
    """
    chosen = tuple(one for name in names or USUAL for one in (ON_RANKS if name == RANKS else (name,)))
    peers = choose(tuple(wanted), chosen, quick)
    families = tuple(dict.fromkeys(peer.family for peer in peers))
    missing = {
        family
        for family in families
        if not installed(next(peer for peer in peers if peer.family == family), settings.pythons)
    }
    peers = [peer for peer in peers if peer.family not in missing]
    report: dict[str, Any] = {
        "format": FORMAT,
        "kind": "bench",
        "status": "running",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": host.describe(),
        "settings": {
            "rounds": settings.rounds,
            "steps": settings.steps,
            "threads": settings.threads,
            "environment": settings.environment(),
            "warm": process.WARM,
            "tolerance": race.TOLERANCE,
        },
        "not_installed": sorted(missing),
        "too_slow": [peer.name for peer in passed_over(tuple(wanted), chosen, quick)],
        "peers": {peer.name: {"family": peer.family, "title": peer.title} for peer in peers},
        "workloads": {},
    }
    try:
        for name in chosen:
            _one(name, peers, settings, quick, report, watch)
            done(name, report)
    except KeyboardInterrupt:
        report["status"] = "interrupted"
    else:
        report["status"] = "done"
    return report


def _one(
    name: str,
    peers: Sequence[Peer],
    settings: process.Settings,
    quick: bool,
    report: dict[str, Any],
    watch: Callable[[str], None],
) -> None:
    found: dict[str, Any] = {}
    entry = report["workloads"][name] = {"title": TITLES[name], "found": found}
    racers = [peer for peer in peers if name in peer.runs]
    if name == GRAPH:
        chains.growth(QUICK_SIZES if quick else SIZES, settings, found, watch)
    elif name == PASSES:
        chains.ablation(QUICK_PASSES if quick else tuple(WORKLOADS), settings, found, watch)
    elif name == OVERHEAD:
        chains.overhead(racers, settings, found, watch)
    elif name == WIRES:
        _wires(settings, found, watch)
    elif name in SCALED:
        scaling.scaling(SCALED[name], racers, settings, found, watch)
    else:
        entry["goals"] = dict(EVERY[name].goals)
        race.race(name, racers, settings, found, watch)


def _wires(settings: process.Settings, found: dict[str, Any], watch: Callable[[str], None]) -> None:
    made = found["ranks"] = {}
    try:
        wires.wires(settings, made, watch)
    except process.PeerError as error:
        found["ranks"] = {"error": str(error)}


TITLES = {name: workload.title for name, workload in EVERY.items()} | {
    OVERHEAD: "a chain of 1,000 additions and multiplications of one-element tensors, for each op",
    GRAPH: "static's stages for a chain of nodes and its gradient",
    PASSES: "a training step with each pass of static's optimiser left out, and added one by one",
    WIRES: "messages, sums over ranks and handshakes, and what a model of their cost foretells",
} | {name: EVERY[model].title for name, model in SCALED.items()}


def failures(report: Mapping[str, Any]) -> list[str]:
    """What failed, and what disagreed with its reference, in words."""
    said = []
    for name, entry in report["workloads"].items():
        for peer, found in entry["found"].items():
            if "error" in found:
                said.append(f"{name}: {peer}: {found['error']}")
            if "memory_error" in found:
                said.append(f"{name}: memory of {peer}: {found['memory_error']}")
            agrees = found.get("agrees")
            if agrees and not agrees["agrees"]:
                said.append(f"{name}: the losses of {peer} are not those of {agrees['with']}")
    return said


def save(report: Mapping[str, Any], path: Path) -> None:
    """Write the report as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, json.dumps(report, indent=1, allow_nan=False) + "\n", "bench")


def pythons(given: Sequence[str]) -> dict[str, str]:
    """`PEER=PATH` options as a dict. ValueError, in words, for one that is none."""
    found = {}
    for text in given:
        family, _, path = text.partition("=")
        if family not in FAMILIES or not path:
            raise ValueError(f"{text!r} is not PEER=PATH; the peers are {', '.join(FAMILIES)}")
        found[family] = str(Path(path).absolute())  # not resolved: a virtual environment's is a link
    return found


def main(
    names: Sequence[str],
    peers: str,
    python: Sequence[str],
    rounds: int | None,
    steps: int | None,
    threads: int | None,
    quick: bool,
    json_file: str | None,
) -> int:
    """The command: prints tables as they come, and gives the exit status."""
    wanted = [name for name in peers.split(",") if name]
    _check("WORKLOAD", names, (*NAMES, RANKS))
    _check("--peers", wanted, (*FAMILIES, *PEERS))
    try:
        where = pythons(python)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--python") from error
    if quick:
        rounds = rounds or QUICK_ROUNDS
        steps = steps or QUICK_STEPS
    settings = process.Settings(rounds or ROUNDS, steps, threads or cores(), where)
    aside = json_file == "-"
    if json_file is not None and not aside:
        files.check_writable(Path(json_file).parent, "--json")
    say = Screen(aside)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = bench(names, wanted, settings, quick, say.watch, say.done)
    finally:
        signal.signal(signal.SIGTERM, before)
    if report["status"] == "interrupted":
        say.rest(report)
    for text in failures(report):
        click.echo(f"failed: {text}", err=True)
    if aside:
        click.echo(json.dumps(report, indent=1, allow_nan=False))
    elif json_file is not None:
        save(report, Path(json_file))
        click.echo(f"The numbers: {json_file}")
    return 130 if report["status"] == "interrupted" else int(bool(failures(report)))


def _check(option: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            there = ", ".join(dict.fromkeys(known))
            raise click.BadParameter(f"{name!r} is none of {there}", param_hint=option)


class Screen:
    """Says what is going on, and shows each table when it is there.

    On a terminal what is going on is one line that changes; elsewhere it goes to stderr.
    """

    def __init__(self, aside: bool) -> None:
        from rich.console import Console

        self.console = Console(stderr=aside, highlight=False)
        self.status = self.console.status("") if self.console.is_terminal else None
        self.shown: set[str] = set()

    def watch(self, text: str) -> None:
        """Something is being done."""
        if self.status is None:
            click.echo(text, err=True)
            return
        self.status.start()
        self.status.update(text)

    def done(self, name: str, report: Mapping[str, Any]) -> None:
        """A workload is over."""
        from comparisons.bench.table import heading, table

        if self.status is not None:
            self.status.stop()
        if not self.shown:
            self.console.print(heading(report), soft_wrap=True)
        self.shown.add(name)
        found = table(name, report)
        self.console.print()
        if self.status is None:
            self.console.print(found.text(), soft_wrap=True, markup=False)
        else:
            self.console.print(found.rich())

    def rest(self, report: Mapping[str, Any]) -> None:
        """It was interrupted: show what had been measured of the last one."""
        if self.status is not None:
            self.status.stop()
        click.echo("Interrupted; what follows is what there is.", err=True)
        for name in report["workloads"]:
            if name not in self.shown:
                self.done(name, report)
