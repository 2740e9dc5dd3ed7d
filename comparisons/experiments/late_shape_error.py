"""A shape error that only the data bring out, deep in a model: where does it lead?"""

from __future__ import annotations

import re
from typing import Any

from comparisons.lab.blocks import Json, Output, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import Verdict, by_design
from comparisons.statistics.quantities import OTHER, PAIR, count

MEND = "return x + self.table"
"""The line where it breaks, as it stands in every code."""

FORGET = """\
for node in static.get_default_graph().get_operations():
    node.line = None  # which line of the script made it
"""


# A table of eight positions, three calls deep in a model that is given nine words.


def late_dynamic() -> None:
    """The length of a sentence is known when there is one."""
    import numpy as np

    import dynamic
    from shared import nn

    class Positions(nn.Module):
        def __init__(self, *sizes):
            self.table = nn.Parameter(np.zeros(sizes, "float32"))

        def forward(self, x):
            return x + self.table

    embedded = nn.Sequential(nn.Embedding(20, 16), Positions(8, 16))
    model = nn.Sequential(embedded, nn.ReLU(), nn.Linear(16, 4))

    sentence = np.zeros((2, 9), np.int64)
    model(dynamic.tensor(sentence))


def late_static() -> None:
    """The length of a sentence, "T", is known when a run is fed one."""
    import numpy as np

    import static
    from shared import nn

    class Positions(nn.Module):
        def __init__(self, *sizes):
            self.table = nn.Parameter(np.zeros(sizes, "float32"))

        def forward(self, x):
            return x + self.table

    embedded = nn.Sequential(nn.Embedding(20, 16), Positions(8, 16))
    model = nn.Sequential(embedded, nn.ReLU(), nn.Linear(16, 4))

    words = static.placeholder("int64", ("N", "T"), name="words")
    logits = model(words)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        sentence = np.zeros((2, 9), np.int64)
        session.run(logits, {words: sentence})


def run(context: Context) -> dict[str, Any]:
    eager, late = source_of(late_dynamic), source_of(late_static)
    opened = "with static.Session()"
    bare = late.replace(opened, FORGET + opened)
    declared = late.replace('("N", "T")', '("N", 9)')
    assert len({late, bare, declared}) == 3
    on_dynamic = _ended(context, eager)
    return {
        "late": {"dynamic": on_dynamic, "static": _ended(context, late)},
        "bare": {"dynamic": on_dynamic, "static": _ended(context, bare)},
        "declared": {"dynamic": on_dynamic, "static": _ended(context, declared)},
    }


def _ended(context: Context, code: str) -> dict[str, Any]:
    """How a script ends in an interpreter of its own: the traceback as Python prints it, how many
    calls it lists, how many of them are lines of the script, and whether one is the line where it
    breaks. Of `error` see `attempt`."""
    found = context.fresh(code)
    said = found["err"].strip()
    last = re.split(r"^\S.* exception was the direct cause .*$", said, flags=re.MULTILINE)[-1]
    calls = re.findall(r'^  File "(.+)", line (\d+)', said, flags=re.MULTILINE)
    own = [int(number) - 1 for file, number in calls if file == "script.py"]
    kind, _, message = last.rpartition("\n")[2].partition(": ")
    named = re.search(r"\(your line: script\.py:(\d+)", message)
    breaks = next(i for i, line in enumerate(code.splitlines()) if line.strip() == MEND)
    return {
        "code": code,
        "out": found["out"],
        "error": {
            "type": kind.rpartition(".")[2],
            "message": message,
            "stopped": own[-1],
            "named": int(named[1]) - 1 if named else None,
        },
        "traceback": said + "\n",
        "calls": len(calls),
        "own": len(own),
        "breaks": breaks,
    }


# What is said of it.


