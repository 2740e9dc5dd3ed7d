"""What is checked of a call before it does anything, and said of what comes too late."""
