"""Convolution by 3x3 kernels with a quarter of the multiplications: Winograd's F(4x4, 3x3).

What a kernel g does to a tile d of 6x6 pixels, which gives 4x4, is a product of polynomials in both
directions. Such a product is found from its values at six points (Lavin and Gray 2015, arXiv:1509.09308):

    y  = A^T [(G g G^T) * (B^T d B)] A
    dg = G^T [(A dy A^T) * (B^T d B)] G        summed over the tiles

where * multiplies element by element, so that at each of the 36 taps there is one matrix product, of tiles by
channels with channels by channels: 36 multiplications where 144 were. A gradient by the image is the first
with the kernels turned.

Its numbers are larger in between than at its ends, and lose some places there: at the usual points 0, +-1,
+-2 and infinity the error in float32 is 5 to 7 times that of the sum itself, at those taken here, which lie
closer around 1 (see Barabasz et al. 2018, arXiv:1803.10986), 3 to 4 times. So it stands where sums may be
taken in another order: at static's `fast`. Blocks of images are taken at a time, whose transformed tiles fill
some of the last cache. Where there are several, each thread takes images of its own, from the transformation
of their tiles to the output, and waits for no other. What comes right before and after is done in the same
pass, as in `shared.kernels.convolution`: bias, relu and pooling, if whole windows fill a tile, and their
reverse before a gradient's tiles are transformed. Each sum has one order, whatever the number of threads. The
twin is in `shared.ops.convolution`: columns and a matrix product. What is not finite reaches all that its
tile gives, as NaN.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, threads, winograd_source
from shared.kernels.convolution import NOTHING, Geometry, Unpooling
from shared.kernels.convolution_source import Epilogue
from shared.kernels.machine import Routine, address
from shared.kernels.winograd_sizes import TAPS, TILE, WHOLE, Pair, Planes, Sizes, lanes_of, sizes_of
from shared.kernels.winograd_source import KERNEL, Matrix, Variant

POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)
"""Where the polynomials are looked at; and at infinity. Binary fractions, so that most of what is made of
them is exact; by measurement, the best of some such."""
LEAST_TILES, MOST_TILES = 4, 1024
"""So many tiles pay for the transformation of the kernels; and so many of one image, at most, fit the
caches."""
ONE = KERNEL * KERNEL
"""The numbers of one kernel."""


@cache
def matrices() -> tuple[Matrix, Matrix, Matrix]:
    """A (6x4), B^T (6x6), G (6x3)."""
    points = np.array(POINTS)
    others = [np.delete(points, i) for i in range(len(points))]
    a, g = (np.vander(points, size, increasing=True) for size in (TILE, KERNEL))
    g /= np.array([np.prod(p - rest) for p, rest in zip(points, others, strict=True)])[:, None]
    b = [[*np.poly(rest)[::-1], 0.0] for rest in others] + [np.poly(points)[::-1]]
    a, g = (np.vstack([m, np.eye(m.shape[1])[-1]]) for m in (a, g))
    return _rows(a), _rows(b), _rows(g)


def _rows(matrix: Any) -> Matrix:
    return tuple(tuple(float(number) for number in row) for row in np.asarray(matrix))


def suits(x: Any, w: Any, geometry: Geometry, groups: int, pool: Pair = WHOLE) -> bool:
    """Whether the correlation of x and w (Specs, or arrays), such windows pooled behind it, or one of its
    gradients, shall be made so: by sizes alone."""
    window = *geometry.kernel, *geometry.stride, *geometry.dilation, groups
    tiles = math.prod(-(-size // TILE) for size in geometry.output)
    return (
        window == (KERNEL, KERNEL, 1, 1, 1, 1, 1)
        and max(geometry.padding) < KERNEL
        and all(TILE % size == 0 for size in pool)
        and tiles * x.shape[0] >= LEAST_TILES
        and tiles <= MOST_TILES
        and geometry.suits(x, w, groups)
        and w.shape[0] % lanes_of(x) == 0 == w.shape[1] % lanes_of(x)
    )


# --- calls ---------------------------------------------------------------------------------


def correlate(
    x: Any, w: Any, b: Any, geometry: Geometry, out: Any, epilogue: Epilogue = NOTHING, argmax: Any = None
) -> Any:
    """Fill `out` (N, O, *output) with the correlation of x (N, C, *image) and w (O, C, 3, 3), plus b (O,)
    unless it is None, and what `epilogue` says; give it. All of one dtype, in C order. `argmax`, bytes of
    out's shape, gets the number of the element that each pooled one was in its window."""
    return _correlate(x, w, b, geometry, out, epilogue, argmax, None, False)


