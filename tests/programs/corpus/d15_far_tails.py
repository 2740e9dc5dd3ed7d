"""D15: far tails."""

from shared import ops
from tests.programs.numbers import edge

edge(lambda x: ops.gelu(x), [-6.0], "float32")
edge(lambda x: ops.elu(x), [-20.0, 3.0], "float32")
edge(lambda x: ops.expm1(x), [-20.0], "float32")
edge(lambda x: ops.layer_norm(x, x.shape), [1e30, -1e30, 2e30], "float32", reduces=True)
