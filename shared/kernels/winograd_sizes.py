"""How much of a convolution `shared.kernels.winograd` takes at a time, and what is where meanwhile."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import machine
from shared.kernels.convolution import Geometry
from shared.kernels.winograd_source import KERNEL, ROWS

Pair = tuple[int, int]

TILE = 4
"""The rows and columns that one tile gives."""
LEAST_BYTES, BYTES = 1 << 20, 1 << 23
"""Of the transformed tiles of a block of images, unless one image has more: as many as of the kernels, which
are read again for each block, but within these bounds."""
WEIGHTS = 1 << 19
"""Bytes of the transformed kernels that are made before they are used: these lie in the second cache."""
WHOLE = (1, 1)
"""The windows where nothing is pooled."""
TAPS = (TILE + KERNEL - 1) ** 2


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
    """Of images whose window gives such an output, in whole tiles. `spread`: the windows of which an image
    has one element as it comes; `pooled`: those of which its planes have one."""
    down, across = (-(-size // TILE) for size in output)
    counts = [image[a] // spread[a] // pooled[a] for a in (0, 1)]
    least = [(down, across)[a] * (TILE // pooled[a]) + KERNEL - 1 for a in (0, 1)]
    high, wide = (max(least[a], counts[a] * spread[a] + padding[a]) for a in (0, 1))
    rows, columns = (np.arange(counts[a]) * spread[a] + padding[a] for a in (0, 1))
    places = (rows[:, None] * wide + columns).reshape(-1)
    places = np.concatenate([places, np.full(lanes, high * wide)]) * lanes
    room = high * wide + (spread[0] - 1) * wide + spread[1]
    return Planes(math.prod(counts), places, down, across, wide, room * lanes)


class Sizes(NamedTuple):
    """What is where, for images of `channels` that lead to `outputs`.

    lanes    of a vector
    seen     the planes of an image
    made     those of an output
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


def sizes_of(
    x: Any, outputs: int, geometry: Geometry, x_pool: Pair = WHOLE, pool: Pair = WHOLE, g_pool: Pair = WHOLE,
    threads: int = 1,
) -> Sizes:  # fmt: skip
    """The windows are those of pooling: x is a gradient of what was pooled with them (`x_pool`), the output
    goes so (`pool`), or its gradient comes so (`g_pool`). If all images are too many, so many threads take
    theirs at the same time."""
    lanes, channels = lanes_of(x), int(x.shape[1])
    seen = _planes(geometry.image, geometry.output, geometry.padding, lanes, x_pool)
    made = _planes(geometry.output, geometry.output, (0, 0), lanes, g_pool, pool)
    kernels = TAPS * channels * int(x.dtype.itemsize)
    most = min(max(kernels * outputs, LEAST_BYTES), BYTES) // (kernels * seen.tiles)
    images = int(x.shape[0])
    if most < images:
        images = max(most // threads, 1)
    tiles = _up(images * seen.tiles, ROWS[machine.vector_bytes()])
    return Sizes(channels, outputs, lanes, seen, made, images, tiles, 1 if outputs % (2 * lanes) else 2)


def lanes_of(x: Any) -> int:
    """The channels of a chunk."""
    return machine.vector_bytes() // int(x.dtype.itemsize)


def _up(count: int, step: int) -> int:
    return -(-count // step) * step
