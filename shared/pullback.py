"""What the rules of an op make for a call: how to differentiate it by some of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.errors import GradientError
from shared.op import Op
from shared.rules import Rule, Wanted
from shared.spec import Spec

Cotangents = Sequence[tuple[int, Any]]
"""(position of an argument, its cotangent); those that are zero are left out."""
VJP = Callable[[Any, Any, Sequence[Any], dict[str, Any]], Cotangents]


def pullback_of(op: Op, wanted: Wanted) -> Pullback:
    """How to differentiate an op by the wanted arguments; made once for each set of them."""
    pullback = op.pullbacks.get(wanted)
    if pullback is None:
        pullback = op.pullbacks[wanted] = Pullback(op, wanted)
    return pullback


class Pullback:
    """How to differentiate an op by some of its arguments.

    wanted         which arguments, a bool for each
    reads_inputs   of each argument whether a rule reads its value; `unread_inputs`, the positions
                   of those that a tape need not keep
    reads_outputs  of each output the same; `keeps_outputs`: whether any is read
    vjp            `vjp(g, y, args, settings)`: the wanted arguments' cotangents (the vector-Jacobian
                   products) of the outputs' cotangent `g`
    unread_output  for a tape: what stands in the place of the one output where no rule reads it, of
                   the last application; the next is mostly of the same shape
    """

    __slots__ = (
        "op", "wanted", "reads_inputs", "unread_inputs", "reads_outputs", "keeps_outputs", "vjp",
        "unread_output",
    )  # fmt: skip

    def __init__(self, op: Op, wanted: Wanted) -> None:
        names = read_by(op, wanted)
        self.op, self.wanted = op, wanted
        self.reads_inputs = tuple(op.argument(i) in names for i in range(len(wanted)))
        self.unread_inputs = tuple(i for i, read in enumerate(self.reads_inputs) if not read)
        self.reads_outputs = tuple(output in names for output in op.outputs or ())
        self.keeps_outputs = True in self.reads_outputs
        self.vjp = _vjp(op, wanted)
        self.unread_output: tuple[Spec] = (Spec((), np.dtype(bool)),)


def read_by(op: Op, wanted: Wanted) -> set[str]:
    """The names of the values that the rules of the wanted arguments read."""
    if op.joint is not None:
        if not any(wanted):
            return set()
        reads = op.joint.reads
        return reads(wanted) if callable(reads) else set(reads.split())
    names: set[str] = set()
    for rule, want in zip(op.rules, wanted, strict=False):
        if want and isinstance(rule, Rule):
            names.update(rule.reads.split())
    return names


def _vjp(op: Op, wanted: Wanted) -> VJP:
    """`Pullback.vjp`: one function for each form of rules, as backward calls it for each node."""
    asked = [i for i, want in enumerate(wanted) if want]
    if op.joint is not None:
        joint = op.joint.fn

        def vjp_joint(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Cotangents:
            found = joint(g, y, *args, wanted=wanted, **settings)
            return [(i, found[i]) for i in asked if found[i] is not None]

        return vjp_joint
    for i in asked:
        if i >= len(op.rules) or op.rules[i] is None:
            return _refusal(op, i)
    rules = [(i, rule.fn) for i, rule in enumerate(op.rules) if i in asked and isinstance(rule, Rule)]

    def vjp(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Cotangents:
        return [(i, rule(g, y, *args, **settings)) for i, rule in rules]

    if len(wanted) != 2 or not rules:
        return vjp
    (i, first), (j, second) = rules[0], rules[-1]

    # Arithmetic is of two arguments, and a call that spells them out costs half of one with stars.
    def vjp_one(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Cotangents:
        a, b = args
        return vjp(g, y, args, settings) if settings else ((i, first(g, y, a, b)),)

    def vjp_both(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Cotangents:
        a, b = args
        if settings:
            return vjp(g, y, args, settings)
        return ((i, first(g, y, a, b)), (j, second(g, y, a, b)))

    return vjp_one if len(rules) == 1 else vjp_both


def _refusal(op: Op, position: int) -> VJP:
    def refuse(*_: Any) -> Cotangents:
        raise GradientError(
            f"{op.name}: no gradient is written for argument {op.argument(position)!r}; detach it, or "
            "give the op a rule"
        )

    return refuse
