"""Discrete Fourier transforms, as `ops.fft`: the Array API's extension of that name (2024.12).

Real and complex arguments; float32 gives complex64 and float64 complex128, half precision is computed in
single, integers and bools become floats as in exp. `n` (or `s`, one for each axis) cuts an axis off, or
lengthens it with zeros, before it is transformed. `norm` says where the factor stands: "backward" (1/n with
the inverse, the default), "forward" (1/n with the transform) or "ortho" (1/sqrt(n) with both).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Size, same_size
from shared.errors import DTypeError, SettingError, ShapeError
from shared.numerics.half import HALF, SINGLE
from shared.op import Op, Rule, array_module
from shared.ops.arranging import roll
from shared.ops.choosing import cast, equal, greater_equal, logical_or, where
from shared.ops.complexes import complex_dtype, conj, real, real_dtype
from shared.ops.creation import arange
from shared.ops.shapes import as_tensor_like
from shared.spec import Operand, Spec, as_dtype, as_number, float_dtype, many_axes, one_axis, str_shape
from shared.usage.door import public

Axes = Sequence[int] | int | None

# --- the length of an axis -----------------------------------------------------------------


def _compute_resized(x: Any, *, axis: int, length: int, out: Any = None) -> Any:
    every = (slice(None),) * axis
    kept = (*every, slice(0, min(length, x.shape[axis])))
    shape = (*x.shape[:axis], length, *x.shape[axis + 1 :])
    y = array_module(x).zeros(shape, x.dtype) if out is None else out
    y[kept] = x[kept]
    if out is not None:
        y[(*every, slice(x.shape[axis], None))] = 0
    return y


_resized = Op(
    "resized",
    _compute_resized,
    lambda x, *, axis, length: Spec((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype),
    [Rule(lambda g, y, x, *, axis, length: _resize(g, axis, x.shape[axis]))],
    out=True,
    doc="x with an axis cut off at `length`, or lengthened to it with zeros.",
)


def _resize(x: Any, axis: int, length: Size) -> Any:
    return x if same_size(x.shape[axis], length) else _resized(x, axis=axis, length=length)


# --- the transforms ------------------------------------------------------------------------
#
# A transform is a product with a matrix that is its own transpose: its derivative is the transform itself.

_TURNED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm of the transform that undoes, with the factor of the one that is undone."""


def _wide(x: Any) -> Any:
    return x.astype(SINGLE) if x.dtype == HALF else x


def _compute_fft(x: Any, *, axis: tuple[int, ...], inverse: bool, norm: str) -> Any:
    found = array_module(x).fft
    y = (found.ifftn if inverse else found.fftn)(_wide(x), axes=axis, norm=norm)
    return y if y.flags.c_contiguous else y.copy(order="C")


_fft = Op(
    "fft",
    _compute_fft,
    lambda x, *, axis, inverse, norm: Spec(x.shape, complex_dtype(x)),
    [Rule(lambda g, y, x, *, axis, inverse, norm: _fft(g, axis=axis, inverse=inverse, norm=norm))],
    doc="The transform over several axes, or the inverse one, of real or complex values.",
)


def _compute_rfft(x: Any, *, axis: int, norm: str) -> Any:
    y = array_module(x).fft.rfft(_wide(x), axis=axis, norm=norm)
    return y if y.flags.c_contiguous else y.copy(order="C")


def _infer_rfft(x: Operand, *, axis: int, norm: str) -> Spec:
    half = x.shape[axis] // 2 + 1
    return Spec((*x.shape[:axis], half, *x.shape[axis + 1 :]), complex_dtype(x))


_rfft = Op(
    "rfft",
    _compute_rfft,
    _infer_rfft,
    [
        Rule(
            lambda g, y, x, *, axis, norm: real(
                _fft(_resize(g, axis, x.shape[axis]), axis=(axis,), inverse=False, norm=norm)
            )
        )
    ],
    doc="The first half of the transform of real values over one axis, n // 2 + 1 of n.",
)


def _compute_irfft(x: Any, *, axis: int, length: int, norm: str) -> Any:
    y = array_module(x).fft.irfft(x, length, axis=axis, norm=norm)
    return y if y.flags.c_contiguous else y.copy(order="C")


def _irfft_rule(g: Any, y: Any, x: Any, *, axis: int, length: Size, norm: str) -> Any:
    """All but the first, and of an even length the last, stand for two of the whole."""
    back = conj(_rfft(g, axis=axis, norm=_TURNED[norm]))
    place = arange(back.shape[axis], like=g)
    times = cast(where(logical_or(equal(place, 0), equal(place * 2, length)), 1, 2), g.dtype)
    times = times[(slice(None), *(None,) * (len(x.shape) - axis - 1))]
    return _resize(back * times, axis, x.shape[axis])


_irfft = Op(
    "irfft",
    _compute_irfft,
    lambda x, *, axis, length, norm: Spec((*x.shape[:axis], length, *x.shape[axis + 1 :]), real_dtype(x)),
    [Rule(_irfft_rule)],
    doc="The real values, `length` of them, of whose transform x is the first half.",
)

