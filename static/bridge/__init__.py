"""Where the two engines meet: define-by-run code that runs as compiled programs."""
