"""C11: bits of integers."""

import numpy as np

from tests.programs.numbers import promoted

promoted(lambda a: a & 3, np.array([6, 3, 200], "uint8"))
promoted(lambda a: ~a | 1, np.array([6, 3, -5]))
