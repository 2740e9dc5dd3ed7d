"""The stepper's recording: one training step on both engines, moment by moment, as JSON."""
