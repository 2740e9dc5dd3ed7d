"""How an op is differentiated: the rules that it says, and what is made of them for a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.errors import GradientError
from shared.spec import Spec

if TYPE_CHECKING:
    from shared.op import Op

Wanted = tuple[bool, ...]
"""Of each argument, whether its cotangent is wanted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The cotangent of one argument: `fn(g, y, *args, **settings)`, written in ops.

    `reads` names the values that `fn` needs, by the names of its own parameters (outputs by
    the op's output names); everything else reaches it as a Spec. `g` and `y` are the output's
    cotangent and value; tuples, with None for an absent cotangent, where there are several.
    """

    fn: Callable[..., Any]
    reads: str = ""


@dataclass(frozen=True, slots=True)
class Joint:
    """The cotangents of all arguments at once: `fn(g, y, *args, wanted=..., **settings)`.

    For arguments that share most of the work, or variadic ones. `wanted` has a bool for each
    argument, the result an entry for each. `reads` is as in Rule, or a function from `wanted`
    to the set of names (arguments without a name of their own go by position: "0", "1").
    """

    fn: Callable[..., Sequence[Any]]
    reads: str | Callable[[Wanted], set[str]] = ""


class Zero:
    """The kind of ZERO."""

    def __repr__(self) -> str:
        return "ZERO"


ZERO = Zero()
"""The derivative is zero by mathematics; None as a rule means that nobody wrote one."""


Cotangents = Sequence[tuple[int, Any]]
"""(position of an argument, its cotangent); those that are zero are left out."""
VJP = Callable[[Any, Any, Sequence[Any], dict[str, Any]], Cotangents]


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
        names = op.read_by(wanted)
        self.op, self.wanted = op, wanted
        self.reads_inputs = tuple(op.argument(i) in names for i in range(len(wanted)))
        self.unread_inputs = tuple(i for i, read in enumerate(self.reads_inputs) if not read)
        self.reads_outputs = tuple(output in names for output in op.outputs or ())
        self.keeps_outputs = True in self.reads_outputs
        self.vjp = _vjp(op, wanted)
        self.unread_output: tuple[Spec] = (Spec((), np.dtype(bool)),)


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
