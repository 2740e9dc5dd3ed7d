"""The tables of a benchmark, in a terminal and as plain text, from its JSON alone."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from comparisons.bench.peers import COMPILING, GRAPH, OVERHEAD, PASSES, SCALED, WIRES
from comparisons.bench.race import COLD_GOAL, WARM_GOAL, to_first_loss
from comparisons.bench.ranks import tables as of_ranks
from comparisons.bench.text import ABSENT, TextTable, agreement_of, ratio_of, spread_of
from comparisons.machine.host import blas_of


def tables(report: Mapping[str, Any]) -> list[TextTable]:
    """All that a report has to show."""
    return [table(name, report) for name in report["workloads"]]


def table(name: str, report: Mapping[str, Any]) -> TextTable:
    """One workload."""
    entry = report["workloads"][name]
    return DRAWN.get(name, _race)(name, entry)


def heading(report: Mapping[str, Any]) -> str:
    """The machine, the settings and the versions."""
    machine, settings = report["host"], report["settings"]
    environment = ", ".join(
        f"{key}={value}"
        for key, value in settings["environment"].items()
        if key.startswith(("OMP", "OPENBLAS"))
    )
    in_each = f"{settings['steps'] or 'as many steps as the workload says'}"
    in_each += " steps" if settings["steps"] else ""
    load = machine.get("load")
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}",
        ", ".join(f"{package} {version}" for package, version in machine["packages"].items()),
        f"products: {blas_of(machine)}",
        f"threads: {settings['threads']} in every pool ({environment})",
        f"{settings['rounds']} rounds, {in_each} in each after {settings['warm']} to warm up; processes in "
        "turn; the median, and in brackets the quartiles",
    ]
    if load is not None and load >= 0.5:
        lines.append(f"load before the start: {load:.1f}, so other work took part: trust CPU more than step")
    if report["not_installed"]:
        lines.append(f"not installed, so left out: {', '.join(report['not_installed'])}")
    return "\n".join(lines)


def _race(name: str, entry: Mapping[str, Any]) -> TextTable:
    rows = []
    for peer, found in entry["found"].items():
        if "step" not in found:
            rows.append([peer, found.get("error", "not measured")[:60], *[ABSENT] * 8])
            continue
        memory = found.get("memory")
        rows.append(
            [
                f"{peer} {found['version']}".strip(),
                spread_of(found["step"], 1e3, 2),
                ratio_of(found["ratios"].get("dynamic")),
                ratio_of(found["ratios"].get("static")),
                f"{median(found['cpu']) * 1e3:.2f}",
                f"{found['import']:.2f}" if "import" in found else ABSENT,
                f"{to_first_loss(found):.3f}",
                _warm(found),
                f"{memory['step'] / 2**20:.1f}" if memory else ABSENT,
                agreement_of(found.get("agrees")),
            ]
        )
    columns = [
        "", "step, ms", "dynamic is", "static is", "CPU, ms", "import, s", "to first loss, s: cold", "warm",
        "memory, MiB", "losses",
    ]  # fmt: skip
    return TextTable(f"{name}: {entry['title']}", columns, rows, _goals(entry))


def _warm(found: Mapping[str, Any]) -> str:
    starts = found.get("warm")
    return f"{median(map(to_first_loss, starts)):.3f}" if starts else ABSENT


def _start_goals(found: Mapping[str, Any]) -> list[str]:
    """Whether static's first loss comes as soon as we want."""
    ours, said = found.get("static", {}), []
    if "step" not in ours:
        return []
    for peer in COMPILING:
        if "step" in found.get(peer, {}):
            share = to_first_loss(ours) / to_first_loss(found[peer])
            met = "reached" if share <= COLD_GOAL else "missed"
            wants = f"static's first loss, cold, in at most {COLD_GOAL:g} of the time of {peer}"
            said.append(f"goal {met}: {wants}, is {share:.2g}")
    if starts := ours.get("warm"):
        spent = median(map(to_first_loss, starts))
        met = "reached" if spent <= WARM_GOAL else "missed"
        said.append(f"goal {met}: static's first loss, warm, within {WARM_GOAL:g} s, is {spent:.3f} s")
    return said


def _goals(entry: Mapping[str, Any]) -> list[str]:
    said = _start_goals(entry["found"])
    for peer, goal in entry.get("goals", {}).items():
        ratio = entry["found"].get(peer, {}).get("ratios", {}).get("dynamic")
        if ratio:
            met = "reached" if ratio["median"] >= goal else "missed"
            wants = f"dynamic at least {goal:g} times as fast as {peer}"
            said.append(f"goal {met}: {wants}, is {ratio['median']:.2f}")
    return said


def _overhead(name: str, entry: Mapping[str, Any]) -> TextTable:
    rows = []
    for peer, found in entry["found"].items():
        if "both" not in found:
            rows.append([peer, found.get("error", "not measured")[:60], *[ABSENT] * 4])
            continue
        ways = [spread_of(found[way], 1e6, 2) for way in ("forward", "backward", "both")]
        if peer == "numpy":
            ways[1:] = [ABSENT, ABSENT]
        ratios = [ratio_of(found["ratios"].get(engine)) for engine in ("dynamic", "static")]
        rows.append([f"{peer} {found['version']}".strip(), *ways, *ratios])
    columns = ["", "forward, us", "backward, us", "both, us", "dynamic is", "static is"]
    return TextTable(f"{name}: {entry['title']}", columns, rows)


def _graph(name: str, entry: Mapping[str, Any]) -> TextTable:
    rows = []
    stages = ("build", "differentiate", "compile", "run")
    for count, found in entry["found"].items():
        if "error" in found:
            rows.append([f"{int(count):,}", found["error"][:60], *[ABSENT] * 4])
            continue
        cells = [f"{found[s]:.3f} s ({found[s] / found['nodes'] * 1e6:.2f} us)" for s in stages]
        rows.append([f"{int(count):,}", f"{found['nodes']:,}", *cells])
    columns = ["chain", "nodes in all", *stages]
    notes = ["In brackets: for each node. Growth is linear where these stay the same down a column."]
    return TextTable(f"{name}: {entry['title']}", columns, rows, notes)


def _passes(name: str, entry: Mapping[str, Any]) -> TextTable:
    """Every variant of every workload, beside the time of the one with all passes."""
    rows = []
    for workload, found in entry["found"].items():
        if "error" in found:
            rows.append([workload, found["error"][:60], *[ABSENT] * 5])
            continue
        whole = found["all"]["step"]["median"]
        for variant, of in found.items():
            rows.append(
                [
                    f"{workload}: {variant}",
                    spread_of(of["step"], 1e3, 2),
                    f"{100 * of['step']['median'] / whole:.0f} %",
                    f"{of['compile'] * 1e3:.0f}",
                    f"{of['steps']:,}",
                    f"{of['products']:,}",
                    f"{of['bytes'] / 2**20:.1f}",
                ]
            )
    columns = ["", "step, ms", "of all", "compile, ms", "steps", "products", "MiB made"]
    notes = ["A pass that is left out and leaves more than 100 % is worth having; less, and it costs time."]
    return TextTable(f"{name}: {entry['title']}", columns, rows, notes)


DRAWN = {
    OVERHEAD: _overhead, GRAPH: _graph, PASSES: _passes, WIRES: of_ranks.wires,
    **dict.fromkeys(SCALED, of_ranks.scaling),
}  # fmt: skip
"""What has a table of its own kind, by the workload's name."""
