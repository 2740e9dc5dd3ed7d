"""Batch normalisation, a channel at a time: what is read several times is in the cache by then.

    mean, var = of all x of the channel;  y = (x - mean) / sqrt(var + eps) weight + bias
    g_x = (g - unit sum(g unit) / count - sum(g) / count) weight / sqrt(var + eps),  unit the normalised x

What follows is done in the same pass: something added to y, and relu (He et al. 2015, arXiv:1512.03385). So
is what comes before on the way back, relu's gradient.

Sums are of chunks in the lanes of a vector, then of some images, in double precision, so that their error
hardly grows with the batch. They have one order, whatever the number of threads. The twin is in
`shared.ops.batch_normalization`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import machine, threads, worth_a_kernel
from shared.kernels.emitter import Emitter
from shared.kernels.machine import Routine, address
from shared.kernels.pooling_source import positive

CHUNK = 32
"""How many vectors, and how many images' sums, are added one by one."""
LEAST = 8
"""The elements of a channel in one image from which on a vector has work."""

CHANNELS = (
    "first", "last", "images", "channels", "area", "count_at", "x_at", "mean_at", "inv_at", "weight_at",
)  # fmt: skip
"""The channels from `first` up to `last` of x (images, channels, area); the count of a channel's elements,
and eps behind it, in double precision."""
FORWARD = (*CHANNELS, "bias_at", "var_at", "y_at", "added_at")
BACKWARD = (*CHANNELS, "g_at", "g_x_at", "g_weight_at", "g_bias_at", "relu_at")


class Variant(NamedTuple):
    """What one function is made for: the dtype of all arrays ("f" or "d"), the bytes of a vector, and whether
    there are a weight, a bias, something to add to y, and relu behind it."""

    dtype: str
    bytes: int
    weighted: bool
    biased: bool = False
    added: bool = False
    relu: bool = False

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


# --- in LLVM's language --------------------------------------------------------------------


def forward(variant: Variant, name: str) -> str:
    """For each channel: its mean, its variance, and what is normalised."""
    e = variant.emitter()
    with e.loop(e.sub("%last", "%first")) as counted:
        c = e.add("%first", counted)
        count, eps = (e.load(e.at("%count_at", k, "double"), "double") for k in (0, 1))

        def deviation(at: str, some: str) -> str:
            x = e.load_some(e.at("%x_at", at), some)
            return e.new(f"fsub {e.vector} {x}, {mean}")

        def square(at: str, some: str) -> Sequence[str]:
            d = deviation(at, some)
            return [e.new(f"fmul {e.vector} {d}, {d}")]

        (total,) = _sums(e, c, lambda at, some: [e.load_some(e.at("%x_at", at), some)], 1)
        mean = _kept(e, "%mean_at", c, e.new(f"fdiv double {total}, {count}"))
        (total,) = _sums(e, c, square, 1)
        var = e.new(f"fdiv double {total}, {count}")
        _kept(e, "%var_at", c, var)
        e.declare("declare double @llvm.sqrt.f64(double)")
        root = e.new(f"call double @llvm.sqrt.f64(double {e.new(f'fadd double {var}, {eps}')})")
        inv = _kept(e, "%inv_at", c, e.new(f"fdiv double 1.0, {root}"))
        weight = e.splat(e.load(e.at("%weight_at", c))) if variant.weighted else ""
        bias = e.splat(e.load(e.at("%bias_at", c))) if variant.biased else ""
        with _vectors(e, c) as (at, some):
            y = e.new(f"fmul {e.vector} {deviation(at, some)}, {inv}")
            y = e.new(f"fmul {e.vector} {y}, {weight}") if weight else y
            y = e.new(f"fadd {e.vector} {y}, {bias}") if bias else y
            if variant.added:
                y = e.arithmetic("fadd", y, e.load_some(e.at("%added_at", at), some))
            y = positive(e, y) if variant.relu else y
            e.store_some(y, e.at("%y_at", at), some)
    return e.text(name, FORWARD)


