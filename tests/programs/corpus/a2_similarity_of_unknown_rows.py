"""A2: similarity of unknown rows."""

from tests.programs.agree import agree, normal


def program(ops, x, y):
    return ops.cosine_similarity(x, y) * ops.sum(x, axis=1)


agree(program, x=(normal(1, 4, 3), ("N", 3)), y=(normal(2, 4, 3), ("N", 3)))
