"""Values rounded to dtypes that NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import OnnxError
from shared.onnx.values import Narrow, carrier


def narrowed(value: Any, dtype: np.dtype[Any]) -> Narrow:
    """A value rounded to the nearest numbers of `dtype`."""
    if not isinstance(value, np.ndarray):
        raise OnnxError(f"values of {dtype} are read and passed on here, and not computed with")
    return Narrow(value.astype(dtype).astype(carrier(dtype)), dtype)
