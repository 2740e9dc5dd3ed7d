"""Shapes: what has them, changes them, or is made of them; joining and splitting."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim, product, same_size
from shared.errors import OnnxError
from shared.onnx.ops.elementwise import dtype_named
from shared.onnx.table import onnx_op
from shared.onnx.values import Narrow, check_room, ints, sizes
from shared.ops.ranges import at_least
from shared.ops.sampling import up_to
from shared.spec import broadcast_shapes


@onnx_op("Shape", narrow=True)
def shape(x: Any, *, start: int = 0, end: int | None = None) -> Any:
    """The sizes, as far as they are known."""
    return sizes(tuple(x.shape)[slice(start, end)])


@onnx_op("Size", narrow=True)
def size(x: Any) -> Any:
    """How many elements there are."""
    return sizes((product(tuple(x.shape)),)).reshape(())


@onnx_op("Constant")
def constant(
    *, value: Any = None, value_float: Any = None, value_floats: Any = None, value_int: Any = None,
    value_ints: Any = None, value_string: Any = None, value_strings: Any = None, sparse_value: Any = None,
) -> Any:  # fmt: skip
    """A value that the file gives."""
    from shared.onnx.values import STRINGS

    if value is not None or sparse_value is not None:
        return value if value is not None else sparse_value
    if value_int is not None or value_ints is not None:
        return np.asarray(value_int if value_int is not None else value_ints, np.int64)
    if value_string is not None or value_strings is not None:
        return np.asarray(value_string if value_string is not None else value_strings, STRINGS)
    return np.asarray(value_float if value_float is not None else value_floats, np.float32)


@onnx_op("ConstantOfShape", sizes=("shape",))
def constant_of_shape(shape: Any, *, value: Any = None) -> Any:
    """One number everywhere."""
    value = np.zeros(1, np.float32) if value is None else value
    return filled("ConstantOfShape", ints(shape), value.reshape(-1)[0], value.dtype)


def filled(call: str, shape: tuple[Any, ...], number: Any, dtype: Any) -> Any:
    """An array of one number: known if its sizes are."""
    check_room(call, shape, dtype)
    if any(isinstance(size, Dim) for size in shape):
        return ops.full(shape, number, dtype)
    return np.full(shape, number, dtype)


@onnx_op("EyeLike")
def eye_like(x: Any, *, dtype: int | None = None, k: int = 0) -> Any:
    """1 on a diagonal, in a matrix of x's shape."""
    return ops.eye(x.shape[0], x.shape[1], k, x.dtype if dtype is None else dtype_named(dtype))


@onnx_op("Reshape", since=5, known=("shape",))
def reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    """In another shape: -1 stands for what is left, 0 (unless `allowzero`) for the size that x has there."""
    sizes = ints(shape)
    if not allowzero:
        sizes = tuple(x.shape[i] if same_size(n, 0) else n for i, n in enumerate(sizes))
    check_room("Reshape", [n for n in sizes if not same_size(n, -1)], np.int8)
    return ops.reshape(x, sizes)


@onnx_op("Flatten")
def flatten(x: Any, *, axis: int = 1) -> Any:
    """As a matrix: the axes before `axis` and those from it on."""
    axis = axis + len(x.shape) if axis < 0 else axis
    rows = product(tuple(x.shape[:axis]))
    return ops.reshape(x, (rows, product(tuple(x.shape[axis:]))))


@onnx_op("Transpose")
def transpose(x: Any, *, perm: Any = None) -> Any:
    """With its axes in another order, or reversed."""
    return ops.transpose(x, perm)


def _squeezed(x: Any, axes: Any) -> Any:
    if axes is None:
        return ops.squeeze(x)
    return ops.squeeze(x, tuple(axes)) if len(axes) else x


def _unsqueezed(x: Any, axes: Any) -> Any:
    return ops.expand_dims(x, tuple(axes)) if len(axes) else x


@onnx_op("Squeeze")
def old_squeeze(x: Any, *, axes: Any = None) -> Any:
    """Without axes of size 1, which are an attribute."""
    return _squeezed(x, axes)


@onnx_op("Squeeze", since=13, known=("axes",))
def squeeze(x: Any, axes: Any = None) -> Any:
    """Without axes of size 1: those named, or all."""
    return _squeezed(x, None if axes is None else ints(axes))


@onnx_op("Unsqueeze")
def old_unsqueeze(x: Any, *, axes: Any) -> Any:
    """With new axes of size 1, which are an attribute."""
    return _unsqueezed(x, axes)


@onnx_op("Unsqueeze", since=13, known=("axes",))
def unsqueeze(x: Any, axes: Any) -> Any:
    """With new axes of size 1."""
    return _unsqueezed(x, ints(axes))


@onnx_op("Expand", since=8, sizes=("shape",))
def expand(x: Any, shape: Any) -> Any:
    """Stretched to what its shape and another one broadcast to."""
    from shared.spec import Spec

    wanted = Spec(ints(shape), x.dtype)
    found = broadcast_shapes("Expand", Spec(tuple(x.shape), x.dtype), wanted)
    check_room("Expand", found, x.dtype)
    return ops.broadcast_to(x, found)


@onnx_op("Tile", since=6, sizes=("repeats",))
def tile(x: Any, repeats: Any) -> Any:
    """Repeated along each axis."""
    times = ints(repeats)
    check_room("Tile", [n * m for n, m in zip(x.shape, times, strict=False)], x.dtype)
    return ops.tile(x, times)


