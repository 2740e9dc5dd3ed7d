"""C10: a stray argument."""

from tests.programs.protocols import unharmed

unharmed("tanh")
