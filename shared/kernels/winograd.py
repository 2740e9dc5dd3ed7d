"""Convolution by 3x3 kernels with a quarter of the multiplications: Winograd's F(4x4, 3x3).

What a kernel g does to a tile d of 6x6 pixels, which gives 4x4, is a product of polynomials in both
directions. Such a product is found from its values at six points (Lavin and Gray 2015, arXiv:1509.09308):

    y  = A^T [(G g G^T) * (B^T d B)] A
    dg = G^T [(A dy A^T) * (B^T d B)] G        summed over the tiles

where * multiplies element by element, so that at each of the 36 taps there is one matrix product, of tiles by
channels with channels by channels: 36 multiplications where 144 were. A gradient by the image is the first
with the kernels turned.

Its numbers are larger in between than at its ends, and lose some places there: at the usual points 0, +-1,
+-2 and infinity the error in float32 is 5 to 7 times that of the sum itself, at those taken here, which
lie closer around 1 (see Barabasz et al. 2018, arXiv:1803.10986), 3 to 4 times. So it stands where sums may
be taken in another order: at static's `fast`. Blocks of images are taken at a time, whose transformed tiles
fill some of the last cache. What comes right before and after is done in the same pass, as in
`shared.kernels.convolution`: bias, relu and pooling, if whole windows fill a tile, and their reverse before a
gradient's tiles are transformed. Each sum has one order, whatever the number of threads. The twin is in
`shared.ops.convolution`: columns and a matrix product. What is not finite reaches all that its tile gives,
as NaN.
"""

from __future__ import annotations

import math
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


def correlate_input(
    g: Any, w: Any, geometry: Geometry, out: Any, unpooling: Unpooling | None = None
) -> Any:
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
    (a, _, weights), dtype = matrices(), x.dtype
    sizes = sizes_of(x, out.shape[1], geometry, _pool(unpooling), epilogue.pool)
    variant = _variant(x, _flipped(a))._replace(
        weights=weights, step=TILE, vectors=sizes.vectors, turned=back, relu=epilogue.relu, pool=epilogue.pool
    )
    function = _routine(winograd_source.multiply, winograd_source.MULTIPLY, variant)
    shares = threads.share(sizes.blocks)
    keep = sizes.images < len(x)  # the kernels' taps, for the next images
    v = np.empty(TAPS * sizes.tap(sizes.channels), dtype)
    u = np.empty((sizes.blocks, sizes.u_block) if keep else (len(shares), TAPS * sizes.u_tap), dtype)
    own_planes = [sizes.made.size] * (1 + epilogue.pools)  # of what is largest, and of its numbers
    room = [
        [np.empty(size, dtype) for size in (TAPS * sizes.product_tap, *own_planes)] for _ in shares
    ]
    bias = np.zeros(out.shape[1], dtype) if b is None else b
    ahead = ONE, ONE * w.shape[1]
    w_in, w_out = reversed(ahead) if back else ahead
    shared = _words(sizes.made) | {
        "channels": sizes.channels, "outputs": sizes.outputs, "piece": sizes.piece,
        "w_at": address(w), "w_in": w_in, "w_out": w_out, "u_tap": sizes.u_tap,
        "u_block": sizes.u_block * keep, "u_piece": TAPS * sizes.u_tap * keep, "v_at": address(v),
        "v_tap": sizes.tap(sizes.channels), "tiles": sizes.tiles, "m_tap": sizes.product_tap,
        "b_at": address(bias),
    }  # fmt: skip
    for first in range(0, len(x), sizes.images):
        images = min(sizes.images, len(x) - first)
        some = slice(first, first + images)
        _transform(x, some, sizes.seen, _variant(x, matrices()[1]), v, sizes, unpooling)
        work = []
        for k, (share, (m, planes, *numbers)) in enumerate(zip(shares, room, strict=True)):
            own = {"first": share.start, "last": share.stop, "m_at": address(m), "planes_at": address(planes)}
            own |= {"images": images, "count": images * sizes.seen.tiles, "out_at": address(out[first:])}
            own |= {"u_at": address(u if keep else u[k]), "fresh": not first}
            if epilogue.pools:
                own |= {"argmax_at": address(argmax[first:]), "numbers_at": address(numbers[0])}
            work.append([function.arguments(shared | own)])
        threads.run(function.each, work)
    return out


