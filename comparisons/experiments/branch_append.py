"""Python's `append` in both branches of a choice: how often does it happen?"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import by_design, counted
from comparisons.statistics.quantities import PAIR, count, listed

X = (3.0, -1.0, 2.0, 5.0)

# A branch that makes a note in a list of Python's.


def noted_dynamic() -> dict[str, Any]:
    """Four numbers; each branch makes a note."""
    import dynamic

    taken: list[str] = []
    results = []
    before = len(taken)
    for value in X:
        x = dynamic.tensor(value)
        if x > 0:
            taken.append("positive")
            y = x * 2
        else:
            taken.append("negative")
            y = -x
        results.append((y.item(), len(taken)))
    return {"before": before, "taken": taken, "results": results}


def noted_static() -> dict[str, Any]:
    """Four numbers; each branch makes a note."""
    import static

    taken: list[str] = []
    results = []

    def positive():
        taken.append("positive")
        return x * 2

    def negative():
        taken.append("negative")
        return -x

    x = static.placeholder("float32", (), name="x")
    y = static.cond(x > 0, positive, negative)
    before = len(taken)
    with static.Session() as session:
        for value in X:
            result = session.run(y, {x: value})
            results.append((result.item(), len(taken)))
    return {"before": before, "taken": taken, "results": results}


# The note made of what comes out.


def fetched_dynamic() -> dict[str, Any]:
    """Four numbers; the note is made beside the result."""
    import dynamic

    taken: list[str] = []
    results = []
    before = len(taken)
    for value in X:
        x = dynamic.tensor(value)
        yes = x > 0
        y = x * 2 if yes else -x
        taken.append("positive" if yes else "negative")
        results.append((y.item(), len(taken)))
    return {"before": before, "taken": taken, "results": results}


def fetched_static() -> dict[str, Any]:
    """Four numbers; the condition is fetched beside the result."""
    import static

    taken: list[str] = []
    results = []
    x = static.placeholder("float32", (), name="x")
    chosen = x > 0
    y = static.cond(chosen, lambda: x * 2, lambda: -x)
    before = len(taken)
    with static.Session() as session:
        for value in X:
            result, yes = session.run([y, chosen], {x: value})
            taken.append("positive" if yes else "negative")
            results.append((result.item(), len(taken)))
    return {"before": before, "taken": taken, "results": results}


def run(context: Context) -> dict[str, Any]:
    return {
        "numbers": list(X),
        "branches": ["positive" if value > 0 else "negative" for value in X],
        "noted": {"dynamic": attempt(noted_dynamic), "static": attempt(noted_static)},
        "fetched": {"dynamic": attempt(fetched_dynamic), "static": attempt(fetched_static)},
    }


# What is said of it.


def read(found: Json) -> Reading:
    noted, fetched, branches = found["noted"], found["fetched"], found["branches"]
    values = {engine: noted[engine]["value"] for engine in PAIR}
    made = {engine: sum(_each(values[engine])) for engine in PAIR}
    true = [engine for engine in PAIR if values[engine]["taken"] == branches]
    wrong = [engine for engine in PAIR if engine not in true]
    return Reading(
        answer=_answer(values, made, true, wrong),
        verdicts=[
            by_design(counted(f"list appends that {len(branches)} calls of a branch made", made["dynamic"],
                              made["static"], more=True)),
        ],
        evidence=[
            Pair("A note in each branch", noted["dynamic"], noted["static"], says=_computed(values)),
            Table(
                "The list as it grew",
                ("", "branch taken", "notes added, dynamic", "notes added, static"),
                _rows(found["numbers"], branches, values),
            ),
            Pair("The note made of what comes out", fetched["dynamic"], fetched["static"],
                 says=_fetched(fetched, branches)),
        ],
        means=_means(true, wrong, fetched, branches),
        otherwise=_otherwise(wrong),
        threats=[
            "So it is with whatever Python does beside the graph: a counter, a file, `print`.",
            "TensorFlow 1 called both functions of `tf.cond` while the graph was built, too.",
        ],
    )  # fmt: skip


def _each(value: Json) -> list[int]:
    """How many notes each call added."""
    lengths = [value["before"], *(length for _, length in value["results"])]
    return [after - before for before, after in pairwise(lengths)]


def _rows(numbers: list[float], branches: list[str], values: Json) -> list[tuple[str, ...]]:
    added = {engine: _each(values[engine]) for engine in PAIR}
    rows = [("before the first call", "", *(str(values[engine]["before"]) for engine in PAIR))]
    return rows + [
        (f"a call with {number:g}", branch, *(str(added[engine][at]) for engine in PAIR))
        for at, (number, branch) in enumerate(zip(numbers, branches, strict=True))
    ]


def _notes(number: int) -> str:
    return count(number, "note") if number else "no note"


def _answer(values: Json, made: Json, true: list[str], wrong: list[str]) -> str:
    calls = len(values["dynamic"]["results"])
    if not wrong:
        return f"On both engines {count(calls, 'call')} leave {count(calls, 'note')}, one for each, and true."
    said = [
        f"on {engine} {count(calls, 'call')} leave {_notes(made[engine])}, and "
        f"{_notes(values[engine]['before'])} stood there before the first"
        for engine in wrong
    ]
    head = [f"on {engine} each call leaves its note" for engine in true]
    text = "; ".join([*head, *said])
    return f"O{text[1:]}."


def _computed(values: Json) -> str:
    numbers = {engine: [number for number, _ in values[engine]["results"]] for engine in PAIR}
    if numbers["dynamic"] == numbers["static"]:
        return f"Both compute {numbers['dynamic']}: the right branch is taken each time."
    return f"Dynamic computes {numbers['dynamic']}, static {numbers['static']}."


def _fetched(fetched: Json, branches: list[str]) -> str:
    true = [engine for engine in PAIR if fetched[engine]["value"]["taken"] == branches]
    if not true:
        return "Written like this, the list is wrong on both engines."
    return f"Written like this, the list is right on {listed(true)}."


def _means(true: list[str], wrong: list[str], fetched: Json, branches: list[str]) -> list[str]:
    said = [
        f"On {engine} what stands in a branch happens when it is taken."
        for engine in true
    ]
    said += [
        f"On {engine} Python goes through both branches once, to describe them: its effects happen when "
        "nothing has been decided, and never again."
        for engine in wrong
    ]
    mended = [engine for engine in wrong if fetched[engine]["value"]["taken"] == branches]
    said += [
        f"What shall be known of a run of {engine} is fetched from it."
        for engine in mended
    ]
    return said


def _otherwise(wrong: list[str]) -> list[str]:
    if len(wrong) != 1:
        return ["Neither side is seen to have come off worse."]
    reasons = {
        "static": "The choice is part of the program: saved with the model, it runs where there is no "
        "Python.",
        "dynamic": "A branch that is Python's own can do what Python can, whatever became of the note here.",
    }
    return [reasons[wrong[0]]]


EXPERIMENT = Experiment(
    name="branch_append",
    title="A note made in a branch",
    question="Each branch of a choice appends to a list. What stands in the list?",
    dimension="control_flow",
    run=run,
    read=read,
    sizes=lambda found: f"A choice between two branches, called with {len(found['numbers'])} numbers.",
    level="",
)
