"""PyTorch's functions that make Tensors, beside those of `dynamic.create`: see `dynamic.aliases`."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamic import create
from dynamic.tensors import Tensor, tensor
from shared.casting import check_holds
from shared.errors import SettingError
from shared.spec import as_dtype


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """The Tensor itself; of an array one that shares its memory; else `tensor(data)`."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or data.dtype == as_dtype(dtype)):
        return create.from_numpy(data)
    return tensor(data, dtype=dtype)


def _like(name: str, x: Any, dtype: Any, requires_grad: bool) -> Tensor:
    kind = x.dtype if dtype is None else as_dtype(dtype)
    return getattr(create, name)(*x.shape, dtype=kind, requires_grad=requires_grad)


def zeros_like(input: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Zeros of another's shape and dtype."""
    return _like("zeros", input, dtype, requires_grad)


def ones_like(input: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Ones of another's shape and dtype."""
    return _like("ones", input, dtype, requires_grad)


def rand_like(input: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Numbers evenly from [0, 1), of another's shape and dtype."""
    return _like("rand", input, dtype, requires_grad)


def randn_like(input: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Standard normal numbers, of another's shape and dtype."""
    return _like("randn", input, dtype, requires_grad)


def empty(*size: Any, dtype: Any = "float32", requires_grad: bool = False, device: Any = None) -> Tensor:
    """Values of no meaning: zeros here."""
    return create.zeros(*size, dtype=dtype, requires_grad=requires_grad)


empty_like = zeros_like


def randint(*bounds: Any, size: Any = None, dtype: Any = "int64", device: Any = None) -> Tensor:
    """Integers: `randint(high, size)` or `randint(low, high, size)`. DTypeError for bounds that the
    dtype does not hold."""
    if size is None:
        *bounds, size = bounds  # type: ignore[assignment]
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    check_holds("randint", as_dtype(dtype), low, high - 1)
    return tensor(create.generator().integers(low, high, tuple(size)), dtype=dtype)


def randperm(n: int, dtype: Any = "int64", device: Any = None) -> Tensor:
    """0 to n - 1 in any order."""
    check_holds("randperm", as_dtype(dtype), n - 1)
    return tensor(create.generator().permutation(n), dtype=dtype)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, dtype: Any = "float32") -> Tensor:
    """Normal numbers of a mean and a standard deviation."""
    shape = size if size is not None else np.broadcast_shapes(np.shape(mean), np.shape(std))
    return create.randn(*shape, dtype=dtype) * std + mean


def bernoulli(input: Any) -> Tensor:
    """1 with the probabilities given, else 0."""
    drawn = create.generator().random(tuple(input.shape))
    return tensor((drawn < raw(input)).astype(input.dtype))


def multinomial(input: Any, num_samples: int, replacement: bool = False) -> Tensor:
    """Numbers of classes, drawn by their weights, a row of them for each row of weights."""
    weights, random = np.atleast_2d(raw(input)).astype("float64"), create.generator()
    if (weights < 0).any() or not np.isfinite(weights).all() or (weights.sum(axis=1) == 0).any():
        raise SettingError("multinomial: weights must be 0 or more, finite, and not all 0")
    rows = [random.choice(row.size, num_samples, replacement, row / row.sum()) for row in weights]
    return tensor(np.asarray(rows if input.ndim > 1 else rows[0], "int64"))


def _of(kind: str) -> Any:
    def make(*data: Any) -> Tensor:
        if data and all(isinstance(size, int) for size in data):
            return create.zeros(*data, dtype=kind)
        return tensor(data[0] if data else [], dtype=kind)

    make.__doc__ = f"A Tensor of {kind}: of values, or of a size."
    return make


FloatTensor, DoubleTensor, LongTensor = _of("float32"), _of("float64"), _of("int64")
IntTensor, BoolTensor = _of("int32"), _of("bool")


def raw(x: Any) -> Any:
    """The array of a Tensor; anything else as an array."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)
