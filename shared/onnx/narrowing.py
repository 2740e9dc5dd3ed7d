"""Values rounded to dtypes that NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import DTypeError
from shared.onnx.values import Narrow, carrier
from shared.ops.formats import FORMATS


def narrowed(value: Any, dtype: np.dtype[Any], saturate: bool = False) -> Narrow:
    """A value as the nearest numbers of `dtype`; of whole numbers, those that their last bits say.

    saturate: whether what is too large becomes the largest number.
    """
    kind = carrier(dtype)
    if isinstance(value, np.ndarray) and value.dtype == dtype:
        return Narrow(value.astype(kind), dtype)
    if kind.kind != "f":
        return Narrow(_last_bits(ops.cast(value, kind), dtype), dtype)
    if dtype.name not in FORMATS:
        raise DTypeError(f"values of {dtype} are read and passed on, but nothing is computed in it")
    value = value if value.dtype.kind == "f" else ops.cast(value, kind)
    if saturate:
        largest = FORMATS[dtype.name].largest
        value = ops.clip(value, -largest, largest)
    return Narrow(ops.cast(ops.round_to(value, dtype.name), kind), dtype)


def _last_bits(x: Any, dtype: np.dtype[Any]) -> Any:
    """Whole numbers as the last bits of them are read."""
    bits = int(dtype.name.lstrip("uint"))
    low = ops.bitwise_and(x, (1 << bits) - 1)
    if x.dtype.kind == "u":
        return low
    sign = 1 << (bits - 1)
    return ops.sub(ops.bitwise_xor(low, sign), sign)
