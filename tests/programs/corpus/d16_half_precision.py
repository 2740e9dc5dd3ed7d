"""D16: half precision."""

from shared import ops
from tests.programs.numbers import edge

edge(lambda x: ops.gelu(x, approximate="tanh"), [130.0, -130.0], "float16")
edge(lambda x: ops.norm(x), [300.0, 200.0, -250.0], "float16", reduces=True)
edge(lambda x: ops.std(x, 0), [300.0, 200.0, -250.0], "float16", reduces=True)
edge(lambda x: ops.mse_loss(x, 0.0), [300.0, 200.0, -250.0], "float16")
