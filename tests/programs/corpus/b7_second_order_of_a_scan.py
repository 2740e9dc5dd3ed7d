"""B7: second order of a scan whose step adds a row to a matrix, and gives the sum twice."""

from tests.programs.agree import agree, normal


def program(ops, x, w):
    def step(c, row):
        both = x + row
        return both, both

    return ops.scan(step, w, x)[1]


agree(program, x=(normal(1, 3, 3), ("N", 3)), w=(normal(4, 3, 3), (3, 3)))
