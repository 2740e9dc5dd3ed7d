"""What NumPy's functions do with our Tensors: its operators are ours, the rest is refused in our words.

NumPy would take the values out of a Tensor and lose its gradient, or its graph, without a word. It asks
by two protocols: `__array_ufunc__` for functions of each element (NEP 13), `__array_function__` for the
others (NEP 18).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import EngineError

OPERATORS: dict[Any, Any] = {
    np.add: ops.add, np.subtract: ops.sub, np.multiply: ops.mul, np.true_divide: ops.div, np.power: ops.pow,
    np.floor_divide: ops.floor_divide, np.remainder: ops.remainder,
    np.matmul: ops.matmul, np.equal: ops.equal, np.not_equal: ops.not_equal, np.less: ops.less,
    np.less_equal: ops.less_equal, np.greater: ops.greater, np.greater_equal: ops.greater_equal,
    np.bitwise_and: ops.bitwise_and, np.bitwise_or: ops.bitwise_or, np.bitwise_xor: ops.bitwise_xor,
    np.left_shift: ops.bitwise_left_shift, np.right_shift: ops.bitwise_right_shift,
}  # fmt: skip
"""What stands behind Python's operators on NumPy's arrays: `array * x` is `x.__rmul__(array)`."""

SIZES: dict[Any, Any] = {np.shape: lambda x: x.shape, np.ndim: lambda x: x.ndim, np.size: lambda x: x.size}
"""Functions that ask for what is known without any values."""

ASKING = {
    np.result_type, np.can_cast, np.iscomplexobj, np.isrealobj,
    np.may_share_memory, np.shares_memory, np.allclose, np.isclose, np.array_equal, np.array_equiv,
    np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savez_compressed, np.savetxt,
    np.zeros_like, np.ones_like, np.empty_like, np.full_like,
}  # fmt: skip
"""Functions whose results no gradient could flow through, so that they may have the values."""

_OTHERWISE = {
    "absolute": "abs", "amax": "max", "amin": "min", "around": "round", "rint": "round", "negative": "neg",
    "append": "concatenate", "array_split": "tensor_split", "ravel": "flatten", "digitize": "bucketize",
    "average": "mean", "invert": "bitwise_not", "float_power": "pow", "percentile": "quantile",
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "radians": "deg2rad", "degrees": "rad2deg", "conjugate": "conj",
}  # fmt: skip
"""NumPy's names where ours differ."""


class NumPyCalls:
    """Mixed into whatever Python's operators work on."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = (), **more: Any) -> Any:
        op = OPERATORS.get(ufunc) if method == "__call__" and not more else None
        if op is None or any(isinstance(part, NumPyCalls) for part in out):
            raise _refusal(ufunc.__name__ + ("" if method == "__call__" else f".{method}"))
        if out:  # array += x
            return ufunc(*(np.asarray(x) if isinstance(x, NumPyCalls) else x for x in inputs), out=out)
        return op(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Sequence[Any], settings: Any) -> Any:
        if function in SIZES and len(args) == 1 and not settings:
            return SIZES[function](self)
        if function not in ASKING:
            module = function.__module__.removeprefix("numpy").lstrip(".")
            raise _refusal(function.__name__, f"{module}." if module else "")
        return function(*_values(args), **{key: _values(value) for key, value in settings.items()})


def _values(given: Any) -> Any:
    """The same with the arrays of Tensors in their place."""
    if isinstance(given, (list, tuple)):
        return type(given)([_values(part) for part in given])
    return given.numpy() if isinstance(given, NumPyCalls) else given  # type: ignore[attr-defined]


def _refusal(name: str, module: str = "") -> EngineError:
    ours, space = _OTHERWISE.get(name, name), module if module in ("linalg.", "fft.") else ""
    known = ours in getattr(ops, space.rstrip("."), ops).__all__
    way_out = f"use ops.{space}{ours}" if known else "build it of ops (docs/ops.md lists them)"
    return EngineError(
        f"np.{module}{name} of a Tensor or Parameter: NumPy knows neither its gradient nor its graph; "
        f"{way_out}, or give NumPy the values: x.numpy(), or of a graph session.run(x)"
    )