def read(found: Json) -> Reading:
    late, bare, declared = found["late"], found["bare"], found["declared"]
    leader = _leader(late)
    return Reading(
        answer=_answer(late),
        verdicts=[
            by_design(_verdict("where a debugger stops when sizes clash in a run", late, "stopped")),
            by_design(_verdict("the line named in the error when sizes clash in a run", late, "named")),
        ],
        evidence=[
            Pair("Nine words for eight positions", late["dynamic"], late["static"],
                 says="The size clashes in `Positions.forward`, which a model calls that a model calls."),
            Output("The traceback, as Python prints it",
                   {engine: late[engine]["traceback"] for engine in PAIR},
                   says=" ".join(f"{e.capitalize()}: {_calls(late[e])}." for e in PAIR)),
            Table("Where each kind of error leads",
                  ("the program", "Python stands at", "the message names"), _rows(late, bare, declared)),
            Output("Static, its nodes without their lines", {"static": bare["static"]["traceback"]},
                   says="With `node.line = None` for every node."),
            Output("Static, the length declared", {"static": declared["static"]["traceback"]},
                   says=f'With `("N", 9)` for the placeholder. {_declared(declared)}'),
        ],
        means=_means(leader, bare),
        otherwise=_otherwise(leader, declared),
        threats=[
            "The model is three calls deep; dynamic's traceback grows with it.",
            "TensorFlow 1 named the node (`add_17`) and printed the stack on which it had been made.",
        ],
    )  # fmt: skip


def _stops(side: Json) -> bool:
    return bool(side["error"]["stopped"] == side["breaks"])


def _leader(late: Json) -> str | None:
    """The engine whose error stands where it breaks, if the other's does not."""
    there = [engine for engine in PAIR if _stops(late[engine])]
    return there[0] if len(there) == 1 else None


def _place(side: Json, mark: str) -> str:
    """A place in the script in a few words."""
    line = side["error"][mark]
    if line is None:
        return "no line"
    return "the line that breaks" if line == side["breaks"] else side["code"].splitlines()[line].strip()


def _verdict(title: str, case: Json, mark: str) -> Verdict:
    right = [engine for engine in PAIR if case[engine]["error"][mark] == case[engine]["breaks"]]
    on_dynamic, on_static = (_short(_place(case[engine], mark)) for engine in PAIR)
    return Verdict(title, on_dynamic, on_static, right[0] if len(right) == 1 else None)


def _short(place: str) -> str:
    return re.sub(r"\(.*\)$", "(...)", place)


def _calls(side: Json) -> str:
    own = f"{side['own']} of them in the script"
    where = "the line that breaks is" if _stops(side) else "the line that breaks is not"
    return f"{count(side['calls'], 'call')}, {own}; {where} among them"


def _rows(late: Json, bare: Json, declared: Json) -> list[tuple[str, str, str]]:
    sides = [
        ("dynamic", late["dynamic"]),
        ("static", late["static"]),
        ("static, lines forgotten", bare["static"]),
        ("static, length declared", declared["static"]),
    ]
    return [(label, _short(_place(side, "stopped")), _short(_place(side, "named"))) for label, side in sides]


def _answer(late: Json) -> str:
    said = []
    for engine in PAIR:
        side = late[engine]
        where = (
            "inside the model, at the line that breaks"
            if _stops(side)
            else (f"at `{_short(_place(side, 'stopped'))}`, outside of the model")
        )
        said.append(f"on {engine} Python stands {where}")
    named = [engine for engine in PAIR if late[engine]["error"]["named"] == late[engine]["breaks"]]
    tail = {0: "no message names that line", 2: "both messages name that line"}.get(
        len(named), f"only {''.join(named)}'s message names that line"
    )
    return f"O{said[0][1:]}, {said[1]}; {tail}."


def _declared(declared: Json) -> str:
    if _stops(declared["static"]):
        return "There static finds the clash, before any variable has a value."
    return "To declare the length does not bring the error forward."


def _means(leader: str | None, bare: Json) -> list[str]:
    if leader is None:
        return ["A debugger that stops at such an error stops at the same place on both engines."]
    other = OTHER[leader]
    return [
        f"A debugger that stops at {leader}'s error is inside the model; at {other}'s it is in the session, "
        "and the model returned long ago.",
        f"So what {leader} has by nature {other} has to write down: the line that made each node.",
    ]


def _otherwise(leader: str | None, declared: Json) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    if leader == "dynamic" and _stops(declared["static"]):
        return [
            'Say the size and static is the one to find it first: with `("N", 9)` in the placeholder the '
            "same clash is an error at the line that breaks, before anything runs.",
        ]
    if leader == "dynamic":
        return ["A run's traceback is short, and stays so however deep the model is."]
    return [
        "An error raised in the middle of the model has the values at hand, whatever its message says.",
    ]


EXPERIMENT = Experiment(
    name="late_shape_error",
    title="A shape error that only a run can find",
    question="Two sizes clash deep in my model, and only the data bring it out. Where does the error lead?",
    dimension="debugging",
    run=run,
    read=read,
    sizes=lambda found: (
        "A model of nested layers with a table of eight positions, and a sentence of nine words."
    ),
    level="",
)
