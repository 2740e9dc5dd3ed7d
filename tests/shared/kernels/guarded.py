"""Arrays behind which, or before which, no memory may be touched: who does ends the process."""

from __future__ import annotations

import ctypes
import math
import mmap
from typing import Any

import numpy as np

_NOTHING = 0  # PROT_NONE


def guarded(shape: Any, dtype: Any, front: bool = False) -> Any:
    """An array of zeros that ends with a page, behind which one may not be touched; `front`: that begins
    with a page, and before it is such a one."""
    shape, dtype = tuple(shape), np.dtype(dtype)
    length, page = math.prod(shape) * dtype.itemsize, mmap.PAGESIZE
    pages = max(-(-length // page), 1)
    memory = mmap.mmap(-1, (pages + 1) * page)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if protect(begin if front else begin + pages * page, page, _NOTHING):
        raise OSError(ctypes.get_errno(), "mprotect")
    return np.ndarray(shape, dtype, memory, page if front else pages * page - length)


def filled(array: Any, front: bool = False) -> Any:
    """The same numbers in such an array."""
    copy = guarded(array.shape, array.dtype, front)
    copy[...] = array
    return copy


class Guarding:
    """NumPy, but zeros and uninitialised memory are such arrays: what a module allocates for its kernels."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def zeros(shape: Any, dtype: Any = float) -> Any:
        return guarded((shape,) if isinstance(shape, (int, np.integer)) else shape, dtype)

    empty = zeros
