"""Constant folding: what depends on constants alone is computed when the program is compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK
from shared.spec import is_weak, spec_of
from static.compile.block import Block, Step, Value
from static.compile.log import Log

LIMIT = 1 << 16
"""Bytes of a value up to which it is kept as a constant. A larger one, such as zeros of the size of
a batch, is sooner made anew than kept in memory for good."""


def fold_constants(block: Block, log: Log) -> Block:
    """The block without the steps whose values are known, which become constants."""
    constants: dict[Value, Any] = dict(block.constants)
    kept: list[Step] = []
    for step in block.steps:
        made = _computed(step, constants)
        if made is None:
            kept.append(step)
            continue
        constants.update(zip(step.outputs, made, strict=True))
        log.note(f"{step.op.name} is a constant", "it depends on constants alone", step.node.line)
    return block.with_steps(kept, constants=constants)


def _computed(step: Step, constants: dict[Value, Any]) -> tuple[Any, ...] | None:
    """What a step gives whatever is fed; None if that is not known, or large."""
    if not step.op.pure or not step.op.listed or step.symbols():
        return None
    if not all(is_weak(x) or x in constants for x in step.inputs):
        return None
    if any(_bytes(value) > LIMIT for value in step.outputs):
        return None
    arrays = [constants[x] if isinstance(x, Value) else x for x in step.inputs]
    try:
        with np.errstate(all="ignore"):
            y = step.op.on_arrays(arrays, step.settings)
    except Exception:  # it will fail in the same way at run, where the user's line can be named
        return None
    made = (y,) if step.op.single else y
    fits = all(spec_of(a) == v.spec for a, v in zip(made, step.outputs, strict=True))
    return made if fits else None


def _bytes(value: Value) -> float:
    size = value.spec.size if value.shape is not UNKNOWN_RANK else None
    return size * value.dtype.itemsize if isinstance(size, int) else math.inf
