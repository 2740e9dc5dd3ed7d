"""TensorFlow 1's words for what is called or ordered otherwise here. `static.aliases` is the table of all."""
