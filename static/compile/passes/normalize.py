"""Batch norm with the addition and the relu behind it as one step; on the way back relu's gradient with it.

Each alone is a pass over memory, where batch norm has every element in hand: a residual block adds and
rectifies what it has normalised. No bit changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.op import TABLE
from static.compile.block import Block, Step, Value, in_order
from static.compile.log import Log
from static.compile.steps.normalized import batch_norm_relu, batch_norm_relu_grad


def follow_normalized(block: Block, log: Log) -> Block:
    """The block with these steps in one, where nothing else needs what is between them."""
    chains = _Chains(block)
    for step in block.steps:
        if step.op is TABLE["batch_norm"]:
            chains.forward(step, log)
        elif step.op is TABLE["relu_grad"]:
            chains.backward(step, log)
    if not chains.instead:
        return block
    steps = (new for step in block.steps for new in chains.instead.get(step, (step,)))
    return in_order(block.with_steps(steps))


class _Chains:
    """What stands in the place of which step."""

    def __init__(self, block: Block) -> None:
        self.users, self.leaving = block.users(), set(block.leaving()) | {v for v, _ in block.sizes.values()}
        self.instead: dict[Step, Sequence[Step]] = {}

    def _next(self, value: Value, op: str) -> Step | None:
        """The step of an op that a value goes to, if it goes nowhere else."""
        users = self.users.get(value, [])
        if len(users) != 1 or value in self.leaving or users[0].op is not TABLE[op]:
            return None
        return None if users[0] in self.instead else users[0]

    def forward(self, norm: Step, log: Log) -> None:
        y, added = norm.outputs[0], []
        plus = self._next(y, "add")
        if plus is not None:
            added = [value for value in plus.inputs if value is not y]
            if len(added) != 1 or not isinstance(added[0], Value) or added[0].spec != y.spec:
                return
        relu = self._next(y if plus is None else plus.outputs[0], "relu")
        if relu is None:
            return
        between = [relu] if plus is None else [relu, plus]
        nodes = tuple(node for step in (*between, norm) for node in step.nodes)
        settings = {**norm.settings, "adds": bool(added)}
        outputs = [relu.outputs[0], *norm.outputs[1:]]
        made = Step(batch_norm_relu, [*norm.inputs, *added], settings, outputs, nodes)
        self.instead |= dict.fromkeys([norm, *between], ()) | {relu: (made,)}
        what = "batch norm, addition, relu" if added else "batch norm, relu"
        log.note(f"{what} in one step", "one pass over memory less", norm.node.line)

    def backward(self, gate: Step, log: Log) -> None:
        grad = self._next(gate.outputs[0], "batch_norm_grad")
        if grad is None or grad.inputs[0] is not gate.outputs[0]:
            return
        if not all(isinstance(x, Value) and x.spec == grad.inputs[1].spec for x in gate.inputs):
            return
        nodes = *grad.nodes, *gate.nodes
        made = Step(batch_norm_relu_grad, [*gate.inputs, *grad.inputs[1:]], {}, grad.outputs, nodes)
        self.instead |= {gate: (), grad: (made,)}
        log.note("relu's gradient in one step with batch norm's", "one pass over memory less", grad.node.line)
