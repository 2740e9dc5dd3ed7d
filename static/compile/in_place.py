"""In place: whether a step writes a result over one of its inputs, and over which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from static.compile.block import Step, Value
from static.compile.buffers import Buffers


def input_to_overwrite(
    at: int, step: Step, number: int, buffers: Buffers, contiguous: Container[Value], end: int
) -> Value | None:
    """The input that a step can write one of its results over, if there is one: an array of the same
    shape and dtype in C order, which nothing needs after the step.

    at      the step's index in the block, and `number`, that of the result
    end     the index that stands for "leaves the run" (`Buffers.until`)
    """
    op, value = step.op, step.outputs[number]
    if value not in contiguous or value not in buffers.until:
        return None
    found: list[Value] = []
    uses = Counter([buffer for v in step.values() for buffer in buffers[v].buffers])
    for position in op.may_be(number, value.dtype):
        x = step.inputs[position] if position < len(step.inputs) else None
        if not isinstance(x, Value) or x not in contiguous or x.spec != value.spec:
            continue
        leaves = buffers.until[value] == end
        if not buffers.dies(x, at) or (leaves and not _may_leave(x, buffers)):
            continue
        alone = op.ufunc or uses[buffers[x].buffers[0]] == 1
        if alone or not _overlaps_others(x, position, step, buffers):
            found.append(x)
    return max(found, key=lambda x: _preference(x, buffers), default=None)


def _preference(x: Value, buffers: Buffers) -> tuple[bool, int]:
    """Which input to write over, of several. A part: what takes the places of all parts lies together
    without being joined. Of two, that of the younger value, so that all parts' turns come out alike."""
    location = buffers[x]
    return (False, 0) if location.part is None else (True, location.buffers[0].made or 0)


def _may_leave(x: Value, buffers: Buffers) -> bool:
    """Whether what leaves a run may lie where `x` does: it needs memory for itself alone."""
    location = buffers[x]
    return location.fills and not location.buffers[0].fixed


def _overlaps_others(x: Value, position: int, step: Step, buffers: Buffers) -> bool:
    """Whether an input may have memory in common with another one."""
    others = [v for i, v in enumerate(step.inputs) if isinstance(v, Value) and i != position]
    return any([buffers.may_overlap(x, v) for v in others])
