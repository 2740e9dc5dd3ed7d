"""What both engines share: ops, layers, optimisers, data, and what they are made of."""

import os
import warnings
from importlib.machinery import PathFinder

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder in which Diptych's packages lie: `shared`, `dynamic`, `static`, `comparisons`."""


def _hidden(package: str) -> str | None:
    """The file of another package that `import package` would give, if it would not give ours."""
    found = PathFinder.find_spec(package)
    if found is None or found.origin is None or found.origin.startswith(os.path.join(HOME, package)):
        return None
    return found.origin


for _package in ("dynamic", "static"):
    if _file := _hidden(_package):
        warnings.warn(
            f"`import {_package}` gives {_file}, which hides Diptych's engine of that name; rename that "
            "folder, or run from another one",
            stacklevel=2,
        )
