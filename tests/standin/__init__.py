"""A stand-in for CuPy, for tests on machines without a GPU.

`cupy.py` beside this file is what `import cupy` finds where this folder is on the path (a test of
the command line puts it into PYTHONPATH), or where `installed()` is open.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

from shared.device import cuda

FOLDER = Path(__file__).resolve().parent


@cache
def cupy() -> ModuleType:
    """The stand-in, not yet to be found by `import cupy`."""
    spec = importlib.util.spec_from_file_location("cupy", FOLDER / "cupy.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def installed() -> Iterator[ModuleType]:
    """Within the block, `import cupy` gives the stand-in, whatever there was before."""
    before, in_use = sys.modules.get("cupy"), cuda.in_use
    sys.modules["cupy"] = cupy()
    cuda.cupy.cache_clear()
    try:
        yield cupy()
    finally:
        cuda.cupy.cache_clear()
        cuda.in_use = in_use
        del sys.modules["cupy"]
        if before is not None:
            sys.modules["cupy"] = before
