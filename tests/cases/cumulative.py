"""What runs along an axis: cumprod, logcumsumexp, cummax, cummin, diff, and the recurrence behind them."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, booleans, distinct, integers, normal
from tests.cases.oracle import torch_op

_ABC = [("a", "b", "c")]
_zeros = np.array([[2.0, 0.0, 3.0, -1.5], [0.0, 0.5, 0.0, 2.0], [1.5, 2.0, -0.5, 0.0]])
_ties = np.array([[1.0, 3.0, 3.0, 2.0, 4.0], [2.0, 2.0, 1.0, 2.0, 0.0]])
_empty = np.array([[-np.inf, -np.inf, 0.5, 1.0], [0.5, -np.inf, 1.0, 5.0]])

CASES = [
    Case("recurrence", lambda a, b: TABLE["recurrence"](a, b, axis=1, reverse=False),
         [normal(2, 4), normal(2, 4)], unknown=[("a", "b")] * 2),
    Case("recurrence", lambda a, b: TABLE["recurrence"](a, b, axis=0, reverse=True),
         [normal(3, 2, 2), normal(3, 2, 2)], unknown=_ABC * 2, name="from behind"),
    Case("recurrence", lambda a, b: TABLE["recurrence"](a, b, axis=0, reverse=False),
         [normal(0, 2), normal(0, 2)], unknown=[("a", "b")] * 2, name="of nothing"),
    Case("cumprod", lambda x: ops.cumprod(x, axis=-2), [normal(2, 3, 2)], torch=torch_op("cumprod", dim=-2),
         unknown=_ABC, name="one axis"),
    Case("cumprod", lambda x: ops.cumprod(x, axis=1), [_zeros], torch=torch_op("cumprod", dim=1),
         unknown=[("a", "b")], name="zeros", second=False),
    Case("cumprod", lambda x: ops.cumprod(x * 1.5, axis=1), [_zeros], unknown=[("a", "b")],
         name="zeros, second derivatives"),
    Case("cumprod", ops.cumprod, [normal(2, 3)], unknown=[("a", "b")], name="of all"),
    Case("cumprod", lambda x: ops.cumprod(ops.transpose(x), 0), [normal(2, 3)], unknown=[("a", "b")],
         name="transposed"),
    Case("cumprod", lambda x: ops.cumprod(x, 0), [integers(-3, 4, 4).astype(np.int32)], smooth=False,
         torch=torch_op("cumprod", dim=0), name="of int32"),
    Case("logcumsumexp", lambda x: ops.logcumsumexp(x, axis=-2), [normal(2, 3, 2)], unknown=_ABC,
         torch=torch_op("logcumsumexp", dim=-2), name="one axis"),
    Case("logcumsumexp", ops.logcumsumexp, [normal(2, 3)], unknown=[("a", "b")], name="of all"),
    Case("logcumsumexp", lambda x: ops.logcumsumexp(x, 1), [normal(2, 4) * 400], unknown=[("a", "b")],
         torch=torch_op("logcumsumexp", dim=1), smooth=False, name="far out"),
    Case("logcumsumexp", lambda x: ops.exp(ops.logcumsumexp(x, 1) - 1), [_empty], smooth=False, second=False,
         unknown=[("a", "b")], name="minus infinities"),
    Case("logcumsumexp", lambda x: ops.logcumsumexp(x, 0), [integers(-2, 3, 4)], smooth=False,
         name="of integers"),
    Case("cummax_index", lambda x: ops.cummax(x, axis=1), [_ties], torch=torch_op("cummax", dim=1),
         smooth=False, unknown=[("a", "b")], name="ties"),
    Case("cummax_index", lambda x: ops.cummax(x, axis=0)[0], [distinct(4, 2, 2)], unknown=_ABC,
         torch=lambda x: x.cummax(0).values),
    Case("cummax_index", lambda x: ops.isnan(ops.cummax(x)[0]), [np.array([[1.0, np.nan], [2.0, np.nan]])],
         smooth=False, unknown=[("a", "b")], name="of all, with NaN"),
    Case("cummin_index", lambda x: ops.cummin(x, axis=-1), [_ties], torch=torch_op("cummin", dim=-1),
         smooth=False, unknown=[("a", "b")], name="ties"),
    Case("cummin_index", lambda x: ops.cummin(ops.transpose(x), 0)[0], [distinct(3, 4)],
         torch=lambda x: x.T.cummin(0).values, unknown=[("a", "b")], name="transposed"),
    Case("cummin_index", lambda x: ops.cummin(x, 0), [integers(-3, 4, 6)], smooth=False,
         torch=torch_op("cummin", dim=0), name="of integers"),
    Case("sub", lambda x: ops.diff(x), [normal(3, 4)], torch=torch_op("diff"), unknown=[("a", "b")],
         name="diff"),
    Case("sub", lambda x, a: ops.diff(x, 2, axis=0, prepend=a, append=0.5), [normal(3, 2), normal(2, 2)],
         torch=lambda x, a: torch_op("diff")(x, 2, 0, a, x[:1].detach() * 0 + 0.5),
         unknown=[("a", "b"), ("c", "b")], name="diff, twice, with ends"),
    Case("sub", lambda x: ops.diff(x, 3, axis=0), [normal(2, 2)], smooth=False, unknown=[("a", "b")],
         name="diff, of too few"),
    Case("not_equal", lambda x: ops.diff(x), [booleans(2, 5)], torch=torch_op("diff"), smooth=False,
         unknown=[("a", "b")], name="diff of bools"),
]  # fmt: skip
