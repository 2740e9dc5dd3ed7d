"""Which kernel makes which convolution.

    shared.kernels.convolution   one image at a time: large images, weights that stay in the cache, few
                                 channels
    shared.kernels.panels        columns of a block of images: small images, large weights, gradients by
                                 images through a stride
    shared.kernels.channelwise   the gradient of weights where few channels come out of a group

The choice rests on sizes alone. The first two give the same bits, but for the gradient of weights.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.kernels import channelwise, convolution, panels, plain
from shared.kernels.convolution import Geometry
from shared.kernels.convolution_source import Epilogue
from shared.kernels.panels import Phase
from shared.spec import Spec

# --- forward -------------------------------------------------------------------------------


def convolve(
    x: Any, w: Any, b: Any, geometry: Geometry, groups: int, out: Any, relu: bool = False
) -> Any:
    """Fill `out` with the correlation of x (N, C, *image) and w (O, C / groups, *kernel), plus b (O,) unless
    it is None, relu behind it or not; give it. All of one dtype, in C order."""
    if geometry.at_once(w, groups):
        return convolution.correlate(x, w, b, geometry, groups, out, Epilogue(relu))
    return panels.correlate(x, w, b, panels.forward(*geometry), groups, out, relu)


def bytes_to_convolve(x: Any, w: Any, geometry: Geometry, groups: int) -> int:
    """What `convolve` allocates meanwhile."""
    if geometry.at_once(w, groups):
        return convolution.bytes_to_correlate(x, w, geometry, groups)
    return panels.bytes_to_correlate(x, w.shape[0], panels.forward(*geometry), groups)


# --- by the image --------------------------------------------------------------------------


def suits_input(geometry: Geometry, g: Any, w: Any, groups: int) -> bool:
    """Whether the gradient by the image, from that by the output and w (Specs, or arrays), is one for these
    kernels. Not: padding beyond the kernel's edge; a stride that leads from many channels to few."""
    phases = _phases(geometry)
    few = w.shape[1] < convolution.FEWEST
    return (
        bool(phases)
        and geometry.suits(Spec((g.shape[0], 0), g.dtype), back_spec(w, groups), groups)
        and all(_geometry(phase) is not None for phase in phases)
        and not (few and geometry.stride != (1, 1) and w.shape[0] // groups >= convolution.FEWEST)
    )


def convolve_input(g: Any, w: Any, geometry: Geometry, groups: int, out: Any) -> Any:
    """Fill `out` (N, C, *image) with the gradient by the image that belongs to g (N, O, *output), by the
    output of a convolution by w (O, C / groups, *kernel). Give it. All of one dtype, in C order."""
    phases = _phases(geometry)
    if not _image_at_once(geometry, w, groups):
        return panels.correlate_input(g, w, phases, geometry.stride, groups, out)
    if len(phases) < math.prod(geometry.stride):
        out[...] = 0
    for phase in phases:
        seen = transposed(geometry) or _geometry(phase)
        assert seen is not None
        part = out[:, :, phase.first[0] :: geometry.stride[0], phase.first[1] :: geometry.stride[1]]
        convolution.correlate(g, turned(w, groups, phase), None, seen, groups, part)
    return out


def bytes_to_convolve_input(g: Any, w: Any, geometry: Geometry, groups: int) -> int:
    """What `convolve_input` allocates meanwhile."""
    if not _image_at_once(geometry, w, groups):
        channels = w.shape[1] * groups
        return max(panels.bytes_to_correlate(g, channels, p.reach, groups) for p in _phases(geometry))
    most = 0
    for phase in _phases(geometry):
        seen, spec = transposed(geometry) or _geometry(phase), back_spec(w, groups, phase)
        assert seen is not None
        weights = math.prod(int(size) for size in spec.shape) * g.dtype.itemsize
        most = max(most, weights + convolution.bytes_to_correlate(g, spec, seen, groups))
    return most


def transposed(geometry: Geometry) -> Geometry | None:
    """The window with which a gradient by the output becomes one by the image; None where a stride, or a
    padding beyond the kernel's edge, needs another."""
    if geometry.stride != (1, 1):
        return None
    back = _geometry(_phases(geometry)[0])
    return back and back._replace(image=geometry.output, output=geometry.image)


def back_spec(w: Any, groups: int, phase: Phase | None = None) -> Spec:
    """Of the weights (O, C / groups, KH, KW) on the way back: (C, O / groups, KH, KW), or a phase's taps."""
    o, c, *kernel = w.shape
    return Spec((c * groups, o // groups, *(map(len, phase.taps) if phase else kernel)), w.dtype)


def turned(w: Any, groups: int, phase: Phase | None = None) -> Any:
    """Weights for the way back: each kernel end to end, or a phase's taps."""
    o, c, *kernel = w.shape
    parts = w.reshape(groups, -1, c, *kernel).swapaxes(1, 2)
    if phase is None:
        parts = parts[..., ::-1, ::-1]
    else:
        parts = parts[..., np.array(phase.taps[0])[:, None], np.array(phase.taps[1])]
    return plain(parts.reshape(c * groups, o // groups, *parts.shape[3:]))


def _phases(geometry: Geometry) -> tuple[Phase, ...]:
    return panels.backward(*geometry)


def _geometry(phase: Phase) -> Geometry | None:
    """The window of one phase; None if it has a padding below zero."""
    reach = phase.reach
    padding = [-min(offsets) for offsets in reach.offsets]
    steps = [offsets[1] - offsets[0] if len(offsets) > 1 else 1 for offsets in reach.offsets]
    if min(padding) < 0:
        return None
    kernel = len(reach.offsets[0]), len(reach.offsets[1])
    return Geometry(
        kernel, (1, 1), (padding[0], padding[1]), (steps[0], steps[1]), reach.image, reach.output
    )


def _image_at_once(geometry: Geometry, w: Any, groups: int) -> bool:
    """Whether the gradient by the image is made one image at a time."""
    few = w.shape[1] < convolution.FEWEST
    back = transposed(geometry)
    return few or (back is not None and back.at_once(back_spec(w, groups), groups))


# --- by the weights ------------------------------------------------------------------------


def convolve_weight(x: Any, g: Any, geometry: Geometry, groups: int, out: Any) -> Any:
    """Fill `out` (O, C / groups, *kernel) with the gradient of the correlation of x (N, C, *image) by its
    weights; g (N, O, *output) is that by its output. Give it. All of one dtype, in C order."""
    if g.shape[1] // groups < convolution.FEWEST:
        return channelwise.correlate_weight(x, g, geometry, groups, out)
    if geometry.at_once(out, groups):
        return convolution.correlate_weight(x, g, geometry, groups, out)
    return panels.correlate_weight(x, g, panels.forward(*geometry), groups, out)


def bytes_to_convolve_weight(x: Any, g: Any, geometry: Geometry, groups: int) -> int:
    """What `convolve_weight` allocates meanwhile."""
    if g.shape[1] // groups < convolution.FEWEST:
        return channelwise.bytes_to_correlate_weight(x, g, geometry, groups)
    weight = Spec((g.shape[1], x.shape[1] // groups, *geometry.kernel), g.dtype)
    if geometry.at_once(weight, groups):
        return convolution.bytes_to_correlate_weight(x, g, geometry, groups)
    return panels.bytes_to_correlate_weight(x, g.shape[1], panels.forward(*geometry), groups)
