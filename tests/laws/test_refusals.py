"""Law: what `infer` refuses, a call on arrays refuses too, in the project's own words; and what
it accepts comes out as it said. Tried on the cases' own arguments with one size changed, for ops
whose shapes must agree with each other, or with a setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shared.errors import DiptychError
from shared.op import Op
from shared.spec import sizes_match, spec_of
from static.graph.graph import CONSTANT, Tensor, symbols_of
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, on_static, outputs


def bent(array: np.ndarray) -> Iterator[np.ndarray]:
    """The same values, one more of them along one axis, or with the axes the other way round, so that they
    probably do not fit."""
    for axis in range(array.ndim):
        more = array[(slice(None),) * axis + (slice(0, 1),)]
        yield np.concatenate([array, more], axis)
    if array.shape != array.shape[::-1]:
        yield np.ascontiguousarray(array.T)


def applications(case: Case) -> Iterator[tuple[Op, list[Any], dict[str, Any]]]:
    """Each op that the case's call applies, with its arguments."""
    arrays = case.arrays(np.float64)
    cs, us, _ = draws(case, arrays)
    built = on_static(case, arrays, [None] * len(cs), us, known=True)
    nodes = [node for node in built.graph.nodes if isinstance(node.op, Op)]
    made = [t for node in built.graph.nodes if node.op is CONSTANT or node in nodes for t in node.outputs]
    tensors = [*built.feeds, *made]
    values = dict(zip(tensors, built.run(tensors), strict=True))
    for node in nodes:
        if node.inputs and not symbols_of(node) and node.op.listed:
            yield node.op, [values[x] if isinstance(x, Tensor) else x for x in node.inputs], node.settings


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_what_infer_refuses_compute_refuses_and_what_it_accepts_comes_out_so(case: Case) -> None:
    for op, args, settings in applications(case):
        for position, arg in enumerate(args):
            for other in bent(arg) if isinstance(arg, np.ndarray) else ():
                check(op, [*args[:position], other, *args[position + 1 :]], settings)


def check(op: Op, args: list[Any], settings: dict[str, Any]) -> None:
    shapes = f"{op.name}: {[getattr(a, 'shape', a) for a in args]} {settings}"
    try:
        inferred = outputs(op.infer(*[spec_of(a) for a in args], **settings))
    except DiptychError:
        inferred = None
    try:
        with np.errstate(all="ignore"):
            got = outputs(op(*args, **settings))
    except DiptychError:
        return  # also where infer could not know: an index outside, a label out of range
    assert inferred is not None, f"infer refuses and compute takes {shapes}"
    for want, y in zip(inferred, got, strict=True):
        fits = len(want.shape) == y.ndim and all(map(sizes_match, want.shape, y.shape))
        assert fits and want.dtype == y.dtype, shapes
