"""What is timed beside the race: chains of tiny ops, static's passes and stages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comparisons.bench.peers import Peer
from comparisons.bench.process import ENGINES, HOME, START, WARM, PeerError, Process, Settings, last_words
from comparisons.bench.workloads import WORKLOADS
from comparisons.statistics.spread import spread


def overhead(
    peers: Sequence[Peer],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """Seconds per op of a chain of 1,000 additions and multiplications of one-element float32
    tensors, by peer: {forward, backward, both} as spreads, and `ratios` as in `race`."""
    rounds: dict[str, dict[str, list[Any]]] = {}
    running: dict[str, Process] = {}
    try:
        for peer in peers:
            try:
                running[peer.name] = Process(peer, "overhead", settings)
                rounds[peer.name] = {"forward": [], "backward": []}
                found[peer.name] = dict(running[peer.name].hello)
            except PeerError as error:
                found[peer.name] = {"error": str(error)}
        for turn in range(settings.rounds):
            watch(f"overhead: round {turn + 1} of {settings.rounds}")
            for name, process in running.items():
                answer = process.ask("chain", warm=WARM, count=settings.steps or 10)
                for way, seconds in answer.items():
                    rounds[name][way].append(seconds)
            _per_op(found, rounds)
    finally:
        for process in running.values():
            process.close()


def _per_op(found: dict[str, Any], rounds: Mapping[str, Any]) -> None:
    both = {
        name: [
            [f + b for f, b in zip(*turn, strict=True)]
            for turn in zip(ways["forward"], ways["backward"], strict=True)
        ]
        for name, ways in rounds.items()
    }
    middle = {name: [spread(turn)["median"] for turn in turns] for name, turns in both.items()}
    for name, ways in rounds.items():
        entry = found[name]
        for way, turns in {**ways, "both": both[name]}.items():
            entry[way] = spread([seconds for turn in turns for seconds in turn])
        entry["ratios"] = {
            engine: spread([b / a for a, b in zip(middle[engine], middle[name], strict=True)])
            for engine in ENGINES
            if engine in middle and engine != name
        }


def ablation(
    names: Sequence[str],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """What `comparisons.bench.ablation` finds for each workload, each in a process of its own."""
    code = START.format(home=HOME, module="comparisons.bench.ablation")
    for name in names:
        watch(f"passes: {name}")
        steps = settings.steps or WORKLOADS[name].steps
        found[name] = _asked(code, settings, name, "layer", str(settings.rounds), str(steps))


def _asked(code: str, settings: Settings, *arguments: str) -> dict[str, Any]:
    """What a process answers that is started for one question, or {error}."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
        env=os.environ | settings.environment(), start_new_session=True,
    )  # fmt: skip
    return {"error": last_words(done.stderr)} if done.returncode else json.loads(done.stdout)


def growth(
    counts: Sequence[int],
    settings: Settings,
    found: dict[str, Any],
    watch: Callable[[str], None] = lambda text: None,
) -> None:
    """Seconds of static's stages by the number of nodes in a chain, each in a process of its own."""
    code = START.format(home=HOME, module="comparisons.bench.growth")
    for count in counts:
        watch(f"graph: {count} nodes")
        found[str(count)] = _asked(code, settings, str(count))
