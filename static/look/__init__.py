"""A graph as text, as a picture, and by what it will cost."""
