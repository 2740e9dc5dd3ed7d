"""Attention in one pass over the keys: no matrix of all scores is ever made.

Forward and backward, with the keys in chunks (Dao, Fu, Ermon, Rudra and Ré 2022, arXiv:2205.14135), and none
of those looked at that nobody may see. The twins are `attend_twin` and `attend_back_twin` of
`shared.ops.attending`, which have all scores of a few queries at once.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import WORTH_COMPILING, attention_source, machine, threads
from shared.kernels.attention_source import Variant
from shared.kernels.attention_tiles import CHUNK, DTYPES, ROWS, width
from shared.kernels.machine import Routine, address, routine
from shared.numerics.summing import total

SCRATCH = CHUNK
"""Elements in which a thread works, by the features of a key and its value, and some more."""


def worth_attending(*arrays: Any) -> bool:
    """Whether the kernels take q, k, v and what else there is of these (None: it is not there), and are worth
    their loading."""
    q, k = arrays[:2]
    return (
        all([type(x) is np.ndarray or x is None for x in arrays])
        and len({x.dtype for x in arrays if x is not None}) == 1
        and q.dtype in DTYPES
        and q.size // max(q.shape[-1], 1) * k.shape[-2] >= WORTH_COMPILING
        and min(q.shape[-1], arrays[2].shape[-1]) > 0
        and not machine.available()
    )


def attend(
    q: Any, k: Any, v: Any, bias: Any, causal: bool, scale: float, y: Any, largest: Any, inverse: Any
) -> None:
    """Into y (..., L, F), softmax(q k^T scale + bias) v; into `largest` (..., L) each query's largest score,
    and into `inverse` one over what the exponentials beside it add up to, or 0 where all is hidden.

    q (..., L, E), k (..., S, E), v (..., S, F) and bias (..., L, S), or None, broadcast to the axes of y, of
    which there must be some in front, and to which L, S belong; the outputs are in C order."""
    y[...] = 0
    largest[...] = -math.inf
    inverse[...] = 0
    named = {"q": q, "k": k, "v": v} | ({} if bias is None else {"bias": bias})
    _run("forward", named, causal, scale, y.shape[:-2], {"y": y, "largest": largest, "inverse": inverse})


def attend_back(
    g: Any, q: Any, k: Any, v: Any, bias: Any, causal: bool, scale: float, y: Any, largest: Any, inverse: Any,
    g_q: Any, g_k: Any, g_v: Any,
) -> None:  # fmt: skip
    """The gradients of `attend` by q, k and v, each with all axes in front that y has, in C order."""
    means = total(g * y, (y.ndim - 1,))
    for gradient in (g_q, g_k, g_v):
        gradient[...] = 0
    named = {"g": g, "q": q, "k": k, "v": v} | ({} if bias is None else {"bias": bias})
    made = {
        "largest": np.ascontiguousarray(largest), "inverse": np.ascontiguousarray(inverse),
        "means": np.ascontiguousarray(means), "g_q": g_q, "g_k": g_k, "g_v": g_v,
    }  # fmt: skip
    _run("backward", named, causal, scale, y.shape[:-2], made)


def _padded(features: int, values: int, dtype: Any) -> tuple[int, int]:
    lanes = machine.vector_bytes() // np.dtype(dtype).itemsize
    return -(-features // lanes) * lanes, -(-values // lanes) * lanes


def _rooms(rows: int, padded: int, padded_values: int, values: int) -> dict[str, int]:
    """Elements of each room of a thread."""
    return {
        "tiles_at": CHUNK * padded, "value_tiles_at": CHUNK * padded_values, "scores_at": CHUNK * rows,
        "slopes_at": CHUNK * rows, "factors_at": rows, "waste_at": max(padded, values) + 1,
    }  # fmt: skip


def _run(
    which: str, given: dict[str, Any], causal: bool, scale: float, lead: tuple[int, ...], made: dict[str, Any]
) -> None:
    q, v = given["q"], given["v"]
    vector, (heads, (keys, values)) = machine.vector_bytes(), (math.prod(lead), v.shape[-2:])
    queries, features = q.shape[-2:]
    padded, padded_values = _padded(features, values, q.dtype)
    factor = np.array(scale, q.dtype)
    words = {
        "queries": queries, "keys": keys, "features": features, "values": values, "padded": padded,
        "padded_values": padded_values, "scale_at": address(factor),
        **{f"{name}_at": address(array) for name, array in made.items()},
    }  # fmt: skip
    kept = []  # what the addresses are of
    for name, array in given.items():
        wide = (queries, keys) if name == "bias" else array.shape[-2:]
        array, starts = _heads(array, lead, wide)
        kept += [array, starts]
        words |= {
            f"{name}_at": address(array), f"{name}_heads_at": address(starts),
            f"{name}_row": array.strides[-2] // array.itemsize,
        }  # fmt: skip
    widths = (width(size, vector // q.itemsize) for size in (features, values))
    run = _routine(which, Variant(q.dtype.name, vector, causal, "bias" in given, *widths))
    rooms = _rooms(ROWS[vector], padded, padded_values, values)
    calls = []
    for share in threads.share(heads):
        scratch = np.zeros(sum(rooms.values()), q.dtype)
        kept.append(scratch)
        ends = np.cumsum([0, *rooms.values()])[:-1] * q.itemsize + address(scratch)
        mine = dict(zip(rooms, ends.tolist(), strict=True))
        calls.append(run.arguments(words | mine | {"first": share.start, "last": share.stop}))
    threads.run(run, calls)


def _heads(x: Any, lead: tuple[int, ...], wide: tuple[int, ...]) -> tuple[Any, Any]:
    """x with its elements beside each other on the last axis, and where, in elements, each head begins."""
    if x.shape[-1] != wide[1] or x.strides[-1] != x.itemsize or not x.flags.aligned:
        x = np.ascontiguousarray(np.broadcast_to(x, (*x.shape[:-1], wide[1])))
    x = np.broadcast_to(x, (*lead, *wide))
    starts = np.zeros(lead, np.int64)
    for axis, size in enumerate(lead):
        shape = (size, *(1,) * (len(lead) - axis - 1))
        starts += (np.arange(size) * (x.strides[axis] // x.itemsize)).reshape(shape)
    return x, starts


@cache
def _routine(which: str, variant: Variant) -> Routine:
    source, words = {
        "forward": (attention_source.forward, attention_source.FORWARD),
        "backward": (attention_source.backward, attention_source.BACKWARD),
    }[which]
    return routine(("attention", which, variant), words, lambda name: source(variant, name))
