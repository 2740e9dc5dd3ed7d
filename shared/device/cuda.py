"""Arrays on a GPU, by CuPy.

CuPy is NumPy on CUDA, but for a hundred small things: its arrays take NumPy's ufuncs only by a plain
call and without `order`, they name no module of theirs, a maximum has no `initial`. `CudaArray` holds a
CuPy array and `XP` CuPy's functions, and all such differences end here: to the rest of Diptych
they are one more array module, which `array_module(x)` gives.

Nothing comes to the GPU or leaves it unasked: `to_device` and `to_host` move, everything else
refuses arrays of both kinds in one call. A result of one number stays on the GPU, too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from shared.durable.interrupts import within
from shared.errors import EngineError

DEVICES = ("cpu", "cuda")
MIXED = (
    "an array on the CPU and one on the GPU in one call; move one of them first: x.to('cuda'), "
    "model.to('cuda'), x.cpu()"
)
INSTALL = "install diptych[cuda12] or diptych[cuda13], by the CUDA version of the driver"


in_use = False
"""Whether anything of this process has been on a GPU: what never was need not ask where it is."""
_default: ContextVar[str] = ContextVar("default_device", default="cpu")


@cache
def cupy() -> Any:
    """CuPy, or EngineError with the way to get it. That there is a GPU is not asked."""
    global in_use
    try:
        import cupy
    except ImportError:
        raise EngineError(f"cuda: CuPy is not installed; {INSTALL}") from None
    in_use = True
    return cupy


def default_device() -> str:
    """Where an array goes that nothing else sends anywhere; each thread has its own."""
    return _default.get()


def set_default_device(device: str) -> None:
    """Let new arrays go to a device ("cpu", "cuda") from now on."""
    _default.set(check_device("set_default_device", device))


def placing(device: str) -> within:
    """Another default device within the block."""
    if device == "cuda":
        cupy()  # from now on it is asked where arrays are
    return within((_default, device))


def default_module() -> Any:
    """The array module of the default device."""
    return XP if in_use and _default.get() == "cuda" else np


def check_device(call: str, device: Any) -> str:
    """The name of a device that is there, or EngineError with the way out."""
    if device not in DEVICES:
        raise EngineError(f"{call}: {device!r} is no device; use one of {DEVICES}")
    if device == "cuda":
        try:
            count = cupy().cuda.runtime.getDeviceCount()
        except EngineError:
            raise
        except Exception as error:  # CUDARuntimeError: no driver, or one that is too old
            raise EngineError(f"{call}: CuPy finds no GPU ({error}); {INSTALL}, or use the CPU") from None
        if not count:
            raise EngineError(f"{call}: this machine has no GPU that CUDA can use; use the CPU")
    return device


def device_of(array: Any) -> str:
    """"cpu" or "cuda"."""
    return "cuda" if isinstance(array, CudaArray) else "cpu"


def to_host(array: Any) -> Any:
    """A NumPy array: itself, or a copy of one on the GPU."""
    return array.get() if isinstance(array, CudaArray) else array


def to_device(array: Any, device: str) -> Any:
    """The array on a device: itself, if it is there, else a copy, in C order."""
    if device == "cpu":
        return to_host(array)
    return array if isinstance(array, CudaArray) else CudaArray(cupy().asarray(array, order="C"))


def adopted(value: Any) -> Any:
    """A CuPy array of somebody else's as a CudaArray of the same memory; anything else as it is."""
    if type(value).__module__.partition(".")[0] == "cupy" and hasattr(value, "get"):
        return CudaArray(value)
    return value


def owned(array: Any, dtype: Any = None, beside: Any = None) -> Any:
    """A copy in C order, on the device of `beside`, if that is given, else where the array is."""
    if in_use and (isinstance(array, CudaArray) or isinstance(beside, CudaArray)):
        given, array = array, to_device(array, device_of(array if beside is None else beside))
        if isinstance(array, CudaArray):
            return array.astype(array.dtype if dtype is None else dtype, order="C", copy=array is given)
    return np.array(array, dtype, order="C")


