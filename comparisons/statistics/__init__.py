"""Numbers that were measured: summed up, set beside each other, and said."""