def correlate_weight(
    x: Any, g: Any, geometry: Geometry, out: Any, unpooling: Unpooling | None = None
) -> Any:
    """Fill `out` (O, C, 3, 3) with the gradient of the correlation of x (N, C, *image) by its weights; g (N,
    O, *output) is that by its output, or, with `unpooling`, by what was pooled of it. Give it. All of one
    dtype, in C order."""
    a, seen, weights = matrices()
    sizes, dtype = sizes_of(x, g.shape[1], geometry, g_pool=_pool(unpooling)), x.dtype
    variant = _variant(x, _flipped(weights))._replace(vectors=sizes.vectors)
    function = _routine(winograd_source.weight, winograd_source.WEIGHT, variant)
    shares = threads.share(sizes.channels // sizes.lanes)
    keep = sizes.images < len(x)
    v, dy = (np.empty(TAPS * sizes.tap(c), dtype) for c in (sizes.channels, sizes.outputs))
    kept = sizes.channels // sizes.lanes * sizes.blocks if keep else len(shares)
    u = np.empty((kept, TAPS * sizes.sum_tap), dtype)
    shared = {
        "blocks": sizes.blocks, "channels": sizes.channels, "tiles": sizes.tiles, "v_at": address(v),
        "v_tap": sizes.tap(sizes.channels), "g_at": address(dy), "g_tap": sizes.tap(sizes.outputs),
        "u_tap": sizes.sum_tap, "u_block": u[0].size * keep, "out_at": address(out),
    }  # fmt: skip
    for first in range(0, len(x), sizes.images):
        last = min(first + sizes.images, len(x))
        some = slice(first, last)
        _transform(x, some, sizes.seen, _variant(x, seen), v, sizes)
        _transform(g, some, sizes.made, _variant(x, a), dy, sizes, unpooling)
        work = []
        for k, share in enumerate(shares):
            own = {"first": share.start, "last": share.stop, "u_at": address(u if keep else u[k])}
            own |= {"count": (last - first) * sizes.seen.tiles, "fresh": not first, "done": last == len(x)}
            work.append([function.arguments(shared | own)])
        threads.run(function.each, work)
    return out


def _transform(
    x: Any, some: slice, planes: Planes, variant: Variant, v: Any, sizes: Sizes,
    unpooling: Unpooling | None = None,
) -> None:  # fmt: skip
    """Fill v with the taps of some images' tiles."""
    variant, pooled = variant._replace(step=TILE), {}
    if unpooling is not None:
        variant = variant._replace(relu=unpooling.epilogue.relu, pool=unpooling.epilogue.pool)
        pooled = {"y_at": address(unpooling.y[some]), "argmax_at": address(unpooling.argmax[some])}
    function, x = _routine(winograd_source.image, winograd_source.IMAGE, variant), x[some]
    shared = pooled | _words(planes) | {
        "chunks": x.shape[1] // sizes.lanes, "x_at": address(x), "tiles": sizes.tiles, "v_at": address(v),
        "v_tap": sizes.tap(x.shape[1]),
    }  # fmt: skip
    work, held = [], []
    for share in threads.share(len(x) * (x.shape[1] // sizes.lanes)):
        held.append(room := np.zeros(planes.size, x.dtype))
        own = {"first": share.start, "last": share.stop, "planes_at": address(room)}
        work.append([function.arguments(shared | own)])
    threads.run(function.each, work)


def bytes_to_correlate(
    x: Any, outputs: int, geometry: Geometry, x_pool: Pair = WHOLE, pool: Pair = WHOLE
) -> int:
    """What `correlate` allocates meanwhile; `correlate_input` too, of g and the window turned. `pool`: the
    windows of the epilogue, `x_pool` those of the unpooling."""
    sizes = sizes_of(x, outputs, geometry, x_pool, pool)
    shares = len(threads.share(sizes.blocks))
    kept = sizes.blocks * sizes.u_block if sizes.images < x.shape[0] else shares * TAPS * sizes.u_tap
    elements = TAPS * sizes.tap(sizes.channels) + kept
    elements += shares * (TAPS * sizes.product_tap + (1 + (pool != WHOLE)) * sizes.made.size)
    return int((elements + _planes_of(x, sizes.channels, sizes)) * x.dtype.itemsize)


def bytes_to_correlate_weight(x: Any, outputs: int, geometry: Geometry, g_pool: Pair = WHOLE) -> int:
    """What `correlate_weight` allocates meanwhile."""
    sizes = sizes_of(x, outputs, geometry, g_pool=g_pool)
    chunks = sizes.channels // sizes.lanes
    kept = chunks * sizes.blocks if sizes.images < x.shape[0] else len(threads.share(chunks))
    elements = TAPS * (sizes.tap(sizes.channels) + sizes.tap(sizes.outputs) + kept * sizes.sum_tap)
    return int((elements + _planes_of(x, max(sizes.channels, outputs), sizes)) * x.dtype.itemsize)


def _pool(unpooling: Unpooling | None) -> Pair:
    return WHOLE if unpooling is None else unpooling.epilogue.pool


def _planes_of(x: Any, channels: int, sizes: Sizes) -> int:
    shares = len(threads.share(sizes.images * channels // sizes.lanes))
    return shares * max(sizes.seen.size, sizes.made.size)


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
