"""Whether law 12 finds what it was written for: `fixes` brings each fault back, in a copy of the tree, and
`python -m tests.programs.reverted` searches until a program shows it, or the time is over.
"""
