"""A3: a size that is one."""

from tests.programs.agree import agree, normal


def program(ops, x):
    return x if x.shape[0] == 1 else x * 2


agree(program, x=(normal(1, 1, 3), ("N", 3)))