def backward(variant: Variant, name: str) -> str:
    """For each channel: the sums of g and of g unit, and with them the gradient by x."""
    e = variant.emitter()
    with e.loop(e.sub("%last", "%first")) as counted:
        c = e.add("%first", counted)
        mean, inv = (e.splat(e.load(e.at(place, c))) for place in ("%mean_at", "%inv_at"))
        count = e.load("%count_at", "double")

        def g_of(at: str, some: str) -> str:
            g = e.load_some(e.at("%g_at", at), some)
            if not variant.relu:
                return g
            is_open = f"fcmp ogt {e.vector} {e.load_some(e.at('%relu_at', at), some)}, zeroinitializer"
            return e.new(f"select {e.mask} {e.new(is_open)}, {e.vector} {g}, {e.vector} zeroinitializer")

        def unit_of(at: str, some: str) -> str:
            d = e.new(f"fsub {e.vector} {e.load_some(e.at('%x_at', at), some)}, {mean}")
            return e.new(f"fmul {e.vector} {d}, {inv}")

        def both(at: str, some: str) -> Sequence[str]:
            g = g_of(at, some)
            return [g, e.new(f"fmul {e.vector} {g}, {unit_of(at, some)}")]

        totals = _sums(e, c, both, 2)
        _kept(e, "%g_bias_at", c, totals[0])
        _kept(e, "%g_weight_at", c, totals[1])
        g_mean, g_unit = (_narrow(e, e.new(f"fdiv double {total}, {count}")) for total in totals)
        scale = inv
        if variant.weighted:
            scale = e.new(f"fmul {e.vector} {inv}, {e.splat(e.load(e.at('%weight_at', c)))}")
        g_mean, g_unit = e.splat(g_mean), e.splat(g_unit)
        with _vectors(e, c) as (at, some):
            part = e.new(f"fmul {e.vector} {unit_of(at, some)}, {g_unit}")
            part = e.new(f"fadd {e.vector} {part}, {g_mean}")
            g = e.new(f"fsub {e.vector} {g_of(at, some)}, {part}")
            e.store_some(e.new(f"fmul {e.vector} {g}, {scale}"), e.at("%g_x_at", at), some)
    return e.text(name, BACKWARD)


@contextmanager
def _vectors(e: Emitter, c: str) -> Iterator[tuple[str, str]]:
    """The lines within, for each vector of a channel: where it begins, and the mask of its lanes."""
    with e.loop("%images") as n:
        start = e.mul(e.add(e.mul(n, "%channels"), c), "%area")
        with e.loop("%area", e.lanes) as p:
            yield e.add(start, p), e.first(e.sub("%area", p))


def _sums(e: Emitter, c: str, terms: Callable[[str, str], Sequence[str]], count: int) -> list[str]:
    """In double precision, the sums over a channel of so many terms for each element; a term is a vector."""
    totals = [e.variable("double") for _ in range(count)]
    some_images = [e.variable("double") for _ in range(count)]
    for total in totals:
        e.store("0.0", total, "double")
    with e.loop("%images", CHUNK) as block:
        for total in some_images:
            e.store("0.0", total, "double")
        with e.loop(e.smaller(e.sub("%images", block), CHUNK)) as n:
            _add_image(e, c, e.add(block, n), terms, some_images)
        for total, part in zip(totals, some_images, strict=True):
            both = f"fadd double {e.load(total, 'double')}, {e.load(part, 'double')}"
            e.store(e.new(both), total, "double")
    return [e.load(total, "double") for total in totals]


