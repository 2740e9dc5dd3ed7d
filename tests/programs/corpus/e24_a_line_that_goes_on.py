"""E24: a line that goes on."""

from shared import ops
from tests.programs.sessions import pictures


def build(engine, x):
    y = ops.tanh(x) + \
        1  # fmt: skip
    return ops.exp(y)


pictures(build, "back\\")
