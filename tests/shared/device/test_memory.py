"""Memory that a step frees is there for the next one."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from tests import HOME


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have rules of their own")
@pytest.mark.parametrize("engine", ["dynamic", "static"])
def test_large_arrays_get_the_memory_of_those_before_them(engine: str) -> None:
    """The pages of an array that was freed are not asked for from the system again."""
    code = f"""
import resource, numpy as np, {engine}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones(750_000) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
assert min(faults() for _ in range(5)) < 100, faults()
"""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HOME, env=quiet)
