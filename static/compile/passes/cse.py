"""Common subexpressions: what is computed twice from the same values is computed once.

By hash, in program order, so that one walk finds everything. Steps with effects are never merged.
"""

from __future__ import annotations

from typing import Any

from shared.op import exact, settings_key
from static.compile.block import Block, Step, Value
from static.compile.log import Log


def merge_same(block: Block, log: Log) -> Block:
    """The block with each pure computation done once."""
    instead: dict[Value, Value] = {}
    seen: dict[Any, Step] = {}
    kept: list[Step] = []
    for step in block.steps:
        step = step.instead(instead)
        if not step.op.pure:
            kept.append(step)
            continue
        before = seen.setdefault(_key(step), step)
        if before is step:
            kept.append(step)
            continue
        instead.update(zip(step.outputs, before.outputs, strict=True))
        log.note(
            f"{step.op.name} of {step.node.name!r} is that of {before.node.name!r}",
            "the same op on the same values with the same settings", step.node.line,
        )  # fmt: skip
    return block.with_steps(kept, instead)


def _key(step: Step) -> Any:
    inputs = tuple([id(x) if isinstance(x, Value) else exact(x) for x in step.inputs])
    return step.op, inputs, settings_key(step.settings) if step.settings else ()
