"""Who takes part: our engines and, where they are installed, those that people use."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from comparisons.bench.workloads import LARGER, WORKLOADS

ALL = tuple(WORKLOADS)
WITH_LARGER = (*ALL, *LARGER)
RECURRENT = tuple(name for name, workload in WORKLOADS.items() if workload.recurrent)
OVERHEAD = "overhead"
GRAPH = "graph"
PASSES = "passes"
WIRES = "wires"
SCALED = {f"ranks-{name}": name for name in ("mlp", "cnn", "lstm", "gpt")}
"""Of the workloads that are trained on several ranks, which model each has."""
ON_RANKS = (*SCALED, WIRES)
COMPILING = ("jax-jit", "torch-compile")
"""Peers that compile for long before their first loss."""


@dataclass(frozen=True)
class Peer:
    """One way to make a training step.

    name      what the table calls it
    family    what `--peers` calls it and its variants; "ours" always take part
    package   the package that must be there
    module    the one of this package that drives it: `train`, and `chain` for the overhead
    style     passed to `train`
    title     what it is, in words
    runs      the workloads that it is for
    slow      whether it compiles for minutes: left out of a quick run unless named
    losses    how many of the first losses are compared with dynamic's
    twin      the engine that trains the very same text, whose losses must be equal, all of them
    """

    name: str
    family: str
    package: str
    module: str
    style: str
    title: str
    runs: tuple[str, ...]
    slow: bool = False
    losses: int = 5
    twin: str = ""


OURS = (
    Peer(
        "dynamic", "ours", "dynamic", "on_dynamic", "layer",
        "layers with fused cells", (*WITH_LARGER, OVERHEAD, *ON_RANKS),
    ),
    Peer(
        "static", "ours", "static", "on_static", "layer",
        "layers with fused cells, at its default level", (*WITH_LARGER, OVERHEAD, *ON_RANKS),
    ),
    Peer(
        "static-exact", "ours", "static", "on_static", "exact",
        "the same at the level that keeps every bit", WITH_LARGER, twin="dynamic",
    ),
    Peer("dynamic-loop", "ours", "dynamic", "on_dynamic", "loop", "a loop around a cell", RECURRENT),
    Peer(
        "static-loop", "ours", "static", "on_static", "loop",
        "a loop around a cell, at its default level", RECURRENT,
    ),
    Peer(
        "dynamic-function", "ours", "dynamic", "on_dynamic", "layer exact",
        "the step of dynamic, decorated", WITH_LARGER, twin="dynamic",
    ),
    Peer(
        "dynamic-function-fast", "ours", "dynamic", "on_dynamic", "layer fast",
        "the same at the level fast", WITH_LARGER,
    ),
    Peer(
        "dynamic-function-loop", "ours", "dynamic", "on_dynamic", "loop fast",
        "the step of dynamic-loop, decorated, at the level fast", RECURRENT,
    ),
    Peer(
        "static-function", "ours", "static", "on_static_function", "layer",
        "the step of static as a static.function", WITH_LARGER,
    ),
)  # fmt: skip
OTHERS = (
    Peer(
        "torch-eager", "torch", "torch", "on_torch", "eager",
        "a loop around a cell", (*WITH_LARGER, OVERHEAD),
    ),
    Peer("torch-fused", "torch", "torch", "on_torch", "fused", "eager; nn.RNN, nn.LSTM", RECURRENT),
    Peer(
        "torch-compile", "torch", "torch", "on_torch", "compile",
        "the loss compiled", WITH_LARGER, slow=True,
    ),
    Peer(
        "torch-ddp", "torch", "torch", "on_torch", "fused",
        "DistributedDataParallel, by gloo", tuple(SCALED),
    ),
    Peer("jax-eager", "jax", "jax", "on_jax", "eager", "each op at once", ALL),
    Peer("jax-jit", "jax", "jax", "on_jax", "jit", "a jitted step, unrolled", WITH_LARGER, slow=True),
    Peer("jax-scan", "jax", "jax", "on_jax", "scan", "a jitted step with lax.scan", RECURRENT),
    Peer(
        "tensorflow-eager", "tensorflow", "tensorflow", "on_tensorflow", "eager", "each op at once", ALL,
    ),
    Peer("tensorflow", "tensorflow", "tensorflow", "on_tensorflow", "session", "compat.v1 Session", ALL),
    Peer("paddle-dynamic", "paddle", "paddle", "on_paddle", "dynamic", "dynamic mode; a loop", ALL),
    Peer("paddle-static", "paddle", "paddle", "on_paddle", "static", "static mode, same layers", ALL),
    Peer("dezero", "dezero", "dezero", "on_dezero", "layer", "its layers", (*ALL, OVERHEAD), losses=1),
)
FLOOR = Peer("numpy", "ours", "numpy", "on_numpy", "", "the arithmetic alone, no gradient", (OVERHEAD,))
PEERS = {peer.name: peer for peer in (*OURS, *OTHERS, FLOOR)}
"""By name, in the order in which they are shown."""

FAMILIES = tuple(dict.fromkeys(peer.family for peer in PEERS.values() if peer.family != "ours"))


def choose(wanted: tuple[str, ...], workloads: tuple[str, ...], quick: bool) -> list[Peer]:
    """Ours, and the wanted ones by family or name, that have something to do in these workloads.

    Raises KeyError with a name that is neither.
    """
    for name in wanted:
        if name not in FAMILIES and name not in PEERS:
            raise KeyError(name)
    return [
        peer
        for peer in PEERS.values()
        if set(peer.runs) & set(workloads)
        and (
            peer.name in wanted
            or peer.family == "ours"
            or (peer.family in wanted and not (quick and peer.slow))
        )
    ]


def passed_over(wanted: tuple[str, ...], workloads: tuple[str, ...], quick: bool) -> list[Peer]:
    """Of the wanted families, what a quick run leaves out because it compiles for minutes."""
    chosen = choose(wanted, workloads, quick)
    return [peer for peer in choose(wanted, workloads, quick=False) if peer not in chosen]


def installed(peer: Peer, pythons: Mapping[str, str]) -> bool:
    """Whether a peer can run in the Python that it is to run in."""
    python = pythons.get(peer.family)
    if python is None:
        return importlib.util.find_spec(peer.package) is not None
    ask = f"import sys, importlib.util as u; sys.exit(u.find_spec({peer.package!r}) is None)"
    return subprocess.run([python, "-c", ask], capture_output=True, check=False).returncode == 0
