"""B6: gradient at stop gradient."""

from tests.programs.agree import agree, normal


def program(ops, x):
    z = ops.stop_gradient(x)
    return ops.slope(ops.sum(z * z), z)


agree(program, x=(normal(1, 4), ("N",)))
