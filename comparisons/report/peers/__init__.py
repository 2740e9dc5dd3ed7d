"""What other systems say to what was found: their page, and their part of a task's page."""
