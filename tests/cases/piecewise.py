"""Cases of the activations that are cut and bent, and of what noise does."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, distinct, integers, normal, positive
from tests.cases.oracle import torch_op

_edges = np.array([-7.0, -3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0, 6.0, 7.0])
_wide = distinct(8, 9)
_state = ops.generator_state(11)


def _bent(op: str, function: Any, name: str, **settings: Any) -> list[Case]:
    """Between the bends, and on them, where the derivative is PyTorch's."""
    theirs = torch_op(f"nn.functional.{name}", **settings)

    def call(x: Any) -> Any:
        return function(x, **settings)

    return [
        Case(op, call, [_wide], torch=theirs, unknown=[("a", "b")], name=name),
        Case(op, call, [_edges], torch=theirs, smooth=False, second=False, name=f"{name} at its bends"),
    ]


CASES = [
    *_bent("hardtanh", ops.hardtanh, "hardtanh"),
    Case("hardtanh", lambda x: ops.hardtanh(x, -0.5, 3.0), [_edges], smooth=False, second=False,
         torch=torch_op("nn.functional.hardtanh", min_val=-0.5, max_val=3.0), name="on given bounds"),
    *_bent("hardtanh", ops.relu6, "relu6"),
    Case("hardtanh", ops.hardsigmoid, [_wide], unknown=[("a", "b")], name="hardsigmoid",
         torch=lambda x: (x + 3).clamp(0, 6) / 6),  # PyTorch's own gradient is 1 / 6 in single precision
    *_bent("hardtanh", ops.hardswish, "hardswish"),
    *_bent("clip", ops.softshrink, "softshrink", lambd=0.6),
    *_bent("where", ops.hardshrink, "hardshrink", lambd=0.6),
    *_bent("where", ops.threshold, "threshold", threshold=0.55, value=-2.0),
    Case("hardtanh", ops.hardtanh, [integers(-3, 4, 4)], smooth=False, name="integers"),
    Case("hardtanh", lambda x: ops.hardtanh(ops.transpose(x), -0.2, 0.4), [distinct(3, 2)],
         unknown=[("a", "b")], name="transposed"),
    Case("where", ops.prelu, [distinct(3, 4, 2), positive(4)], torch=torch_op("nn.functional.prelu"),
         unknown=[("n", "c", "t"), ("c",)], name="prelu"),
    Case("where", ops.prelu, [distinct(3, 4), normal(1)], torch=torch_op("nn.functional.prelu"),
         unknown=[("n", "c"), (1,)], name="prelu of one"),
    Case("where", ops.prelu, [np.array([np.inf, 0.0, -0.0]), np.array(0.25)], smooth=False, second=False,
         torch=lambda x, w: torch_op("nn.functional.prelu")(x, w.reshape(1)), name="prelu on its bend"),
    # noise
    *(
        Case("dropout", lambda x, s, f=function: f(x, s, 0.4), [normal(2, 3, *[2] * axes), _state],
             unknown=[("n", "c", *"dhw"[:axes]), (2,)], name=f"of channels along {axes}")
        for axes, function in ((1, ops.dropout1d), (2, ops.dropout2d), (3, ops.dropout3d))
    ),
    Case("dropout", lambda x, s: ops.dropout1d(x, s, 0.4), [normal(4, 3), _state],
         unknown=[("c", "t"), (2,)], name="of channels, without a batch"),
    Case("bernoulli", lambda x, s: ops.alpha_dropout(x, s, 0.3), [normal(3, 4), _state],
         unknown=[("n", "m"), (2,)], name="alpha_dropout"),
    Case("bernoulli", lambda x, s: ops.alpha_dropout(x, s, 1.0), [normal(3, 4), _state], second=False,
         unknown=[("n", "m"), (2,)], name="alpha_dropout of all"),
    Case("uniform", lambda x, s: ops.rrelu(x, s), [distinct(3, 4), _state], unknown=[("n", "m"), (2,)],
         name="rrelu"),
    Case("uniform", lambda x, s: ops.gumbel_softmax(x, s, 0.7, axis=0), [normal(3, 4), _state],
         unknown=[("n", "m"), (2,)], name="gumbel_softmax"),
    Case("stop_gradient", lambda x, s: ops.gumbel_softmax(x, s, hard=True, axis=1),
         [normal(2, 3, 2), _state], unknown=[("n", "c", "m"), (2,)], smooth=False, name="gumbel_softmax"),
]  # fmt: skip