def correlate_input(g: Any, w: Any, geometry: Geometry, out: Any, unpooling: Unpooling | None = None) -> Any:
    """Fill `out` (N, C, *image) with the gradient by the image that belongs to g (N, O, *output), by the
    output of a convolution by w (O, C, 3, 3), or, with `unpooling`, by what was pooled of it. Give it. All of
    one dtype, in C order."""
    return _correlate(g, w, None, turned(geometry), out, NOTHING, None, unpooling, True)


def turned(geometry: Geometry) -> Geometry:
    """The window that leads from the output to the image."""
    down, across = (KERNEL - 1 - padding for padding in geometry.padding)
    return geometry._replace(image=geometry.output, output=geometry.image, padding=(down, across))


def _correlate(
    x: Any, w: Any, b: Any, geometry: Geometry, out: Any, epilogue: Epilogue, argmax: Any,
    unpooling: Unpooling | None, back: bool,
) -> Any:  # fmt: skip
    (a, seen, weights), dtype = matrices(), x.dtype
    sizes = sizes_of(x, out.shape[1], geometry, _pool(unpooling), epilogue.pool, threads=threads.count())
    transform = _Transform(x, sizes.seen, seen, sizes, unpooling)
    variant = _variant(x, _flipped(a))._replace(
        weights=weights, step=TILE, vectors=sizes.vectors, turned=back, relu=epilogue.relu, pool=epilogue.pool
    )
    multiply = _routine(winograd_source.multiply, winograd_source.MULTIPLY, variant)
    blocks, at_once = threads.share(sizes.blocks), sizes.images == len(x)
    shares = blocks if at_once else threads.share(len(x))
    rooms = [_Room(sizes, dtype, epilogue.pools) for _ in shares]
    u = np.empty((len(blocks), TAPS * sizes.u_tap) if at_once else (sizes.blocks, sizes.u_block), dtype)
    v = np.empty((1 if at_once else len(shares), TAPS * sizes.tap(sizes.channels)), dtype)
    bias = np.zeros(out.shape[1], dtype) if b is None else b
    ahead = ONE, ONE * w.shape[1]
    w_in, w_out = reversed(ahead) if back else ahead
    usual = multiply.arguments(_words(sizes.made) | {
        "channels": sizes.channels, "outputs": sizes.outputs, "piece": sizes.piece, "w_at": address(w),
        "w_in": w_in, "w_out": w_out, "u_at": address(u), "u_tap": sizes.u_tap,
        "u_block": 0 if at_once else sizes.u_block, "u_piece": 0 if at_once else TAPS * sizes.u_tap,
        "v_tap": sizes.tap(sizes.channels), "tiles": sizes.tiles, "m_tap": sizes.product_tap,
        "b_at": address(bias),
    })  # fmt: skip

    def products(share: range, images: range, thread: int, **more: int) -> _Call:
        own = {"first": share.start, "last": share.stop, "out_at": address(out[images.start :])} | more
        own |= {"images": len(images), "count": len(images) * sizes.seen.tiles}
        own |= rooms[thread].words()
        if argmax is not None:
            own |= {"argmax_at": address(argmax[images.start :])}
        return multiply, multiply.changed(usual, own)

    if at_once:  # each thread takes some channels of the output, and transforms the kernels that lead there
        _run(transform.calls(range(len(x)), v))
        _run([
            [products(share, range(len(x)), k, v_at=address(v), u_at=address(u[k]), fresh=1)]
            for k, share in enumerate(blocks)
        ])  # fmt: skip
        return out
    _run([[products(share, range(0), 0, fresh=1)] for share in blocks])  # the kernels alone
    _run([
        [call for images in _runs(share, sizes.images)
         for call in (transform.call(images, k, v[k]),
                      products(range(sizes.blocks), images, k, v_at=address(v[k])))]
        for k, share in enumerate(shares)
    ])  # fmt: skip
    return out


