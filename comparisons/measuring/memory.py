"""Counting memory while something runs: the host's, or a GPU's."""

from __future__ import annotations

import tracemalloc
from typing import Any

from shared.device.cuda import cupy


class HostMemory:
    """What NumPy and Python allocate, by tracemalloc, which slows Python down."""

    by = "tracemalloc"

    def start(self) -> None:
        """Count from here on."""
        tracemalloc.start()

    def read(self) -> tuple[int, int]:
        """Bytes that are held beyond those at the start, and the most since it was read last."""
        found = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        return found

    def stop(self) -> None:
        """Count no more."""
        tracemalloc.stop()


class GpuMemory:
    """What CuPy's arrays take from its pool on the GPU. What CUDA's own libraries take is not seen."""

    by = "CuPy's pool, of the GPU's memory alone"

    def start(self) -> None:
        """Count from here on."""
        self.pool = cupy().get_default_memory_pool()
        self.before = self.peak = self.pool.used_bytes()
        cupy().cuda.set_allocator(self._allocated)

    def _allocated(self, size: int) -> Any:
        memory = self.pool.malloc(size)
        self.peak = max(self.peak, self.pool.used_bytes())
        return memory

    def read(self) -> tuple[int, int]:
        """Bytes that are held beyond those at the start, and the most since it was read last."""
        now = self.pool.used_bytes()
        peak, self.peak = max(self.peak, now), now
        return now - self.before, peak - self.before

    def stop(self) -> None:
        """Count no more."""
        cupy().cuda.set_allocator(self.pool.malloc)


METERS: dict[str, Any] = {"cpu": HostMemory, "cuda": GpuMemory}
"""By the device."""
