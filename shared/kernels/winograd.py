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
fill some of the last cache. Each sum has one order, whatever the number of threads. The twin is in
`shared.ops.convolution`: columns and a matrix product. What is not finite reaches all that its tile gives,
as NaN.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import machine, threads, winograd_source
from shared.kernels.convolution import NOTHING, Geometry, Unpooling
from shared.kernels.convolution_source import Epilogue
from shared.kernels.machine import Routine, address
from shared.kernels.winograd_source import KERNEL, ROWS, Matrix, Variant

Pair = tuple[int, int]

TILE = 4
"""The rows and columns that one tile gives."""
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)
"""Where the polynomials are looked at; and at infinity. Binary fractions, so that most of what is made of
them is exact; by measurement, the best of some such."""
LEAST_BYTES, BYTES = 1 << 20, 1 << 23
"""Of the transformed tiles of a block of images, unless one image has more: as many as of the kernels, which
are read again for each block, but within these bounds."""
WEIGHTS = 1 << 19
"""Bytes of the transformed kernels that are made before they are used: these lie in the second cache."""
LEAST_TILES, MOST_TILES = 4, 1024
"""So many tiles pay for the transformation of the kernels; and so many of one image, at most, fit the
caches."""
WHOLE = (1, 1)
"""The windows where nothing is pooled."""
TAPS = (TILE + KERNEL - 1) ** 2
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


class Planes(NamedTuple):
    """How a chunk of one image's channels lies, pixel by pixel: its pixels, as the image comes or goes, and
    their places; its tiles by row and column; the columns, and the elements in all."""

    area: int
    places: Any
    down: int
    across: int
    wide: int
    size: int

    @property
    def tiles(self) -> int:
        return self.down * self.across


