"""Where a session computes. What differs between the CPU and a GPU is said here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import cuda


class Device:
    """The CPU, by NumPy.

    name      "cpu" or "cuda"
    left_out  the passes that have no place there, or "plan"
    module    whose functions make arrays there
    asarray   what makes an array of a result that may be a number
    copy      a copy of an array that is there, in C order
    """

    name = "cpu"
    left_out: frozenset[str] = frozenset()
    module: Any = np
    asarray: Callable[[Any], Any] = staticmethod(np.asarray)

    def __repr__(self) -> str:
        return self.name

    @staticmethod
    def copy(array: Any) -> Any:
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

    def kernel(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        """A function that makes arrays of settings alone, such that it makes them here."""
        return compute


class Cuda(Device):
    """A GPU, by CuPy, which has a pool of memory of its own: no plan says where values lie."""

    name = "cuda"
    left_out = frozenset({"plan", "fuse"})
    module = cuda.XP

    @staticmethod
    def asarray(value: Any) -> Any:
        return cuda.to_device(value, "cuda")

    @staticmethod
    def copy(array: Any) -> Any:
        return cuda.owned(array)

    def kernel(self, compute: Callable[..., Any]) -> Callable[..., Any]:
        def made(**settings: Any) -> Any:
            with cuda.placing("cuda"):
                y = compute(**settings)
            return tuple(map(self.put, y)) if isinstance(y, tuple) else self.put(y)

        return made


CPU = Device()
DEVICES = {"cpu": CPU, "cuda": Cuda()}
