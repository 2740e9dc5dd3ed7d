"""A task trained on one engine, event by event, and whether both gave the same numbers."""
