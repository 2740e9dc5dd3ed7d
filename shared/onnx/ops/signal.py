"""Fourier transforms, and what goes with them. Complex numbers are pairs along a last axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared import ops
from shared.dims import same_size
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import check_room, ints


def _signal(x: Any) -> Any:
    """Numbers with a last axis of 1, or pairs, without that axis."""
    parts = x.shape[-1]
    if same_size(parts, 1):
        return ops.squeeze(x, -1)
    second = ops.getitem(x, (..., -1))  # of numbers the first, times 0
    return ops.complex(ops.getitem(x, (..., 0)), second if same_size(parts, 2) else second * (parts - 1))


def _pairs(x: Any) -> Any:
    return ops.stack([ops.real(x), ops.imag(x)], -1)


def _transformed(x: Any, length: Any, axis: int, inverse: bool, onesided: bool) -> Any:
    dtype, signal = x.dtype, _signal(x)
    axis = axis % len(x.shape)
    if inverse and onesided:
        length = 2 * (x.shape[axis] - 1) if length is None else length
        return ops.cast(ops.expand_dims(ops.fft.irfft(signal, length, axis), -1), dtype)
    length = x.shape[axis] if length is None else length
    if inverse:
        return ops.cast(_pairs(ops.fft.ifft(signal, length, axis)), dtype)
    y = ops.fft.fft(signal, length, axis)
    if onesided:
        y = ops.narrow(y, axis, 0, length // 2 + 1)
    return ops.cast(_pairs(y), dtype)


def _length(given: Any) -> Any:
    return None if given is None else ints(given)[0]


@onnx_op("DFT", since=17, known=("length",))
def old_dft(x: Any, length: Any = None, *, axis: int = 1, inverse: int = 0, onesided: int = 0) -> Any:
    """Along an axis that is an attribute."""
    return _transformed(x, _length(length), axis, bool(inverse), bool(onesided))


@onnx_op("DFT", since=20, known=("length", "axis"))
def dft(x: Any, length: Any = None, axis: Any = None, *, inverse: int = 0, onesided: int = 0) -> Any:
    """Along an axis, in a length to which x is cut or filled up; `onesided`: without what follows by
    symmetry.
    """
    return _transformed(x, _length(length), -2 if axis is None else int(axis), bool(inverse), bool(onesided))


@onnx_op("STFT", since=17, known=("frame_step", "frame_length"))
def stft(x: Any, frame_step: Any, window: Any = None, frame_length: Any = None, *, onesided: int = 1) -> Any:
    """Of frames of (batch, length, 1 or 2), each times a window."""
    step = ints(frame_step)[0]
    size = x.shape[1] if window is None else window.shape[0]
    size = size if frame_length is None else ints(frame_length)[0]
    count = (x.shape[1] - size) // step + 1
    starts = ops.reshape(ops.arange(count, dtype="int64", like=x), (-1, 1)) * step
    places = starts + ops.arange(size, dtype="int64", like=x)
    frames = ops.take(x, places, 1)
    if window is not None:
        frames = frames * ops.reshape(window, (-1, 1))
    return _transformed(frames, size, 2, False, bool(onesided))


def _window(size: Any, periodic: int, dtype: int, weights: tuple[float, ...]) -> Any:
    """A sum of cosines of whole numbers of turns, of alternating signs."""
    count = ints(size)[0]
    check_room("a window", (count,), np.float64)
    turns = np.arange(count) / (count if periodic else count - 1) * 2 * math.pi
    made = sum(((-1) ** i * weight) * np.cos(i * turns) for i, weight in enumerate(weights))
    return np.asarray(made).astype(dtype_named(dtype))


@onnx_op("HannWindow", known=("size",))
def hann_window(size: Any, *, output_datatype: int = 1, periodic: int = 1) -> Any:
    """0.5 - 0.5 cos."""
    return _window(size, periodic, output_datatype, (0.5, 0.5))


@onnx_op("HammingWindow", known=("size",))
def hamming_window(size: Any, *, output_datatype: int = 1, periodic: int = 1) -> Any:
    """25/46 - 21/46 cos."""
    return _window(size, periodic, output_datatype, (25 / 46, 21 / 46))


@onnx_op("BlackmanWindow", known=("size",))
def blackman_window(size: Any, *, output_datatype: int = 1, periodic: int = 1) -> Any:
    """0.42 - 0.5 cos + 0.08 cos 2."""
    return _window(size, periodic, output_datatype, (0.42, 0.5, 0.08))


@onnx_op("MelWeightMatrix", known=("bins", "length", "rate", "low", "high"))
def mel_weight_matrix(
    bins: Any, length: Any, rate: Any, low: Any, high: Any, *, output_datatype: int = 1
) -> Any:
    """What each frequency gives each mel bin: triangles, as ONNX rounds them to whole frequencies."""
    count, size = ints(bins)[0], ints(length)[0]
    check_room("MelWeightMatrix", (size // 2 + 1, count), np.float64)
    ends = [2595 * np.log10(1 + float(edge) / 700) for edge in (low, high)]
    mel = np.arange(count + 2) * ((ends[1] - ends[0]) / (count + 2)) + ends[0]
    hertz = 700 * (10 ** (mel / 2595) - 1)
    places = (((size + 1) * hertz) // float(rate)).astype(int)
    made = np.zeros((size // 2 + 1, count))
    for i in range(count):
        start, centre, end = places[i : i + 3]
        if centre == start:
            made[centre, i] = 1
        else:
            j = np.arange(start, centre + 1)
            made[j, i] = (j - start) / (centre - start)
        if end > centre:
            j = np.arange(centre, end)
            made[j, i] = (end - j) / (end - centre)
    return made.astype(dtype_named(output_datatype))
