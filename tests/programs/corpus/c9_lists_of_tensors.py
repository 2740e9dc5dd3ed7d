"""C9: lists of tensors."""

import numpy as np

from shared import ops
from tests.programs.protocols import keeps

keeps(lambda a, b: a * [b[0], b[1]], lambda a, b: a * ops.stack([b[0], b[1]]))
keeps(lambda a, b: a * np.concatenate([a, b])[1:3], lambda a, b: a * ops.concatenate([a, b])[1:3])
