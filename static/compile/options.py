"""How a run is to be compiled."""

from __future__ import annotations

from dataclasses import dataclass

from static.compile.device import CPU, Device

LEVELS = ("exact", "fast")


@dataclass(frozen=True)
class Options:
    """How to compile; see `static.compile.passes.options_for` for what a user says.

    level    "exact": every bit as the steps one by one; "fast": as the passes promise
    without  names of passes to leave out, or of the plan
    watched  whether each step tells the hooks of the running thread
    device   where it is to run
    memory_limit  the bytes that a run may hold; None if as many as it needs
    capture  whether runs on a GPU are recorded and launched as one
    """

    level: str = "exact"
    without: frozenset[str] = frozenset()
    watched: bool = False
    device: Device = CPU
    memory_limit: int | None = None
    capture: bool = False

    @property
    def plans(self) -> bool:
        """Whether values get their places beforehand. Who watches may keep what he is shown."""
        return not self.watched and "plan" not in self.without

    @property
    def plainly(self) -> bool:
        """Whether a kernel of plain arithmetic gives the bits of the steps one by one: CUDA's compiler makes
        one rounding of a product and a sum. Who watches is shown each step."""
        return self.device is CPU and not self.watched


EXACT = Options()
