"""Watching ops run: hooks, and on them a profiler and a finder of NaN."""