@lru_cache(maxsize=256)
def _planes(
    image: Pair, output: Pair, padding: Pair, lanes: int, spread: Pair = WHOLE, pooled: Pair = WHOLE
) -> Planes:
    """Of images whose window gives such an output, in whole tiles. `spread`: windows of which the image that
    comes has one element each; `pooled`: those of which the planes have."""
    tiles = [-(-size // TILE) for size in output]
    counts = [image[a] // spread[a] // pooled[a] for a in (0, 1)]
    least = [tiles[a] * (TILE // pooled[a]) + KERNEL - 1 for a in (0, 1)]
    high, wide = (max(least[a], counts[a] * spread[a] + padding[a]) for a in (0, 1))
    rows, columns = (np.arange(counts[a]) * spread[a] + padding[a] for a in (0, 1))
    places = (rows[:, None] * wide + columns).reshape(-1)
    places = np.concatenate([places, np.full(lanes, high * wide)]) * lanes
    room = high * wide + (spread[0] - 1) * wide + spread[1]
    return Planes(math.prod(counts), places, *tiles, wide, room * lanes)


class _Sizes(NamedTuple):
    """What is where, for images of `channels` that lead to `outputs`.

    lanes    of a vector
    planes   of an image, and of an output
    images   that are taken at a time
    tiles    for which there is room then: whole steps of the products
    vectors  of the output's channels that are summed at a time
    """

    channels: int
    outputs: int
    lanes: int
    seen: Planes
    made: Planes
    images: int
    tiles: int
    vectors: int

    @property
    def blocks(self) -> int:
        """The blocks into which the output's channels are cut."""
        return self.outputs // self.wide

    @property
    def wide(self) -> int:
        return self.vectors * self.lanes

    def tap(self, channels: int) -> int:
        """The elements of one tap of all tiles; a little more, since places in memory that are a power of two
        apart drive each other out of the cache."""
        return channels * self.tiles + self.lanes

    @property
    def product_tap(self) -> int:
        """Of the products of all tiles for one block."""
        return self.tiles * self.wide + self.lanes

    @property
    def piece(self) -> int:
        """The image's channels that are taken at a time: whole chunks."""
        chunks = self.channels // self.lanes
        count = -(-chunks // max(WEIGHTS // (TAPS * self.wide * machine.vector_bytes()), 1))
        return -(-chunks // count) * self.lanes

    @property
    def u_tap(self) -> int:
        """Of the kernels of such a piece that lead to a block."""
        return self.piece * self.wide + self.lanes

    @property
    def u_block(self) -> int:
        """Of all kernels that lead to a block, if they are kept."""
        return TAPS * self.u_tap * -(-self.channels // self.piece)

    @property
    def sum_tap(self) -> int:
        """Of the gradient of the kernels that lead from one chunk to one block."""
        return self.lanes * self.wide + self.lanes


def _sizes(
    x: Any, outputs: int, geometry: Geometry, x_pool: Pair = WHOLE, pool: Pair = WHOLE, g_pool: Pair = WHOLE
) -> _Sizes:
    """If x is a gradient of what was pooled, the output is to be, or its gradient is of such: the windows."""
    lanes, channels = lanes_of(x), int(x.shape[1])
    seen = _planes(geometry.image, geometry.output, geometry.padding, lanes, x_pool)
    made = _planes(geometry.output, geometry.output, (0, 0), lanes, g_pool, pool)
    kernels = TAPS * channels * int(x.dtype.itemsize)
    most = min(max(kernels * outputs, LEAST_BYTES), BYTES) // (kernels * seen.tiles)
    images = max(min(most, int(x.shape[0])), 1)
    tiles = _up(images * seen.tiles, ROWS[machine.vector_bytes()])
    return _Sizes(channels, outputs, lanes, seen, made, images, tiles, 1 if outputs % (2 * lanes) else 2)


# --- which ---------------------------------------------------------------------------------


def suits(x: Any, w: Any, geometry: Geometry, groups: int, pool: Pair = WHOLE) -> bool:
    """Whether the correlation of x and w (Specs, or arrays), with such windows pooled behind it, or one of its
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


def lanes_of(x: Any) -> int:
    """The channels of a chunk."""
    return machine.vector_bytes() // int(x.dtype.itemsize)


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
    sizes = _sizes(x, out.shape[1], geometry, _pool(unpooling), epilogue.pool)
    variant = _variant(x, _flipped(a))._replace(
        weights=weights, step=TILE, vectors=sizes.vectors, turned=back, relu=epilogue.relu, pool=epilogue.pool
    )
    function = _routine(winograd_source.multiply, winograd_source.MULTIPLY, variant)
    shares = threads.share(sizes.blocks)
    keep = sizes.images < len(x)  # the kernels' taps, for the next images
    v = np.empty(TAPS * sizes.tap(sizes.channels), dtype)
    u = np.empty((sizes.blocks, sizes.u_block) if keep else (len(shares), TAPS * sizes.u_tap), dtype)
    room = [
        [np.empty(size, dtype) for size in (TAPS * sizes.product_tap, *[sizes.made.size] * (1 + epilogue.pools))]
        for _ in shares
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
    sizes, dtype = _sizes(x, g.shape[1], geometry, g_pool=_pool(unpooling)), x.dtype
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
    x: Any, some: slice, planes: Planes, variant: Variant, v: Any, sizes: _Sizes,
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
    sizes = _sizes(x, outputs, geometry, x_pool, pool)
    shares = len(threads.share(sizes.blocks))
    kept = sizes.blocks * sizes.u_block if sizes.images < x.shape[0] else shares * TAPS * sizes.u_tap
    elements = TAPS * sizes.tap(sizes.channels) + kept
    elements += shares * (TAPS * sizes.product_tap + (1 + (pool != WHOLE)) * sizes.made.size)
    return int((elements + _planes_of(x, sizes.channels, sizes)) * x.dtype.itemsize)


def bytes_to_correlate_weight(x: Any, outputs: int, geometry: Geometry, g_pool: Pair = WHOLE) -> int:
    """What `correlate_weight` allocates meanwhile."""
    sizes = _sizes(x, outputs, geometry, g_pool=g_pool)
    chunks = sizes.channels // sizes.lanes
    kept = chunks * sizes.blocks if sizes.images < x.shape[0] else len(threads.share(chunks))
    elements = TAPS * (sizes.tap(sizes.channels) + sizes.tap(sizes.outputs) + kept * sizes.sum_tap)
    return int((elements + _planes_of(x, max(sizes.channels, outputs), sizes)) * x.dtype.itemsize)


def _pool(unpooling: Unpooling | None) -> Pair:
    return WHOLE if unpooling is None else unpooling.epilogue.pool


def _planes_of(x: Any, channels: int, sizes: _Sizes) -> int:
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


def _up(count: int, step: int) -> int:
    return -(-count // step) * step


@cache
def _routine(source: Any, words: Any, variant: Variant) -> Routine:
    key = ("winograd", source.__name__, variant)
    return machine.routine(key, words, lambda name: source(variant, name))
