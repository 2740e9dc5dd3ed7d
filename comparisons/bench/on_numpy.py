"""NumPy alone, without any gradient: what the arithmetic of a chain costs whoever does it."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

VERSION = np.__version__


def chain(count: int) -> Callable[[], tuple[float, float]]:
    """As `on_dynamic.chain`, but there is no way back."""
    x, a, b = (np.array([value], np.float32) for value in (1.0, 0.999, 0.001))

    def run() -> tuple[float, float]:
        start = perf_counter()
        y = x
        for _ in range(count // 2):
            y = np.multiply(y, a)
            y = np.add(y, b)
        return perf_counter() - start, 0.0

    return run
