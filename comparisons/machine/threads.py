"""Thread settings that must stand before NumPy is imported.

The workers of OpenBLAS and of OpenMP spin for a while after each call; beside each other on few
cores that makes steps many times slower, and by chance. And a product that is split between
threads is done when the last of them has had its turn: a step of the small CNN takes 4.5 ms with
one thread and with two, but with two 68 ms as soon as other work keeps a core busy. So the
matrices of these tasks, too small to gain from a second thread, get one; whoever wants more sets
OPENBLAS_NUM_THREADS. Both engines run under the same settings, and the report states them.
"""

from __future__ import annotations

import os
import sys

SETTINGS = {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_THREAD_TIMEOUT": "10", "OMP_WAIT_POLICY": "passive"}
SHOWN = (*SETTINGS, "OMP_NUM_THREADS")
MARK = "DIPTYCH_THREADS_SETTLED_FIRST"
"""1 in the environment if `settle` came before NumPy, 0 if it came too late."""


def settle() -> None:
    """Set what the user has not set. Child processes inherit it."""
    os.environ.setdefault(MARK, str(int("numpy" not in sys.modules)))
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


def settings() -> dict[str, str]:
    """The thread settings that are in force, by name; those that are not set are left out."""
    return {name: os.environ[name] for name in SHOWN if name in os.environ}
