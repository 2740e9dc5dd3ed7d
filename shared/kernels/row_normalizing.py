"""Layer normalisation, a row at a time: what is read several times is in the cache by then.

    mean, var = of a row of x;  y = (x - mean) / sqrt(var + eps) weight + bias,  unit the normalised x
    g_x = (h - unit sum(h unit) / width - sum(h) / width) / sqrt(var + eps),  h = g weight
    g_weight = sum of g unit, g_bias = sum of g, over all rows

Sums along a row are of chunks in the lanes of a vector, and of these in double precision; those over rows, of
blocks of rows, and of blocks as `shared.numerics.summing` does it. So their error hardly grows, and they have
one order, whatever the number of threads. The twin is in `shared.ops.layer_normalization`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from shared.kernels import machine, threads, worth_a_kernel
from shared.kernels.emitter import Emitter
from shared.kernels.machine import Routine, address
from shared.numerics.summing import BLOCK, total

CHUNK = 32
"""How many vectors are added one by one."""
LEAST = 8
"""The elements of a row from which on a vector has work."""

ROWS = ("first", "last", "width", "count_at", "x_at", "mean_at", "inv_at", "weight_at")
"""The rows from `first` up to `last` of x (rows, width), or blocks of rows; the width, and eps behind it, in
double precision."""
FORWARD = (*ROWS, "bias_at", "var_at", "y_at")
BACKWARD = (*ROWS, "rows", "g_at", "g_x_at", "g_weights_at", "g_biases_at")
"""The sums over each block's rows are added to g_weights and g_biases (blocks, width)."""