def correlate_weight(x: Any, g: Any, geometry: Geometry, out: Any, unpooling: Unpooling | None = None) -> Any:
    """Fill `out` (O, C, 3, 3) with the gradient of the correlation of x (N, C, *image) by its weights; g (N,
    O, *output) is that by its output, or, with `unpooling`, by what was pooled of it. Give it. All of one
    dtype, in C order."""
    (a, seen, weights), dtype = matrices(), x.dtype
    sizes = sizes_of(x, g.shape[1], geometry, g_pool=_pool(unpooling))
    images, gradients = _Transform(x, sizes.seen, seen, sizes), _Transform(g, sizes.made, a, sizes, unpooling)
    variant = _variant(x, _flipped(weights))._replace(vectors=sizes.vectors)
    sums = _routine(winograd_source.weight, winograd_source.WEIGHT, variant)
    shares, keep = threads.share(sizes.channels // sizes.lanes), sizes.images < len(x)
    v, dy = (np.empty(TAPS * sizes.tap(c), dtype) for c in (sizes.channels, sizes.outputs))
    kept = sizes.channels // sizes.lanes * sizes.blocks if keep else len(shares)
    u = np.empty((kept, TAPS * sizes.sum_tap), dtype)
    usual = sums.arguments({
        "blocks": sizes.blocks, "channels": sizes.channels, "tiles": sizes.tiles, "v_at": address(v),
        "v_tap": sizes.tap(sizes.channels), "g_at": address(dy), "g_tap": sizes.tap(sizes.outputs),
        "u_tap": sizes.sum_tap, "u_block": u[0].size * keep, "out_at": address(out),
    })  # fmt: skip
    for some in _runs(range(len(x)), sizes.images):
        transforms = itertools.zip_longest(images.calls(some, v), gradients.calls(some, dy), fillvalue=())
        _run([[*of_x, *of_g] for of_x, of_g in transforms])
        own = {"count": len(some) * sizes.seen.tiles, "fresh": not some.start, "done": some.stop == len(x)}
        _run([
            [(sums, sums.changed(usual, own | {
                "first": share.start, "last": share.stop, "u_at": address(u if keep else u[k])
            }))]
            for k, share in enumerate(shares)
        ])  # fmt: skip
    return out


_Call = tuple[Routine, Any]
"""And its arguments."""


def _run(calls: Sequence[Sequence[_Call]]) -> None:
    """The calls of each thread."""
    threads.run(_one_by_one, calls)


def _one_by_one(calls: Sequence[_Call]) -> None:
    for routine, arguments in calls:
        routine(arguments)


def _runs(images: range, most: int) -> list[range]:
    """So many of them at a time."""
    return [images[start : start + most] for start in range(0, len(images), most)]


class _Transform:
    """Fills the taps of tiles: those of x, by a matrix from both sides."""

    def __init__(
        self, x: Any, planes: Planes, matrix: Matrix, sizes: Sizes, unpooling: Unpooling | None = None
    ) -> None:
        variant = _variant(x, matrix)._replace(step=TILE)
        if unpooling is not None:
            variant = variant._replace(relu=unpooling.epilogue.relu, pool=unpooling.epilogue.pool)
        self.x, self.unpooling, self.chunks = x, unpooling, x.shape[1] // sizes.lanes
        self.routine = _routine(winograd_source.image, winograd_source.IMAGE, variant)
        self.usual = self.routine.arguments(_words(planes) | {
            "chunks": self.chunks, "tiles": sizes.tiles, "v_tap": sizes.tap(x.shape[1]),
        })  # fmt: skip
        self.planes = [np.zeros(planes.size, x.dtype) for _ in threads.share(len(x) * self.chunks)]

    def calls(self, images: range, v: Any) -> list[Sequence[_Call]]:
        """Into v, by all threads."""
        shares = threads.share(len(images) * self.chunks)
        return [[self.call(images, k, v, share)] for k, share in enumerate(shares)]

    def call(self, images: range, thread: int, v: Any, units: range | None = None) -> _Call:
        """By one of them; `units`: of the images' chunks, if not all."""
        units = range(len(images) * self.chunks) if units is None else units
        own = {
            "first": units.start, "last": units.stop, "x_at": address(self.x[images.start :]),
            "v_at": address(v), "planes_at": address(self.planes[thread]),
        }  # fmt: skip
        if self.unpooling is not None:
            y, argmax = self.unpooling.y[images.start :], self.unpooling.argmax[images.start :]
            own |= {"y_at": address(y), "argmax_at": address(argmax)}
        return self.routine, self.routine.changed(self.usual, own)


class _Room:
    """What one thread needs for its products."""

    def __init__(self, sizes: Sizes, dtype: Any, pools: bool) -> None:
        """pools: of what is largest, and of its numbers."""
        self.products = np.empty(TAPS * sizes.product_tap, dtype)
        self.planes, self.numbers = (np.empty(sizes.made.size * some, dtype) for some in (True, pools))

    def words(self) -> dict[str, int]:
        return {
            "m_at": address(self.products), "planes_at": address(self.planes),
            "numbers_at": address(self.numbers),
        }  # fmt: skip


def bytes_to_correlate(
    x: Any, outputs: int, geometry: Geometry, x_pool: Pair = WHOLE, pool: Pair = WHOLE
) -> int:
    """What `correlate` allocates meanwhile; `correlate_input` too, of g and the window turned. `pool`: the
    windows of the epilogue, `x_pool` those of the unpooling."""
    sizes, count = sizes_of(x, outputs, geometry, x_pool, pool, threads=threads.count()), int(x.shape[0])
    v, rooms = TAPS * sizes.tap(sizes.channels), TAPS * sizes.product_tap
    rooms += sizes.made.size * (1 if pool == WHOLE else 2)
    shares = len(threads.share(sizes.blocks if sizes.images == count else count))
    if sizes.images == count:
        elements = v + shares * (TAPS * sizes.u_tap + rooms)
    else:
        elements = shares * (v + rooms) + sizes.blocks * sizes.u_block
    return int((elements + _planes_of(count, sizes.channels, sizes.seen, sizes)) * x.dtype.itemsize)


def bytes_to_correlate_weight(x: Any, outputs: int, geometry: Geometry, g_pool: Pair = WHOLE) -> int:
    """What `correlate_weight` allocates meanwhile."""
    sizes, count = sizes_of(x, outputs, geometry, g_pool=g_pool), int(x.shape[0])
    chunks = sizes.channels // sizes.lanes
    kept = chunks * sizes.blocks if sizes.images < count else len(threads.share(chunks))
    elements = TAPS * (sizes.tap(sizes.channels) + sizes.tap(sizes.outputs) + kept * sizes.sum_tap)
    for channels, planes in ((sizes.channels, sizes.seen), (sizes.outputs, sizes.made)):
        elements += _planes_of(count, channels, planes, sizes)
    return int(elements * x.dtype.itemsize)


def _planes_of(count: int, channels: int, planes: Planes, sizes: Sizes) -> int:
    return len(threads.share(count * channels // sizes.lanes)) * planes.size


def _pool(unpooling: Unpooling | None) -> Pair:
    return WHOLE if unpooling is None else unpooling.epilogue.pool


def _words(planes: Planes) -> dict[str, int]:
    return {
        "area": planes.area, "down": planes.down, "across": planes.across, "wide": planes.wide,
        "places_at": address(planes.places),
    }  # fmt: skip


def _variant(x: Any, matrix: Matrix) -> Variant:
    return Variant(x.dtype.char, machine.vector_bytes(), matrix)


def _flipped(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


@cache
def _routine(source: Any, words: Any, variant: Variant) -> Routine:
    key = ("winograd", source.__name__, variant)
    return machine.routine(key, words, lambda name: source(variant, name))
