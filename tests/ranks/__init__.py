"""Training on many ranks: scripts that mpirun starts, and what they must have printed."""
