"""Cases for the elementwise ops, comparing and choosing included."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.op import TABLE
from tests.cases.case import Case, between, booleans, distinct, integers, normal, positive
from tests.cases.oracle import torch_op

_AB = [("a", "b"), ("a", "b")]
_OUTER = [("a", 1), ("b",)]


def _unary(name: str, x: np.ndarray, torch: str | None = "", **more: Any) -> Case:
    """One op on one argument, against PyTorch's op of the same name (None: it has none)."""
    return Case(
        name, TABLE[name], [x], unknown=[("a", "b")[: x.ndim]],
        torch=None if torch is None else torch_op(torch or name), **more,
    )  # fmt: skip


def _on_integers(name: str, *args: np.ndarray) -> Case:
    return Case(name, TABLE[name], args, name="integers", smooth=False)


def _transposed(name: str, x: np.ndarray) -> Case:
    """Results are in C order whatever the order of the argument."""
    return Case(name, lambda x: TABLE[name](ops.transpose(x)), [x], unknown=[("a", "b")], name="transposed")


def _compare(name: str, torch: str, *args: np.ndarray) -> Case:
    return Case(name, TABLE[name], args, torch=torch_op(torch), unknown=_AB, smooth=False)


_some = np.array([[0.0, -0.0, 1.5], [np.nan, np.inf, -np.inf]])
_whole = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.7])
_tied = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
_mask = booleans(40, 60)
_bits = np.array([[-1, 1, -2**63, 2**63 - 1]] * 3)
_places = np.array([[63] * 4, [64] * 4, [-1, 0, 1, 2**40]])

def torch_dtype(name: str) -> Any:
    import torch

    return getattr(torch, name)


