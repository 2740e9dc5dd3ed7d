"""index.html: the opening, the table at a glance, which to choose, what to beware of."""
