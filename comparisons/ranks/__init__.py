"""What several ranks run for the page on them: programs that are shown, and what runs and watches them."""
