"""Algebra: steps that do nothing, or undo each other, or have a cheaper equal."""

from __future__ import annotations

from typing import Any

from static.compile.block import Block, Step
from static.compile.log import Log
from static.compile.passes.patterns import Makers, Pattern, Rewrite, RewriteTable, rewrite

REAL = "biuf"
"""The kinds of real numbers. A product of complex infinities by one is NaN."""

PATTERNS = (
    Pattern("x * 1", "x", "one is neutral", kinds=REAL),
    Pattern("x / 1", "x", "one is neutral", kinds=REAL),
    Pattern("x - 0", "x", "zero is neutral", kinds=REAL),
    Pattern("x ** 1", "x", "the first power is the number itself", kinds=REAL),
    Pattern("x ** 2", "square(x)", "a product costs less than a power", kinds=REAL),
    Pattern("x ** 0.5", "sqrt(x)", "a root costs less than a power", kinds=REAL),
    Pattern("x ** -1", "reciprocal(x)", "a quotient costs less than a power", kinds=REAL),
    Pattern("-(-x)", "x", "two signs undo each other"),
    Pattern("x + (-y)", "x - y", "a sign less to change", kinds="f"),
    Pattern("x - (-y)", "x + y", "a sign less to change", kinds="f"),
    Pattern("(-x) * (-y)", "x * y", "two signs undo each other", kinds="f"),
    Pattern("(-x) / (-y)", "x / y", "two signs undo each other", kinds="f"),
    Pattern("reshape(reshape(x, shape=a), shape=b)", "reshape(x, shape=b)", "only the last shape counts"),
    Pattern("sum_to(sum_to(x, shape=a), shape=b)", "sum_to(x, shape=b)", "one sum instead of two"),
    Pattern(
        "broadcast_to(broadcast_to(x, shape=a), shape=b)", "broadcast_to(x, shape=b)",
        "only the last shape counts",
    ),
)  # fmt: skip
"""What may stand for what at any time: the same number, but for the rounding of the last bit."""


def _unchanged(step: Step, makers: Makers) -> Any:
    """The argument, where what comes out has its shape and dtype: `rewrite` looks at that."""
    return step.inputs[0]


def _transposed_twice(step: Step, makers: Makers) -> Any:
    axes = step.settings["axes"]
    if axes == tuple(range(len(axes))):
        return step.inputs[0]
    before = makers.of(step.inputs[0], "transpose")
    if before is None:
        return None
    axes = tuple(before.settings["axes"][axis] for axis in axes)
    if axes == tuple(range(len(axes))):
        return before.inputs[0]
    return [Step(step.op, before.inputs, {"axes": axes}, step.outputs, step.nodes)]


TABLE = RewriteTable(
    [
        *(pattern.rule() for pattern in PATTERNS),
        *(
            Rewrite(name, f"{name} that changes nothing", "what comes out is what went in", _unchanged)
            for name in ("reshape", "broadcast_to", "sum_to", "cast")
        ),
        Rewrite("transpose", "a transpose of a transpose", "axes are put in order once", _transposed_twice),
    ]
)


def simplify_algebra(block: Block, log: Log) -> Block:
    """The block with every pattern of the table applied."""
    return rewrite(block, TABLE, log)
