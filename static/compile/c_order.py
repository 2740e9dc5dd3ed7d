"""Which values are sure to be in C order: sums depend on the order to the bit, and NumPy's ufuncs keep it."""

from __future__ import annotations

from collections.abc import Container

from shared.dims import UNKNOWN_RANK
from static.compile.block import Block, Step, Value


def stays_in_c_order(step: Step, ordered: Container[Value]) -> bool:
    """Whether a step whose results may share the memory of what they are made from surely gives views in C
    order."""
    view, base = step.op.hints.view, step.inputs[step.op.alias[0]]
    return view is not None and base in ordered and view(**step.settings)


def is_made_in_c_order(step: Step, y: Value, ordered: Container[Value]) -> bool:
    """Whether a result of a step that makes new arrays surely is in C order."""
    if y.shape is UNKNOWN_RANK:
        return False
    return len(y.shape) < 2 or not step.op.ufunc or all([v in ordered for v in step.values()])


def values_in_c_order(block: Block, orderly: bool) -> set[Value]:
    """All of them. orderly: whether what is fed is."""
    ordered: set[Value] = {*(block.fed if orderly else ()), *block.reads.values()}
    ordered.update(v for v, array in block.constants.items() if array.flags.c_contiguous)
    for step in block.steps:
        if step.op.alias:
            if stays_in_c_order(step, ordered):
                ordered.update(step.outputs)
        else:
            ordered.update([y for y in step.outputs if is_made_in_c_order(step, y, ordered)])
    return ordered
