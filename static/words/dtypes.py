"""Dtypes as objects: `static.float32` is NumPy's dtype of that name."""

from __future__ import annotations

import numpy as np

from shared.spec import as_dtype as as_dtype

float16, float32, float64 = (np.dtype(name) for name in ("float16", "float32", "float64"))
int8, int16, int32, int64 = (np.dtype(name) for name in ("int8", "int16", "int32", "int64"))
uint8, uint16, uint32, uint64 = (np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64"))
complex64, complex128, boolean = np.dtype("complex64"), np.dtype("complex128"), np.dtype("bool")
