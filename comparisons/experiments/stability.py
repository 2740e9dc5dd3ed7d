"""A formula that floating point spoils: who computes it in the form that keeps the numbers?"""

from __future__ import annotations

import ast
from math import inf
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import attempt
from comparisons.lab.verdict import counted
from comparisons.statistics.quantities import OTHER, PAIR, count, listed
from shared import ops
from static.compile.passes.stabilize import PATTERNS

X = np.array([0.0, 0.5, -0.5], np.float32)
TRIED = np.array([-1000.0, 1e-8, 1000.0], np.float32)
"""What each formula is tried on: far below zero, near it, far above."""
LOST = 0.01
"""A value that is off by more than this share of the right one, or is not finite, counts as lost."""


def naive_dynamic() -> None:
    """As the formula stands in a textbook."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X, requires_grad=True)
    y = ops.log(ops.softmax(1000 * x))
    grad = dynamic.grad(y[2], x)
    print(y.tolist())
    print(grad.tolist())


def naive_static() -> None:
    """As the formula stands in a textbook."""
    import static
    from shared import ops

    x = static.placeholder("float32", (3,))
    y = ops.log(ops.softmax(1000 * x))
    (grad,) = static.gradients(y[2], [x])
    with static.Session() as session:
        for found in session.run([y, grad], {x: X}):
            print(found.tolist())


def careful_dynamic() -> None:
    """By the op that is made for it."""
    import dynamic
    from shared import ops

    x = dynamic.tensor(X, requires_grad=True)
    y = ops.log_softmax(1000 * x)
    grad = dynamic.grad(y[2], x)
    print(y.tolist())
    print(grad.tolist())


def careful_static() -> None:
    """By the op that is made for it."""
    import static
    from shared import ops

    x = static.placeholder("float32", (3,))
    y = ops.log_softmax(1000 * x)
    (grad,) = static.gradients(y[2], [x])
    with static.Session() as session:
        for found in session.run([y, grad], {x: X}):
            print(found.tolist())


def run(context: Context) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        pairs = {
            "naive": {"dynamic": attempt(naive_dynamic), "static": attempt(naive_static)},
            "careful": {"dynamic": attempt(careful_dynamic), "static": attempt(careful_static)},
        }
        tried, listed_only = [], []
        for pattern in PATTERNS:
            context.note(f"{pattern.old}")
            told = {"old": pattern.old, "new": pattern.new, "why": pattern.why}
            if "g" in _names(pattern.old):  # g is a gradient that arrives
                listed_only.append(told)
            else:
                tried.append(told | _tried(pattern))
    return pairs | {"tried": tried, "listed": listed_only}


def _tried(pattern: Any) -> dict[str, Any]:
    """A formula on each engine, beside what it is in float64 by the other form: the number that came
    out worst, and how far it is off."""
    wide = np.atleast_1d(_formula(pattern.new)(TRIED.astype(np.float64)))
    found = {"dynamic": _formula(pattern.old)(dynamic.tensor(TRIED)).numpy()}
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", TRIED.shape)
        y = _formula(pattern.old)(x)
    for name, level in (("static", "fast"), ("exact", "exact")):
        with static.Session(graph, optimize=level) as session:
            found[name] = session.run(y, {x: TRIED})
    made = {name: np.atleast_1d(y) for name, y in found.items()}
    off = {name: [_off(*pair) for pair in zip(y, wide, strict=True)] for name, y in made.items()}
    known = [place for place, right in enumerate(wide) if np.isfinite(right)]
    worst = max(known, key=lambda place: max(_size(one[place]) for one in off.values()))
    return {"right": f"{wide[worst]:.6g}"} | {
        name: {"value": f"{y[worst]:.6g}", "off": off[name][worst]} for name, y in made.items()
    }


def _formula(text: str) -> Any:
    """The function of x that a pattern's text stands for: in the text are ops and numbers alone."""
    names = {name: getattr(ops, name) for name in ops.__all__}
    return lambda x: eval(text, {**names, "x": x, "a": 0, "k": False})


def _size(off: float | None) -> float:
    return inf if off is None else off


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _off(found: float, right: float) -> float | None:
    if not np.isfinite(found) or not np.isfinite(right):
        return None
    return abs(float(found) - float(right)) / max(abs(float(right)), 1e-30)


# What is said of it.


