"""B7: while in map."""

import numpy as np

from tests.programs.agree import agree, normal


def program(ops, x, i):
    def each(row):
        v, m = row
        return ops.while_loop(lambda j, h: j < m, lambda j, h: (j + 1, ops.sin(h) * h), (m * 0, v))[1]

    return ops.map_fn(each, (x, i))


agree(program, x=(normal(1, 3), ("N",)), i=(np.array([0, 2, 1]), ("N",)))
