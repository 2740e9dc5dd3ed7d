"""Three programs as they were written for TensorFlow 1, but for what they import as `tf`."""
