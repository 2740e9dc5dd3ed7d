"""The mean of each window: over images N C H W, sequences (images of height 1), and volumes N C D H W, whose
slices are summed first, and what comes out then along the depth. On means stands power-average pooling."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from shared.dims import Shape, same_shape
from shared.errors import SettingError
from shared.numerics.summing import BLOCK, total
from shared.op import Op, Rule, array_module
from shared.ops.choosing import cast, equal, floating, maximum, minimum, where
from shared.ops.creation import arange
from shared.ops.elementwise import pow
from shared.ops.pooling import IMAGES, SEQUENCES, VOLUMES, Triple, check_axes, pooling_window
from shared.ops.ranges import at_least
from shared.ops.shapes import expand_dims, reshape, squeeze
from shared.ops.windows import Pair, Window, unbatched
from shared.spec import Operand, Spec, as_number


def _compute_sum_pool2d(x: Any, **geometry: Any) -> Any:
    """By the places in the kernel, or, where these are more and many, window by window."""
    window, image = Window(**geometry), x.shape[2:]
    output = window.output_size("avg_pool2d", image)
    if not _by_window(window, output):
        taps = window.taps(image, output)
        return _put_together(x, (*x.shape[:2], *output), ((tap.output, x[tap.image]) for tap in taps))
    y = array_module(x).empty((*x.shape[:2], *output), x.dtype)
    for place, over in _windows(window, image, output):
        y[place] = total(x[over], (2, 3))
    return y


def _by_window(window: Window, output: Pair) -> bool:
    return math.prod(window.kernel) > max(BLOCK, math.prod(output))


def _windows(window: Window, image: Pair, output: Pair) -> Iterator[tuple[Any, Any]]:
    """Each place of the output, and what of the image is under it."""
    for i, j in np.ndindex(*output):
        yield (..., i, j), (..., window.over(0, i, image[0]), window.over(1, j, image[1]))


def _put_together(x: Any, shape: Shape, parts: Iterable[tuple[Any, Any]]) -> Any:
    """Zeros of x's dtype, to which parts are added at their places: in blocks, and blocks of blocks, so that
    the roundings of a sum of very many do not show."""
    sums = [array_module(x).zeros(shape, x.dtype)]
    for count, (place, part) in enumerate(parts, 1):
        sums[0][place] += part
        level = 0
        while count % BLOCK ** (level + 1) == 0:
            if level + 1 == len(sums):
                sums.append(array_module(x).zeros(shape, x.dtype))
            sums[level + 1] += sums[level]
            sums[level][...] = 0
            level += 1
    for above in sums[1:]:
        above += sums[0]
        sums[0] = above
    return sums[0]


def _infer_sum_pool2d(x: Operand, **geometry: Any) -> Spec:
    check_axes("avg_pool2d", x, IMAGES)
    return Spec((*x.shape[:2], *Window(**geometry).output_size("avg_pool2d", x.shape[2:])), x.dtype)


def _compute_sum_unpool2d(g: Any, *, size: Pair, **geometry: Any) -> Any:
    n, c, *output = g.shape
    window, shape = Window(**geometry), (n, c, *size)
    if _by_window(window, output):
        windows = _windows(window, size, output)
        return _put_together(g, shape, ((over, g[place][..., None, None]) for place, over in windows))
    return _put_together(g, shape, ((tap.image, g[tap.output]) for tap in window.taps(size, output)))


_sum_pool2d = Op(
    "sum_pool2d",
    _compute_sum_pool2d,
    _infer_sum_pool2d,
    [Rule(lambda g, y, x, **geometry: _sum_unpool2d(g, size=x.shape[2:], **geometry))],
)

_sum_unpool2d = Op(
    "sum_unpool2d",
    _compute_sum_unpool2d,
    lambda g, *, size, **geometry: Spec((*g.shape[:2], *size), g.dtype),
    [Rule(lambda g, y, x, *, size, **geometry: _sum_pool2d(g, **geometry))],
)


def _summed(x: Any, kernel: Shape, stride: Shape, before: Shape, behind: Shape) -> Any:
    """The sums of the windows on all axes of x but the first two: one, two or three."""
    if len(kernel) == 1:
        in_a_row = ((1, *kernel), (1, *stride), (0, *before), (0, *behind))
        return squeeze(_summed(expand_dims(x, 2), *in_a_row), 2)
    if len(kernel) == 3:
        n, c, d, h, w = x.shape
        y = _summed(reshape(x, (n, c * d, h, w)), kernel[1:], stride[1:], before[1:], behind[1:])
        oh, ow = y.shape[2:]
        settings = ((kernel[0], 1), (stride[0], 1), (before[0], 0), (behind[0], 0))
        y = _summed(reshape(y, (n, c, d, oh * ow)), *settings)
        return reshape(y, (n, c, y.shape[2], oh, ow))
    far = {} if same_shape(before, behind) else {"far": behind}
    return _sum_pool2d(x, kernel=kernel, stride=stride, padding=before, **far)


# --- means ---------------------------------------------------------------------------------


def _mean(
    call: str, axes: str, x: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool,
    count_include_pad: bool, divisor_override: Any,
) -> Any:  # fmt: skip
    """avg_pool over as many axes as are named."""
    x = floating(x)
    check_axes(call, x, axes)
    if x.dtype == np.float16:  # the sum may be out of its range
        wide = cast(x, np.float32)
        given = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        return cast(_mean(call, axes, wide, *given), x.dtype)
    image = x.shape[2:]
    kernel, step, (before, behind), _ = pooling_window(call, image, kernel_size, stride, padding)
    ends = behind
    if ceil_mode:  # zeros as far as the last windows hang over
        window: Any = Window(kernel, step, before, (1,) * len(image), True, behind)  # type: ignore[arg-type]
        last = [(window.places(size, i) - 1) * step[i] + kernel[i] for i, size in enumerate(image)]
        sizes = zip(last, image, before, behind, strict=True)
        ends = tuple(e + at_least(to - n - b - e, 0) for to, n, b, e in sizes)
    sums = _summed(x, kernel, step, before, ends)
    if divisor_override is not None:
        if not isinstance(divisor_override, (int, np.integer)) or divisor_override == 0:
            raise SettingError(f"{call}: divisor_override must be an int, not 0, but is {divisor_override!r}")
        return sums / int(divisor_override)
    padded = not same_shape(before + behind, (0,) * 2 * len(image))
    if not ceil_mode and (count_include_pad or not padded):
        return sums / math.prod(kernel)
    count: Any = 1
    for i, size in enumerate(image):
        places = sums.shape[2 + i]
        start = arange(places, like=x) * step[i] - before[i]
        low, high = (-before[i], size + behind[i]) if count_include_pad else (0, size)
        held = minimum(start + kernel[i], high) - maximum(start, low)
        count = count * reshape(held, (places, *(1,) * (len(image) - 1 - i)))
    return sums / cast(count, sums.dtype)


@unbatched(4)
def avg_pool2d(
    x: Any, kernel_size: int | Pair, stride: int | Pair | None = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window, as `torch.nn.functional.avg_pool2d`.

    x (N, C, H, W) or one (C, H, W); integers give float64. `stride` is the kernel's size unless given.
    Padding, which is said as that of `conv2d`, counts as zeros, or, without `count_include_pad`, does
    not count. With `ceil_mode` a last window may hang over the edge; what is beyond the padding does not
    count. `divisor_override` takes the place of the count.
    """
    given = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _mean("avg_pool2d", IMAGES, x, *given)


