"""From a selection of nodes to a program that can be run."""
