"""A1: quotient of sizes."""

from tests.programs.agree import agree, normal


def program(ops, x):
    half = (x.shape[0] * x.shape[1]) // (2 * x.shape[0])
    return x[:, :half], ops.sum(x) / half, ops.reshape(x, (x.shape[0], -1, half))


agree(program, x=(normal(1, 2, 6), ("N", "T")))