@unbatched(3)
def avg_pool1d(
    x: Any, kernel_size: int, stride: int | None = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:  # fmt: skip
    """The mean of each window of a sequence, as `torch.nn.functional.avg_pool1d`.

    x (N, C, L) or one (C, L). Else as `avg_pool2d`.
    """
    return _mean(
        "avg_pool1d", SEQUENCES, x, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )


@unbatched(5)
def avg_pool3d(
    x: Any, kernel_size: int | Triple, stride: int | Triple | None = None, padding: Any = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:  # fmt: skip
    """The mean of each window of a volume, as `torch.nn.functional.avg_pool3d`.

    x (N, C, D, H, W) or one (C, D, H, W). Else as `avg_pool2d`.
    """
    given = kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    return _mean("avg_pool3d", VOLUMES, x, *given)


# --- power averages ------------------------------------------------------------------------


def _power(
    call: str, axes: str, x: Any, norm_type: float, kernel_size: Any, stride: Any, ceil_mode: bool
) -> Any:
    """lp_pool over as many axes as are named. A window that hangs over counts as if it were whole."""
    p = as_number(call, "norm_type", norm_type)
    if p == 0:
        raise SettingError(f"{call}: norm_type must not be 0")
    x = floating(x)
    check_axes(call, x, axes)
    if x.dtype == np.float16:  # powers soon leave its range
        wide = cast(x, np.float32)
        return cast(_power(call, axes, wide, norm_type, kernel_size, stride, ceil_mode), x.dtype)
    kernel = pooling_window(call, x.shape[2:], kernel_size, stride, 0)[0]
    mean = _mean(call, axes, pow(x, p), kernel_size, stride, 0, ceil_mode, True, None)
    sums = mean * math.prod(kernel)
    if p < 0 or p == 1:
        return pow(sums, 1 / p)
    none = equal(sums, 0)
    return where(none, 0, pow(where(none, 1, sums), 1 / p))


@unbatched(3)
def lp_pool1d(
    x: Any, norm_type: float, kernel_size: int, stride: int | None = None, ceil_mode: bool = False
) -> Any:
    """`lp_pool2d` over sequences (N, C, L) or one (C, L)."""
    return _power("lp_pool1d", SEQUENCES, x, norm_type, kernel_size, stride, ceil_mode)


@unbatched(4)
def lp_pool2d(
    x: Any, norm_type: float, kernel_size: int | Pair, stride: int | Pair | None = None,
    ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """(sum of x^p)^(1/p) over each window, p being `norm_type`, as `torch.nn.functional.lp_pool2d`.

    x (N, C, H, W) or one (C, H, W); integers give float64. With p 1 it is a sum. Of an odd p x keeps its
    sign, so that a sum may be negative and its root NaN. Where it is 0 the gradient is taken as 0, as that
    of `norm`.
    """
    return _power("lp_pool2d", IMAGES, x, norm_type, kernel_size, stride, ceil_mode)


@unbatched(5)
def lp_pool3d(
    x: Any, norm_type: float, kernel_size: int | Triple, stride: int | Triple | None = None,
    ceil_mode: bool = False,
) -> Any:  # fmt: skip
    """`lp_pool2d` over volumes (N, C, D, H, W) or one (C, D, H, W)."""
    return _power("lp_pool3d", VOLUMES, x, norm_type, kernel_size, stride, ceil_mode)
