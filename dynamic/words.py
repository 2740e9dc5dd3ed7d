"""Functions of PyTorch's that are called otherwise, or give something else, than the op of that name: see
`dynamic.aliases`."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

import numpy as np

from dynamic import create
from dynamic.functional import grad
from dynamic.making import raw
from dynamic.modes import in_mode, mode
from dynamic.tensors import Tensor, tensor
from shared import ops
from shared.device import cuda
from shared.errors import SettingError
from shared.spec import as_dtype
from shared.state import State

Size = tuple[int, ...]
dtype = np.dtype


class ValuesAndPlaces(NamedTuple):
    """What PyTorch's max, min, sort, topk, median and mode along an axis give."""

    values: Any
    indices: Any


# --- values and places along an axis -------------------------------------------------------------


def max(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Over all elements; along `dim` values and places; of two Tensors the larger of each two elements."""
    return _extreme("max", input, dim, keepdim)


def min(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The same for the smallest."""
    return _extreme("min", input, dim, keepdim)


def _extreme(name: str, x: Any, dim: Any, keepdim: bool) -> Any:
    if dim is None:
        return getattr(ops, name)(x)
    if hasattr(dim, "shape"):
        return getattr(ops, f"{name}imum")(x, dim)
    return ValuesAndPlaces(*getattr(ops, f"{name}_with_indices")(x, dim, keepdim))


def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> ValuesAndPlaces:
    """The elements along an axis in order, and where they stood. Ties keep their order."""
    places = ops.argsort(input, dim, descending=descending)
    return ValuesAndPlaces(ops.take_along_axis(input, places, dim), places)


def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> ValuesAndPlaces:
    """The k largest (or smallest) along an axis, in order, and where they stand."""
    return ValuesAndPlaces(*ops.topk(input, k, dim, largest))


def median(input: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle one of the elements, of an even number the lower of the two, as PyTorch has it; along `dim`
    with its place. `ops.median` gives the mean of the two."""
    x = ops.reshape(input, -1) if dim is None else input
    axis = 0 if dim is None else dim
    values, places = ops.kthvalue(x, (x.shape[axis] + 1) // 2, axis, keepdim)
    return values if dim is None else ValuesAndPlaces(values, places)


def mode_(input: Any, dim: int = -1, keepdim: bool = False) -> ValuesAndPlaces:
    """The most frequent element along an axis, and where it stands."""
    return ValuesAndPlaces(*ops.mode(input, dim, keepdim))


# --- in PyTorch's order of arguments -------------------------------------------------------------


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two axes change places."""
    return ops.swapaxes(input, dim0, dim1)


def t(input: Any) -> Any:
    """The transpose of a matrix."""
    return ops.transpose(input)


def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """In parts of that size (the last may be smaller), or of the sizes given."""
    size = split_size_or_sections
    if isinstance(size, int):
        whole = tensor.shape[dim]
        size = [builtins.min(size, whole - start) for start in range(0, whole, size)]
    return ops.split(tensor, size, dim)


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """In so many parts, the last ones smaller."""
    return ops.chunk(input, chunks, dim)


def gather(input: Any, dim: int, index: Any) -> Any:
    """Elements picked along an axis."""
    return ops.gather(input, index, dim)


def index_select(input: Any, dim: int, index: Any) -> Any:
    """Slices picked along an axis."""
    return ops.take(input, index, dim)


def scatter(input: Any, dim: int, index: Any, src: Any) -> Any:
    """With `src` put along an axis."""
    return _as(input).scatter(dim, index, src)


def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """With `src` added along an axis."""
    return _as(input).scatter_add(dim, index, src)


def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> Any:
    """The p-norm of all elements, or along axes."""
    return ops.norm(input, 2 if p == "fro" else p, dim, keepdim)


def std(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
) -> Any:
    """The standard deviation."""
    return ops.std(input, dim, keepdim, int(unbiased) if correction is None else correction)


def var(
    input: Any, dim: Any = None, unbiased: bool = True, keepdim: bool = False, correction: Any = None
) -> Any:
    """The variance."""
    return ops.var(input, dim, keepdim, int(unbiased) if correction is None else correction)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`."""
    return ops.cosine_similarity(x1, x2, axis=dim, eps=eps)


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta input + alpha mat1 @ mat2."""
    return input * beta + ops.matmul(mat1, mat2) * alpha


baddbmm = addmm


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """`ops.where`; of the condition alone, where it is True, axis by axis."""
    return ops.nonzero(condition) if input is None else ops.where(condition, input, other)


def nonzero(input: Any, as_tuple: bool = False) -> Any:
    """Where elements are not 0, a row for each, or, `as_tuple`, axis by axis."""
    return ops.nonzero(input) if as_tuple else ops.argwhere(input)


def unique(input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False) -> Any:
    """The different elements, in order, with where each went and how often it comes, if asked for."""
    found = ops.unique_all(input)
    values, _, inverse, counts = found
    given = [values] + [inverse] * return_inverse + [counts] * return_counts
    return tuple(given) if len(given) > 1 else values


def meshgrid(*tensors: Any, indexing: str = "ij") -> Any:
    """Coordinates of a grid; rows first, as PyTorch has it by default."""
    many = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    return ops.meshgrid(*many, indexing=indexing)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes `start_dim` to `end_dim` as one."""
    shape, count = tuple(input.shape), len(input.shape)
    if not count:
        return ops.reshape(input, (1,))
    first, last = start_dim % count, end_dim % count
    return ops.reshape(input, (*shape[:first], -1, *shape[last + 1 :]))


def squeeze(input: Any, dim: Any = None) -> Any:
    """Without axes of size 1: all of them, or those named that have it."""
    if dim is None:
        return ops.squeeze(input)
    axes = [axis for axis in (dim if isinstance(dim, (tuple, list)) else (dim,)) if input.shape[axis] == 1]
    return ops.squeeze(input, tuple(axes)) if axes else input


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """In so many parts, or cut at indices."""
    return ops.tensor_split(input, indices_or_sections, dim)


def gradients(
    outputs: Any, inputs: Any, grad_outputs: Any = None, retain_graph: bool | None = None,
    create_graph: bool = False, only_inputs: bool = True, allow_unused: bool | None = None,
) -> tuple[Any, ...]:  # fmt: skip
    """`dynamic.grad`, always as a tuple, as `torch.autograd.grad` gives it."""
    xs = [inputs] if isinstance(inputs, (Tensor, State)) else list(inputs)
    return tuple(grad(outputs, xs, grad_outputs, retain_graph, create_graph, bool(allow_unused)))


def std_mean(input: Any, dim: Any = None, **settings: Any) -> tuple[Any, Any]:
    """The standard deviation, as `std` gives it, and the mean."""
    return std(input, dim, **settings), ops.mean(input, axis=dim, keepdims=settings.get("keepdim", False))


def var_mean(input: Any, dim: Any = None, **settings: Any) -> tuple[Any, Any]:
    """The variance, as `var` gives it, and the mean."""
    return var(input, dim, **settings), ops.mean(input, axis=dim, keepdims=settings.get("keepdim", False))


def add(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input + alpha other."""
    return ops.add(input, other if alpha == 1 else ops.mul(other, alpha))


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Any:
    """input - alpha other."""
    return ops.sub(input, other if alpha == 1 else ops.mul(other, alpha))


def amax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element, over axes."""
    return ops.max(input, axis=dim, keepdims=keepdim)


def amin(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element, over axes."""
    return ops.min(input, axis=dim, keepdims=keepdim)


# --- looking, modes, devices ---------------------------------------------------------------------


def is_tensor(obj: Any) -> bool:
    """Whether it is a Tensor of define-by-run, or a Parameter."""
    return isinstance(obj, (Tensor, State))


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is a floating one."""
    return bool(input.dtype.kind == "f")


def numel(input: Any) -> int:
    """The number of elements."""
    return int(input.size)


def typename(obj: Any) -> str:
    """What it is called in messages."""
    return type(obj).__name__


def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether all elements are the same to within `atol + rtol * |other|`."""
    return bool(np.allclose(raw(input), raw(other), rtol, atol, equal_nan))


def equal(input: Any, other: Any) -> bool:
    """Whether two Tensors have the same shape and elements. `ops.equal` compares element by element."""
    return input.shape == other.shape and bool(np.array_equal(raw(input), raw(other)))


def manual_seed(seed: int) -> None:
    """Start all random numbers anew."""
    create.manual_seed(seed)


def is_grad_enabled() -> bool:
    """Whether the tape records."""
    return mode.get().recording


def set_grad_enabled(mode: bool) -> Any:
    """`with set_grad_enabled(False):` is `with no_grad():`."""
    return in_mode(recording=bool(mode))


def set_detect_anomaly(mode: bool = True) -> Any:
    """`with set_detect_anomaly(True):` is `with anomaly():`."""
    return in_mode(tracing=bool(mode))


def get_default_dtype() -> Any:
    """float32: what Python's floats become."""
    return np.dtype(np.float32)


def set_default_dtype(dtype: Any) -> None:
    """SettingError, but for float32: each Tensor says its own dtype here."""
    if as_dtype(dtype) != np.float32:
        raise SettingError(
            "set_default_dtype: Python's floats are float32; write "
            f"dtype={str(as_dtype(dtype))!r} where Tensors are "
            "made, and model.astype(...)"
        )


finfo, iinfo = np.finfo, np.iinfo


class device(str):
    """The name of a device, "cpu" or "cuda", as an object: `device("cpu").type`."""

    def __new__(cls, name: Any, index: int = 0) -> device:
        return super().__new__(cls, str(name).partition(":")[0])

    @property
    def type(self) -> str:
        return str(self)


def cuda_is_available() -> bool:
    """Whether arrays can be on a GPU, by CuPy."""
    try:
        return bool(cuda.cupy().cuda.runtime.getDeviceCount())
    except Exception:  # no CuPy, no driver, no GPU
        return False


def device_count() -> int:
    """How many GPUs are used: one, if there is any."""
    return int(cuda_is_available())


def nothing(*_: Any, **__: Any) -> None:
    """Nothing is to be done here."""


Generator = np.random.default_rng


def _as(x: Any) -> Any:
    return x if isinstance(x, (Tensor, State)) else tensor(x)
