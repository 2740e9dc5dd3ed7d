"""The experiments, by name, in the order of the first page's table. Adding one is adding one file
here that defines `EXPERIMENT`; docs/experiments.md says how."""

from __future__ import annotations

import importlib
import pkgutil

from comparisons.lab.dimensions import DIMENSIONS
from comparisons.lab.experiment import Experiment

_FOUND: list[Experiment] = [
    importlib.import_module(f"{__name__}.{found.name}").EXPERIMENT for found in pkgutil.iter_modules(__path__)
]
EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in sorted(_FOUND, key=lambda found: [*DIMENSIONS].index(found.dimension))
}
