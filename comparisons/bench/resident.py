"""How much memory this process has in use, and the most it had: NumPy's, C++'s, everybody's."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from contextlib import suppress
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RETURNED_AT_ONCE = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""For the environment of a process to be measured: glibc then gives what is freed back to the
system, so that its memory in use is what is held."""


def most() -> int:
    """Bytes that were resident at the highest point, since `forget` where the system can."""
    if STATUS.exists():
        return _status("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def forget() -> int:
    """Collect garbage, start the highest point anew, and give the bytes that are resident now.

    Where the system knows no such thing (it is Linux's) the highest point stays, and is given.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):  # glibc's
        ctypes.CDLL(None).malloc_trim(0)
    try:
        CLEAR.write_text("5")
    except OSError:
        return most()
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise OSError(f"{STATUS} says nothing of {name}")
