"""Formulas that floating point spoils: who computes them in a form that keeps the numbers?"""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
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
from static.compile.passes.stabilize import LAST, PATTERNS

X = np.array([0.0, 0.5, -0.5], np.float32)
LIST = Path(__file__).with_name("data") / "unstable_formulas.json"
"""Formulas from public lists, chosen by nobody here, and their right values; it says from where."""
NOT_SEEN = ("log(maximum(exp(x), 1))", "log(exp(x) + 2)")
"""Formulas that the pass does not know, though the log of an exponential is among those that it does."""
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
        given = json.loads(LIST.read_text(encoding="utf-8"))
        formulas = []
        for one in given["formulas"]:
            context.note(one["name"])
            formulas.append({key: one[key] for key in ("source", "name", "formula")} | _tried(one))
    known = [{"old": pattern.old, "new": pattern.new, "why": pattern.why} for pattern in (*PATTERNS, *LAST)]
    points = max(len(one["x"]) for one in given["formulas"])
    return pairs | {"formulas": formulas, "points": points, "sources": given["sources"], "known": known}


def _tried(one: Json) -> dict[str, Any]:
    """A formula at all its points, on each engine and at both of static's levels: of how many of the
    values the numbers are lost, and the point at which dynamic is furthest off."""
    points = np.array(one["x"], np.float32)
    given = {name: np.float32(value) for name, value in one["given"].items()}
    found = {"dynamic": _formula(one["formula"], dynamic.tensor(points), given).numpy()}
    with static.Graph().as_default() as graph:
        x = static.placeholder("float32", points.shape)
        y = _formula(one["formula"], x, given)
    for name, level in (("static", "fast"), ("exact", "exact")):
        with static.Session(graph, optimize=level) as session:
            found[name] = session.run(y, {x: points})
    off = {name: [_off(*pair) for pair in zip(y, one["right"], strict=True)] for name, y in found.items()}
    worst = max(range(len(points)), key=lambda at: _size(off["dynamic"][at]))
    return {
        "at": f"{points[worst]:.6g}", "right": f"{one['right'][worst]:.4g}", "values": len(points),
        **{name: {"lost": sum(_size(each) > LOST for each in off[name]), "value": f"{found[name][worst]:.4g}"}
           for name in found},
    }  # fmt: skip


def _formula(text: str, x: Any, given: Any) -> Any:
    """What a formula of the list gives for x: in the text are ops and numbers alone."""
    names = {name: getattr(ops, name) for name in ops.__all__}
    return eval(text, {**names, **given, "x": x})


def _size(off: float | None) -> float:
    return inf if off is None else off


def _off(found: float, right: float) -> float | None:
    return abs(float(found) - right) / abs(right) if np.isfinite(found) else None


# What is said of it.


def read(found: Json) -> Reading:
    formulas = found["formulas"]
    lost = {name: [one for one in formulas if one[name]["lost"]] for name in (*PAIR, "exact")}
    numbers = {name: len(those) for name, those in lost.items()}
    first = counted(f"of {len(formulas)} formulas, inaccurate in float32 somewhere",
                    numbers["dynamic"], numbers["static"])
    naive = found["naive"]
    return Reading(
        answer=f"{_answer(first.ahead, numbers, len(formulas))}{_saved(formulas)}",
        verdicts=[first],
        evidence=[
            Pair(
                "log(softmax(1000 x)) and its gradient", naive["dynamic"], naive["static"],
                says="Printed are y, and the gradient of its last number.",
            ),
            Table(
                f"{count(len(formulas), 'formula')} from public lists",
                ("formula", "from", "lost on dynamic", "static", "static at exact", "of", "dynamic's worst",
                 "right"),
                [
                    (f"`{one['formula']}`", f"{one['source']}: {one['name']}",
                     *(str(one[name]["lost"]) for name in (*PAIR, "exact")), str(one["values"]),
                     f"{one['dynamic']['value']} at {one['at']}", one["right"])
                    for one in formulas
                ],
                [_better(one, {"dynamic": "lost on dynamic", "static": "static"}) for one in formulas],
                says=f"{' '.join(f'{name}: {where}.' for name, where in found['sources'].items())} A value "
                f"is lost if it is off by more than {LOST:.0%} of the right one, computed with 80 digits, or "
                "not finite.",
            ),
            Pair(
                "The same, by the op that is made for it",
                found["careful"]["dynamic"], found["careful"]["static"], says=_careful(found["careful"]),
            ),
            Table(
                "What static knows",
                ("written as", "computed as", "why"),
                [(f"`{one['old']}`", f"`{one['new']}`", one["why"]) for one in found["known"]],
                says="What stands beside each other, at `fast`; `session.explain` tells what was done.",
            ),
        ],
        means=_means(first.ahead, numbers),
        otherwise=_otherwise(first.ahead),
        threats=[
            "The lists were made to be hard: they do not say how often a program meets one.",
            f"Static leaves what it does not know: {listed([f'`{text}`' for text in NOT_SEEN])}, say.",
        ],
    )  # fmt: skip


