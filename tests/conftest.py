"""What holds for every test: one BLAS thread, a fresh graph, the same random numbers."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# For those who call pytest themselves, and before a test imports NumPy: threads that wait by
# spinning take the cores from each other, and the products in here are small.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

settings.register_profile("diptych", deadline=None, derandomize=True)
settings.load_profile("diptych")


@pytest.fixture(autouse=True)
def apart() -> None:
    """No test sees the graph or the random state that another one left behind."""
    if static := sys.modules.get("static"):
        static.reset_default_graph()
    if nn := sys.modules.get("shared.nn"):
        nn.manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def kernels_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Kernels that tests compile are kept for the tests alone, whichever worker compiles them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIPTYCH_CACHE", str(tmp_path_factory.getbasetemp().parent / "kernels"))
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the laws that compare with PyTorch were tried."""
    if importlib.util.find_spec("torch") is None:
        terminalreporter.write_line(
            "PyTorch is not installed, so no law compared with it: the extra 'oracle' brings it"
        )
