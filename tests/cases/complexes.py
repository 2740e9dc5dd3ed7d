"""Complex numbers: parts, conjugates, angles; and what arithmetic, functions and products do with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from tests.cases.case import Case, booleans, complex_normal, integers, normal
from tests.cases.oracle import torch_op

N = [("n", 3)]
NN = [("n", 3), ("n", 3)]


def _of_one(op: str, call: Any = None, torch: str = "") -> Case:
    """A function of one complex argument."""
    return Case(op, call or getattr(ops, op), [complex_normal(2, 3)], unknown=N, name="complex",
                torch=torch_op(torch or op))  # fmt: skip


CASES = [
    # parts
    Case("conj", lambda x: ops.conj(x), [complex_normal(2, 3)], torch=torch_op("conj_physical"), unknown=N),
    Case("real", lambda x: ops.real(x), [complex_normal(2, 3)], torch=torch_op("real"), unknown=N),
    Case("imag", lambda x: ops.imag(x), [complex_normal(2, 3)], torch=torch_op("imag"), unknown=N),
    Case("real", lambda x: ops.real(x * x) + ops.imag(x), [complex_normal()], unknown=[()],
         name="of a number"),
    Case("angle", lambda x: ops.angle(x), [complex_normal(2, 3)], torch=torch_op("angle"), unknown=N),
    Case("where", lambda x: ops.angle(x), [normal(4)], torch=torch_op("angle"), second=False,
         name="the angle of real numbers"),
    Case("complex", lambda a, b: ops.complex(a, b), [normal(2, 3), normal(2, 3)], torch=torch_op("complex"),
         unknown=NN),
    Case("complex", lambda a, b: ops.complex(a, b), [normal(2, 1), normal(3)], unknown=[("n", 1), ("m",)],
         name="that broadcast"),
    Case("complex", lambda a: ops.complex(2.0, a), [normal(3)], name="beside a number"),
    Case("complex", lambda a: ops.complex(a, 0), [integers(0, 5, 3)], smooth=False, name="integers"),
    Case("view_as_real", lambda x: ops.view_as_real(x), [complex_normal(2, 3)], unknown=N,
         torch=torch_op("view_as_real")),
    Case("view_as_real", lambda x: ops.view_as_real(ops.transpose(x)), [complex_normal(2, 3)], unknown=N,
         torch=lambda x: torch_op("view_as_real")(x.T), name="of a transpose"),
    Case("view_as_complex", lambda x: ops.view_as_complex(x), [normal(3, 2)], unknown=[("n", 2)],
         torch=torch_op("view_as_complex")),
    Case("view_as_complex", lambda x: ops.view_as_complex(x), [normal(0, 2)], unknown=[("n", 2)],
         name="of none"),
    # arithmetic and functions
    *map(_of_one, ("abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "square", "reciprocal", "neg",
                   "rsqrt", "expm1", "log1p", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh",
                   "atanh")),
    Case("div", lambda x: ops.sign(x), [complex_normal(2, 3)], torch=torch_op("sgn"), unknown=N,
         name="the sign of complex numbers"),
    *(
        Case(op, getattr(ops, op), [complex_normal(2, 3), complex_normal(3)], unknown=[("n", 3), (3,)],
             torch=torch_op(op), name="complex")
        for op in ("add", "sub", "mul", "div", "pow")
    ),
    *(
        Case(op, getattr(ops, op), [normal(2, 1), complex_normal(3)], unknown=[("n", 1), ("m",)],
             torch=torch_op(op), name="a real argument beside a complex one")
        for op in ("add", "sub", "mul", "div")
    ),
    Case("mul", lambda x: x * (1 + 2j) - 1j, [normal(2, 3)], unknown=N, torch=lambda x: x * (1 + 2j) - 1j,
         name="by a complex number"),
    Case("pow", lambda x: x**3 + x**-2 + x**0.5 + x ** (0.5 + 1j), [complex_normal(3)],
         torch=lambda x: x**3 + x**-2 + x**0.5 + x ** (0.5 + 1j), name="of complex numbers to some"),
    Case("pow", lambda x: 2.0**x + (1 + 1j) ** x, [complex_normal(3)],
         torch=lambda x: 2.0**x + (1 + 1j) ** x, name="some to complex ones"),
    Case("cast", lambda x: ops.cast(x, "complex128") * 1j, [normal(3)],
         torch=lambda x: x * 1j, name="real to complex"),
    # products
    Case("matmul", lambda a, b: a @ b, [complex_normal(2, 3, 4), complex_normal(4, 2)],
         torch=lambda a, b: a @ b, unknown=[("b", 3, "k"), ("k", 2)], name="complex"),
    Case("matmul", lambda a, b: a @ b, [normal(3, 4), complex_normal(4, 2)], unknown=[("n", "k"), ("k", 2)],
         name="real by complex"),
    Case("einsum", lambda a, b: ops.einsum("ij,kj->ik", a, b), [complex_normal(2, 3), complex_normal(2, 3)],
         torch=lambda a, b: a @ b.T, unknown=[("n", 3), ("m", 3)], name="complex"),
    Case("linear", lambda x, w, b: ops.linear(x, w, b),
         [complex_normal(2, 3), complex_normal(4, 3), complex_normal(4)],
         torch=torch_op("nn.functional.linear"), unknown=[("n", 3), (4, 3), (4,)], name="complex"),
    # over axes
    Case("sum", lambda x: ops.sum(x, axis=0), [complex_normal(40, 3)], unknown=N,
         torch=lambda x: x.sum(0), name="complex"),
    Case("mean", lambda x: ops.mean(x, axis=0), [complex_normal(4, 3)], unknown=N,
         torch=lambda x: x.mean(0), name="complex"),
    Case("prod", lambda x: ops.prod(x, axis=0), [complex_normal(4, 3)], unknown=N,
         torch=lambda x: x.prod(0), name="complex"),
    Case("cumsum", lambda x: ops.cumsum(x, axis=0), [complex_normal(4, 3)], unknown=N,
         torch=lambda x: x.cumsum(0), name="complex"),
    Case("norm", lambda x: ops.norm(x, axis=1), [complex_normal(4, 3)], unknown=N,
         torch=torch_op("linalg.vector_norm", dim=1), name="complex"),
    # places and choices
    Case("getitem", lambda x: x[[2, 0, 2], 1:], [complex_normal(3, 3)], unknown=N,
         torch=lambda x: x[[2, 0, 2], 1:], name="complex"),
    Case("concatenate", lambda a, b: ops.concatenate([a, b], 0), [complex_normal(2, 3), normal(1, 3)],
         unknown=[("n", 3), ("m", 3)], name="complex beside real"),
    Case("where", lambda m, a, b: ops.where(m, a, b), [booleans(2, 3), complex_normal(2, 3), normal(2, 3)],
         unknown=[("n", 3)] * 3, name="complex"),
    Case("equal", lambda a: ops.equal(a, a * 1), [complex_normal(3)], smooth=False, name="complex"),
    Case("isfinite", lambda a: ops.isfinite(a) & ops.isnan(a * np.nan), [complex_normal(3)], smooth=False,
         name="complex"),
]  # fmt: skip
