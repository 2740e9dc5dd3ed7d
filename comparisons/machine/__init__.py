"""The machine under a run: its threads, its description, its files."""
