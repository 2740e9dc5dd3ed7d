"""The book: sixty short programs in five stages, each for both engines, and the recorder that runs them."""
