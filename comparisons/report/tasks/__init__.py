"""The page of a task: what happened, and what follows from it."""
