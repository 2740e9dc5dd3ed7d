"""Products of one input with several weights as one product with the weights side by side.

Gates that are written by hand, each with a weight of its own, multiply the same state again and
again. As one product they take one call, and elementwise steps behind it read their parts where
they are. It pays where products are so small that the call is what they cost, and are done so often
with these weights that putting those side by side, once in a run, costs less: in unrolled loops.
Where a part is needed as an array for itself (the heads of an attention) cutting it out costs as
much again, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.dims import product
from shared.op import TABLE
from static.compile.block import Block, Step, Value, applied, in_order
from static.compile.log import Log
from static.compile.passes.cells import CELLS

CALL = 1 << 16
"""Bytes that are copied in the time that a product less saves: about 1 us, at 64 GB/s in the cache."""
SMALL = 1 << 14
"""Multiplications in one of the products up to which it pays: an LSTM of 30 steps with its gates written
by hand takes 3 to 10 % less time up to there, as much with twice that, and 8 % more with 128 numbers in
32 rows, where products with one weight each are faster by themselves (`static.compile.passes.pack`)."""


def merge_columns(block: Block, log: Log) -> Block:
    """The block with products of one input as one, where that pays."""
    uses = _Uses(block)
    groups: dict[tuple[Any, ...], dict[Value, Step]] = {}  # of each input and kind, by weight
    for step in block.steps:
        if uses.product(step):
            kind = step.op, step.inputs[0], len(step.inputs), step.outputs[0].spec
            groups.setdefault(kind, {}).setdefault(step.inputs[1], step)
    order = {value: i for i, value in enumerate(uses.first)}
    alike: dict[tuple[Any, ...], list[list[Step]]] = {}
    for (op, _, count, _), found in groups.items():
        steps = [found[weight] for weight in sorted(found, key=order.__getitem__)]
        if len(steps) > 1:
            weights = tuple(tuple(step.inputs[1:]) for step in steps)
            alike.setdefault((op, count, weights), []).append(steps)
    new: list[Step] = []
    gone: set[Step] = set()
    for (_, _, weights), several in alike.items():
        held = sum(product(w.shape) * w.dtype.itemsize for given in weights for w in given)
        if isinstance(held, int) and held <= len(several) * (len(weights) - 1) * CALL:
            new.extend(_beside(several))
            gone.update(step for steps in several for step in steps)
            log.note(
                f"products with {len(weights)} weights in one, for {len(several)} inputs",
                "each multiplies the same with all of them, and what is behind reads its part where it is",
                several[0][0].node.line,
            )  # fmt: skip
    if not gone:
        return block
    return in_order(block.with_steps([*new, *(step for step in block.steps if step not in gone)]))


class _Uses:
    """What is known of a block's values. first: the weights in the order in which they are used."""

    def __init__(self, block: Block) -> None:
        self.users, self.makers = block.users(), block.makers()
        self.kept = {*block.leaving(), *(value for value, _ in block.sizes.values())}
        self.first: dict[Value, None] = {}

    def product(self, step: Step) -> bool:
        """Whether a step is a product of rows and a weight, of which each part can be a view."""
        if step.op not in (TABLE["linear"], TABLE["matmul"]) or not all(
            isinstance(x, Value) for x in step.inputs
        ):
            return False
        x, weight = step.inputs[:2]
        y = step.outputs[0]
        fits = len(weight.shape) == 2 <= len(x.shape) and all(v.dtype == y.dtype for v in step.inputs)
        work = product((*y.shape, x.shape[-1])) if fits else None
        if not isinstance(work, int) or work > SMALL or y in self.kept:
            return False
        if any(node.control for node in step.nodes):
            return False  # what it waits for may need another of the products
        if not all(map(self._early, step.inputs[1:])):
            return False
        self.first.setdefault(weight)
        return all(u.op.scalar is not None or u.op.name in CELLS for u in self.users.get(y, ()))

    def _early(self, value: Value) -> bool:
        """Whether a value is there before anything else is: given, or a view of what is given."""
        while (maker := self.makers.get(value)) is not None and maker.op.alias and len(maker.inputs) == 1:
            value = maker.inputs[0]
        return maker is None


def _beside(several: Sequence[Sequence[Step]]) -> list[Step]:
    """The steps that do the products of each group at once."""
    steps: list[Step] = []
    first = several[0]
    nodes = tuple(step.node for step in first)
    op = first[0].op
    joined = []
    for position in range(1, len(first[0].inputs)):
        parts = [step.inputs[position] for step in first]
        axis = 1 if op is TABLE["matmul"] else 0
        steps.append(applied(TABLE["concatenate"], parts, {"axis": axis}, nodes))
        joined.append(steps[-1].outputs[0])
    for group in several:
        own = tuple(node for step in group for node in step.nodes)
        steps.append(applied(op, [group[0].inputs[0], *joined], {}, own))
        whole, outputs = steps[-1].outputs[0], [step.outputs[0] for step in group]
        axis = len(whole.shape) - 1
        settings = {"sizes": tuple(y.shape[axis] for y in outputs), "axis": axis}
        steps.append(Step(TABLE["split"], [whole], settings, outputs, own))
    return steps
