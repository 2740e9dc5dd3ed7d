"""Where a session computes. What differs between the CPU and a GPU is said here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np

from shared.device import cuda
from shared.op import Op


class Device:
    """The CPU, by NumPy.

    name      "cpu" or "cuda"
    left_out  the passes that have no place there, or "plan"
    module    whose functions make arrays there
    asarray   what makes an array of a result that may be a number
    """

    name = "cpu"
    left_out: frozenset[str] = frozenset()
    module: Any = np
    asarray: Callable[[Any], Any] = staticmethod(np.asarray)

    def __repr__(self) -> str:
        return self.name

    @staticmethod
    def copy(array: Any) -> Any:
        """A copy of an array that is here, in C order."""
        return np.array(array, order="C")

    def put(self, array: Any) -> Any:
        """The array on this device: itself, if it is there."""
        return cuda.to_device(array, self.name)

    def own(self, array: Any) -> Any:
        """A fresh array in C order; what is given is fresh already."""
        return array if array.flags.c_contiguous else self.copy(array)

    def take(self, array: Any) -> Any:
        """A copy on this device of an array that may be anywhere."""
        there = self.put(array)
        return self.copy(there) if there is array else there

    def making(self, op: Op) -> Op:
        """An op that is given no array, such that it makes its arrays here."""
        return op


class Cuda(Device):
    """A GPU, by CuPy, which has a pool of memory of its own: no plan says where values lie."""

    name = "cuda"
    # The last four choose kernels for the CPU.
    left_out = frozenset({"plan", "convolve", "winograd", "normalize", "pack"})
    module = cuda.XP

    @staticmethod
    def asarray(value: Any) -> Any:
        return cuda.to_device(value, "cuda")

    @staticmethod
    def copy(array: Any) -> Any:
        return cuda.owned(array)

    def making(self, op: Op) -> Op:
        def compute(*numbers: Any, **settings: Any) -> Any:
            with cuda.placing(self.name):
                y = op.compute(*numbers, **settings)
            return tuple(map(self.put, y)) if isinstance(y, tuple) else self.put(y)

        here = copy(op)
        here.compute = compute
        return here


CPU = Device()
DEVICES = {"cpu": CPU, "cuda": Cuda()}