CASES = [
    # arithmetic
    Case("add", lambda a, b: a + b, [normal(3, 1), normal(4)], torch=lambda a, b: a + b, unknown=_OUTER),
    Case("add", lambda a: 2 + a + 1.5, [normal(3)], torch=lambda a: 2 + a + 1.5, name="numbers"),
    Case("add", lambda a, b: ops.add(a, b), [normal(0, 3), normal(3)], unknown=[("a", 3), (3,)],
         name="nothing"),
    Case("add", lambda a, b: ops.add(a, b), [normal(3), integers(0, 5, 3)], name="float and int"),
    _on_integers("add", integers(-5, 5, 3), integers(-5, 5, 2, 3).astype(np.int32)),
    Case("sub", lambda a, b: a - b, [normal(3, 1), normal(4)], torch=lambda a, b: a - b, unknown=_OUTER),
    Case("sub", lambda a: 1 - a, [normal(2, 2)], torch=lambda a: 1 - a, name="from a number"),
    Case("mul", lambda a, b: a * b, [normal(3, 1), normal(4)], torch=lambda a, b: a * b, unknown=_OUTER),
    Case("mul", lambda a: a * a * 3, [normal(3)], torch=lambda a: a * a * 3, name="by itself"),
    Case("mul", lambda a, b: ops.transpose(a) * ops.transpose(b), [normal(3, 2), normal(3, 2)],
         torch=lambda a, b: a.T * b.T, unknown=_AB, name="transposed"),
    Case("mul", lambda a, b: a * b, [normal(), normal(2, 2)], unknown=[(), ("a", "b")],
         name="a single number"),
    Case("div", lambda a, b: a / b, [normal(3, 1), positive(4)], torch=lambda a, b: a / b, unknown=_OUTER),
    Case("div", lambda a: a / 4, [normal(3)], torch=lambda a: a / 4, name="by a number"),
    Case("div", lambda a: 4 / a, [positive(3)], torch=lambda a: 4 / a, name="of a number"),
    _on_integers("div", integers(-5, 5, 3), integers(1, 5, 3)),
    _unary("neg", normal(3, 2)),
    _unary("reciprocal", positive(3, 2)),
    _on_integers("reciprocal", integers(1, 5, 3)),
    _transposed("reciprocal", positive(3, 2)),
    _unary("abs", distinct(3, 2), second=False),
    Case("abs", ops.abs, [np.array([0.0, -0.0])], torch=torch_op("abs"), smooth=False, second=False,
         name="at zero"),
    _on_integers("abs", integers(-5, 5, 4)),
    _unary("sign", distinct(3, 2)),
    _on_integers("sign", integers(-2, 3, 4)),
    # powers
    *(
        Case("pow", lambda a, p=p: a**p, [positive(3, 2)], torch=lambda a, p=p: a**p,
             unknown=[("a", "b")], name=f"{p!r}")
        for p in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.7)
    ),
    Case("pow", lambda a: a**2, [np.array([0.0, -1.0, 2.0])], torch=lambda a: a**2, name="2 at zero"),
    Case("pow", lambda a: a**1, [np.array([0.0, 2.0])], torch=lambda a: a**1, name="1 at zero"),
    Case("pow", lambda a: 2.5**a, [normal(3)], torch=lambda a: 2.5**a, name="of a number"),
    Case("pow", lambda a: 0**a, [positive(3)], name="of zero"),
    Case("pow", lambda a, b: a**b, [positive(3, 1), normal(4)], torch=lambda a, b: a**b, unknown=_OUTER),
    Case("pow", lambda a, b: a**b, [np.array([0.0, 0.0, 3.0]), np.array([3.0, 0.0, 0.0])],
         torch=lambda a, b: a**b, smooth=False, second=False, name="zero bases and exponents"),
    _on_integers("pow", integers(-3, 4, 4), integers(0, 4, 4)),
    Case("pow", lambda a: ops.transpose(a) ** 3, [normal(3, 2)], unknown=[("a", "b")], name="3 transposed"),
    _unary("sqrt", positive(3, 2)),
    _on_integers("sqrt", integers(0, 9, 4)),
    _unary("rsqrt", positive(3, 2)),
    _on_integers("rsqrt", integers(1, 9, 4)),
    _unary("square", normal(3, 2)),
    # exponentials, logarithms, angles
    _unary("exp", normal(3, 2)),
    _on_integers("exp", integers(-2, 3, 4)),
    _transposed("exp", normal(3, 2)),
    _unary("expm1", normal(3, 2)),
    _unary("log", positive(3, 2)),
    _unary("log1p", positive(3, 2)),
    _unary("sin", normal(3, 2)),
    _unary("cos", normal(3, 2)),
    _unary("tan", between(-1.2, 1.2, 3, 2)),
    _unary("tanh", normal(3, 2)),
    # rounding and tests: no gradient
    _unary("floor", _whole, smooth=False),
    _unary("ceil", _whole, smooth=False),
    _unary("round", _whole, smooth=False),
    _on_integers("floor", integers(-5, 5, 3).astype(np.int32)),
    _on_integers("ceil", integers(-5, 5, 3)),
    _on_integers("round", integers(-5, 5, 3)),
    _transposed("round", normal(2, 3)),
    _unary("isnan", _some, smooth=False),
    _unary("isfinite", _some, smooth=False),
    _on_integers("isfinite", integers(-5, 5, 3)),
    # comparisons and logic
    _compare("equal", "eq", _tied, _tied[:, ::-1]),
    _compare("not_equal", "ne", _tied, _tied[:, ::-1]),
    _compare("less", "lt", _tied, _tied[:, ::-1]),
    _compare("less_equal", "le", _tied, _tied[:, ::-1]),
    _compare("greater", "gt", _tied, _tied[:, ::-1]),
    _compare("greater_equal", "ge", _tied, _tied[:, ::-1]),
    Case("greater", lambda a, b: ops.where(a > b, a * b, b), [normal(3, 1), normal(4)], unknown=_OUTER,
         torch=lambda a, b: torch_op("where")(a > b, a * b, b), name="as a mask"),
    _compare("logical_and", "logical_and", booleans(3, 4), booleans(3, 4)),
    _compare("logical_or", "logical_or", booleans(3, 4), booleans(3, 4)),
    _compare("logical_xor", "logical_xor", _some, _some[::-1]),
    _unary("logical_not", _some, smooth=False),
    # bits
    *(
        Case(name, TABLE[name], [a, b], torch=torch_op(name), unknown=_OUTER, name=str(a.dtype))
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift")
        for a, b in (
            (integers(-100, 100, 3, 1), integers(0, 7, 4)),
            (integers(-2**31, 2**31, 3, 1).astype(np.int32), integers(0, 31, 4).astype(np.int32)),
            (integers(0, 256, 3, 1).astype(np.uint8), integers(0, 7, 4).astype(np.uint8)),
        )
    ),
    *(
        Case(name, TABLE[name], [_bits, _places], unknown=_AB, name="at the ends")
        for name in ("bitwise_left_shift", "bitwise_right_shift")
    ),
    Case("bitwise_right_shift", lambda a: a >> 3, [_bits.astype(np.uint64)], unknown=[("a", "b")],
         name="unsigned by a number"),
    Case("bitwise_left_shift", lambda a: 3 << a, [integers(0, 20, 5)], torch=lambda a: 3 << a,
         name="of a number"),
    Case("bitcast", lambda x: ops.bitcast(x, "uint64"), [integers(-100, 100, 3, 2)], unknown=[("a", "b")],
         torch=lambda x: x.view(torch_dtype("uint64")), smooth=False),
    Case("bitcast", lambda x: ops.bitcast(x, "float32"), [integers(0, 100, 3, 2).astype(np.int32)],
         torch=lambda x: x.view(torch_dtype("float32")), smooth=False, name="of small numbers"),
    Case("bitwise_not", TABLE["bitwise_not"], [integers(-100, 100, 3, 2)], torch=torch_op("bitwise_not"),
         unknown=[("a", "b")]),
    Case("bitwise_and", lambda a, b: (a & b) | (a ^ ~b) & 5, [integers(-9, 9, 3), integers(-9, 9, 3)],
         torch=lambda a, b: (a & b) | (a ^ ~b) & 5, unknown=[("a",), ("a",)], name="operators"),
    Case("logical_and", lambda a, b: (a & b) | (a ^ ~b) & True, [booleans(3, 4), booleans(3, 4)],
         torch=lambda a, b: (a & b) | (a ^ ~b) & True, unknown=_AB, smooth=False, name="operators"),
    *(
        Case(name, TABLE[name], [booleans(3, 4), booleans(3, 4)], torch=torch_op(name), unknown=_AB,
             name="bools")
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    ),
    Case("bitwise_not", TABLE["bitwise_not"], [booleans(3)], torch=torch_op("bitwise_not"), name="bools"),
    # cast
    Case("cast", lambda x: ops.cast(x, "float64") * 2, [normal(3, 2)], unknown=[("a", "b")], name="wider"),
    Case("cast", lambda x: ops.cast(x, np.float16), [normal(3)], smooth=False, name="narrower"),
    Case("cast", lambda x: ops.cast(x, int), [_whole], smooth=False,
         name="to integers"),
    Case("cast", lambda x: ops.cast(ops.transpose(x), bool), [booleans(2, 3)], smooth=False,
         name="transposed"),
    # choosing
    Case("gate", TABLE["gate"], [normal(3, 1), booleans(4)], unknown=[("a", 1), ("b",)],
         composed=lambda x, m: np.where(m, x, np.zeros((), x.dtype))),
    Case("gate", lambda x, m: TABLE["gate"](ops.transpose(x), m), [normal(3, 2), booleans(2, 1)],
         unknown=[("a", "b"), ("b", 1)], name="transposed"),
    Case("where", ops.where, [_mask, normal(40, 1), normal(60)], torch=torch_op("where"),
         unknown=[("a", "b"), ("a", 1), ("b",)], name="long"),
    Case("where", lambda m, a: ops.where(m, -7.5, a), [_mask, normal(40, 60)],
         unknown=_AB, name="long, with a number"),
    Case("where", lambda m, a, b: ops.where(m, a, b), [_mask, normal(40, 60), integers(0, 9, 40, 60)],
         unknown=[*_AB, ("a", "b")], name="long, float and int"),
    Case("where", lambda a, b: ops.where(True, a, b), [normal(3), normal(3)], unknown=[("a",), ("a",)],
         name="a mask that is a number"),
    Case("maximum", ops.maximum, [normal(3, 1), normal(4)], torch=torch_op("maximum"), unknown=_OUTER),
    Case("maximum", ops.maximum, [_tied, _tied[:, ::-1]], torch=torch_op("maximum"), unknown=_AB,
         smooth=False, name="ties"),
    Case("maximum", lambda a: ops.maximum(a, 0.4), [distinct(3, 2)], unknown=[("a", "b")], name="a number"),
    _on_integers("maximum", integers(-5, 5, 4), integers(-5, 5, 4)),
    Case("minimum", ops.minimum, [normal(3, 1), normal(4)], torch=torch_op("minimum"), unknown=_OUTER),
    Case("minimum", ops.minimum, [_tied, _tied[:, ::-1]], torch=torch_op("minimum"), unknown=_AB,
         smooth=False, name="ties"),
    Case("clip", lambda x: ops.clip(x, -0.4, 0.4), [distinct(3, 4)],
         torch=torch_op("clamp", min=-0.4, max=0.4),
         unknown=[("a", "b")]),
    Case("clip", lambda x: ops.clip(x, 0.2), [distinct(3, 4)], torch=torch_op("clamp", min=0.2),
         name="below"),
    Case("clip", lambda x: ops.clip(x, high=0.2), [distinct(3, 4)], torch=torch_op("clamp", max=0.2),
         name="above"),
    Case("clip", lambda x: ops.clip(x, -0.5, 0.5), [np.array([-0.5, 0.5, -1.0, 1.0])], smooth=False,
         torch=torch_op("clamp", min=-0.5, max=0.5), name="on the bounds"),
    Case("clip", ops.clip, [distinct(3, 4), between(-0.9, -0.1, 4), between(0.2, 0.8, 3, 1)],
         torch=torch_op("clamp"), unknown=[("a", "b"), ("b",), ("a", 1)], name="by arrays"),
    Case("clip", ops.clip, [np.array([0.0, 1.0, 2.0]), np.full(3, 1.5), np.full(3, 0.5)],
         torch=torch_op("clamp"), smooth=False, name="crossed bounds"),
    Case("clip", lambda x: ops.clip(x, high=3), [integers(-9, 9, 5)], smooth=False, name="integers"),
    Case("clip", ops.clip, [np.arange(5, dtype="int32"), np.full(5, 2, "int64"), np.full(5, 3, "int32")],
         unknown=[("n",)] * 3, smooth=False, name="widened"),
]  # fmt: skip
