"""What unknown sizes are made of."""
