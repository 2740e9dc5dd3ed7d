"""A convolution with the relu and the pooling behind it as one step, forward and backward.

The image between a convolution and its pooling is the largest thing that a convolutional net makes, and
nobody wants it: what it is made for is its largest elements, and of its gradient all but these are
zeros. As one step, both are made an image at a time, in the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.kernels.pooling import WIDEST
from shared.op import TABLE
from static.compile.block import Block, Step, Value, applied, in_order
from static.compile.log import Log
from static.compile.steps.pooled import (
    conv2d_pool,
    conv2d_pool_input,
    conv2d_pool_weight,
    conv2d_relu,
    pooling,
)


def fuse_epilogues(block: Block, log: Log) -> Block:
    """The block with each convolution's relu and max pooling in one step with it, where nothing else
    needs what is between them."""
    users, leaving = block.users(), set(block.leaving()) | {v for v, _ in block.sizes.values()}
    instead: dict[Step, Sequence[Step]] = {}
    for step in block.steps:
        if step.op is not TABLE["conv2d"] or step.outputs[0] in leaving:
            continue
        chain = _Chain(step, users, leaving)
        if chain.pool is not None and (new := chain.pooled()) is not None:
            instead |= new
            what = "convolution, relu, pooling" if chain.relu else "convolution, pooling"
            log.note(
                f"{what} in one step",
                "the image between them and its gradient are never whole in memory", step.node.line,
            )  # fmt: skip
        elif chain.relu is not None and chain.alone(step):
            instead |= {step: (), chain.relu: (chain.rectified(),)}
            log.note("convolution, relu in one step", "one pass over memory less", step.node.line)
    if not instead:
        return block
    return in_order(block.with_steps(new for step in block.steps for new in instead.get(step, (step,))))


class _Chain:
    """A convolution, and the relu and the pooling behind it, if they are there."""

    def __init__(self, conv: Step, users: dict[Value, list[Step]], leaving: set[Value]) -> None:
        self.conv, self.users, self.leaving = conv, users, leaving
        self.relu = self._behind(conv, "relu")
        self.last = self.relu or conv
        self.pool = self._behind(self.last, "max_pool2d")
        if self.pool is not None and not _side_by_side(self.pool.settings):
            self.pool = None

    def _behind(self, step: Step, op: str) -> Step | None:
        """The one step of an op that a step's value goes to, if no other is of that op."""
        found = [user for user in self.users.get(step.outputs[0], ()) if user.op is TABLE[op]]
        return found[0] if len(found) == 1 else None

    def alone(self, step: Step) -> bool:
        """Whether only the next one needs what a step gives."""
        return len(self.users[step.outputs[0]]) == 1 and step.outputs[0] not in self.leaving

    def nodes(self, *steps: Step | None) -> tuple[Any, ...]:
        return tuple(node for step in steps if step is not None for node in step.nodes)

    def rectified(self) -> Step:
        """The convolution with its relu."""
        assert self.relu is not None
        nodes = self.nodes(self.relu, self.conv)
        return Step(conv2d_relu, self.conv.inputs, self.conv.settings, self.relu.outputs, nodes)

    def pooled(self) -> dict[Step, Sequence[Step]] | None:
        """What stands in the place of which step; None if anything else needs what is between."""
        assert self.pool is not None
        epilogue = {"relu": self.relu is not None, "pool": self.pool.settings["kernel"]}
        settings = self.conv.settings | epilogue
        nodes = self.nodes(self.pool, self.relu, self.conv)
        made = Step(conv2d_pool, self.conv.inputs, settings, self.pool.outputs, nodes)
        instead: dict[Step, Sequence[Step]] = {self.conv: (), self.pool: (made,)}
        between = [self.conv.outputs[0]]
        if self.relu is not None:
            instead[self.relu] = ()
            between.append(self.relu.outputs[0])
        for unpool in self.users.get(self.pool.outputs[1], ()):
            if unpool.op is not TABLE["max_pool2d_input"] or unpool.inputs[1] is not self.pool.outputs[1]:
                return None
            g = unpool.outputs[0]
            between.append(g)
            instead[unpool] = ()
            if self.relu is not None:
                gates = self.users.get(g, [])
                if len(gates) != 1 or gates[0].op is not TABLE["relu_grad"]:
                    return None
                if gates[0].inputs != (g, self.relu.outputs[0]):
                    return None
                instead[gates[0]] = ()
                between.append(g := gates[0].outputs[0])
            for user in self.users.get(g, ()):
                if (new := self._backward(user, g, unpool.inputs[0], settings)) is None:
                    return None
                instead[user] = new
        needed = {user for value in between for user in self.users.get(value, ())}
        if self.pool.outputs[1] in self.leaving or not self.leaving.isdisjoint(between):
            return None
        return instead if needed <= instead.keys() else None

    def _backward(self, step: Step, g: Value, pooled: Any, settings: dict[str, Any]) -> Sequence[Step] | None:
        """A step that reads the gradient by the image, on that by the pooled one; None if it can not be."""
        assert self.pool is not None
        y, argmax = self.pool.outputs
        x, w = self.conv.inputs[:2]
        if step.op is TABLE["conv2d_weight"] and step.inputs == (x, g):
            settings = {**settings, "kernel": step.settings["kernel"]}
            return [Step(conv2d_pool_weight, [x, pooled, y, argmax], settings, step.outputs, step.nodes)]
        if step.op is TABLE["conv2d_input"] and step.inputs == (g, w):
            settings = {**settings, "size": step.settings["size"]}
            return [Step(conv2d_pool_input, [pooled, w, y, argmax], settings, step.outputs, step.nodes)]
        if step.op is TABLE["sum"] and step.settings["axis"] == (0, 2, 3):
            if self.relu is None:
                return [step.with_inputs([pooled])]
            gate = applied(TABLE["relu_grad"], [pooled, y], {}, step.nodes)
            return [gate, step.with_inputs(gate.outputs)]
        return None


def _side_by_side(settings: dict[str, Any]) -> bool:
    """Whether windows neither overlap nor leave anything out between them, and there is more than one
    element to choose from: for `Epilogue`, windows of one are no pooling."""
    kernel = settings["kernel"]
    return settings == pooling(kernel) and 1 < max(kernel) <= WIDEST
