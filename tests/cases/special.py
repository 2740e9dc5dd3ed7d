"""Cases for the gamma function's kin, erfinv and sinc; for signs, infinities and blends."""

from __future__ import annotations

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, between, distinct, integers, normal, positive
from tests.cases.oracle import torch_op

_OUTER, _SAME = [("a", 1), ("b",)], [("a",), ("a",)]
_ENDS = np.array([[0.0, -0.0, 1.5], [np.nan, np.inf, -np.inf]])
_SIGNED = np.array([1.5, -2.0, 0.0, -0.0])
_below = np.array([-0.4, -1.3, -2.6, -7.6])

CASES = [
    # special functions
    Case("erfinv", ops.erfinv, [between(-0.95, 0.95, 3, 2)], torch=torch_op("erfinv"), unknown=[("a", "b")]),
    Case("lgamma", ops.lgamma, [positive(3, 2) * 4], torch=torch_op("lgamma"), unknown=[("a", "b")]),
    Case("lgamma", ops.lgamma, [_below], torch=torch_op("lgamma"), second=False, name="below 0"),
    Case("lgamma", ops.lgamma, [integers(1, 20, 4)], smooth=False, name="integers"),
    Case("polygamma", ops.digamma, [positive(3, 2) * 4], torch=torch_op("digamma"), unknown=[("a", "b")],
         name="digamma"),
    Case("polygamma", ops.digamma, [_below], name="digamma below 0"),
    *(
        Case("polygamma", lambda x, n=n: ops.polygamma(n, x), [positive(3) * 3],
             torch=lambda x, n=n: torch_op("polygamma")(n, x), name=f"of order {n}")
        for n in (1, 2, 5)
    ),
    Case("polygamma", lambda x: ops.polygamma(3, x), [_below], name="of order 3 below 0"),
    Case("sinc", ops.sinc, [np.array([0.2, -0.9, 1.4, -3.3])], torch=torch_op("sinc")),
    Case("sinc", ops.sinc, [np.array([0.0, 1.0, -2.0, 3.0])], name="at whole numbers"),
    # signs
    Case("signbit", ops.signbit, [_ENDS], torch=torch_op("signbit"), unknown=[("a", "b")], smooth=False),
    Case("copysign", ops.copysign, [distinct(3, 1), distinct(4)], torch=torch_op("copysign"), unknown=_OUTER,
         second=False),
    Case("copysign", ops.copysign, [_SIGNED, -_SIGNED[::-1]], torch=torch_op("copysign"), unknown=_SAME,
         smooth=False, second=False, name="of zeros"),
    Case("copysign", lambda a: ops.copysign(2.0, a), [normal(3)],
         torch=lambda a: torch_op("copysign")(a * 0 + 2, a), smooth=False, name="of a number"),
    Case("heaviside", ops.heaviside, [np.array([-1.5, 0.0, -0.0, 2.0, np.inf]), distinct(5)],
         unknown=_SAME, smooth=False, second=False),
    Case("heaviside", ops.heaviside, [distinct(3, 1), distinct(4)], unknown=_OUTER, second=False,
         name="spread"),
    # infinities
    Case("isinf", ops.isinf, [_ENDS], torch=torch_op("isinf"), unknown=[("a", "b")], smooth=False),
    Case("isposinf", ops.isposinf, [_ENDS], torch=torch_op("isposinf"), unknown=[("a", "b")], smooth=False),
    Case("isneginf", ops.isneginf, [_ENDS], torch=torch_op("isneginf"), unknown=[("a", "b")], smooth=False),
    *(
        Case(name, TABLE[name], [integers(-5, 5, 3)], smooth=False, name="integers")
        for name in ("isinf", "isposinf", "isneginf", "signbit")
    ),
    Case("isneginf", lambda x: ops.nan_to_num(x, 1.0, 9.0, -9.0), [np.array([1.5, np.nan, np.inf, -np.inf])],
         smooth=False, torch=torch_op("nan_to_num", nan=1.0, posinf=9.0, neginf=-9.0), second=False,
         name="nan_to_num"),
    *(
        Case(name, TABLE[name], [normal(3, 1), normal(4)], torch=torch_op(name), unknown=_OUTER)
        for name in ("fmax", "fmin")
    ),
    *(
        Case(name, TABLE[name], [np.array([1.0, np.nan, 2.0, np.nan]), np.array([np.nan, 1.0, 2.0, np.nan])],
             torch=torch_op(name), unknown=_SAME, smooth=False, second=False, name="NaN and ties")
        for name in ("fmax", "fmin")
    ),
    Case("fmax", lambda a: ops.fmax(a, 0.25), [distinct(3)], name="a number"),
    # blends
    Case("lerp", ops.lerp, [normal(3, 1), normal(4), between(-0.5, 1.5, 3, 4)], torch=torch_op("lerp"),
         unknown=[("a", 1), ("b",), ("a", "b")]),
    Case("lerp", lambda a, b: ops.lerp(a, b, 0.7), [normal(3), normal(3)],
         torch=torch_op("lerp", weight=0.7), unknown=_SAME, name="by a number"),
    Case("lerp", lambda a, b: ops.lerp(a, b, 1), [normal(3), normal(3) * 1e3], unknown=_SAME, second=False,
         smooth=False, torch=torch_op("lerp", weight=1), name="at the end"),
    Case("add", lambda x, a, b: ops.addcmul(x, a, b, value=0.5), [normal(3, 4), normal(4), normal(3, 1)],
         torch=torch_op("addcmul", value=0.5), unknown=[("a", "b"), ("b",), ("a", 1)], name="addcmul"),
    Case("add", lambda x, a, b: ops.addcdiv(x, a, b), [normal(3, 4), normal(4), positive(3, 1)],
         torch=torch_op("addcdiv"), unknown=[("a", "b"), ("b",), ("a", 1)], name="addcdiv"),
]  # fmt: skip
