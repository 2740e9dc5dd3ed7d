"""Drops what nothing needs: steps that other passes have left without a use."""

from __future__ import annotations

from static.compile.block import Block, Value
from static.compile.log import Log


def drop_unused(block: Block, log: Log) -> Block:
    """The block without pure steps whose values are not used, and a note of how many they were."""
    smaller = without_unused(block)
    if dropped := len(block.steps) - len(smaller.steps):
        log.note(f"{dropped} steps dropped", "nothing uses what they give")
    return smaller


def without_unused(block: Block) -> Block:
    """The block without pure steps whose values are not used."""
    needed: set[Value] = {*block.leaving(), *(value for value, _ in block.sizes.values())}
    kept = []
    for step in reversed(block.steps):
        if not step.op.pure or any([value in needed for value in step.outputs]):
            kept.append(step)
            needed.update(step.values())
    return block.with_steps(reversed(kept))