# --- settings ------------------------------------------------------------------------------


def _floats(call: str, x: Any) -> Any:
    x = as_tensor_like(x)
    if x.dtype.kind not in "fc":
        x = cast(x, float_dtype(Spec((), x.dtype)))
    if not x.shape:
        raise ShapeError(f"fft.{call}: a single number has no axis to transform")
    return x


def _reals(call: str, x: Any) -> Any:
    x = _floats(call, x)
    if x.dtype.kind == "c":
        raise DTypeError(f"fft.{call}: {x.dtype} is not real; take fft.fft, or real(x)")
    return x


def _complexes(call: str, x: Any) -> Any:
    x = _floats(call, x)
    return x if x.dtype.kind == "c" else cast(x, complex_dtype(x))


def _norm(call: str, norm: Any) -> str:
    if norm is None:
        return "backward"
    if norm not in _TURNED:
        raise SettingError(f"fft.{call}: norm must be one of {tuple(_TURNED)}, not {norm!r}")
    return str(norm)


def _count(call: str, n: Any, device: Any = None) -> Size:
    if device not in (None, "cpu"):
        raise SettingError(f"fft.{call}: device is 'cpu', not {device!r}; like= says where another array is")
    if not isinstance(n, Dim) and (not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1):
        raise SettingError(f"fft.{call}: n must be an integer from 1 up, not {n!r}")
    return n if isinstance(n, Dim) else int(n)


def _axes(call: str, x: Any, s: Any, axes: Axes) -> tuple[tuple[int, ...], tuple[Size, ...]]:
    """The axes, from 0 up in the order that was given, and how long each shall be."""
    ndim = len(x.shape)
    if axes is None:
        axes = range(ndim) if s is None else range(ndim - len(s), ndim)
    found = tuple([one_axis(f"fft.{call}", a, ndim) for a in ((axes,) if isinstance(axes, int) else axes)])
    if not found or len(set(found)) < len(found):
        raise SettingError(f"fft.{call}: axes {axes!r} must name at least one axis, and none twice")
    wanted = [-1] * len(found) if s is None else list(s)
    if len(wanted) != len(found):
        raise SettingError(f"fft.{call}: s {s!r} must have a length for each of {len(found)} axes")
    counts = [x.shape[a] if same_size(n, -1) else _count(call, n) for a, n in zip(found, wanted, strict=True)]
    for axis, count in zip(found, counts, strict=True):
        if same_size(count, 0):
            raise ShapeError(f"fft.{call}: axis {axis} of {str_shape(x.shape)} has nothing to transform")
    return found, tuple(counts)


def _transformed(call: str, x: Any, s: Any, axes: Axes, norm: Any, inverse: bool) -> Any:
    x = _floats(call, x)
    found, counts = _axes(call, x, s, axes)
    for axis, count in zip(found, counts, strict=True):
        x = _resize(x, axis, count)
    return _fft(x, axis=found, inverse=inverse, norm=_norm(call, norm))


def _from_real(call: str, x: Any, s: Any, axes: Axes, norm: Any) -> Any:
    x = _reals(call, x)
    found, counts = _axes(call, x, s, axes)
    for axis, count in zip(found, counts, strict=True):
        x = _resize(x, axis, count)
    y = _rfft(x, axis=found[-1], norm=_norm(call, norm))
    return y if len(found) == 1 else _fft(y, axis=found[:-1], inverse=False, norm=_norm(call, norm))


