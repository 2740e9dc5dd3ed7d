"""What the first page asks the reader to beware of."""

from __future__ import annotations

from comparisons.report.page import by_size
from comparisons.report.tasks.lesson import TWICE
from comparisons.statistics.quantities import Json, count


def caveats(report: Json) -> list[str]:
    """What could make these figures mislead."""
    host = report["host"]
    gpu = host.get("gpu")
    said = [
        f"Both engines call the same kernels {'on the GPU, by CuPy' if gpu else 'on the CPU'}, but where "
        'static has made one of several ops, or, at "fast", computes the same in another way.',
        *by_size(report),
        "The models are small: each page says of what size its own are.",
        TWICE,
        "One seed, one machine, one run: quartiles and intervals say how far times scatter here, not how "
        "another machine would do.",
    ]
    if host["blas"].get("threads") == 1:
        said.append(
            "NumPy multiplied matrices with one thread, on both engines alike."
        )
    if not host["settled_first"]:
        said.append(
            "NumPy had been imported before the thread settings below were made, so they may not be "
            "in force, and times may scatter widely."
        )
    load = host["load"]
    if load is not None and load > 0.25 * host["cores"]:
        said.append(
            f"The machine was busy with other work when this began: {load:.1f} processes on "
            f"{count(host['cores'], 'core')}. Times are longer and scatter more than on a quiet one."
        )
    if gpu:
        said += [
            "Each batch is brought to the GPU within its step, on both engines. Before the clock is read the "
            "GPU is waited for: steps that overlap with the next one's Python would be faster.",
            "CuPy adds up in no fixed order where several values go to one place, so that two runs of one "
            "program may differ in their last bits.",
            "The experiments were left out: their programs compute on the CPU, and some count its threads or "
            "its memory.",
        ]
    if len(report["engines"]) == 1:
        said.append(f"Only {report['engines'][0]} was run.")
    return said
