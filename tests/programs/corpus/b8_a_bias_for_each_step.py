"""B: a bias that a loop goes over is another in each step, and its gradient is not summed over them."""

from tests.programs.agree import agree, normal


def program(ops, x, w):
    def step(carry, bias):
        y = ops.linear(carry, w, bias)
        return y, y

    _, ys = ops.scan(step, x, w)
    return (ys,)


agree(
    program,
    x=(normal(1, 2, 3).astype("float64"), ("N", 3)),
    w=(normal(4, 3, 3).astype("float64") / 2, (3, 3)),
)
