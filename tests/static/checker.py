"""What must hold of a block after every pass, checked while a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.spec import spec_of
from static.compile.block import Block, Value
from static.compile.passes import CHECKS


@contextmanager
def checked() -> Iterator[None]:
    """Check every block that a pass gives within the block."""
    CHECKS.append(check_block)
    try:
        yield
    finally:
        CHECKS.remove(check_block)


def check_block(name: str, block: Block) -> None:
    """Each value is made once and before it is used; each step gives what its op infers; effects
    are in program order."""
    made: set[Value] = {*block.fed, *block.missing.values(), *block.reads.values(), *block.constants}
    order = []
    for step in block.steps:
        for value in step.values():
            assert value in made, f"{name}: {step} uses {value} before it is made"
        for symbol in step.symbols():
            assert block.sizes[symbol][0] in made, f"{name}: {step} needs {symbol} before it is known"
        assert made.isdisjoint(step.outputs), f"{name}: {step} makes a value twice"
        made.update(step.outputs)
        if step.op.listed and step.op.pure:
            inferred = step.op.infer(*[spec_of(x) for x in step.inputs], **step.settings)
            specs = (inferred,) if step.op.single else inferred
            for value, spec in zip(step.outputs, specs, strict=True):
                assert value.dtype == spec.dtype, f"{name}: {step} gives {spec}"
                for a, b in zip(value.shape, spec.shape, strict=True):
                    assert not isinstance(a, int) or not isinstance(b, int) or a == b, f"{name}: {step}"
        if not step.op.pure:
            order.append(step.node.order)
    assert order == sorted(order), f"{name}: effects out of order"
    for value in block.leaving():
        assert value in made, f"{name}: {value} leaves and is never made"
