"""What an experiment is made of: the question, what it is run with, and what it may say."""
