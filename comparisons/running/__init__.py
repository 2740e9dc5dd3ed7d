"""A whole run: its plan, its pieces, who watches, and report.json."""
