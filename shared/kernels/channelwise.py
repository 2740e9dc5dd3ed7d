"""The gradient of a convolution's weights where few channels come out of a group, as in a depthwise one.

    dw[o, tap] = sum over places of  planes[offset[tap] + place] dy[o, place]

There are no channels to fill a vector with, so its lanes are neighbouring places, and are added up in the
end.
Forward, and by the image, `shared.kernels.convolution` does it with tiles of few rows.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import machine, threads
from shared.kernels.convolution import Geometry
from shared.kernels.convolution_source import IMAGES, OUTPUT, Variant, fill_planes
from shared.kernels.machine import Routine, address

TAPS = 9
"""How many are summed at a time."""
WORDS = (*IMAGES, *OUTPUT, "images", "groups", "g_at", "totals_at", "all_taps", "out_at")
"""Of the groups from `first` up to `last`. `all_taps`: filled up to whole tiles of them."""


def source(variant: Variant, name: str) -> str:
    """For each group and each image: its planes, and the products with the gradient added to the totals, a
    vector for each tap."""
    e = variant.emitter()
    with e.loop(e.sub("%last", "%first")) as counted:
        group = e.add("%first", counted)
        with e.loop(e.mul("%out_channels", "%all_taps")) as k:
            e.store("zeroinitializer", e.at("%totals_at", e.mul(k, e.lanes)), e.vector)
        with e.loop("%images") as n:
            image = e.add(e.mul(n, "%groups"), group)
            fill_planes(e, image, variant.strided)
            with e.loop("%out_channels") as o, e.loop("%all_taps", TAPS) as tap:
                channel = e.add(e.mul(image, "%out_channels"), o)
                g = e.at("%g_at", e.mul(channel, e.mul("%out_height", "%out_width")))
                total = e.mul(e.add(e.mul(o, "%all_taps"), tap), e.lanes)
                places = [e.at("%totals_at", e.add(total, i * e.lanes)) for i in range(TAPS)]
                words = [e.at("%offsets_at", e.add(tap, i), "i64") for i in range(TAPS)]
                seen = [e.at("%planes_at", e.load(word, "i64")) for word in words]
                sums = [e.variable(e.vector) for _ in range(TAPS)]
                for place, slot in zip(places, sums, strict=True):
                    e.store(e.load(place, e.vector), slot, e.vector)
                with e.loop("%out_height") as r, e.loop("%out_width", e.lanes) as q:
                    some = e.first(e.sub("%out_width", q))
                    dy = e.load_some(e.at(g, e.add(e.mul(r, "%out_width"), q)), some)
                    at = e.add(e.mul(r, "%row"), q)
                    for start, slot in zip(seen, sums, strict=True):
                        x = e.load_some(e.at(start, at), some)
                        e.store(e.multiply_add(x, dy, e.load(slot, e.vector)), slot, e.vector)
                for place, slot in zip(places, sums, strict=True):
                    e.store(e.load(slot, e.vector), place, e.vector)
        with e.loop("%out_channels") as o, e.loop("%taps") as tap:
            total = e.mul(e.add(e.mul(o, "%all_taps"), tap), e.lanes)
            out = e.add(e.mul(e.add(e.mul(group, "%out_channels"), o), "%taps"), tap)
            e.store(e.sum_of_lanes(e.load(e.at("%totals_at", total), e.vector)), e.at("%out_at", out))
    return e.text(name, WORDS)


def correlate_weight(x: Any, g: Any, geometry: Geometry, groups: int, out: Any) -> Any:
    """Fill `out` (O, C / groups, *kernel) with the gradient of the correlation of x (N, C, *image) by its
    weights; g (N, O, *output) is that by its output. Give it. All of one dtype, in C order."""
    c, o = x.shape[1] // groups, g.shape[1] // groups
    grid, taps = geometry.grid(c), math.prod(out.shape[1:])
    offsets = np.concatenate([grid.offsets, np.zeros(-taps % TAPS, np.int64)])
    height, width = geometry.output
    shared = {
        "x_at": address(x), "x_image": math.prod(x.shape[1:]) // groups, "channels": c,
        "x_height": x.shape[2], "x_width": x.shape[3], "rows_at": address(grid.rows),
        "columns_at": address(grid.columns), "channel": grid.channel, "size": grid.size,
        "offsets_at": address(offsets), "taps": taps, "all_taps": len(offsets), "row": grid.row,
        "out_channels": o, "out_height": height, "out_width": width, "images": len(x), "groups": groups,
        "g_at": address(g), "out_at": address(out),
    }  # fmt: skip
    function = _routine(Variant(x.dtype.char, machine.vector_bytes(), geometry.stride[1] > 1))
    held, work = [offsets], []
    for share in threads.share(groups):
        planes, totals = (np.zeros(size, x.dtype) for size in _scratch(x, o, geometry, groups))
        held += [planes, totals]
        own = {"first": share.start, "last": share.stop}
        own |= {"planes_at": address(planes), "totals_at": address(totals)}
        work.append([function.arguments(shared | own)])
    threads.run(function.each, work)
    return out


def bytes_to_correlate_weight(x: Any, g: Any, geometry: Geometry, groups: int) -> int:
    """What `correlate_weight` allocates meanwhile."""
    each = sum(_scratch(x, g.shape[1] // groups, geometry, groups)) * x.dtype.itemsize
    return len(threads.share(groups)) * int(each)


def _scratch(x: Any, o: int, geometry: Geometry, groups: int) -> tuple[int, int]:
    """Elements of the planes, and of the totals."""
    grid = geometry.grid(x.shape[1] // groups)
    taps = -(-len(grid.offsets) // TAPS) * TAPS
    return grid.size, o * taps * (machine.vector_bytes() // int(x.dtype.itemsize))


@cache
def _routine(variant: Variant) -> Routine:
    return machine.routine(("channelwise", variant), WORDS, lambda name: source(variant, name))
