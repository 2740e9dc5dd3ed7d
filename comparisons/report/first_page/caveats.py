"""What the first page asks the reader to beware of."""

from __future__ import annotations

from comparisons.statistics.quantities import Json, count


def caveats(report: Json) -> list[str]:
    """What could make these figures mislead."""
    host = report["host"]
    gpu = host.get("gpu")
    said = [
        f"Both engines call the same {'CuPy kernels on the GPU' if gpu else 'NumPy kernels on the CPU'}. The "
        "difference between them is the design; how fast either is beside another library is a different "
        "question.",
        "The models are small. The larger the arrays, the more of a step the kernels fill, and the less the "
        "design weighs.",
        "Static holds every parameter twice, in the model and in the session, because one model is to "
        "serve both engines. A system that has only sessions would not.",
        "One seed, one machine, one run of the whole: the quartiles say how far single steps scatter, not "
        "how another machine would do.",
    ]
    if host["blas"].get("threads") == 1:
        said.append(
            "NumPy multiplied matrices with one thread. These are too small to gain from more; larger "
            "ones would, on both engines alike."
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
