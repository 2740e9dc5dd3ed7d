"""Windows that move over images N C H W: their geometry, and im2col with its adjoint, col2im.

Convolution and pooling stand on this. What a window sees is an array (N, C, KH, KW, OH, OW):
`unfold` takes an image apart into it, `fold` adds it up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np

from shared.dims import Dim, Shape, Size, divide, same_shape, same_size
from shared.errors import SettingError, ShapeError
from shared.op import Op, Rule, array_module
from shared.ops.ranges import at_least, smaller
from shared.ops.shapes import as_tensor_like, expand_dims, squeeze
from shared.spec import Operand, Spec, sizes_match, str_shape

Pair = tuple[int, int]
F = TypeVar("F", bound=Callable[..., Any])

# --- settings ------------------------------------------------------------------------------


def pair(call: str, name: str, value: Any, least: int, axes: int = 2) -> Any:
    """A setting for height and width, or for so many axes: one int for all, or one for each."""
    if type(value) is int and value >= least:  # as mostly, and sooner
        return (value,) * axes
    each = value if isinstance(value, (tuple, list)) else (value,)
    each = tuple(each) * axes if len(each) == 1 else each
    whole = [isinstance(v, (int, np.integer)) and not isinstance(v, bool) and v >= least for v in each]
    if whole != [True] * axes:
        several = "a pair" if axes == 2 else f"{axes} of them"
        raise SettingError(
            f"{call}: {name} must be an int or {several}, each at least {least}, not {value!r}"
        )
    return tuple(int(v) for v in each)


def in_a_row(value: Any, height: int) -> Any:
    """A setting for a sequence as that for an image of height 1; what is no int or one of them stays."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    return value if value is None or isinstance(value, str) else (height, value)


class Margins(NamedTuple):
    """How much padding stands before each axis of an image, and how much behind it."""

    before: tuple[Size, ...]
    behind: tuple[Size, ...]

    @property
    def even(self) -> bool:
        return same_shape(self.before, self.behind)


