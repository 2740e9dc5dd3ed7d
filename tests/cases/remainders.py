"""Cases for division with a rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, distinct, integers, positive
from tests.cases.oracle import torch_op

_OUTER = [("a", 1), ("b",)]
_A = np.array([[2.3], [-1.9], [0.4], [-0.3]])
_B = np.array([0.83, -0.57, 1.1, -2.7])
_whole = np.array([-2.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.5, 2.0])
_i8, _u8 = integers(-100, 100, 4, 1).astype(np.int8), integers(0, 200, 4, 1).astype(np.uint8)
_NAMES = ("remainder", "floor_divide", "fmod")



def rounded_by_torch(name: str) -> Any:
    """PyTorch rounds the cotangent too; here it goes through as it is."""

    def call(x: Any) -> Any:
        import torch

        return x + (x.to(getattr(torch, name)).to(x.dtype) - x).detach()

    return call


CASES = [
    *(
        Case(name, TABLE[name], [_A, _B], torch=torch_op(name), unknown=_OUTER)
        for name in ("remainder", "fmod")
    ),
    Case("floor_divide", ops.floor_divide, [_A, _B], unknown=_OUTER, smooth=False,
         torch=lambda a, b: a.detach() // b.detach()),
    *(
        Case(name, TABLE[name], [integers(-9, 10, 4, 1), np.array([3, -3, 1, -1, 7])], torch=torch_op(name),
             unknown=_OUTER, name="integers")
        for name in _NAMES
    ),
    *(
        Case(name, TABLE[name], [x, np.array([3, 7, 100], x.dtype)], torch=torch_op(name), unknown=_OUTER,
             name=str(x.dtype))
        for name in _NAMES for x in (_i8, _u8)
    ),
    Case("remainder", lambda a: a % 0.35, [distinct(3, 2)], torch=lambda a: a % 0.35, unknown=[("a", "b")],
         second=False, name="by a number"),
    Case("remainder", lambda b: 5 % b, [positive(4)], torch=lambda b: (b * 0 + 5) % b, name="of a number"),
    Case("remainder", lambda a: a % 3, [integers(-9, 9, 5)], torch=lambda a: a % 3, name="integers by one"),
    Case("remainder", lambda a: a % 2.5, [integers(-9, 9, 5)], torch=lambda a: a % 2.5, smooth=False,
         name="integers by a float"),
    Case("floor_divide", lambda a: a // 0.35, [distinct(3, 2)], torch=lambda a: a.detach() // 0.35,
         smooth=False,
         unknown=[("a", "b")], name="by a number"),
    Case("floor_divide", lambda b: 5 // b, [positive(4)], torch=lambda b: 5 // b.detach(), smooth=False,
         name="of a number"),
    Case("floor_divide", lambda a: -7 // a, [integers(1, 9, 5)], torch=lambda a: -7 // a,
         name="one by integers"),
    Case("fmod", ops.fmod, [np.array([1.0]), np.array([0.1])], smooth=False,
         name="a quotient that is rounded up"),
    *(
        Case("round_to", lambda x, name=name: ops.round_to(x, name), [distinct(3, 4) * 9], smooth=False,
             torch=rounded_by_torch(name), unknown=[("a", "b")], name=name)
        for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz")
    ),
    Case("trunc", ops.trunc, [_whole], torch=torch_op("trunc"), smooth=False),
    Case("trunc", ops.trunc, [integers(-5, 5, 3).astype(np.int32)], smooth=False, name="integers"),
    Case("trunc", ops.frac, [distinct(3, 2) * 3], torch=torch_op("frac"), unknown=[("a", "b")], second=False,
         name="frac"),
]  # fmt: skip
