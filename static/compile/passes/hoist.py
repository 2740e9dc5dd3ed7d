"""Out of loops: what is the same in every step is computed once, and a product with what a step
takes from its columns is one product over all of them.

A scan's body is a graph. The values inside that need nothing but the columns, captured values and
constants are computed outside, and given to each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.op import TABLE, Op
from shared.spec import Spec, is_weak
from static.compile.block import Block, Step, Value, applied
from static.compile.log import Log
from static.control.body import BodyOp
from static.control.loop import Loop
from static.control.scan import scan_op
from static.graph.graph import CONSTANT, Node, Tensor, symbols_of
from static.graph.select import select


def hoist_from_scans(block: Block, log: Log) -> Block:
    """The block with scans whose bodies do only what each step must do for itself."""
    steps: list[Step] = []
    instead: dict[Value, Value] = {}
    constants = dict(block.constants)
    for step in block.steps:
        step = step.instead(instead)
        if is_scan(step):
            outside = _Outside(step)
            for tensor in outside.given:
                why = "one product for all steps" if tensor in outside.columns else "the same in all steps"
                log.note(f"{tensor.node.op.name} out of a loop", why, tensor.node.line)
            if outside.given:
                steps.extend(outside.steps)
                constants.update(outside.constants)
                instead.update(outside.hidden())
                step = outside.rest()
        steps.append(step)
    return block.with_steps(steps, instead, constants)


def is_scan(step: Step) -> bool:
    """Whether a step is a scan."""
    return isinstance(step.op, BodyOp) and step.op.name == "scan"


def loop_of(step: Step) -> Loop:
    """The loop that a scan repeats."""
    assert isinstance(step.op, BodyOp)
    return Loop.of(step.op.parts["body"])


class _Outside:
    """What of a scan can be computed outside of it.

    fixed, columns  values inside, and what stands for them outside: the same in every step, or
                    stacked over the steps
    steps           what computes them; `constants` among them
    given           those of the values inside that the steps will be given
    """

    def __init__(self, step: Step) -> None:
        self.step, self.loop = step, loop_of(step)
        loop, inputs = self.loop, step.inputs
        a, b = len(loop.carry), len(loop.carry) + len(loop.xs)
        self.columns: dict[Any, Value] = dict(zip(loop.xs, inputs[a:b], strict=True))
        self.fixed: dict[Any, Value] = dict(zip(loop.fixed(), inputs[b:], strict=True))
        self.constants: dict[Value, Any] = {}
        self.steps: list[Step] = []
        moved: dict[Node, None] = {}
        results = [*loop.next, *loop.ys, *loop.sums, *loop.hidden]
        needed = select(loop.body, results, loop.inputs()).nodes
        for node in needed:
            if self._moves(node):
                moved[node] = None
        used = {x for node in needed if node not in moved for x in node.inputs if isinstance(x, Tensor)}
        self.given = [node.outputs[0] for node in moved if node.outputs[0] in used.union(results)]

    def _moves(self, node: Node) -> bool:
        """Compute a node outside if it can be; gives whether it is."""
        op, out = node.op, node.outputs[0] if node.outputs else None
        if op is CONSTANT:
            value = self.fixed[out] = Value(node.outputs[0].spec, node.name)
            self.constants[value] = node.settings["value"]
        if not isinstance(op, Op) or not (op.single and op.listed and op.pure) or not node.inputs:
            return False
        if node.control or symbols_of(node):
            return False
        first, *rest = node.inputs
        if all(is_weak(x) or x in self.fixed for x in node.inputs):
            self._compute(node, op, [self.fixed.get(x, x) for x in node.inputs], self.fixed)
        elif first in self.columns and by_rows(node) and all(x in self.fixed for x in rest):
            self._compute(node, op, [self.columns[first], *(self.fixed[x] for x in rest)], self.columns)
        return out in self.fixed or out in self.columns

    def _compute(self, node: Node, op: Op, inputs: Sequence[Any], into: dict[Any, Value]) -> None:
        step = applied(op, inputs, node.settings, (node,))
        lead = (self.step.settings["length"],) if into is self.columns else ()
        if step.outputs[0].spec == Spec((*lead, *node.outputs[0].shape), node.outputs[0].dtype):
            self.steps.append(step)
            into[node.outputs[0]] = step.outputs[0]

    def rest(self) -> Step:
        """The scan with what is left."""
        loop, inputs = self.loop, self.step.inputs
        b = len(loop.carry) + len(loop.xs)
        columns = [t for t in self.given if t in self.columns]
        extra = [t for t in self.given if t in self.fixed]
        smaller = replace(loop, xs=[*loop.xs, *columns], extra=[*loop.extra, *extra])
        given = [
            *inputs[:b], *(self.columns[t] for t in columns), *inputs[b:], *(self.fixed[t] for t in extra)
        ]  # fmt: skip
        return Step(scan_op(smaller), given, self.step.settings, self.step.outputs, self.step.nodes)

    def hidden(self) -> dict[Value, Value]:
        """The scan's outputs that are columns computed outside, and these."""
        hidden = zip(self.loop.hidden, self.loop.parts(self.step.outputs)[3], strict=True)
        return {value: self.columns[t] for t, value in hidden if t in self.columns}


def by_rows(node: Node) -> bool:
    """Whether an op works on each row of its first argument alone, whatever axes stand before."""
    if node.op in (TABLE["linear"], TABLE["linear_input"]):
        return True
    return node.op is TABLE["matmul"] and len(node.inputs[1].shape) == 2 and len(node.inputs[0].shape) >= 2