class Variant(NamedTuple):
    """What one function is made for: the dtype of all arrays ("f" or "d"), the bytes of a vector, and whether
    there are a weight and a bias."""

    dtype: str
    bytes: int
    weighted: bool
    biased: bool = False

    def emitter(self) -> Emitter:
        dtype = np.dtype(self.dtype)
        return Emitter(dtype, self.bytes // dtype.itemsize)


# --- in LLVM's language --------------------------------------------------------------------


def forward(variant: Variant, name: str) -> str:
    """For each row: its mean, its variance, and what is normalised."""
    e = variant.emitter()
    count, eps = (e.load(e.at("%count_at", k, "double"), "double") for k in (0, 1))
    e.declare("declare double @llvm.sqrt.f64(double)")
    with e.loop(e.sub("%last", "%first")) as counted:
        row = e.add("%first", counted)
        start = e.mul(row, "%width")

        def x(j: str, some: str) -> str:
            return e.load_some(e.at("%x_at", e.add(start, j)), some)

        def square(j: str, some: str) -> Sequence[str]:
            d = e.arithmetic("fsub", x(j, some), mean)
            return [e.arithmetic("fmul", d, d)]

        (sum_,) = _sums(e, lambda j, some: [x(j, some)], 1)
        mean = _kept(e, "%mean_at", row, e.new(f"fdiv double {sum_}, {count}"))
        (sum_,) = _sums(e, square, 1)
        var = e.new(f"fdiv double {sum_}, {count}")
        _kept(e, "%var_at", row, var)
        root = e.new(f"call double @llvm.sqrt.f64(double {e.new(f'fadd double {var}, {eps}')})")
        inv = _kept(e, "%inv_at", row, e.new(f"fdiv double 1.0, {root}"))
        with _vectors(e, "%width") as (j, some):
            y = e.arithmetic("fmul", e.arithmetic("fsub", x(j, some), mean), inv)
            if variant.weighted:
                y = e.arithmetic("fmul", y, e.load_some(e.at("%weight_at", j), some))
            if variant.biased:
                y = e.arithmetic("fadd", y, e.load_some(e.at("%bias_at", j), some))
            e.store_some(y, e.at("%y_at", e.add(start, j)), some)
    return e.text(name, FORWARD)


def backward(variant: Variant, name: str) -> str:
    """For each row of a block: the sums of h and of h unit, and with them the gradient by x. Beside them what
    the row adds to the gradients by weight and bias."""
    e = variant.emitter()
    count = e.load("%count_at", "double")
    with e.loop(e.sub("%last", "%first")) as counted:
        block = e.add("%first", counted)
        g_weight, g_bias = (e.at(f"%{at}_at", e.mul(block, "%width")) for at in ("g_weights", "g_biases"))
        before = e.mul(block, BLOCK)
        with e.loop(e.smaller(e.sub("%rows", before), BLOCK)) as within:
            row = e.add(before, within)
            start = e.mul(row, "%width")
            mean, inv = (e.splat(e.load(e.at(place, row))) for place in ("%mean_at", "%inv_at"))

            def read(j: str, some: str) -> tuple[str, str, str]:
                """g, h and unit."""
                g, x = (e.load_some(e.at(at, e.add(start, j)), some) for at in ("%g_at", "%x_at"))
                unit = e.arithmetic("fmul", e.arithmetic("fsub", x, mean), inv)
                if not variant.weighted:
                    return g, g, unit
                return g, e.arithmetic("fmul", g, e.load_some(e.at("%weight_at", j), some)), unit

            def both(j: str, some: str) -> Sequence[str]:
                g, h, unit = read(j, some)
                for at, more in ((g_weight, e.arithmetic("fmul", g, unit)), (g_bias, g)):
                    place = e.at(at, j)
                    e.store_some(e.arithmetic("fadd", e.load_some(place, some), more), place, some)
                return [h, e.arithmetic("fmul", h, unit)]

            means = (e.new(f"fdiv double {sum_}, {count}") for sum_ in _sums(e, both, 2))
            h_mean, h_unit = (e.splat(_narrow(e, value)) for value in means)
            with _vectors(e, "%width") as (j, some):
                _, h, unit = read(j, some)
                part = e.arithmetic("fadd", e.arithmetic("fmul", unit, h_unit), h_mean)
                g_x = e.arithmetic("fmul", e.arithmetic("fsub", h, part), inv)
                e.store_some(g_x, e.at("%g_x_at", e.add(start, j)), some)
    return e.text(name, BACKWARD)


@contextmanager
def _vectors(e: Emitter, stop: str, first: str = "") -> Iterator[tuple[str, str]]:
    """The lines within, for each vector of so many elements, from `first` on: where it begins in the row, and
    the mask of its lanes."""
    with e.loop(stop, e.lanes) as j:
        yield e.add(first, j) if first else j, e.first(e.sub(stop, j))


def _sums(e: Emitter, terms: Callable[[str, str], Sequence[str]], count: int) -> list[str]:
    """In double precision, the sums over a row of so many terms for each element; a term is a vector."""
    totals, slots = ([e.variable(of) for _ in range(count)] for of in ("double", e.vector))
    for each in totals:
        e.store("0.0", each, "double")
    with e.loop("%width", CHUNK * e.lanes) as first:
        for slot in slots:
            e.store("zeroinitializer", slot, e.vector)
        with _vectors(e, e.smaller(e.sub("%width", first), CHUNK * e.lanes), first) as (j, some):
            for slot, term in zip(slots, terms(j, some), strict=True):
                inside = e.new(f"select {e.mask} {some}, {e.vector} {term}, {e.vector} zeroinitializer")
                e.store(e.arithmetic("fadd", e.load(slot, e.vector), inside), slot, e.vector)
        for slot, each in zip(slots, totals, strict=True):
            part = e.sum_of_lanes(e.load(slot, e.vector))
            wide = part if e.element == "double" else e.new(f"fpext float {part} to double")
            e.store(e.new(f"fadd double {e.load(each, 'double')}, {wide}"), each, "double")
    return [e.load(each, "double") for each in totals]


def _narrow(e: Emitter, value: str) -> str:
    return value if e.element == "double" else e.new(f"fptrunc double {value} to float")


def _kept(e: Emitter, place: str, row: str, value: str) -> str:
    """A number of the row, written down; in all lanes."""
    value = _narrow(e, value)
    e.store(value, e.at(place, row))
    return e.splat(value)


# --- calls ---------------------------------------------------------------------------------


def suits(width: int, x: Any, *others: Any) -> bool:
    """Whether these arrays are for the kernels: large enough, and all of one dtype."""
    return (
        width >= LEAST
        and worth_a_kernel(x)
        and all(type(other) is np.ndarray and other.dtype == x.dtype for other in others if other is not None)
    )


def normalize(x: Any, weight: Any, bias: Any, eps: float, y: Any) -> tuple[Any, Any, Any]:
    """Fill y with x (rows, width), normalised; give (mean, 1 / sqrt(var + eps), var), each (rows,). weight
    and bias (width,) may be None. All of one dtype, in C order."""
    rows, width = x.shape
    mean, inv, var = (np.empty(rows, x.dtype) for _ in range(3))
    words = {"x_at": x, "mean_at": mean, "inv_at": inv, "var_at": var, "y_at": y}
    words |= {"weight_at": weight, "bias_at": bias, "count_at": np.array([width, eps], np.float64)}
    _run(forward, FORWARD, (weight is not None, bias is not None), x, rows, {"width": width}, words)
    return mean, inv, var


def normalize_grad(g: Any, x: Any, mean: Any, inv: Any, weight: Any, g_x: Any) -> tuple[Any, Any]:
    """Fill the gradient by x (rows, width), from that by y; give those by weight and bias (width,). mean and
    inv (rows,), weight (width,) or None. All of one dtype, in C order."""
    rows, width = x.shape
    blocks = -(-rows // BLOCK)
    g_weights, g_biases = np.zeros((2, blocks, width), x.dtype)
    words = {
        "x_at": x, "mean_at": mean, "inv_at": inv, "weight_at": weight, "g_at": g, "g_x_at": g_x,
        "g_weights_at": g_weights, "g_biases_at": g_biases, "count_at": np.array([width, 0.0]),
    }  # fmt: skip
    numbers = {"width": width, "rows": rows}
    _run(backward, BACKWARD, (weight is not None,), x, blocks, numbers, words)
    return total(g_weights, (0,)), total(g_biases, (0,))


def _run(
    source: Any, words: Any, has: tuple[bool, ...], x: Any, items: int, numbers: dict[str, int],
    arrays: dict[str, Any],
) -> None:  # fmt: skip
    function = _routine(source, words, Variant(x.dtype.char, machine.vector_bytes(), *has))
    shared = numbers | {name: address(array) for name, array in arrays.items() if array is not None}
    work = []
    for share in threads.share(items):
        work.append([function.arguments(shared | {"first": share.start, "last": share.stop})])
    threads.run(function.each, work)


@cache
def _routine(source: Any, words: Any, variant: Variant) -> Routine:
    key = ("row_normalizing", source.__name__, variant)
    return machine.routine(key, words, lambda name: source(variant, name))
