"""A weight that is multiplied again and again, laid out once for all its products.

In an unrolled loop each step multiplies the same weight by a few rows, and needs the step's before. BLAS
would bring the weight into its own order in each of them, which takes longer than the products.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.dims import product
from shared.kernels import FLOATS, machine
from shared.op import TABLE
from static.compile.block import Block, Step, Value, applied, in_order
from static.compile.log import Log
from static.compile.steps.packed import MOST_ROWS, pack, packed_product

FEWEST = 3
"""How many products pay for the layout, which costs about as much as one of them saves."""
TURNED = {"linear": True, "linear_input": False, "matmul": False}
"""The ops that multiply rows by a weight, and whether by its transpose."""


def pack_weights(block: Block, log: Log) -> Block:
    """The block with weights of several products of few rows laid out before the first."""
    groups: dict[tuple[bool, Value], list[Step]] = {}
    makers = block.makers()
    for step in block.steps:
        if _few_rows(step):
            groups.setdefault(_weight(step, makers), []).append(step)
    groups = {key: group for key, group in groups.items() if len(group) >= FEWEST}
    if not groups or machine.available():
        return block
    first: dict[Step, Step] = {}
    instead: dict[Step, Step] = {}
    for (turned, weight), group in groups.items():
        layout = first[group[0]] = applied(pack, [weight], {"turned": turned}, group[0].nodes)
        for step in group:
            x, own, *bias = step.inputs
            op = packed_product(step.op.name, weight.dtype, bool(bias))
            inputs = [x, own, layout.outputs[0], *bias]
            instead[step] = Step(op, inputs, step.settings, step.outputs, step.nodes)
        log.note(
            f"{len(group)} products read a weight that is laid out once",
            "they would each bring it into order for themselves", group[0].node.line,
        )  # fmt: skip
    return in_order(block.with_steps(
        new for step in block.steps
        for new in ((first[step],) if step in first else ()) + (instead.get(step, step),)
    ))  # fmt: skip


def _weight(step: Step, makers: Mapping[Value, Step]) -> tuple[bool, Value]:
    """What a step multiplies by, and whether by its transpose: a transpose is read as what it turns."""
    turned, weight = TURNED[step.op.name], step.inputs[1]
    maker = makers.get(weight)
    if maker is not None and maker.op is TABLE["transpose"] and maker.settings["axes"] == (1, 0):
        return not turned, maker.inputs[0]
    return turned, weight


def _few_rows(step: Step) -> bool:
    """Whether a step multiplies a few rows, as far as is known, and all is of one dtype."""
    if step.op.name not in TURNED or step.op is not TABLE.get(step.op.name):
        return False
    x, weight, *bias = step.inputs
    arrays = [x, weight, *bias]
    rows = x.shape[0] if len(x.shape) == 2 else None
    return (
        rows is not None
        and (not isinstance(rows, int) or rows <= MOST_ROWS)
        and len(weight.shape) == 2
        and isinstance(product(weight.shape), int)
        and all(array.dtype == weight.dtype and array.dtype in FLOATS for array in arrays)
    )
