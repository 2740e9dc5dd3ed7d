"""A2: an outer size that only the body of a loop uses."""

from tests.programs.agree import agree, normal


def program(ops, x, w, s):
    return ops.scan(lambda c, row: (c, ops.zeros((x.shape[0], 2)) + s), w, w)[1]


agree(program, order=0, x=(normal(1, 4, 3), ("N", 3)), w=(normal(4, 3, 3), (3, 3)), s=(normal(6), ()))
