"""A1: a value twice in one op, and once beside it: gradients add up in the order of the known sizes."""

from tests.programs.agree import agree, normal


def program(ops, x, w):
    return w, ops.bilinear(w, w, x)


agree(program, x=(normal(1, 2, 3, 3), (2, 3, 3)), w=(normal(4, 3, 3), (None, None)), order=1)
