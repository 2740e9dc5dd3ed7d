"""The experiments, by name. Adding one is adding one file here that defines `EXPERIMENT`."""

from __future__ import annotations

import importlib
import pkgutil

from comparisons.experiment import Experiment

EXPERIMENTS: dict[str, Experiment] = {
    found.name: importlib.import_module(f"{__name__}.{found.name}").EXPERIMENT
    for found in pkgutil.iter_modules(__path__)
}
