"""Data sets and the order in which they are met, the same for both engines."""

from shared.data.batches import batches
from shared.data.digits import load_digits
from shared.data.split import Split

__all__ = ["Split", "batches", "load_digits"]
