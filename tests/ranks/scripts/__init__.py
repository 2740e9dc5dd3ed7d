"""What mpirun starts."""