def margins(call: str, padding: Any, image: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Margins:
    """What a setting `padding` asks for: one int, or for each axis an int or a pair (before, behind);
    "valid" is none, and "same" as much as gives ceil(size / stride) outputs, the odd one behind."""
    if padding == "valid":
        padding = 0
    if padding == "same":
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        steps = [-(-n // s) * s - s for n, s in zip(image, stride, strict=True)]
        total = [
            span - 1 if same_size(s, 1) else at_least(step + span - n, 0)
            for n, s, step, span in zip(image, stride, steps, spans, strict=True)
        ]
        before = tuple(t // 2 for t in total)
        return Margins(before, tuple(t - b for t, b in zip(total, before, strict=True)))
    if isinstance(padding, str):
        raise SettingError(f"{call}: padding must be ints, 'same' or 'valid', not {padding!r}")
    several = isinstance(padding, (tuple, list))
    if not several or not any([isinstance(part, (tuple, list)) for part in padding]):
        even = pair(call, "padding", padding, 0, len(image))
        return Margins(even, even)
    if len(padding) != len(image):
        raise SettingError(f"{call}: padding {padding!r} must have a part for each of {len(image)} axes")
    before, behind = zip(*(pair(call, "padding", part, 0) for part in padding), strict=True)
    return Margins(before, behind)


def unbatched(axes: int) -> Callable[[F], F]:
    """A function of an x with so many axes, the first of them the batch's, that takes one without it too."""

    def decorate(function: F) -> F:
        @wraps(function)
        def called(*args: Any, **settings: Any) -> Any:
            if not args or len((x := as_tensor_like(args[0])).shape) != axes - 1:
                return function(*args, **settings)
            y = function(expand_dims(x, 0), *args[1:], **settings)
            return tuple([squeeze(part, 0) for part in y]) if isinstance(y, tuple) else squeeze(y, 0)

        return called  # type: ignore[return-value]

    return decorate


# --- geometry ------------------------------------------------------------------------------


class Window(NamedTuple):
    """How a window moves over an image. With `ceil` it may hang over the far edges, as long as
    it starts inside the image or its padding. `far`: the padding there, if it is another."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)
    ceil: bool = False
    far: Pair | None = None

    def span(self, axis: int) -> int:
        """The length that the window covers along an axis (0 height, 1 width)."""
        return self.dilation[axis] * (self.kernel[axis] - 1) + 1

    def output_size(self, call: str, image: Shape) -> tuple[Any, Any]:
        """How many outputs it gives down and across an image (H, W); ShapeError for none."""
        if any(not isinstance(size, Dim) and size < 1 for size in image):
            raise ShapeError(f"{call}: an image {str_shape(image)} holds no pixels")
        oh, ow = self.places(image[0], 0), self.places(image[1], 1)
        spans: list[Size] = [self.span(axis) for axis in (0, 1)]
        far = [
            not isinstance(span, Dim) and not isinstance(size, Dim) and span > 2 * (size + 2 * padding)
            for span, size, padding in zip(spans, image, self.padding, strict=True)
        ]  # it may hang over, but each of its elements costs time
        if any(far) or any(not isinstance(size, Dim) and size < 1 for size in (oh, ow)):
            raise ShapeError(
                f"{call}: a kernel of {self.kernel} with dilation {self.dilation} does not fit into "
                f"an image {str_shape(image)} with padding {self.padding}; pad more, or use a "
                "smaller kernel"
            )
        return oh, ow

    def places(self, size: Size, axis: int) -> Size:
        step, padding = self.stride[axis], self.padding[axis]
        room = size + padding + (self.far or self.padding)[axis] - self.span(axis)
        if not self.ceil:
            return room // step + 1
        return smaller(-(-room // step) + 1, (size + padding - 1) // step + 1)

    def taps(self, image: Pair, output: Pair) -> Iterator[Tap]:
        """Each place in the kernel, and where at it the window meets the image."""
        meets = [
            [self._meet(axis, i, image[axis], output[axis]) for i in range(self.kernel[axis])]
            for axis in (0, 1)
        ]
        for i, (oh, h) in enumerate(meets[0]):
            for j, (ow, w) in enumerate(meets[1]):
                yield Tap(i, j, (..., oh, ow), (..., h, w))

    def over(self, axis: int, place: int, size: int) -> slice:
        """What of an image of this size the window at a place of the output is over, along an axis."""
        step = self.dilation[axis]
        start = place * self.stride[axis] - self.padding[axis]
        first = start + max(-(start // step), 0) * step
        return slice(first, max(min(start + (self.kernel[axis] - 1) * step + 1, size), first), step)

    def corners(self, output: Pair) -> tuple[Any, Any]:
        """The rows and the columns of the image at which the window starts; padding is below 0."""
        down, across = (np.arange(output[i]) * self.stride[i] - self.padding[i] for i in (0, 1))
        return down, across

    def offsets(self) -> tuple[Any, Any]:
        """How far each element of the kernel, one after the other, is below and right of the first."""
        rows, columns = np.indices(self.kernel).reshape(2, -1) * np.array(self.dilation)[:, None]
        return rows, columns

    def _meet(self, axis: int, i: int, size: int, output: int) -> tuple[slice, slice]:
        """At which outputs element i of the kernel is over the image, not its padding, and over what."""
        step, offset = self.stride[axis], i * self.dilation[axis] - self.padding[axis]
        first = max(0, -(offset // step))
        count = min(output, (size - 1 - offset) // step + 1) - first
        if count < 1:
            return slice(0, 0), slice(0, 0)
        start = first * step + offset
        return slice(first, first + count), slice(start, start + (count - 1) * step + 1, step)


class Tap(NamedTuple):
    """One element (i, j) of a kernel: the index of the outputs at which it is over the image, not
    over padding, and the index of what it is over in the image."""

    i: int
    j: int
    output: tuple[Any, ...]
    image: tuple[Any, ...]


def unfold(x: Any, window: Window, columns: Any) -> None:
    """Write what the window sees of `x`, zero where it sees padding, into `columns`."""
    for tap in window.taps(x.shape[2:], columns.shape[4:]):
        seen, (_, rows, across) = columns[:, :, tap.i, tap.j], tap.output
        seen[tap.output] = x[tap.image]
        seen[:, :, : rows.start] = seen[:, :, rows.stop :] = 0
        seen[..., : across.start] = seen[..., across.stop :] = 0


def fold(columns: Any, window: Window, image: Any) -> Any:
    """Add what `unfold` took apart to `image` (N, C, H, W), put back in place; gives the image."""
    for tap in window.taps(image.shape[2:], columns.shape[4:]):
        image[tap.image] += columns[:, :, tap.i, tap.j][tap.output]
    return image


# --- im2col and col2im ---------------------------------------------------------------------


def _compute_im2col(x: Any, **geometry: Any) -> Any:
    window = Window(**geometry)
    n, c, *image = x.shape
    output = window.output_size("im2col", tuple(image))
    columns = array_module(x).empty((n, c, *window.kernel, *output), x.dtype)
    unfold(x, window, columns)
    return columns.reshape(n, c * window.kernel[0] * window.kernel[1], output[0] * output[1])


def _infer_im2col(x: Operand, **geometry: Any) -> Spec:
    if len(x.shape) != 4:
        raise ShapeError(f"im2col: x {str_shape(x.shape)} needs 4 axes, N C H W; add a batch axis?")
    window = Window(**geometry)
    oh, ow = window.output_size("im2col", x.shape[2:])
    return Spec((x.shape[0], x.shape[1] * (window.kernel[0] * window.kernel[1]), oh * ow), x.dtype)


def _compute_col2im(columns: Any, *, size: Pair, **geometry: Any) -> Any:
    window = Window(**geometry)
    output = window.output_size("col2im", size)
    n, channels = columns.shape[0], columns.shape[1] // (window.kernel[0] * window.kernel[1])
    image = array_module(columns).zeros((n, channels, *size), columns.dtype)
    return fold(columns.reshape(n, channels, *window.kernel, *output), window, image)


def _infer_col2im(columns: Operand, *, size: tuple[Size, Size], **geometry: Any) -> Spec:
    window = Window(**geometry)
    given = f"col2im: columns {str_shape(columns.shape)}"
    if len(columns.shape) != 3:
        raise ShapeError(f"{given} need 3 axes, (N, C KH KW, OH OW), as im2col gives them")
    oh, ow = window.output_size("col2im", size)
    n, rows, output = columns.shape
    taps = window.kernel[0] * window.kernel[1]
    if not isinstance(rows, Dim) and rows % taps:
        raise ShapeError(f"{given}: {rows} rows do not hold whole kernels of {window.kernel}")
    if not sizes_match(output, oh * ow):
        raise ShapeError(
            f"{given}: over an image {str_shape(size)} the window takes {oh} x {ow} places, which "
            f"is not {output}; give col2im the settings that im2col had"
        )
    return Spec((n, divide(rows, taps), *size), columns.dtype)


_im2col = Op(
    "im2col",
    _compute_im2col,
    _infer_im2col,
    [Rule(lambda g, y, x, **geometry: _col2im(g, size=x.shape[2:], **geometry))],
)

_col2im = Op(
    "col2im",
    _compute_col2im,
    _infer_col2im,
    [Rule(lambda g, y, columns, *, size, **geometry: _im2col(g, **geometry))],
)


def _settings(call: str, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> dict[str, Any]:
    return {
        "kernel": pair(call, "kernel_size", kernel_size, 1),
        "stride": pair(call, "stride", stride, 1),
        "padding": pair(call, "padding", padding, 0),
        "dilation": pair(call, "dilation", dilation, 1),
    }


@unbatched(4)
def im2col(
    x: Any, kernel_size: int | Pair, dilation: int | Pair = 1, padding: int | Pair = 0,
    stride: int | Pair = 1,
) -> Any:  # fmt: skip
    """What a moving window sees, one column for each of its places: `torch.nn.functional.unfold`.

    x (N, C, H, W) of any dtype; gives (N, C KH KW, OH OW), zero where the window sees padding.
    A matrix product with it is a convolution. ShapeError where the kernel does not fit.
    """
    settings = _settings("im2col", kernel_size, stride, padding, dilation)
    return _im2col(as_tensor_like(x), **settings)


@unbatched(3)
def col2im(
    columns: Any, output_size: Pair, kernel_size: int | Pair, dilation: int | Pair = 1,
    padding: int | Pair = 0, stride: int | Pair = 1,
) -> Any:  # fmt: skip
    """Columns put back in place and added up where they overlap: `torch.nn.functional.fold`.

    columns (N, C KH KW, OH OW), output_size (H, W); gives (N, C, H, W). The adjoint of `im2col`
    with the same settings. ShapeError where the columns are not those of such an image.
    """
    settings = _settings("col2im", kernel_size, stride, padding, dilation)
    size = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    if len(size) != 2 or not all(isinstance(part, (int, np.integer, Dim)) for part in size):
        raise SettingError(f"col2im: output_size must be a pair (H, W), not {output_size!r}")
    return _col2im(as_tensor_like(columns), size=size, **settings)
