"""TensorFlow 1's words."""
