"""Products with the same weight, as one product of all their rows under each other; and losses.

An unrolled loop multiplies the same weight at every time step. Where no step needs another's
product, as with the inputs of all times, or their cotangents, the rows of all can be one matrix. So
can those of cross-entropies, each of which takes some twenty passes over its few numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.dims import product
from shared.kernels import FLOATS
from shared.op import TABLE
from static.compile.block import Block, Step, Value, applied, in_order
from static.compile.log import Log
from static.compile.steps.entropies import cross_entropies
from static.graph.graph import Node

LOSS = TABLE["cross_entropy"]
FEW = 16
"""Rows up to which a product is bound by reading its weight, so that putting rows under each other
always pays: 2 to 20 times, and up to 80 for single rows of a weight gradient."""
LARGE = 1 << 16
"""Elements of a weight from which on it pays for any number of rows; a smaller one stays in the
cache from product to product, and copying the rows costs more than is won."""
SHORT = 1 << 13
"""Scores of a batch up to which its cross-entropy is mostly calls: more are not worth their copy."""
GROUPS = 32
"""How many groups are looked at, the largest first: each takes a walk of its own."""


def pays(x: Value, weight: Value) -> bool:
    """Whether products with rows like those of `x` should be one, as far as sizes are known."""
    rows, size = product(x.shape[:-1]), product(weight.shape)
    return (isinstance(rows, int) and rows <= FEW) or (isinstance(size, int) and size >= LARGE)


def in_rows(value: Value, nodes: tuple[Node, ...], steps: list[Step]) -> Value:
    """A value with all axes but the last made one; adds the step for that, if it takes one."""
    if len(value.shape) == 2:
        return value
    shape = (product(value.shape[:-1]), value.shape[-1])
    steps.append(applied(TABLE["reshape"], [value], {"shape": shape}, nodes))
    return steps[-1].outputs[0]


def merge_rows(block: Block, log: Log) -> Block:
    """The block with independent products by one weight as one product, and cross-entropies of one line as
    one op."""
    groups: dict[Any, list[Step]] = {}
    for step in block.steps:
        if _multiplies(step) and pays(step.inputs[0], step.inputs[1]):
            groups.setdefault((step.op, *step.inputs[1:]), []).append(step)
        elif _is_short_loss(step):
            alike = *((x.shape, x.dtype) for x in step.inputs), *step.settings.items(), step.node.line
            groups.setdefault((step.op, *alike), []).append(step)
    several = sorted((group for group in groups.values() if len(group) > 1), key=len, reverse=True)
    for group in several[:GROUPS]:
        for together in _independent(block, group):
            if len(together) > 1:
                losses = together[0].op is LOSS
                steps = _loss_of(together) if losses else _product_of(together)
                block = _with(block, together, steps)
                log.note(
                    f"{len(together)} {'losses' if losses else 'products'} in one",
                    "none of them needs another's result", together[0].node.line,
                )  # fmt: skip
    return block


def _multiplies(step: Step) -> bool:
    """Whether a step is a product of rows and a weight, with sizes that are known."""
    if step.op not in (TABLE["linear"], TABLE["linear_input"], TABLE["matmul"]):
        return False
    x, weight = step.inputs[:2]
    sizes_known = all(isinstance(size, int) for size in x.shape)
    return sizes_known and len(weight.shape) == 2 and len(x.shape) >= 2 and x.dtype == step.outputs[0].dtype


def _independent(block: Block, group: Sequence[Step]) -> list[list[Step]]:
    """The steps of a group by how many others of it stand before them on the longest way: those for
    which that is the same can not need each other. A way leads through values, through sizes that are
    read off them, and from effect to effect."""
    inside = set(group)
    depth: dict[Value | Node, int] = {}  # of values, and of what has effects
    layers: dict[int, list[Step]] = {}
    effect = 0
    for step in block.steps:
        needs = [depth.get(value, 0) for value in step.values()]
        needs += [depth.get(node, 0) for own in step.nodes for node in own.control]
        if block.sizes:
            needs += [depth.get(block.sizes[symbol][0], 0) for symbol in step.symbols()]
        deepest = max(needs, default=0)
        if not step.op.pure:
            deepest = effect = max(deepest, effect)
            depth.update(dict.fromkeys(step.nodes, deepest))
        if step in inside:
            layers.setdefault(deepest, []).append(step)
            deepest += 1
        if deepest:
            depth.update(dict.fromkeys(step.outputs, deepest))
    return list(layers.values())


def _is_short_loss(step: Step) -> bool:
    """Whether a step is a cross-entropy of few scores, in floats that are computed as they are."""
    if step.op is not LOSS:
        return False
    logits, labels = step.inputs
    size = product(logits.shape)
    return isinstance(size, int) and 0 < size <= SHORT and logits.dtype in FLOATS and bool(labels.shape)


def _product_of(together: Sequence[Step]) -> list[Step]:
    """Steps that give what these products do, as parts of one."""
    if together[0].op is TABLE["linear_input"]:  # the way back begins with the last: as on the way there
        together = together[::-1]
    steps: list[Step] = []
    nodes = _nodes(together)
    rows = [in_rows(step.inputs[0], nodes, steps) for step in together]
    steps.append(applied(TABLE["concatenate"], rows, {"axis": 0}, nodes))
    first = together[0]
    steps.append(applied(first.op, [steps[-1].outputs[0], *first.inputs[1:]], {}, nodes))
    sizes = tuple(part.shape[0] for part in rows)
    parts = applied(TABLE["split"], [steps[-1].outputs[0]], {"sizes": sizes, "axis": 0}, nodes)
    outputs = list(parts.outputs)
    behind: list[Step] = []
    for i, step in enumerate(together):
        if len(step.inputs[0].shape) == 2:
            outputs[i] = step.outputs[0]
        else:
            shape = step.outputs[0].shape
            behind.append(Step(TABLE["reshape"], [outputs[i]], {"shape": shape}, step.outputs, step.nodes))
    return [*steps, Step(parts.op, parts.inputs, parts.settings, outputs, nodes), *behind]


def _loss_of(together: Sequence[Step]) -> list[Step]:
    """Steps that give what these cross-entropies do, as parts of those of one op."""
    nodes, count = _nodes(together), len(together)
    stacks = [
        applied(TABLE["stack"], [step.inputs[i] for step in together], {"axis": 0}, nodes) for i in (0, 1)
    ]
    made = applied(cross_entropies, [stack.outputs[0] for stack in stacks], together[0].settings, nodes)
    parts = [
        Step(TABLE["unbind"], [value], {"axis": 0, "count": count}, [step.outputs[i] for step in together],
             nodes)
        for i, value in enumerate(made.outputs)
    ]  # fmt: skip
    return [*stacks, made, *parts]


def _nodes(together: Sequence[Step]) -> tuple[Node, ...]:
    return tuple(node for step in together for node in step.nodes)


def _with(block: Block, together: Sequence[Step], steps: Sequence[Step]) -> Block:
    """The block with others in the place of some steps."""
    gone = set(together)
    at = next(i for i, step in enumerate(block.steps) if step in gone)
    kept = [step for step in block.steps if step not in gone]
    return in_order(block.with_steps([*kept[:at], *steps, *kept[at:]]))
