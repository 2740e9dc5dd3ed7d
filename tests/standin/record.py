"""Writes `surface.txt` from an installed CuPy, for which no GPU is needed.

    python -m tests.standin.record
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import cupy
import numpy as np

from tests.standin import FOLDER

UFUNCS = (cupy.ufunc, type(cupy.matmul))


def of_arrays() -> Iterator[str]:
    """A line for each attribute and method; a method without parameters has "-"."""
    for name in sorted(n for n in dir(cupy.ndarray) if not n.startswith("_")):
        value = getattr(cupy.ndarray, name)
        yield f"array {name} {' '.join(documented(value) or ['-'])}" if callable(value) else f"array {name}"


def of_module(module: str = "") -> Iterator[str]:
    """A line for each function and ufunc that NumPy has as well, in one of their modules, if one is named."""
    theirs, ours = (getattr(package, module) if module else package for package in (np, cupy))
    shared = [name for name in sorted(dir(theirs)) if not name.startswith("_") and hasattr(ours, name)]
    values = {f"{module}.{name}".lstrip("."): getattr(ours, name) for name in shared}
    for name, value in values.items():
        if callable(value) and not isinstance(value, (type, *UFUNCS)):
            yield f"function {name} {' '.join(parameters(value))}".rstrip()
    for name, value in values.items():
        if isinstance(value, UFUNCS):
            yield f"ufunc {name}"


def parameters(function: Any) -> list[str]:
    """The names of a function's parameters, * for those that take any."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:  # compiled
        return documented(function)
    return ["*" if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) else p.name for p in found]


def documented(function: Any) -> list[str]:
    """The same by the first line of what it says of itself."""
    told = re.match(r"[\w.]+\((.*)\)( ->.*)?$", (function.__doc__ or "").split("\n")[0])
    if told is None:
        return ["*"]
    parts = [part.strip() for part in told[1].split(",") if part.strip()]
    names = [part.partition("=")[0].split()[-1] for part in parts]
    return [name for name in names if name != "self"]


if __name__ == "__main__":
    head = [
        f"# What CuPy {cupy.__version__} has of NumPy's names: of arrays, functions (with their parameters)",
        "# and ufuncs. Written by record.py; * takes any. The stand-in refuses what is not here.",
    ]
    text = "\n".join([*head, *of_arrays(), *of_module(), *of_module("linalg"), *of_module("fft")])
    (FOLDER / "surface.txt").write_text(text + "\n", encoding="utf-8")
