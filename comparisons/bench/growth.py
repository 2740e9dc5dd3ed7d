"""How the stages of define-and-run grow with the graph: run in a process of its own.

python -c "from comparisons.bench.growth import main; main()" 1000
"""

from __future__ import annotations

import gc
import json
import sys
from time import perf_counter

import numpy as np

import static

STAGES = ("build", "differentiate", "compile", "first_run", "run")


def measure(count: int) -> dict[str, float]:
    """Seconds of each stage for a chain of `count` nodes, and how many nodes there are in all."""
    gc.collect()
    found: dict[str, float] = {}
    graph = static.Graph()
    with graph.as_default():
        start = perf_counter()
        x, a, b = (static.placeholder("float32", (1,), name=name) for name in "xab")
        y = x
        for _ in range(count // 2):
            y = y * a
            y = y + b
        found["build"], start = perf_counter() - start, perf_counter()
        gradients = static.gradients(y, [x, a, b])
        found["differentiate"] = perf_counter() - start
    found["nodes"] = len(graph.nodes)
    feed = {placeholder: np.array([0.5], np.float32) for placeholder in (x, a, b)}
    with static.Session(graph=graph) as session:
        fetches = [y, *gradients]
        start = perf_counter()
        session.program(fetches, [x, a, b])
        found["compile"], start = perf_counter() - start, perf_counter()
        session.run(fetches, feed)
        found["first_run"] = perf_counter() - start
        times = []
        for _ in range(3):
            start = perf_counter()
            session.run(fetches, feed)
            times.append(perf_counter() - start)
        found["run"] = sorted(times)[1]
    return found


def main() -> None:
    """Print what is found for a number of nodes, as JSON."""
    count = int(sys.argv[1])
    measure(100)  # so that what is loaded at first use is there
    print(json.dumps(measure(count)))