def _better(one: Json, columns: dict[str, str]) -> str | None:
    """The column of the engine that lost fewer values."""
    on_dynamic, on_static = (one[engine]["lost"] for engine in PAIR)
    return None if on_dynamic == on_static else columns["dynamic" if on_dynamic < on_static else "static"]


def _careful(pair: Json) -> str:
    same = [engine for engine in PAIR if "inf" not in pair[engine]["out"]]
    return f"So written, it is finite on {listed(same) if same else 'neither engine'}."


def _answer(leader: str | None, numbers: Json, of: int) -> str:
    told = f"{numbers['dynamic'] or 'none'} of {count(of, 'formula')} from public lists"
    if leader is None:
        return f"Both engines lose numbers of {told}, computed as they stand."
    other = OTHER[leader]
    return (
        f"Of {count(of, 'formula')} from public lists {other} loses numbers of {numbers[other]}, {leader} of "
        f"{numbers[leader] or 'none'}."
    )


def _saved(formulas: Json) -> str:
    """How many formulas static's pass saves; the table says which."""
    kept = [one for one in formulas if one["static"]["lost"] < one["dynamic"]["lost"]]
    whole = [one for one in kept if not one["static"]["lost"]]
    if not whole:
        return ""
    part = f", {len(kept) - len(whole)} in part" if len(kept) > len(whole) else ""
    return (
        f" Its pass `stabilize`, at `fast` alone, saves {len(whole)} of them wholly{part}."
    )


def _means(leader: str | None, numbers: Json) -> list[str]:
    said = []
    if leader == "static":
        said.append(
            "Static sees `log` and `softmax` together before either has run, and puts another form in their "
            "place; on dynamic the small numbers are gone by then."
        )
    elif leader == "dynamic":
        said.append("What static puts in the place of a formula is worse here than the formula as it stands.")
    losing = [engine for engine in PAIR if numbers[engine]]
    if losing:
        said.append(
            f"Who writes a formula has to know which form of it floating point keeps on {listed(losing)}."
        )
    return said or ["Neither engine loses a number of these formulas."]


def _otherwise(leader: str | None) -> list[str]:
    if leader is None:
        return ["Neither side is seen to have come off worse."]
    if leader == "static":
        return [
            "On dynamic what one reads is what is done; on static it hangs on what the optimiser "
            "recognises, without a word.",
            "A stable op by name serves both: a loss is computed from logits.",
        ]
    return ["What static did to each formula can be read in `session.explain`, and switched off by name."]


EXPERIMENT = Experiment(
    name="stability",
    title="Formulas that floating point spoils",
    question="I write log(softmax(x)) as in the textbook. Do I get numbers?",
    dimension="stability",
    run=run,
    read=read,
    sizes=lambda found: (
        f"{count(len(found['formulas']), 'formula')}, each at up to "
        f"{count(found['points'], 'point')}, in float32."
    ),
    level="both",
)
