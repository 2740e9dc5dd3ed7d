"""D17: losses by hand."""

from shared import ops
from tests.programs.numbers import stable

stable(
    lambda x: -ops.log(ops.softmax(x, axis=1)[:, 0]), lambda x: -ops.log_softmax(x, axis=1)[:, 0], scale=400.0
)
stable(
    lambda x: ops.log(ops.softmax(x, axis=1)),
    lambda x: ops.log_softmax(x, axis=1),
    scale=400.0,
    constant=True,
)
