"""B7: while in while."""

import numpy as np

from tests.programs.agree import agree, normal


def program(ops, x, o):
    def outer(j, h):
        return j + 1, ops.while_loop(lambda k, g: k < j, lambda k, g: (k + 1, ops.sin(g) * g), (j * 0, h))[1]

    return ops.while_loop(lambda j, h: j < o, outer, (o * 0, x))[1]


agree(program, x=(normal(1, 3), ("N",)), o=(np.array(3), ()))
