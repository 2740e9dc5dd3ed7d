"""Weight gradients of a loop as one product behind it: a `scan` gives the rows of its steps stacked, and
what is left of its sum of `linear_weight`s is one product over all of them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any

from shared.dims import same_shape
from shared.op import TABLE
from shared.ops.matrices import linear_weight
from shared.spec import Spec
from static.compile.block import Block, Step, Value
from static.compile.log import Log
from static.compile.passes.hoist import by_rows, is_scan, loop_of
from static.control.loop import Loop
from static.control.scan import scan_op
from static.graph.graph import Tensor
from static.graph.select import select


def gather_scans(block: Block, log: Log) -> Block:
    """The block with scans that stack what products are made of, and one product behind each."""
    return block.with_steps(
        new for step in block.steps for new in (_stacked(step, log) if is_scan(step) else (step,))
    )


def _stacked(step: Step, log: Log) -> Sequence[Step]:
    """A scan and, behind it, the products over all its steps.

    Weight gradients that it adds up, with the other sums over rows that are stacked for them, and
    products with a weight that it stacks and does not itself use.
    """
    loop = loop_of(step)
    carry, ys, sums, hidden = loop.parts(step.outputs)
    inputs = step.inputs[len(loop.carry) :]
    outside = dict(zip(loop.fixed(), inputs[len(loop.xs) :], strict=True))
    columns: dict[Any, Value] = dict(zip(loop.xs, inputs, strict=False))
    columns.update(zip(loop.ys, ys, strict=True))
    rows = {x for t in loop.sums if t.node.op is linear_weight for x in t.node.inputs}
    if not rows or not rows.isdisjoint(outside):
        return [step]
    # What each step gives stays apart: of weights, or biases, that a step has of its own there is no one sum.
    behind = [
        (t, v) for t, v in zip(loop.ys, ys, strict=True)
        if _product_of(t, rows, outside) and _unused(t, loop)
    ] + [
        (t, v) for t, v in zip(loop.sums, sums, strict=True)
        if t.node.op is linear_weight or _sum_of(t, rows)
    ]  # fmt: skip
    gone = {value for _, value in behind}
    gives = [x for t in loop.sums if t.node.op is linear_weight for x in t.node.inputs if x not in columns]
    more = {t: Value(Spec((step.settings["length"], *t.shape), t.dtype), step.op.name) for t in gives}
    columns.update(more)
    kept_ys = [(t, v) for t, v in zip(loop.ys, ys, strict=True) if v not in gone]
    kept_sums = [(t, v) for t, v in zip(loop.sums, sums, strict=True) if v not in gone]
    turned = replace(loop, ys=[*(t for t, _ in kept_ys), *more], sums=[t for t, _ in kept_sums])
    outputs = [*carry, *(v for _, v in kept_ys), *more.values(), *(v for _, v in kept_sums), *hidden]
    made = [Step(scan_op(turned), step.inputs, step.settings, outputs, step.nodes)]
    for tensor, value in behind:
        node = tensor.node
        given = [columns[x] if x in columns else outside[x] for x in node.inputs]
        made.append(Step(node.op, given, node.settings, [value], (*step.nodes, node)))  # type: ignore[arg-type]
        log.note(
            f"{node.op.name} in one behind its loop",
            "over the rows of all steps it is what the steps give together", node.line,
        )  # fmt: skip
    return made


def _product_of(tensor: Tensor, rows: set[Any], fixed: Container[Any]) -> bool:
    """Whether a value is a product of some of these rows with what is the same in all steps."""
    first, *rest = tensor.node.inputs or (None,)
    return first in rows and by_rows(tensor.node) and all(x in fixed for x in rest)


def _sum_of(tensor: Tensor, rows: set[Any]) -> bool:
    """Whether a value is the sum over the leading axes of some of these rows."""
    node = tensor.node
    if node.op is not TABLE["sum_to"] or node.inputs[0] not in rows:
        return False
    shape = node.settings["shape"]
    return len(shape) < len(node.inputs[0].shape) and same_shape(node.inputs[0].shape[-len(shape) :], shape)


def _unused(tensor: Tensor, loop: Loop) -> bool:
    """Whether the steps themselves do not need a value that they give."""
    results = [*loop.next, *loop.sums, *loop.hidden]
    needed = select(loop.body, [*results, *loop.ys], loop.inputs()).nodes
    return not any(x is tensor for x in (*results, *(x for node in needed for x in node.inputs)))
