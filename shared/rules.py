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


Pulled = Sequence[tuple[int, Any]]
Pull = Callable[[Any, Any, Sequence[Any], dict[str, Any]], Pulled]


class Plan:
    """How to differentiate an op by some of its arguments.

    wanted   which arguments, a bool for each
    inputs   which arguments a tape must keep the value of, and `dropped`, the positions of the rest
    outputs  which outputs it must keep; `keeps`: whether any
    pull     `pull(g, y, args, settings)`: the wanted arguments' cotangents as (position, cotangent);
             those that are zero left out
    unread   for a tape: what stands in the place of the one output where no rule reads it, of the
             last application; the next is mostly of the same shape
    """

    __slots__ = ("op", "wanted", "inputs", "dropped", "outputs", "keeps", "pull", "unread")

    def __init__(self, op: Op, wanted: Wanted) -> None:
        names = op.read_by(wanted)
        self.op, self.wanted = op, wanted
        self.inputs = tuple(op.argument(i) in names for i in range(len(wanted)))
        self.dropped = tuple(i for i, keep in enumerate(self.inputs) if not keep)
        self.outputs = tuple(output in names for output in op.outputs or ())
        self.keeps = True in self.outputs
        self.pull = _pull(op, wanted)
        self.unread: tuple[Spec] = (Spec((), np.dtype(bool)),)


def _pull(op: Op, wanted: Wanted) -> Pull:
    """`Plan.pull`: one function for each kind of plan, as backward calls it for each node."""
    asked = [i for i, want in enumerate(wanted) if want]
    if op.joint is not None:
        joint = op.joint.fn

        def pull_joint(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Pulled:
            found = joint(g, y, *args, wanted=wanted, **settings)
            return [(i, found[i]) for i in asked if found[i] is not None]

        return pull_joint
    for i in asked:
        if i >= len(op.rules) or op.rules[i] is None:
            return _refusal(op, i)
    rules = [(i, rule.fn) for i, rule in enumerate(op.rules) if i in asked and isinstance(rule, Rule)]

    def pull(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Pulled:
        return [(i, rule(g, y, *args, **settings)) for i, rule in rules]

    if len(wanted) != 2 or not rules:
        return pull
    (i, first), (j, second) = rules[0], rules[-1]

    # Arithmetic is of two arguments, and a call that spells them out costs half of one with stars.
    def pull_one(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Pulled:
        a, b = args
        return pull(g, y, args, settings) if settings else ((i, first(g, y, a, b)),)

    def pull_both(g: Any, y: Any, args: Sequence[Any], settings: dict[str, Any]) -> Pulled:
        a, b = args
        if settings:
            return pull(g, y, args, settings)
        return ((i, first(g, y, a, b)), (j, second(g, y, a, b)))

    return pull_one if len(rules) == 1 else pull_both


def _refusal(op: Op, position: int) -> Pull:
    def refuse(*_: Any) -> Pulled:
        raise GradientError(
            f"{op.name}: no gradient is written for argument {op.argument(position)!r}; detach it, or "
            "give the op a rule"
        )

    return refuse