def _to_real(call: str, x: Any, s: Any, axes: Axes, norm: Any) -> Any:
    x = _complexes(call, x)
    found, counts = _axes(call, x, s, axes)
    last = found[-1]
    count = (x.shape[last] - 1) * 2 if s is None or same_size(s[-1], -1) else counts[-1]
    if same_size(count, 0):
        raise ShapeError(f"fft.{call}: one value along axis {last} tells of no others; say how many: n=1")
    for axis, size in zip(found[:-1], counts[:-1], strict=True):
        x = _resize(x, axis, size)
    if len(found) > 1:
        x = _fft(x, axis=found[:-1], inverse=True, norm=_norm(call, norm))
    return _irfft(_resize(x, last, count // 2 + 1), axis=last, length=count, norm=_norm(call, norm))


def _one(n: Any) -> Any:
    return None if n is None else (n,)


# --- what users call -----------------------------------------------------------------------


def fft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The transform along one axis: `y[k] = sum_j x[j] exp(-2 pi i j k / n)`, complex."""
    return _transformed("fft", x, _one(n), (axis,), norm, False)


def ifft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `fft`: `y[j] = sum_k x[k] exp(2 pi i j k / n) / n`, complex."""
    return _transformed("ifft", x, _one(n), (axis,), norm, True)


def fft2(x: Any, s: Sequence[Size] | None = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """`fft` along two axes."""
    return _transformed("fft2", x, s, axes, norm, False)


def ifft2(x: Any, s: Sequence[Size] | None = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """`ifft` along two axes."""
    return _transformed("ifft2", x, s, axes, norm, True)


def fftn(x: Any, s: Sequence[Size] | None = None, axes: Axes = None, norm: str | None = None) -> Any:
    """`fft` along several axes: if None all of them, or the last ones, as many as `s` has lengths."""
    return _transformed("fftn", x, s, axes, norm, False)


def ifftn(x: Any, s: Sequence[Size] | None = None, axes: Axes = None, norm: str | None = None) -> Any:
    """`ifft` along several axes, chosen as in `fftn`."""
    return _transformed("ifftn", x, s, axes, norm, True)


def rfft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The first n // 2 + 1 values of `fft` of a real x: the others are their conjugates, in reverse."""
    return _from_real("rfft", x, _one(n), (axis,), norm)


def rfftn(x: Any, s: Sequence[Size] | None = None, axes: Axes = None, norm: str | None = None) -> Any:
    """`rfft` along the last of several axes, then `fft` along the others; axes are chosen as in `fftn`."""
    return _from_real("rfftn", x, s, axes, norm)


def rfft2(x: Any, s: Sequence[Size] | None = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """`rfftn` along two axes."""
    return _from_real("rfft2", x, s, axes, norm)


def irfft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `rfft`: the n real values whose transform starts with x; n is 2 (m - 1) if None, of m
    values. An imaginary part of the first, or for an even n of the last, which no such x has, is not read."""
    return _to_real("irfft", x, _one(n), (axis,), norm)


def irfftn(x: Any, s: Sequence[Size] | None = None, axes: Axes = None, norm: str | None = None) -> Any:
    """The inverse of `rfftn`: `s` has the lengths of the real result; axes are chosen as in `fftn`."""
    return _to_real("irfftn", x, s, axes, norm)


def irfft2(x: Any, s: Sequence[Size] | None = None, axes: Axes = (-2, -1), norm: str | None = None) -> Any:
    """`irfftn` along two axes."""
    return _to_real("irfft2", x, s, axes, norm)


def hfft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The transform, which is real, of n values of which x is the first half, the others being its conjugates
    in reverse; n as in `irfft`."""
    return _to_real("hfft", conj(_complexes("hfft", x)), _one(n), (axis,), _TURNED[_norm("hfft", norm)])


def ihfft(x: Any, n: Size | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `hfft`: the first half, n // 2 + 1 values."""
    return conj(_from_real("ihfft", x, _one(n), (axis,), _TURNED[_norm("ihfft", norm)]))


# --- frequencies and places ----------------------------------------------------------------


def fftfreq(
    n: Size, d: float = 1.0, dtype: Any = "float32", *, device: Any = None, like: Any = None
) -> Any:
    """The frequencies that `fft` of n values, `d` apart, has at its places: [0, 1, ..., -2, -1] / (n d).

    `device` is there for the Array API's sake: "cpu", or None, for where `like` is.
    """
    n = _count("fftfreq", n, device)
    place = arange(n, like=like)
    return _frequencies("fftfreq", place - cast(greater_equal(place * 2, n), np.int64) * n, n, d, dtype)


def rfftfreq(
    n: Size, d: float = 1.0, dtype: Any = "float32", *, device: Any = None, like: Any = None
) -> Any:
    """The frequencies that `rfft` of n values, `d` apart, has at its places: [0, 1, ..., n // 2] / (n d);
    `device` as there."""
    n = _count("rfftfreq", n, device)
    return _frequencies("rfftfreq", arange(n // 2 + 1, like=like), n, d, dtype)


def _frequencies(call: str, whole: Any, n: Size, d: Any, dtype: Any) -> Any:
    return cast(cast(whole, np.float64) / n / as_number(f"fft.{call}", "d", d), as_dtype(dtype))


def fftshift(x: Any, axes: Axes = None) -> Any:
    """`x` with the frequency 0 moved to the middle of each axis, of all if None."""
    return _shifted("fftshift", x, axes, lambda n: n // 2)


def ifftshift(x: Any, axes: Axes = None) -> Any:
    """The inverse of `fftshift`; the two differ along an axis of odd length."""
    return _shifted("ifftshift", x, axes, lambda n: n - n // 2)


def _shifted(call: str, x: Any, axes: Axes, by: Callable[[Size], Size]) -> Any:
    x = as_tensor_like(x)
    found = many_axes(f"fft.{call}", axes, len(x.shape))
    return roll(x, [by(x.shape[axis]) for axis in found], found) if found else x


__all__ = [
    "fft", "fft2", "fftfreq", "fftn", "fftshift", "hfft", "ifft", "ifft2", "ifftn", "ifftshift", "ihfft",
    "irfft", "irfft2", "irfftn", "rfft", "rfft2", "rfftfreq", "rfftn",
]  # fmt: skip

public(globals(), __all__)
