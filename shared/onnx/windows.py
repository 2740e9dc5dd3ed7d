"""Where windows stand on an image, as ONNX says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.errors import OnnxError
from shared.onnx.values import check_room
from shared.ops.ranges import at_least


@dataclass(frozen=True)
class Windows:
    """For each axis of an image: kernel, stride, dilation, and what is put around it (before, behind)."""

    kernel: tuple[Any, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[Any, Any], ...]


def geometry(
    image: Sequence[Any], kernel: Sequence[Any], auto_pad: str, pads: Any, strides: Any, dilations: Any
) -> Windows:
    """What a node's attributes mean for an image of these sizes."""
    axes = len(kernel)
    steps = tuple(strides or (1,) * axes)
    holes = tuple(dilations or (1,) * axes)
    if len(image) != axes or len(steps) != axes or len(holes) != axes:
        raise OnnxError(
            f"kernel_shape, strides and dilations must have {len(image)} numbers, one for each axis"
        )
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        around = []
        for n, k, s, d in zip(image, kernel, steps, holes, strict=True):
            total = at_least((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
            less = total // 2
            around.append((less, total - less) if auto_pad == "SAME_UPPER" else (total - less, less))
        return Windows(tuple(kernel), steps, holes, tuple(around))
    if auto_pad == "VALID" or not pads:
        return Windows(tuple(kernel), steps, holes, ((0, 0),) * axes)
    if len(pads) != 2 * axes:
        raise OnnxError(f"pads must have {2 * axes} numbers, two for each axis, not {len(pads)}")
    around = list(zip(pads[:axes], pads[axes:], strict=True))
    check_room("pads", [n + sum(ends) for n, ends in zip(image, around, strict=True)], np.float32)
    return Windows(tuple(kernel), steps, holes, tuple(around))
