"""Cases for angles, hyperbolic functions, and logarithms to other bases."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, between, distinct, integers, normal, positive
from tests.cases.oracle import torch_op

_OUTER, _SAME = [("a", 1), ("b",)], [("a",), ("a",)]
_INSIDE = between(-0.9, 0.9, 3, 2)
_QUARTERS = [np.array([1.0, 1.0, -1.0, -1.0, 0.0, -0.0, 0.0, -0.0, 2.0]),
             np.array([1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 0.0])]  # fmt: skip


def _unary(op: str, x: np.ndarray, **more: Any) -> Case:
    return Case(op, TABLE[op], [x], torch=torch_op(op), unknown=[("a", "b")[: x.ndim]], **more)


CASES = [
    # angles
    _unary("asin", _INSIDE),
    _unary("acos", _INSIDE),
    _unary("atan", normal(3, 2)),
    Case("asin", ops.asin, [integers(-1, 2, 4)], smooth=False, name="integers"),
    Case("atan2", ops.atan2, [distinct(3, 1), distinct(4)], torch=torch_op("atan2"), unknown=_OUTER),
    Case("atan2", ops.atan2, _QUARTERS, torch=torch_op("atan2"), unknown=_SAME, smooth=False,
         second=False, name="on the axes"),
    Case("atan2", ops.atan2, [np.zeros(2), np.zeros(2)], torch=torch_op("atan2"), unknown=_SAME,
         smooth=False, second=False, name="at the origin"),
    Case("atan2", lambda a: ops.atan2(a, 2.0), [normal(3)], torch=lambda a: torch_op("atan2")(a, a * 0 + 2.0),
         name="of a number"),
    Case("hypot", ops.hypot, [distinct(3, 1), distinct(4)], torch=torch_op("hypot"), unknown=_OUTER),
    Case("hypot", ops.hypot, [np.array([0.0, 0.0, -3.0]), np.array([0.0, 2.0, 0.0])], unknown=_SAME,
         smooth=False, second=False, name="on the axes"),
    Case("hypot", ops.hypot, [integers(-5, 5, 3), integers(-5, 5, 3).astype(np.int32)], smooth=False,
         name="integers"),
    Case("mul", ops.deg2rad, [normal(3)], torch=torch_op("deg2rad"), name="deg2rad"),
    Case("mul", ops.rad2deg, [normal(3)], torch=torch_op("rad2deg"), name="rad2deg"),
    # hyperbolic
    _unary("sinh", normal(3, 2)),
    _unary("cosh", normal(3, 2)),
    _unary("asinh", normal(3, 2)),
    _unary("acosh", positive(3, 2) + 1),
    _unary("atanh", _INSIDE),
    Case("cosh", ops.cosh, [integers(-3, 3, 4)], smooth=False, name="integers"),
    # powers and logarithms
    _unary("exp2", normal(3, 2)),
    _unary("log2", positive(3, 2)),
    _unary("log10", positive(3, 2)),
    Case("log2", ops.log2, [np.array([1, 2, 8], np.int32)], smooth=False, name="integers"),
    Case("logaddexp", ops.logaddexp, [normal(3, 1), normal(4)], torch=torch_op("logaddexp"), unknown=_OUTER),
    Case("logaddexp2", ops.logaddexp2, [normal(3, 1), normal(4)], torch=torch_op("logaddexp2"),
         unknown=_OUTER),
    Case("logaddexp", lambda a: ops.logaddexp(a, 0.0), [normal(3)],
         torch=lambda a: torch_op("nn.functional.softplus")(a), name="with a number"),
    _unary("logit", between(0.05, 0.95, 3, 2)),
    Case("logit", lambda x: ops.logit(x, eps=0.2), [np.array([0.05, 0.3, 0.5, 0.9])],
         torch=torch_op("logit", eps=0.2), name="held"),
    Case("log", ops.xlogy, [normal(3, 1), positive(4)], torch=torch_op("xlogy"), unknown=_OUTER,
         name="xlogy"),
    Case("log", ops.xlogy, [np.array([0.0, 0.0, 0.0]), np.array([0.0, 2.0, np.inf])],
         unknown=_SAME, smooth=False, second=False, name="xlogy of zeros"),
    Case("log", lambda x: ops.xlogy(x, 0.3), [normal(3)], torch=torch_op("xlogy", other=0.3),
         name="xlogy with a number"),
]  # fmt: skip
