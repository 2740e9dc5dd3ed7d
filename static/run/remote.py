"""A program whose arrays live on a GPU: what it is fed goes there, what is fetched comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.device.cuda import to_device, to_host
from static.compile.program import Program
from static.graph.variables import Variable


class RemoteProgram(Program):
    """A compiled run on a GPU. It takes arrays from either side, gives NumPy arrays for what is
    fetched, as TensorFlow does, and leaves there what the variables are to hold."""

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        fetched, stores = super().__call__([to_device(array, "cuda") for array in feeds], state)
        return tuple([to_host(array) for array in fetched]), stores


PROGRAMS: dict[str, type[Program]] = {"cpu": Program, "cuda": RemoteProgram}
"""The kind of program that a session compiles, by its device."""
