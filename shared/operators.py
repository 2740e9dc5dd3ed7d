"""Python's operators and the usual methods, for everything that an op takes."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

from shared import ops
from shared.dims import Dim, Size
from shared.methods import Methods, count
from shared.usage.door import methods


class Operators(Methods):
    """Mixed into the Tensors of both engines and into Parameters.

    Arithmetic and comparisons are elementwise and broadcast; `==` too, and so hashing is by
    identity. The class that mixes this in says `shape` and `dtype`.
    """

    __slots__ = ()
    __array_priority__ = 1000
    __hash__ = object.__hash__

    if TYPE_CHECKING:  # the methods of the tables below

        def __getattr__(self, name: str) -> Any: ...

    if TYPE_CHECKING:  # bound below, from one table

        def _binary(self, other: Any) -> Any: ...

        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _binary
        __truediv__ = __rtruediv__ = __pow__ = __rpow__ = _binary
        __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _binary
        __lt__ = __le__ = __gt__ = __ge__ = _binary

        def __neg__(self) -> Any: ...
        def __abs__(self) -> Any: ...

    def __matmul__(self, other: Any) -> Any:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return ops.matmul(other, self)

    def __pos__(self) -> Any:
        return self

    # bits of integers, the logic of bools
    def __and__(self, other: Any) -> Any:
        return ops.bitwise_and(self, other)

    def __or__(self, other: Any) -> Any:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Any:
        return ops.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__  # neither minds the order

    def __invert__(self) -> Any:
        return ops.bitwise_not(self)

    def __lshift__(self, other: Any) -> Any:
        return ops.bitwise_left_shift(self, other)

    def __rshift__(self, other: Any) -> Any:
        return ops.bitwise_right_shift(self, other)

    def __rlshift__(self, other: Any) -> Any:
        return ops.bitwise_left_shift(other, self)

    def __rrshift__(self, other: Any) -> Any:
        return ops.bitwise_right_shift(other, self)

    # shape
    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return count(self.shape)

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return ops.transpose(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d tensor; it has no first axis")
        return int(self.shape[0])

    def __getitem__(self, index: Any) -> Any:
        return ops.getitem(self, index)

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> Any:
        return ops.reshape(self, _flat(shape))

    def transpose(self, *axes: Any) -> Any:
        """With its axes reversed, or in the order given; two that are given apart change places, as in
        PyTorch (in NumPy, of a matrix, `x.transpose(0, 1)` would be x itself)."""
        order = _flat(axes)
        if len(axes) == 2 and len(self.shape) > 1:
            return ops.swapaxes(self, *order)
        return ops.transpose(self, order or None)

    def flatten(self, start_axis: int = 0) -> Any:
        return ops.flatten(self, start_axis)

    def astype(self, dtype: Any) -> Any:
        return ops.cast(self, dtype)

    def detach(self) -> Any:
        """The same value, taken as a constant: `ops.stop_gradient`."""
        return ops.stop_gradient(self)

METHODS = (
    "abs", "acos", "all", "any", "argmax", "argmin", "argsort", "asin", "atan", "ceil", "chunk",
    "clip", "cos", "cosh", "count_nonzero", "cumprod", "cumsum", "diagonal", "diff", "div", "dot", "elu",
    "erf", "exp", "expand_dims", "expm1", "flip", "floor", "fmod", "gelu", "isfinite", "isinf", "isnan",
    "leaky_relu", "lerp", "log", "log10", "log1p", "log2", "log_softmax", "logical_and", "logical_not",
    "logical_or", "logsumexp", "masked_scatter", "masked_select", "matmul", "maximum", "mean", "median",
    "minimum", "moveaxis", "mul", "narrow", "neg", "nonzero", "norm", "outer", "pow", "prod", "reciprocal",
    "relu", "remainder",  "roll", "round", "rsqrt", "sigmoid", "sign", "silu", "sin", "sinh",
    "softmax", "softplus",   "sqrt", "square", "squeeze", "std", "sum", "swapaxes",
    "take", "tan", "tanh", "tile", "topk", "trace", "tril", "triu", "trunc", "unbind", "unflatten",
    "unique", "var",
)  # fmt: skip
"""The ops that are methods too: `x.sum(axis=0)` is `ops.sum(x, axis=0)`."""

NAMED = {
    "clamp": "clip", "mm": "matmul", "bmm": "matmul", "mv": "matmul", "eq": "equal", "ne": "not_equal",
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "absolute": "abs",
    "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div",
    "movedim": "moveaxis", "swapdims": "swapaxes", "negative": "neg", "diag": "diag", "ger": "outer",
    "cross_entropy": "cross_entropy", "concat": "concatenate", "logical_xor": "logical_xor",
}  # fmt: skip
"""PyTorch's names for methods that are ops under another name here."""

OPERATORS = {
    "add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div, "pow": ops.pow,
    "eq": ops.equal, "ne": ops.not_equal, "lt": ops.less, "le": ops.less_equal,
    "gt": ops.greater, "ge": ops.greater_equal, "neg": ops.neg, "abs": ops.abs,
    "floordiv": ops.floor_divide, "mod": ops.remainder,
}  # fmt: skip
"""The operators that are ops as they stand, by the names of their methods."""
_REFLECTED = ("add", "sub", "mul", "truediv", "pow", "floordiv", "mod")
_UNARY = ("neg", "abs")


def bind(kind: type, apply: Any) -> None:
    """Give a class the operators, each as `apply(op, arguments, settings)`: what a Tensor's
    engine is called with anyway, so that the search for the engine is spared."""

    none: dict[str, Any] = {}  # nobody changes settings, so all these calls can share one

    def unary(op: Any) -> Any:
        return lambda self: apply(op, (self,), none)

    def binary(op: Any) -> Any:
        return lambda self, other: apply(op, (self, other), none)

    def reflected(op: Any) -> Any:
        return lambda self, other: apply(op, (other, self), none)

    for name, op in OPERATORS.items():
        setattr(kind, f"__{name}__", unary(op) if name in _UNARY else binary(op))
        if name in _REFLECTED:
            setattr(kind, f"__r{name}__", reflected(op))


def _method(name: str, op: Any) -> Any:
    def method(self: Any, *args: Any, **settings: Any) -> Any:
        return op(self, *args, **settings)

    method.__name__, method.__doc__ = name, op.__doc__
    return method


for _name, _op in (dict(zip(METHODS, METHODS, strict=True)) | NAMED).items():
    if hasattr(ops, _op):
        setattr(Operators, _name, _method(_name, getattr(ops, _op)))
bind(Operators, lambda op, args, settings: op(*args, **settings))


def _flat(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    if len(values) == 1 and not isinstance(values[0], (Integral, Dim)):
        return tuple(values[0]) if values[0] is not None else ()
    return values


methods(Operators)
