"""Optimisers: each one pure rule, run on arrays by `step()` and as graph by `minimize()`."""

from shared.optim.adaptive import Adam
from shared.optim.descent import SGD, Momentum
from shared.optim.optimizer import Optimizer

__all__ = ["Adam", "Momentum", "Optimizer", "SGD"]
