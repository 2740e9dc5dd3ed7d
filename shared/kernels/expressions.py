"""The text of an op's `scalar` as terms: the vocabulary of `shared.op`, and what kernels make of it."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared.kernels import fast_math
from shared.kernels.scalars import BOOL, Code, Term, Unfit


def _fast(name: str) -> Callable[..., Term]:
    return lambda code, x: getattr(fast_math, name)(code, code.floating(x))


APPROXIMATED = frozenset(
    ("exp", "expm1", "log", "log1p", "tanh", "erf", "erfc", "normcdf", "bell")
)
"""The functions that kernels have in a form of their own, with errors of their own; all else is rounded as
IEEE 754 says, and so gives the bits that NumPy gives."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _fast(name) for name in sorted(APPROXIMATED)},
    "sqrt": lambda code, x: code.root(x),
    "floor": lambda code, x: code.rounded("floor", x),
    "ceil": lambda code, x: code.rounded("ceil", x),
    "round": lambda code, x: code.rounded("rint", x),
    "abs": lambda code, x: code.absolute(x),
    "min": lambda code, a, b: code.extreme("lt", a, b),
    "max": lambda code, a, b: code.extreme("gt", a, b),
    "sign": lambda code, x: code.sign(x),
    "cast": lambda code, x, dtype: code.cast(x, dtype),
    "isnan": lambda code, x: code.compare("ne", x, x) if x.dtype.kind == "f" else code.constant(False, BOOL),
}
"""The functions of the vocabulary that kernels have. Angles are missing: far from 0 they take a
division by pi of hundreds of digits, and NumPy's own are vectors already."""

Code.functions = FUNCTIONS

_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip


@lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    """The tree of an expression."""
    return ast.parse(text, mode="eval").body


@lru_cache(maxsize=4096)
def is_plain(text: str) -> bool:
    """Whether an expression is made of plain arithmetic, of which kernels give NumPy's bits."""
    return not any([isinstance(x, ast.Name) and x.id in APPROXIMATED for x in ast.walk(parsed(text))])


def evaluate(code: Code, tree: ast.expr, names: dict[str, Any]) -> Any:
    """The term that an expression stands for; Unfit if kernels lack what it is made of."""
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names[name] if name in names else np.dtype(name)
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](evaluate(code, left, names), evaluate(code, right, names))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _BINARY[type(op)](evaluate(code, left, names), evaluate(code, right, names))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -evaluate(code, operand, names)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return code.select(*(evaluate(code, part, names) for part in (test, body, orelse)))
        case ast.Call(func=ast.Name(id=name), args=args) if name in code.functions:
            return code.functions[name](code, *(evaluate(code, arg, names) for arg in args))
        case ast.Call(func=ast.Name(id=name)):
            raise Unfit(f"kernels have no {name}")
    raise Unfit(f"{ast.unparse(tree)} is not in the vocabulary")


def written(code: Code, text: str, arguments: Sequence[Any], dtype: np.dtype[Any]) -> Term:
    """An op's form on terms and numbers, which must give `dtype`, or it is Unfit."""
    try:
        y = evaluate(code, parsed(text), {f"a{i}": x for i, x in enumerate(arguments)})
    except (OverflowError, ZeroDivisionError, AttributeError, TypeError) as error:  # numbers alone
        raise Unfit(str(error)) from None
    if not isinstance(y, Term) or y.dtype != dtype:
        raise Unfit(f"it gives {getattr(y, 'dtype', 'a number')}, not {dtype}")
    return y


def literal(value: Any) -> str:
    """A setting as the text of an expression. Raises Unfit for what is none."""
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, (int, float)) and math.isfinite(value):
        return f"({value!r})"
    raise Unfit(f"{value!r} is no number")
