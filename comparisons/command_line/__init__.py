"""The command line: what can be asked for, and what the words on it mean."""
