"""What a row of the table of kinks says, and when two systems give the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Raises:
    """An outcome that is an error; the class is ours, other systems' errors are errors all the same."""

    error: str


@dataclass(frozen=True)
class Row:
    """One corner, and what we chose to give there. The choice is written by hand: from mathematics, from
    NumPy's definition, or from what the field agreed on, never from a run of ours.

    name    by which each system's file (`tests/kinks/systems`) knows how to call it
    says    the call, for readers
    args    nested lists: of floats in `dtype`, of ints in int32, of bools
    value   what it gives
    slopes  the gradient of each floating argument, of sum(seed * value); None where it is not asked for
    why     the reason of the choice
    seed    the cotangent, where ones would tell too little
    order   2: `value` is the first derivative by the first argument, and `slopes` the derivative of its sum
    signed  whether the sign of zero is what the row is about
    """

    name: str
    says: str
    args: Sequence[Any]
    value: Any
    slopes: Any
    why: str
    seed: Any = None
    order: int = 1
    dtype: str = "float32"
    signed: bool = False

    def __str__(self) -> str:
        return self.name

    def asked(self) -> dict[str, Any]:
        """The row as another interpreter gets it."""
        return {
            "args": self.args, "dtype": self.dtype, "seed": self.seed, "order": self.order,
            "slopes": self.slopes is not None,
        }  # fmt: skip

    def chosen(self) -> dict[str, Any]:
        """Our choice, in the form of an outcome."""
        if isinstance(self.value, Raises):
            return {"raises": self.value.error}
        if isinstance(self.slopes, Raises):
            return {"value": self.value, "slopes": {"raises": self.slopes.error}}
        return {"value": self.value, "slopes": self.slopes}


def same_value(a: Any, b: Any, row: Row) -> bool:
    """Whether two outcomes have one value: to five digits, NaN being NaN; or are both errors."""
    one, other = (found if "raises" in found else found["value"] for found in (a, b))
    return _same(one, other, row)


def same_slopes(a: Any, b: Any, row: Row) -> bool:
    """Whether two outcomes have the same gradients; of two errors there is nothing to compare."""
    if "raises" in a or "raises" in b or row.slopes is None:
        return True
    one, other = a["slopes"], b["slopes"]
    if _failed(one) or _failed(other):
        return _failed(one) and _failed(other)
    return all(ours is None or _same(x, y, row) for x, y, ours in zip(one, other, row.slopes, strict=True))


def _failed(found: Any) -> bool:
    return isinstance(found, dict)


def _same(a: Any, b: Any, row: Row) -> bool:
    if _failed(a) or _failed(b):
        return _failed(a) and _failed(b)
    x, y = (np.asarray(v, "float64").reshape(-1) for v in (a, b))
    coarse = 2e-3 if row.dtype == "float16" else 1e-5
    if x.size != y.size or not np.allclose(x, y, rtol=coarse, atol=1e-45, equal_nan=True):
        return False
    return not row.signed or bool(np.all((np.signbit(x) == np.signbit(y)) | np.isnan(x)))
