"""The tasks, by name. Adding one is adding one file here that defines `TASK`."""

from __future__ import annotations

import importlib
import pkgutil

from comparisons.training.task import Task

TASKS: dict[str, Task] = {
    found.name: importlib.import_module(f"{__name__}.{found.name}").TASK
    for found in pkgutil.iter_modules(__path__)
}
