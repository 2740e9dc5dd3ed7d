"""Graphs in files, and out of them again."""
