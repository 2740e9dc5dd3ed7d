"""The machine and the versions, as the first page tells them."""

from __future__ import annotations

from comparisons.machine.host import blas_of
from comparisons.statistics.quantities import Json, count, size


def _gpu(gpu: Json) -> str:
    return f"{gpu['name']}, by CuPy {gpu['cupy']} on CUDA {gpu['cuda'] // 1000}.{gpu['cuda'] % 1000 // 10}"


def facts(host: Json) -> list[tuple[str, str]]:
    """The host, as terms and facts."""
    blas = host["blas"]
    threads = f", {count(blas['threads'], 'thread')}" if "threads" in blas else ""
    facts = [
        ("processor", f"{host['processor']}, {count(host['cores'], 'core')}"),
        ("memory", size(host["memory"]) if host["memory"] else "not known"),
        *([("GPU", _gpu(host["gpu"]))] if host.get("gpu") else ()),
        ("tasks were trained on", "the GPU" if host.get("gpu") else "the CPU"),
        ("system", host["system"]),
        ("Python", host["python"]),
        ("packages", ", ".join(f"{name} {version}" for name, version in host["packages"].items())),
        ("BLAS", blas_of(host) + threads),
        ("thread settings", ", ".join(f"{n}={v}" for n, v in host["threads"].items()) or "none"),
    ]
    if host["load"] is not None:
        facts.append(("load at the start", f"{host['load']:.2f}"))
    return facts
