"""How an op is differentiated: the rules that it says. What is made of them for a call stands in
`shared.pullback`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

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
