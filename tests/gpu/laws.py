"""Each op of the table, with those of its first and second derivatives, on a GPU beside the CPU."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np

from shared.device.cuda import CudaArray
from tests.cases import all_cases
from tests.laws.calls import calls, moved
from tests.laws.harness import outputs

APART = 2e-5
"""How far a float32 result may lie from the CPU's, as a share of the largest number in it."""


def distance(y: Any, want: Any) -> float:
    """The largest difference as a share of the largest number; infinite where they are of two kinds, or one
    has NaN and infinities where the other one has not."""
    if not isinstance(y, CudaArray) or y.dtype != want.dtype or y.shape != want.shape:
        return np.inf
    ours, theirs = y.get(), np.asarray(want)
    if want.dtype.kind not in "fc":
        return 0.0 if np.array_equal(ours, theirs) else np.inf
    usual = np.isfinite(theirs)
    if not np.array_equal(ours[~usual], theirs[~usual], equal_nan=True) or not np.isfinite(ours[usual]).all():
        return np.inf
    if not usual.any():
        return 0.0
    largest = np.abs(theirs[usual]).max()
    return float(np.abs(ours[usual] - theirs[usual]).max() / largest) if largest else float(ours[usual].any())


def main(seconds: float, *names: str) -> dict[str, Any]:
    """Tries as many cases as the time is for, in an order drawn by lot: `tried`, `of`, and by op the
    `failed` ones, with the error or the distance."""
    cases = [case for case in all_cases() if not names or str(case) in names]
    random.Random(0).shuffle(cases)
    wrong: dict[str, str] = {}
    end, tried, worst = time.monotonic() + seconds, 0, 0.0
    for case in cases:
        if time.monotonic() > end:
            break
        tried += 1
        for op, inputs, settings in calls(case):
            try:
                expected = outputs(op(*inputs, **settings))
                found = outputs(op(*moved(inputs), **settings))
                apart = max(map(distance, found, expected), default=0.0)
            except Exception as error:
                wrong.setdefault(op.name, f"{case}: {type(error).__name__}: {error}"[:300])
                continue
            if apart > APART:
                wrong.setdefault(op.name, f"{case}: {apart:.1e} apart")
            else:
                worst = max(worst, apart)
    return {"tried": tried, "of": len(cases), "worst": worst, "failed": wrong}
