"""Cases of the ops that draw random numbers: the same state, the same numbers, on both engines."""

from __future__ import annotations

import numpy as np

from shared import ops
from tests.cases.case import Case, between, normal

_state = ops.generator_state(5)

CASES = [
    Case("uniform", lambda s: ops.uniform(s, (3, 4)), [_state], unknown=[(2,)], smooth=False),
    Case("uniform", lambda s, x: ops.uniform(s, x.shape, "float64")[0] * x, [_state, normal(3, 4)],
         unknown=[(2,), ("n", "m")], name="as large as another"),
    Case("normal", lambda s: ops.normal(ops.normal(s, 3)[1], (2, 2), "float64"), [_state], unknown=[(2,)],
         smooth=False, name="the second draw"),
    Case("normal", lambda s, x: x + ops.normal(s, x.shape, x.dtype)[0] * x, [_state, normal(0, 2)],
         unknown=[(2,), ("n", 2)], name="none"),
    Case("truncated_normal", lambda s: ops.truncated_normal(s, (50, 4)), [_state], unknown=[(2,)],
         smooth=False),
    Case("truncated_normal", lambda s, x: ops.truncated_normal(s, x.shape, "float64")[0] * x,
         [_state, normal(3, 4)], unknown=[(2,), ("n", "m")], name="as large as another"),
    Case("permutation", lambda s: ops.permutation(s, 7), [_state], unknown=[(2,)], smooth=False),
    Case("permutation", lambda s, x: x[ops.permutation(s, x.shape[0])[0]], [_state, normal(4, 2)],
         unknown=[(2,), ("n", 2)], name="of rows"),
    Case("bernoulli", lambda s, p: ops.bernoulli(s, p), [_state, between(0, 1, 3, 4)],
         unknown=[(2,), ("n", "m")], smooth=False),
    Case("bernoulli", lambda s, p: ops.bernoulli(s, p)[0] * p, [_state, np.array([0.0, 1.0, 1.0])],
         unknown=[(2,), ("n",)], smooth=False, name="certain"),
    Case("dropout", lambda x, s: ops.dropout(x, s, 1.0), [normal(3), _state], unknown=[("n",), (2,)],
         name="all"),
    Case("dropout", lambda x, s: ops.dropout(x, s, 0.0), [normal(2, 2), _state], unknown=[("n", "m"), (2,)],
         name="nothing"),
]  # fmt: skip
