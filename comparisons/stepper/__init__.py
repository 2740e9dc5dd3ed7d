"""The stepper: one training step on both engines, moment by moment, as a page to play with.

`record()` runs the two scripts and gives the evidence as JSON; `draw_stepper(evidence)` makes
the page from it.
"""

from comparisons.stepper.page import draw_stepper
from comparisons.stepper.recording import record

__all__ = ["draw_stepper", "record"]
