"""D18: scalars."""

import numpy as np

from shared import ops
from tests.programs.numbers import promoted

promoted(lambda a: a * np.int64(2), np.array([200], "uint8"))
promoted(lambda a: a * np.int64(4), np.array([2**30], "int32"))
promoted(lambda a: a * np.float32(2), np.array([60000.0], "float16"))
promoted(
    lambda x: x * ops.where(x > 0, 1.0, 0.0), np.array([1.5, -2.0], "float32"), meant=lambda x: x * (x > 0)
)