def synchronize() -> None:
    """Wait until the GPU has done what it was told."""
    cupy().cuda.get_current_stream().synchronize()


def name() -> str:
    """What the GPU is called."""
    found = cupy().cuda.runtime.getDeviceProperties(cupy().cuda.runtime.getDevice())["name"]
    return found.decode() if isinstance(found, bytes) else str(found)


# --- arrays --------------------------------------------------------------------------------


class CudaArray(NDArrayOperatorsMixin):
    """An array on the GPU. `array` is CuPy's; all of its attributes and methods are here too."""

    __slots__ = ("array", "__weakref__")

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return XP

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("an array on the GPU does not become a NumPy array unasked; x.get() brings a copy")

    def __array_function__(self, function: Any, types: Any, *_: Any) -> Any:
        if np.ndarray in types:
            raise EngineError(MIXED)
        raise TypeError(
            f"NumPy's {function.__name__} was given an array on the GPU; use the function of its own module, "
            "array_module(x)"
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **settings: Any) -> Any:
        if method == "__call__":
            return _call(ufunc, inputs, settings)
        if method == "at":
            getattr(cupy(), ufunc.__name__).at(*map(bare, inputs))
            return None
        found = _METHODS.get((ufunc.__name__, method))
        if found is None:
            raise TypeError(f"CuPy has no {ufunc.__name__}.{method}")
        return _reduce(found, *inputs, **settings)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.array, name)
        if not callable(value):
            return wrapped(value)

        def method(*args: Any, **settings: Any) -> Any:
            y = value(*bare(args), **bare(settings))
            return self if y is self.array else wrapped(y)

        return method

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def size(self) -> int:
        return self.array.size

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def flags(self) -> Flags:
        return Flags(self.array.flags)

    @property
    def base(self) -> Any:
        """CuPy's array that owns the memory, if it is another one."""
        return self.array.base

    def get(self) -> Any:
        """A copy on the host."""
        return self.array.get()

    def item(self) -> Any:
        """The one element, as a Python number."""
        return self.array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self.array.tolist()

    def max(self, axis: Any = None, out: Any = None, keepdims: bool = False, **settings: Any) -> Any:
        return _reduce("max", self, axis, out=out, keepdims=keepdims, **settings)

    def min(self, axis: Any = None, out: Any = None, keepdims: bool = False, **settings: Any) -> Any:
        return _reduce("min", self, axis, out=out, keepdims=keepdims, **settings)

    def __getitem__(self, index: Any) -> Any:
        return wrapped(self.array[bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[bare(index)] = bare(value)

    def __len__(self) -> int:
        return len(self.array)

    def __bool__(self) -> bool:
        return bool(self.array)

    def __int__(self) -> int:
        return int(self.array)

    def __float__(self) -> float:
        return float(self.array)

    def __index__(self) -> int:
        return self.array.item().__index__()

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec and self.size == 1 else repr(self)

    def __repr__(self) -> str:
        return f"CudaArray({self.array!r})"

    def __dlpack__(self, **settings: Any) -> Any:
        return self.array.__dlpack__(**settings)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __copy__(self) -> CudaArray:
        return CudaArray(self.array.copy())

    def __deepcopy__(self, memo: Any) -> CudaArray:
        return CudaArray(self.array.copy())

    def __reduce__(self) -> Any:
        return to_device, (self.get(), "cuda")


class Flags:
    """How an array lies in memory, as NumPy says it. CuPy knows no array that must not be written to."""

    writeable = True

    def __init__(self, flags: Any) -> None:
        self.c_contiguous, self.f_contiguous = flags.c_contiguous, flags.f_contiguous


def bare(value: Any) -> Any:
    """CuPy's arrays in the place of ours; a NumPy array among them is refused."""
    if isinstance(value, CudaArray):
        return value.array
    if isinstance(value, np.ndarray):
        raise EngineError(MIXED)
    if isinstance(value, (tuple, list)):
        return type(value)([bare(part) for part in value])
    if isinstance(value, dict):
        return {key: bare(part) for key, part in value.items()}
    return value


def wrapped(value: Any) -> Any:
    """Our arrays in the place of CuPy's."""
    if isinstance(value, cupy().ndarray):
        return CudaArray(value)
    if isinstance(value, (tuple, list)) and any(isinstance(part, cupy().ndarray) for part in value):
        return (list if isinstance(value, list) else tuple)([wrapped(part) for part in value])
    return value


# --- ufuncs --------------------------------------------------------------------------------

_METHODS = {
    ("add", "reduce"): "sum", ("multiply", "reduce"): "prod", ("maximum", "reduce"): "max",
    ("minimum", "reduce"): "min", ("logical_and", "reduce"): "all", ("logical_or", "reduce"): "any",
    ("add", "accumulate"): "cumsum", ("multiply", "accumulate"): "cumprod",
}  # fmt: skip
"""The methods of ufuncs, and the methods of CuPy's arrays that do the same."""


def _call(ufunc: np.ufunc, inputs: Any, settings: dict[str, Any]) -> Any:
    """A ufunc on whole arrays. What CuPy gives is in C order."""
    order = settings.pop("order", "K")
    out = settings.pop("out", (None,))
    given = {key: value for key, value in settings.items() if value is not None}
    function = getattr(cupy(), ufunc.__name__)
    if len(out) == 1 and out[0] is None:
        y = function(*[bare(x) for x in inputs], **given)
        return wrapped(_c_order(y) if order == "C" else y)
    function(*[bare(x) for x in inputs], out=bare(out[0]) if len(out) == 1 else bare(out), **given)
    return out[0] if len(out) == 1 else out


def _c_order(y: Any) -> Any:
    return y if y.flags.c_contiguous else y.copy(order="C")


def _reduce(
    name: str, x: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = None,
) -> Any:  # fmt: skip
    """What a ufunc's reduce or accumulate gives, by the array's method of that name."""
    settings: dict[str, Any] = {"axis": axis}
    if keepdims:
        settings["keepdims"] = True
    if dtype is not None:
        settings["dtype"] = dtype
    into = out[0] if isinstance(out, tuple) else out
    array = x.array
    if initial is not None and not array.size:
        shape = _reduced_shape(array.shape, axis, keepdims)
        y = cupy().full(shape, initial, array.dtype)
    else:
        y = getattr(array, name)(**settings)
        if initial is not None and not (name == "max" and initial == -math.inf):
            y = getattr(cupy(), {"max": "maximum", "min": "minimum", "sum": "add"}[name])(y, initial)
    if into is None:
        return CudaArray(y)
    into.array[...] = y
    return into


def _reduced_shape(shape: tuple[int, ...], axis: Any, keepdims: bool) -> tuple[int, ...]:
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    gone = {a % len(shape) for a in axes}
    kept = [1 if i in gone else size for i, size in enumerate(shape) if keepdims or i not in gone]
    return tuple(kept)


# --- functions -----------------------------------------------------------------------------

_CONVERTERS = ("array", "asarray", "ascontiguousarray")
"""Functions whose purpose is to bring an array over from the host."""


class _Functions:
    """CuPy's functions on CudaArrays, by NumPy's names; of a module in it, if one is named."""

    def __init__(self, module: str = "") -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(_in(np, self._module), name)
        found: Any = value
        if isinstance(value, ModuleType):
            found = _Functions(name)
        elif callable(value) and not isinstance(value, (np.ufunc, type)):
            found = _function(self._module, name)
        setattr(self, name, found)
        return found


def _in(package: Any, module: str) -> Any:
    return getattr(package, module) if module else package


def _function(module: str, name: str) -> Callable[..., Any]:
    function = getattr(_in(cupy(), module), name)
    if name in _CONVERTERS:
        return lambda x, *args, **settings: _converted(function, x, args, settings)
    return lambda *args, **settings: wrapped(function(*bare(args), **bare(settings)))


def _converted(function: Callable[..., Any], x: Any, args: Any, settings: Any) -> CudaArray:
    if not isinstance(x, CudaArray):
        return CudaArray(function(x, *args, **settings))
    y = function(x.array, *args, **settings)
    return x if y is x.array else CudaArray(y)


XP = _Functions()
