"""The pages of the book: one for each stage, on which its steps are played."""
