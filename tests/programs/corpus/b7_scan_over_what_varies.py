"""B7: scan over what varies."""

from tests.programs.agree import agree, normal


def program(ops, x):
    return ops.scan(lambda c, k: (c, ops.sum(x[x > k] ** 3)), ops.sum(x), x)[1]


agree(program, x=(normal(1, 5), ("N",)))
