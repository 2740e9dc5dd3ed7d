"""Ten public programs, ported as a user would: models, losses and steps as PyTorch's code has them, on both
engines."""
