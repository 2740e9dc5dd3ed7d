"""Changing in place: Python's operators (`x += y`) and PyTorch's methods (`x.copy_(y)`), for what
holds an array or stands for one.

Whoever mixes this in says in `_change` whether its array may be written to, and notes that it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from shared.op import array_module
from shared.operators import Operators
from shared.ops.remainders import divided
from shared.spec import is_weak
from shared.usage.door import methods

IN_PLACE: dict[str, tuple[str, Callable[..., Any]]] = {
    "add": ("x += y", np.add), "sub": ("x -= y", np.subtract), "mul": ("x *= y", np.multiply),
    "truediv": ("x /= y", np.true_divide), "floordiv": ("x //= y", partial(divided, np.floor_divide)),
    "mod": ("x %= y", partial(divided, np.remainder)), "pow": ("x **= y", np.power),
    "matmul": ("x @= y", np.matmul),
    "and": ("x &= y", np.bitwise_and), "or": ("x |= y", np.bitwise_or), "xor": ("x ^= y", np.bitwise_xor),
    "lshift": ("x <<= y", np.left_shift), "rshift": ("x >>= y", np.right_shift),
}  # fmt: skip
"""The operators, by the names of their methods: how they are written, and what fills the array."""


class InPlace(Operators):
    """Mixed into the Tensors of `dynamic`, into States and into variables."""

    __slots__ = ()

    def _change(self, call: str, write: Callable[..., Any], *written: Any) -> None:
        """Call `write(array, *arrays)` on the own array and on those of the values that are `written` into
        it, or raise an error that names the call."""
        raise NotImplementedError

    def _update(self, name: str, other: Any) -> Any:
        """What one of the operators of `IN_PLACE` gives."""
        call, fill = IN_PLACE[name]
        self._change(call, lambda array, y: fill(array, y, out=array, casting="same_kind"), other)
        return self

    def __iadd__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("add", other)

    def __isub__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("sub", other)

    def __imul__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("mul", other)

    def __itruediv__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("truediv", other)

    def __ifloordiv__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("floordiv", other)

    def __imod__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("mod", other)

    def __ipow__(self, other: Any) -> Any:  # type: ignore[misc]
        return self._update("pow", other)

    def __imatmul__(self, other: Any) -> Any:
        return self._update("matmul", other)

    def __iand__(self, other: Any) -> Any:
        return self._update("and", other)

    def __ior__(self, other: Any) -> Any:
        return self._update("or", other)

    def __ixor__(self, other: Any) -> Any:
        return self._update("xor", other)

    def __ilshift__(self, other: Any) -> Any:
        return self._update("lshift", other)

    def __irshift__(self, other: Any) -> Any:
        return self._update("rshift", other)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, tuple):
            self._change("x[...] = v", lambda array, v, *key: _put(array, v, key), value, *index)
        else:
            self._change("x[...] = v", _put, value, index)

    def copy_(self, other: Any) -> Any:
        """Overwrite the values with those of `other`, which broadcasts; gives the thing itself."""
        self._change("copy_", _copy, _weak_beside(self, other))
        return self

    def fill_(self, value: Any) -> Any:
        """Overwrite the values with one number; gives the thing itself."""
        self._change("fill_", lambda array, v: _copy(array, _one(v)), _weak_beside(self, value))
        return self

    def zero_(self) -> Any:
        """Overwrite the values with zeros; gives the thing itself."""
        self._change("zero_", lambda array: array.fill(0))
        return self


CHANGES = (
    "abs", "add", "clamp", "clip", "div", "exp", "floor", "lerp", "log", "masked_fill", "mul", "neg",
    "pow", "relu", "round",
    "scatter", "scatter_add", "sigmoid", "sqrt", "square", "sub", "tanh", "tril", "triu",
)  # fmt: skip
"""The methods that PyTorch has in place, too: `x.add_(y)` overwrites x with `x.add(y)`."""


def _changing(name: str) -> Any:
    def method(self: Any, *args: Any, **settings: Any) -> Any:
        args = tuple(_weak_beside(self, arg) for arg in args)
        settings = {key: _weak_beside(self, value) for key, value in settings.items()}
        made = getattr(self, name)(*args, **settings)
        self._change(f"{name}_", _copy, made)
        return self

    method.__name__ = f"{name}_"
    method.__doc__ = f"Overwrite the values with those of `{name}`; gives the thing itself."
    return method


for _name in CHANGES:
    setattr(InPlace, f"{_name}_", _changing(_name))


def _weak_beside(x: Any, value: Any) -> Any:
    """A value that is written into x, whose dtype stays: into integers NumPy's integers go as Python's do,
    which are refused where they do not fit."""
    return value.item() if isinstance(value, np.integer) and x.dtype.kind in "iu" else value


def _one(value: Any) -> Any:
    """One number, without axes."""
    return value if is_weak(value) else array_module(value).reshape(value, ())


def _put(array: Any, values: Any, key: Any) -> None:
    """`array[key] = values`, but of no complex numbers into real ones: NumPy drops their imaginary parts."""
    if getattr(values, "dtype", array.dtype).kind == "c" != array.dtype.kind:
        raise TypeError("the imaginary part would be lost")
    array[key] = values


def _copy(array: Any, values: Any) -> None:
    array_module(array).copyto(array, values, casting="same_kind")


methods(InPlace)