def _add_image(
    e: Emitter, c: str, n: str, terms: Callable[[str, str], Sequence[str]], totals: Sequence[str]
) -> None:
    """The sums of one image's channel, chunk after chunk."""
    slots = [e.variable(e.vector) for _ in totals]
    with e.loop("%area", CHUNK * e.lanes) as first:
        start = e.add(e.mul(e.add(e.mul(n, "%channels"), c), "%area"), first)
        left = e.smaller(e.sub("%area", first), CHUNK * e.lanes)
        for slot in slots:
            e.store("zeroinitializer", slot, e.vector)
        with e.loop(left, e.lanes) as p:
            some = e.first(e.sub(left, p))
            for slot, term in zip(slots, terms(e.add(start, p), some), strict=True):
                inside = f"select {e.mask} {some}, {e.vector} {term}, {e.vector} zeroinitializer"
                value = e.new(f"fadd {e.vector} {e.load(slot, e.vector)}, {e.new(inside)}")
                e.store(value, slot, e.vector)
        for slot, total in zip(slots, totals, strict=True):
            part = e.sum_of_lanes(e.load(slot, e.vector))
            wide = part if e.element == "double" else e.new(f"fpext float {part} to double")
            e.store(e.new(f"fadd double {e.load(total, 'double')}, {wide}"), total, "double")


def _narrow(e: Emitter, value: str) -> str:
    return value if e.element == "double" else e.new(f"fptrunc double {value} to float")


def _kept(e: Emitter, place: str, c: str, value: str) -> str:
    """A number of the channel, written down; in all lanes."""
    value = _narrow(e, value)
    e.store(value, e.at(place, c))
    return e.splat(value)


# --- calls ---------------------------------------------------------------------------------


def suits(x: Any, *others: Any) -> bool:
    """Whether these arrays are for the kernels: large enough, and all of one dtype."""
    return (
        worth_a_kernel(x)
        and math.prod(x.shape[2:]) >= LEAST
        and all(type(other) is np.ndarray and other.dtype == x.dtype for other in others if other is not None)
    )


def normalize(
    x: Any, weight: Any, bias: Any, eps: float, y: Any, added: Any = None, relu: bool = False
) -> tuple[Any, Any, Any]:
    """Fill y with x (N, C, ...) normalised, plus `added` unless it is None, relu behind it or not; give
    (mean, 1 / sqrt(var + eps), var), each (C,). weight and bias (C,) may be None. All are of one dtype, in
    C order."""
    mean, inv, var = (np.empty(x.shape[1], x.dtype) for _ in range(3))
    held = np.array([x.size / max(x.shape[1], 1), eps])
    words = {
        "mean_at": mean, "inv_at": inv, "var_at": var, "y_at": y, "weight_at": weight, "bias_at": bias,
        "added_at": added,
    }  # fmt: skip
    has = weight is not None, bias is not None, added is not None, relu
    _run(forward, FORWARD, has, x, held, words)
    return mean, inv, var


def normalize_grad(
    g: Any, x: Any, mean: Any, inv: Any, weight: Any, g_x: Any, g_weight: Any, g_bias: Any, relu: Any = None
) -> None:
    """Fill the gradients by x, weight and bias, from that by y, or by what relu made of it, which is `relu`.
    weight (C,) may be None. All of one dtype, in C order."""
    held = np.array([x.size / max(x.shape[1], 1)])
    words = {
        "mean_at": mean, "inv_at": inv, "weight_at": weight, "g_at": g, "g_x_at": g_x,
        "g_weight_at": g_weight, "g_bias_at": g_bias, "relu_at": relu,
    }  # fmt: skip
    _run(backward, BACKWARD, (weight is not None, False, False, relu is not None), x, held, words)


def _run(source: Any, words: Any, has: tuple[bool, ...], x: Any, held: Any, arrays: dict[str, Any]) -> None:
    function = _routine(source, words, Variant(x.dtype.char, machine.vector_bytes(), *has))
    shared = {name: address(array) for name, array in arrays.items() if array is not None}
    shared |= {
        "images": len(x), "channels": x.shape[1], "area": math.prod(x.shape[2:]), "x_at": address(x),
        "count_at": address(held),
    }  # fmt: skip
    work = []
    for share in threads.share(x.shape[1]):
        work.append([function.arguments(shared | {"first": share.start, "last": share.stop})])
    threads.run(function.each, work)


@cache
def _routine(source: Any, words: Any, variant: Variant) -> Routine:
    key = ("normalizing", source.__name__, variant)
    return machine.routine(key, words, lambda name: source(variant, name))
