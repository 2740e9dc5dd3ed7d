"""record: the evidence of the stepper, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from comparisons.stepper.on_dynamic import DynamicRecorder
from comparisons.stepper.on_static import StaticRecorder
from comparisons.stepper.recorder import Recorder

RECORDERS: dict[str, type[Recorder]] = {"dynamic": DynamicRecorder, "static": StaticRecorder}
SCRIPTS = Path(__file__).parent
"""Where the two scripts lie."""


def record() -> dict[str, Any]:
    """Run `step_dynamic.py` and `step_static.py`; of each engine `script`, `printed`, `moments`
    (see `Recorder`) and `graph`; of static also its `program`, and `phases`, what each box is for.

    Each is run once before, so that what is loaded at first use is not charged to any moment.
    """
    found = {}
    for engine, recorder in RECORDERS.items():
        script = SCRIPTS / f"step_{engine}.py"
        recorder(script).record()
        found[engine] = recorder(script).record()
    return found