def read(found: Json) -> Reading:
    tried = found["tried"]
    lost = {name: [row for row in tried if _lost(row[name])] for name in (*PAIR, "exact")}
    numbers = {name: len(rows) for name, rows in lost.items()}
    first = counted("formulas that lose their numbers", numbers["dynamic"], numbers["static"])
    naive = found["naive"]
    return Reading(
        answer=_answer(first.ahead, numbers, len(tried)),
        verdicts=[first],
        evidence=[
            Pair(
                "log(softmax(1000 x)) and its gradient", naive["dynamic"], naive["static"],
                says="Printed are y, and the gradient of its last number.",
            ),
            Table(
                "Formulas as they stand in textbooks",
                ("written as", "dynamic", "static", "static at exact", "right", "kept by"),
                [
                    (f"`{row['old']}`", *(row[name]["value"] for name in (*PAIR, "exact")), row["right"],
                     f"`{row['new']}`")
                    for row in tried
                ],
                [_better(row) for row in tried],
                says="Each in float32 on -1000, 0.00000001 and 1000; shown is the number that came out "
                "worst. The right one comes from the last column's form in float64.",
            ),
            Pair(
                "The same, by the op that is made for it",
                found["careful"]["dynamic"], found["careful"]["static"], says=_careful(found["careful"]),
            ),
            Table(
                "Rewrites of what gradients leave",
                ("written as", "computed as", "why"),
                [(f"`{row['old']}`", f"`{row['new']}`", row["why"]) for row in found["listed"]],
                says="Nobody writes these: they come about when a gradient's rules are applied one by one. "
                "With the table above, these are all the rewrites by which static changes an answer.",
            ),
        ],
        happened=[
            *(f"On {engine} the formula of the question gave {_gave(naive[engine])}." for engine in PAIR),
            *(
                f"Of {count(len(tried), 'formula')} {engine} lost the numbers of {numbers[engine] or 'none'}."
                for engine in PAIR
            ),
            f'At `optimize="exact"`, where every bit has to be dynamic\'s, static lost the numbers of '
            f"{numbers['exact'] or 'none'}.",
        ],
        means=_means(first.ahead),
        otherwise=_otherwise(first.ahead),
        threats=[
            "The formulas are those that the rewriting pass has patterns for, so the table shows what it can "
            "do, and not how often a formula that loses its numbers is none of them.",
            "A pattern is found where nothing stands between its ops; a `where`, or a clip, in the middle "
            "hides it.",
        ],
    )  # fmt: skip


def _lost(one: Json) -> bool:
    return one["off"] is None or one["off"] > LOST


def _better(row: Json) -> str | None:
    kept = [engine for engine in PAIR if not _lost(row[engine])]
    return kept[0] if len(kept) == 1 else None


def _gave(side: Json) -> str:
    y, grad = side["out"].splitlines()
    return f"{y}, with the gradient {grad}"


def _careful(pair: Json) -> str:
    same = [engine for engine in PAIR if "inf" not in pair[engine]["out"]]
    return f"Written like this, it is finite on {listed(same) if same else 'neither engine'}."


def _answer(leader: str | None, numbers: Json, tried: int) -> str:
    if leader is None:
        return f"Both engines lose the numbers of {numbers['dynamic'] or 'none'} of {tried} formulas."
    other = OTHER[leader]
    return (
        f"On {other} {numbers[other]} of {count(tried, 'textbook formula')} lose their numbers in floating "
        f"point; on {leader} {numbers[leader] or 'none'}."
    )


def _means(leader: str | None) -> list[str]:
    if leader is None:
        return ["Who writes a formula has to know which form of it floating point keeps, on both engines."]
    reasons = {
        "static": "Static sees `log` and `softmax` together before either has run, and puts another form in "
        "their place; when dynamic comes to `log`, `softmax` has been computed and its small numbers "
        "are gone.",
        "dynamic": "What static puts in the place of a formula is worse here than the formula as it stands.",
    }
    return [
        reasons[leader],
        f"On {OTHER[leader]} the author has to know `log_softmax`, `softplus` and `log1p`, and where to use "
        "them.",
    ]


def _otherwise(leader: str | None) -> list[str]:
    if leader is None:
        return ["Neither came off worse here, so there is nothing to be said for the other side."]
    if leader == "static":
        return [
            "On dynamic the program that one reads is the arithmetic that is done. On static the answer "
            "hangs on what the optimiser recognises: one more op between the two, and the numbers are "
            "gone again without a word. Who has to reproduce published numbers wants the formula as written.",
            "A library that offers the stable op by name serves both engines, and this is the way that "
            "define-by-run took: a loss is computed from logits.",
        ]
    return ["What static did to each formula can be read in `session.explain`, and switched off by name."]


EXPERIMENT = Experiment(
    name="stability",
    title="A formula that floating point spoils",
    question="I write log(softmax(x)) as in the textbook. Do I get numbers?",
    dimension="stability",
    run=run,
    read=read,
    level="both",
)
