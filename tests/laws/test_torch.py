"""Law: values, first and second derivatives agree with PyTorch where PyTorch has the op.

Runs wherever torch is installed (`pip install diptych[oracle]`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import differentiate, draws, on_dynamic, outputs

torch = pytest.importorskip("torch", reason="PyTorch is not installed: the oracle laws need it")


@pytest.mark.parametrize("case", [case for case in all_cases() if case.torch], ids=str)
def test_agrees_with_pytorch(case: Case) -> None:
    """In float64, to 1e-9."""
    arrays = case.arrays(np.float64)
    cs, us, _ = draws(case, arrays)
    ours = on_dynamic(case, arrays, cs, us)
    xs = [torch.tensor(a, requires_grad=a.dtype.kind in "fc") for a in arrays]
    made = outputs(case.torch(*xs))
    kept = [None if c is None else torch.tensor(c, requires_grad=True) for c in cs[: len(made)]]

    def grad(y: Any, wanted: list[Any]) -> list[Any]:
        if not y.requires_grad:
            return [None] * len(wanted)
        return list(torch.autograd.grad(y, wanted, create_graph=True, allow_unused=True))

    def summed(values: Any, weights: Any) -> Any:
        pairs = zip(values, weights, strict=True)
        terms = [(v * w.conj()).real.sum() for v, w in pairs if v is not None and w is not None]
        return sum(terms[1:], terms[0]) if terms else None

    sides = [None if u is None else torch.tensor(u) for u in us]
    first, second = differentiate(grad, made, xs, kept, sides, case.second, total=summed)
    for what, mine, theirs in (
        ("output", ours.ys, made),
        ("first derivative", ours.first, first),
        ("second derivative", ours.second, second),
    ):
        for i, (a, b) in enumerate(zip(mine, theirs, strict=False)):
            a, b = _filled(a, b), _filled(None if b is None else b.numpy(force=True), a)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, err_msg=f"{what} {i}")


def _filled(value: Any, other: Any) -> Any:
    """Zeros where one side has no derivative and the other has one that is zero."""
    if value is None and other is not None:
        return np.zeros(tuple(other.shape))
    return value
