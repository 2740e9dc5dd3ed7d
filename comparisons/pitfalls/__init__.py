"""Pitfalls: what is one thing when Python runs it, and may be another once it is a graph."""

from comparisons.pitfalls.arguments import ARGUMENTS
from comparisons.pitfalls.effects import EFFECTS
from comparisons.pitfalls.flow import FLOW
from comparisons.pitfalls.learning import LEARNING
from comparisons.pitfalls.names import NAMES
from comparisons.pitfalls.pitfall import Pitfall

FAMILIES = (EFFECTS, NAMES, ARGUMENTS, FLOW, LEARNING)
PITFALLS: dict[str, Pitfall] = {name: one for family in FAMILIES for name, one in family.items()}
"""All of them, by name."""

__all__ = ["FAMILIES", "PITFALLS", "Pitfall"]
