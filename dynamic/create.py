"""Tensors from a shape alone, and from other libraries' arrays, by PyTorch's names.

`device` is "cpu" or "cuda"; None for the default one, see `dynamic.set_default_device`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from dynamic.tensors import Tensor, tensor
from shared.casting import check_holds
from shared.device.cuda import CudaArray, cupy
from shared.errors import DTypeError, SettingError
from shared.spec import as_dtype, as_seed


class _Source:
    generator = np.random.default_rng()


def generator() -> np.random.Generator:
    """What `rand` and `randn` draw from."""
    return _Source.generator


def draws_state() -> Any:
    """Where the numbers of `randn` and `rand` stand, for `drawing_from`."""
    return _Source.generator.bit_generator.state


@contextmanager
def drawing_from(state: Any) -> Iterator[None]:
    """Within the block `randn` and `rand` draw as they did from this state on; afterwards as if nothing
    had been drawn."""
    before = draws_state()
    _Source.generator.bit_generator.state = state
    try:
        yield
    finally:
        _Source.generator.bit_generator.state = before


def manual_seed(seed: int) -> None:
    """Start `randn`, `rand` and the initial values of layers anew from `seed`."""
    from shared import nn

    _Source.generator = np.random.default_rng(as_seed("manual_seed", seed))
    nn.manual_seed(seed)


def _sizes(call: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """`zeros(2, 3)` and `zeros((2, 3))` mean the same."""
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if not all(isinstance(size, (int, np.integer)) and size >= 0 for size in sizes):
        raise SettingError(f"{call}: a shape is made of integers, 0 or more, not {sizes!r}")
    return sizes


def _floating(call: str, dtype: Any) -> np.dtype[Any]:
    drawn: np.dtype[Any] = as_dtype(dtype)
    if drawn not in (np.float32, np.float64):
        raise DTypeError(f"{call}: draws float32 or float64, not {drawn}; cast what it gives, with .astype")
    return drawn


def zeros(
    *shape: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Zeros of a shape."""
    return tensor(np.zeros(_sizes("zeros", shape), as_dtype(dtype)), requires_grad, device=device)


def ones(
    *shape: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Ones of a shape."""
    return tensor(np.ones(_sizes("ones", shape), as_dtype(dtype)), requires_grad, device=device)


def full(
    shape: Any, value: Any, dtype: Any = None, requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """One number, everywhere; in its own dtype, where none is given: float32, int64 or bool."""
    if dtype is None:
        dtype = "bool" if isinstance(value, bool) else "int64" if isinstance(value, int) else "float32"
    if as_dtype(dtype).kind in "iu":
        check_holds("full", as_dtype(dtype), value)
    return tensor(np.full(_sizes("full", (shape,)), value, as_dtype(dtype)), requires_grad, device=device)


def arange(*bounds: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """`arange(stop)`, `arange(start, stop)` or `arange(start, stop, step)`: int64 for integers."""
    numbers = np.arange(*bounds)
    kind = as_dtype(dtype) if dtype else _float32_or(numbers.dtype)
    if kind.kind in "iu":
        check_holds("arange", kind, *numbers[[0, -1]] if numbers.size else ())
    return tensor(numbers, dtype=kind, device=device)


def linspace(
    start: float, stop: float, steps: int, dtype: Any = "float32", device: str | None = None
) -> Tensor:
    """`steps` numbers evenly from start to stop, both included."""
    if as_dtype(dtype).kind in "iu":
        check_holds("linspace", as_dtype(dtype), start, stop)
    return tensor(np.linspace(start, stop, steps, dtype=as_dtype(dtype)), device=device)


def eye(size: int, dtype: Any = "float32", device: str | None = None) -> Tensor:
    """The identity matrix."""
    return tensor(np.eye(size, dtype=as_dtype(dtype)), device=device)


def randn(
    *shape: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Numbers from the standard normal distribution; see `manual_seed`."""
    drawn = _Source.generator.standard_normal(_sizes("randn", shape), _floating("randn", dtype))
    return tensor(drawn, requires_grad, device=device)


def rand(
    *shape: Any, dtype: Any = "float32", requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Numbers evenly from [0, 1); see `manual_seed`."""
    drawn = _Source.generator.random(_sizes("rand", shape), _floating("rand", dtype))
    return tensor(drawn, requires_grad, device=device)


def _float32_or(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float32) if dtype.kind == "f" else dtype


def from_numpy(array: Any) -> Tensor:
    """A Tensor that shares the array's memory."""
    return Tensor(np.asarray(array))


def check_unmarked(source: Any) -> None:
    """SettingError for what PyTorch has only marked as negated: its memory comes without the mark."""
    if hasattr(source, "is_neg") and source.is_neg():
        raise SettingError(
            f"from_dlpack: this {type(source).__name__} is a view that is only marked as negated, and DLPack "
            "hands over the memory without the mark; call resolve_neg() on it first"
        )


def from_dlpack(source: Any) -> Tensor:
    """A Tensor that shares the memory of another library's array (PyTorch, CuPy, JAX, ...)."""
    check_unmarked(source)
    device = source.__dlpack_device__()[0]
    if int(device) == 1:
        return Tensor(np.from_dlpack(source))
    return Tensor(CudaArray(cupy().from_dlpack(source)))
