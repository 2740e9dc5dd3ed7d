"""Sessions: what is fed and fetched, the values of variables, checkpoints."""
