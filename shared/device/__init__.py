"""Where arrays are: the host's memory, and a GPU's."""
