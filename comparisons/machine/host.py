"""The machine and the versions behind a report's numbers."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from comparisons.machine import threads
from shared.device import cuda

PACKAGES = ("diptych", "numpy", "llvmlite", "networkx", "matplotlib", "scikit-learn")


def describe(device: str = "cpu") -> dict[str, Any]:
    """Processor, memory, system, versions, BLAS and thread settings, as JSON.

    device: what it is that tasks are trained on, "cpu" or "cuda", and where that is a GPU, which one.
    load: how many processes were running or waiting, on average over the last minute; above
    zero before anything was started here, other work took part in the timings.
    """
    return {
        "processor": _processor(),
        "cores": _cores(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "blas": _blas(),
        "threads": threads.settings(),
        "settled_first": os.environ.get(threads.MARK) == "1",
        "device": device,
        "gpu": _gpu() if device == "cuda" else None,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def blas_of(host: Mapping[str, Any]) -> str:
    """The BLAS of a described host, in words: which, and for what processor the kernels are that it chose."""
    blas = host["blas"]
    kernels = f", kernels for {blas['kernels']}" if blas.get("kernels") else ""
    return f"{blas['name']} {blas['version']}".strip() + kernels


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    """Bytes of main memory, where the system says so."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _gpu() -> dict[str, Any]:
    """The GPU's name, and the versions of CuPy and of CUDA, as 12090 is 12.9."""
    cupy = cuda.cupy()
    return {
        "name": cuda.name(), "cupy": cupy.__version__, "cuda": cupy.cuda.runtime.runtimeGetVersion(),
        "driver": cupy.cuda.runtime.driverGetVersion(),
    }  # fmt: skip


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _blas() -> dict[str, Any]:
    """The BLAS that NumPy multiplies with: for which processor its kernels are, how many threads it uses."""
    import numpy as np

    built: Any = np.show_config(mode="dicts")
    found = built.get("Build Dependencies", {}).get("blas", {})
    blas = {"name": found.get("name", "unknown"), "version": found.get("version", "")}
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return blas
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    if pools:
        most = max(pools, key=lambda pool: pool["num_threads"])
        blas |= {"threads": most["num_threads"], "kernels": most.get("architecture")}
    return blas