@onnx_op("Concat", since=4)
def concat(*xs: Any, axis: int) -> Any:
    """Joined along an axis."""
    return ops.concatenate(xs, axis)


@onnx_op("Split", since=2)
def old_split(x: Any, *, axis: int = 0, split: Any = None, outputs: int = 1) -> Any:
    """In parts whose sizes are an attribute, or equal."""
    return _parts(x, axis, split, outputs)


@onnx_op("Split", since=13, known=("split",))
def split(x: Any, split: Any = None, *, axis: int = 0, num_outputs: int = 0, outputs: int = 1) -> Any:
    """In parts of given sizes, or of equal ones; the last may be smaller."""
    return _parts(x, axis, None if split is None else ints(split), num_outputs or outputs)


def _parts(x: Any, axis: int, given: Any, count: int) -> Any:
    size = x.shape[axis]
    if given is None:
        step = -(-size // count)
        given = [step] * (count - 1) + [size - step * (count - 1)]
    return tuple(ops.split(x, list(given), axis))


@onnx_op("DepthToSpace")
def depth_to_space(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    """Channels become blocks of the image, their number first (DCR) or last (CRD)."""
    n, c, h, w = x.shape
    b = blocksize
    if mode == "CRD":
        return ops.pixel_shuffle(x, b)
    parts = ops.transpose(ops.reshape(x, (n, b, b, c // (b * b), h, w)), (0, 3, 4, 1, 5, 2))
    return ops.reshape(parts, (n, c // (b * b), h * b, w * b))


@onnx_op("SpaceToDepth")
def space_to_depth(x: Any, *, blocksize: int, mode: str = "DCR") -> Any:
    """Blocks of the image become channels."""
    n, c, h, w = x.shape
    b = blocksize
    if mode == "CRD":
        return ops.pixel_unshuffle(x, b)
    parts = ops.transpose(ops.reshape(x, (n, c, h // b, b, w // b, b)), (0, 3, 5, 1, 2, 4))
    return ops.reshape(parts, (n, c * b * b, h // b, w // b))


@onnx_op("Range")
def arange(start: Any, limit: Any, delta: Any, *, stash_type: int = 1) -> Any:
    """From a number to another in equal steps; how many, a run measures where only it knows."""
    if not all(isinstance(part, np.ndarray) for part in (start, limit, delta)):
        start, limit, delta = (ops.reshape(part, ()) for part in (start, limit, delta))
        span = ops.div(ops.cast(ops.sub(limit, start), "float64"), ops.cast(delta, "float64"))
        count = ops.cast(ops.maximum(ops.ceil(span), 0.0), "int64")
        return ops.add(start, ops.mul(ops.cast(up_to(ops.reshape(count, (1,))), start.dtype), delta))
    start, limit, delta = (part.reshape(()) for part in (start, limit, delta))
    if not float(delta):
        raise OnnxError("Range: the step is 0")
    count = max(int(np.ceil((float(limit) - float(start)) / float(delta))), 0)
    check_room("Range", (count,), start.dtype)
    return (start + np.arange(count) * delta).astype(start.dtype)


@onnx_op("Pad", since=2)
def old_pad(x: Any, *, pads: Any, mode: str = "constant", value: float = 0.0) -> Any:
    """With something around it, how much being an attribute."""
    return padded(x, pads, range(len(x.shape)), mode, value)


@onnx_op("Pad", since=11, known=("pads", "value", "axes"))
def pad(x: Any, pads: Any, value: Any = None, axes: Any = None, *, mode: str = "constant") -> Any:
    """With something around it: a number, or (by `mode`) x mirrored, its edge, or x once more."""
    along = range(len(x.shape)) if axes is None else ints(axes)
    number = 0 if value is None or mode != "constant" else value.reshape(-1)[0].item()
    return padded(x, ints(pads), along, mode, number)


def padded(x: Any, pads: Any, axes: Any, mode: str, value: Any) -> Any:
    """x with pads in ONNX's order: all before, then all behind."""
    widths: list[tuple[Any, Any]] = [(0, 0)] * len(x.shape)
    count = len(pads) // 2
    for place, axis in enumerate(axes):
        widths[axis] = (pads[place], pads[count + place])
    check_room("Pad", [n + sum(ends) for n, ends in zip(x.shape, widths, strict=True)], x.dtype)
    return ops.pad(x, widths, mode, value if mode == "constant" else 0)


def carried(x: Any) -> Any:
    """What carries a value of a dtype that NumPy lacks."""
    return x.value if isinstance(x, Narrow) else x


@onnx_op("CenterCropPad", since=18, sizes=("shape",))
def center_crop_pad(x: Any, shape: Any, *, axes: Any = None) -> Any:
    """Cut off, or with zeros around it, as much on both sides of each axis; an odd one goes behind."""
    rank = len(x.shape)
    widths: list[tuple[Any, Any]] = [(0, 0)] * rank
    for axis, wanted in zip(range(rank) if axes is None else axes, ints(shape), strict=True):
        more = wanted - x.shape[axis]
        before = at_least(more, 0) // 2 - at_least(-more, 0) // 2
        widths[axis] = (before, more - before)
    check_room("CenterCropPad", ints(shape), x.dtype)
    return ops.pad(x, widths)
