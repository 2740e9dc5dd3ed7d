"""Graphs inside graphs: branches, loops, and their gradients."""
