"""Pitfalls: what is one thing when Python runs it, and may be another once it is a graph."""

from comparisons.pitfalls.arguments import ARGUMENTS
from comparisons.pitfalls.effects import EFFECTS
from comparisons.pitfalls.flow import FLOW
from comparisons.pitfalls.layers import LAYERS
from comparisons.pitfalls.names import NAMES
from comparisons.pitfalls.pitfall import Pitfall
from comparisons.pitfalls.training import TRAINING

FAMILIES = (EFFECTS, NAMES, ARGUMENTS, FLOW, LAYERS, TRAINING)
PITFALLS: dict[str, Pitfall] = {name: one for family in FAMILIES for name, one in family.items()}
"""All of them, by name."""

__all__ = ["FAMILIES", "PITFALLS", "Pitfall"]
