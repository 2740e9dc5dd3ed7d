"""What undoes max pooling: elements put back where they stood, zeros everywhere else."""

from __future__ import annotations

from typing import Any

from shared.dims import Dim, product
from shared.errors import SettingError, ShapeError
from shared.ops.creation import zeros
from shared.ops.indexing import integer_array
from shared.ops.pooling import IMAGES, SEQUENCES, VOLUMES, Triple
from shared.ops.scattering import scatter
from shared.ops.shapes import as_sizes, as_tensor_like, expand_dims, reshape, squeeze
from shared.ops.windows import Pair, pair
from shared.spec import sizes_match, str_shape


def _unpooled(
    call: str, axes: str, x: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    """max_unpool over as many axes as are named, the first of which may be missing."""
    x, indices = as_tensor_like(x), integer_array(call, "indices", indices)
    count = len(axes.split()) - 2
    if len(x.shape) == count + 1 and len(indices.shape) == count + 1:
        given = expand_dims(x, 0), expand_dims(indices, 0)
        return squeeze(_unpooled(call, axes, *given, kernel_size, stride, padding, output_size), 0)
    same = len(x.shape) == len(indices.shape) and all(map(sizes_match, x.shape, indices.shape))
    if len(x.shape) != count + 2 or not same:
        raise ShapeError(
            f"{call}: x {str_shape(tuple(x.shape))} and indices {str_shape(tuple(indices.shape))} must be of "
            f"one shape, {axes}, as max pooling gives them"
        )
    kernel = pair(call, "kernel_size", kernel_size, 1, count)
    step = kernel if stride is None else pair(call, "stride", stride, 1, count)
    margin = pair(call, "padding", padding, 0, count)
    usual = tuple(
        (n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[2:], step, margin, kernel, strict=True)
    )
    size = usual if output_size is None else as_sizes(call, output_size)[-count:]
    far = [
        not isinstance(a, Dim) and not isinstance(b, Dim) and not b - s < a < b + s
        for a, b, s in zip(size, usual, step, strict=False)
    ]
    if len(size) != count or any(far):
        raise SettingError(
            f"{call}: output_size {output_size!r} must be on each axis less than a stride {step} from {usual}"
        )
    n, c = x.shape[:2]
    flat = (n, c, product(tuple(x.shape[2:])))
    nothing = zeros((n, c, product(size)), x.dtype, like=x)
    return reshape(scatter(nothing, reshape(indices, flat), reshape(x, flat), 2), (n, c, *size))


def max_unpool2d(
    x: Any, indices: Any, kernel_size: int | Pair, stride: int | Pair | None = None,
    padding: int | Pair = 0, output_size: Any = None,
) -> Any:  # fmt: skip
    """Images that are zero but where `max_pool2d` found its largest elements, as
    `torch.nn.functional.max_unpool2d`.

    x and indices (N, C, H, W) or (C, H, W), as max pooling with these settings gives them; the result is
    (H - 1) stride - 2 padding + kernel high, and as wide alike, or of `output_size`, since pooling makes
    some sizes the same. What stood in two windows is put there once, and its gradient goes to the last of
    them (PyTorch's goes to each). ShapeError for shapes that differ, SettingError for another size,
    RangeError for a place outside.
    """
    return _unpooled("max_unpool2d", IMAGES, x, indices, kernel_size, stride, padding, output_size)


def max_unpool1d(
    x: Any, indices: Any, kernel_size: int, stride: int | None = None, padding: int = 0,
    output_size: Any = None,
) -> Any:  # fmt: skip
    """`max_unpool2d` over sequences (N, C, L) or one (C, L)."""
    return _unpooled("max_unpool1d", SEQUENCES, x, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    x: Any, indices: Any, kernel_size: int | Triple, stride: int | Triple | None = None,
    padding: int | Triple = 0, output_size: Any = None,
) -> Any:  # fmt: skip
    """`max_unpool2d` over volumes (N, C, D, H, W) or one (C, D, H, W)."""
    return _unpooled("max_unpool3d", VOLUMES, x, indices, kernel_size, stride, padding, output_size)
