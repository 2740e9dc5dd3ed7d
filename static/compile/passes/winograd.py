"""Convolutions by 3x3 kernels, and their gradients, with a quarter of the multiplications.

By sizes alone, so that a program does the same on every run; `shared.kernels.winograd` says which sizes, and
what it costs in accuracy. Sizes that are unknown here are looked at when the program runs.
"""

from __future__ import annotations

from shared.dims import Dim
from shared.kernels import winograd
from shared.ops.convolution import geometry_of
from shared.spec import Spec
from static.compile.block import Block, Step
from static.compile.log import Log
from static.compile.steps.winograd import INSTEAD

ANY = 1 << 20
"""Images, where their number is unknown: enough of them."""


def take_winograd(block: Block, log: Log) -> Block:
    """The block with the convolutions that may be made so as steps of their own."""
    instead = {step: _instead(step) for step in block.steps if step.op in INSTEAD and _suits(step)}
    if not instead:
        return block
    for step in instead:
        log.note(
            f"{step.op.name} by F(4x4, 3x3)",
            "a quarter of the multiplications; the error is up to four times that of the sums",
            step.node.line,
        )  # fmt: skip
    return block.with_steps(instead.get(step, step) for step in block.steps)


def _instead(step: Step) -> Step:
    return Step(INSTEAD[step.op], step.inputs, step.settings, step.outputs, step.nodes)


def _suits(step: Step) -> bool:
    """Whether the sizes suit, those that are unknown apart."""
    settings = dict(step.settings)
    groups, pool = settings.pop("groups"), settings.pop("pool", (1, 1))
    settings.pop("relu", None)
    first, second = step.inputs[0].spec, step.inputs[1].spec
    images, weights = first, second
    if (kernel := settings.pop("kernel", None)) is not None:
        weights = Spec((second.shape[1], first.shape[1], *kernel), second.dtype)
    size = settings.pop("size", first.shape[2:])
    fixed = *weights.shape, *size, groups
    if any(isinstance(number, Dim) for number in fixed):
        return False
    count = ANY if isinstance(first.shape[0], Dim) else first.shape[0]
    images = Spec((count, *first.shape[1:]), first.dtype)
    geometry = geometry_of("conv2d", size, weights.shape[2:], **settings)
    return winograd.suits(images, weights, geometry, groups, pool)
