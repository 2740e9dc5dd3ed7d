"""What a page draws from a task's numbers: the answer, static's two levels, what it means, where the
side that came off worse is nevertheless right, and what to beware of."""

from __future__ import annotations

from comparisons.report.tasks.happened import parity, same_encoding
from comparisons.report.tasks.measured import both, warm_pair
from comparisons.statistics.effect import ahead, break_even, effect, smaller
from comparisons.statistics.quantities import (
    OTHER,
    PAIR,
    Json,
    at_most,
    count,
    listed,
    number,
    spread_of,
    steps_of,
    times_of,
)


def answer(task: Json) -> str:
    """Whether they are the same numbers, and who is ahead in what."""
    found = task["verify"]
    if found is None:
        return parity(task)
    how = "bit for bit" if found["tolerance"] is None else f"within {found['tolerance']:g} of their size"
    said = (
        f"The losses are the same on both engines, {how}."
        if found["equal"]
        else "The engines do not give the same numbers."
    )
    return f"{said} {_costs(task)}" if both(task) else said


def leaders(task: Json) -> dict[str, str | None]:
    """Who is ahead in each of the three costs: the time of a step, the first result, memory."""
    dynamic, static = warm_pair(task)
    peaks = [task["measure"]["engines"][engine]["memory"]["peak"]["bytes"] for engine in PAIR]
    return {
        "step": ahead(dynamic["step"], static["step"]),
        "start": ahead(dynamic["start"], static["start"]),
        "memory": smaller(*peaks),
    }


WON = {
    "step": "makes a step in less time",
    "start": "has its first result sooner",
    "memory": "holds less memory",
}


def _costs(task: Json) -> str:
    found = leaders(task)
    won = {engine: [WON[cost] for cost, leader in found.items() if leader == engine] for engine in PAIR}
    said = [f"{engine} {listed(what)}" for engine, what in won.items() if what]
    if not said:
        return "Neither is resolved to be ahead in time or in memory."
    said = ["; ".join(said)]
    return f"{said[0][0].upper()}{said[0][1:]}."


def levels(task: Json) -> str:
    """What static's level "fast" gains over "exact", and what it does to the losses."""
    fast = task["measure"]["fast"]
    exact, quick = task["measure"]["engines"]["static"]["warm"]["step"], fast["warm"]["step"]
    said = f"{spread_of(exact)} at `exact`, {spread_of(quick)} at `fast`"
    found = effect(exact, quick)
    if found.leader is None:
        gain = f"At which level a step of static is shorter is not resolved: {said}."
    else:
        leader = "`exact`" if found.leader == "dynamic" else "`fast`"
        gain = f"A step of static is shorter at {leader}, {times_of(found)}: {said}."
    return f"{gain} {_drift(fast['losses'])}"


def _drift(found: Json) -> str:
    stated = f"the {found['tolerance']:g} that is stated"
    if not found["within"]:
        apart = "no number" if found["first_apart"] is None else f"{found['first_apart']:.1e} of their size"
        return (
            f"The first {count(found['first'], 'loss', 'losses')} at `fast` are off those at `exact` by "
            f"{apart}, more than {stated}: this level does not keep its promise here."
        )
    if found["apart"] == 0:
        return (
            f"All {count(found['steps'], 'loss', 'losses')} that were compared are the same at both levels: "
            "nothing that `fast` rearranged here changes a bit of them."
        )
    apart = "beyond any number" if found["apart"] is None else f"by {at_most(found['apart'])} of their size"
    off = found["first_apart"]
    first = f"are off those at `exact` by {at_most(off)} of their size, within {stated}"
    if off == 0:
        first = "are those at `exact`, bit for bit"
    return (
        f"The first {count(found['first'], 'loss', 'losses')} {first}; over all {number(found['steps'])} "
        f"steps, in which training makes the smallest difference larger, they are off {apart}."
    )


# --- what it means --------------------------------------------------------------------------


def means(task: Json) -> list[str]:
    """What follows for who chooses a design for such a model."""
    if not both(task):
        return []
    found, said = leaders(task), []
    if not same_encoding(task):
        said.append(
            "Examples that differ in shape are what define-by-run was made for: its script treats one at a "
            "time; static's one graph takes a batch."
        )
    if not same_encoding(task):
        said.append(
            "Which design is the faster one these times do not tell."
        )
    elif found["step"] is None:
        said.append("Which design is the faster one for a running training is not resolved here.")
    else:
        said.append(
            f"For a model like this that trains for long, {found['step']} is the design to choose for speed."
        )
    even = break_even(*warm_pair(task))
    if even is not None and same_encoding(task):
        said.append(
            f"For fewer than {steps_of(even)}, as while one tries and changes, dynamic is done sooner."
        )
    return said


def otherwise(task: Json) -> list[str]:
    """Where the engine that came off worse is right after all."""
    if not both(task):
        return []
    found = leaders(task)
    lost = dict.fromkeys(OTHER[leader] for leader in found.values() if leader)
    if not lost:
        return [
            "Neither is resolved to have come off worse."
        ]
    return [DEFENCE[engine] for engine in PAIR if engine in lost]


DEFENCE = {
    "dynamic": "What dynamic spends buys a script that stops at the line that fails, and can be changed "
    "between two steps.",
    "static": "What static spends buys a whole that can be looked through, kept in a file and run elsewhere.",
}


ON_GPU = (
    "Both engines call the same CuPy kernels, on the GPU, which is waited for before the clock is read, so "
    "that nothing of a step runs beside the next one's Python."
)
"""What stands on the page of a task that was trained there, in the place of what is said of the CPU."""
TWICE = "Static holds every parameter twice, in the model and in the session: one model serves both engines."


def threats(task: Json) -> list[str]:
    """What could make the page misleading."""
    said = [ON_GPU] if task.get("device") == "cuda" else []
    if not same_encoding(task):
        said.append(
            "The two scripts are two encodings of one task: the times compare a loop over examples with a "
            "batch, which could be written on dynamic too."
        )
    if task["measure"]:
        said.append(
            "The scripts ask for `exact`, so that the bits can be compared; a user would leave it at `fast`."
        )
    return said
