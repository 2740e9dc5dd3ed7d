"""The product over axes, and the products that its derivatives are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from shared.op import Joint, Op, Rule, array_module
from shared.ops.reductions import Axis, fold, normal_form, reduction, restore, sum_dtype
from shared.spec import Operand, Spec, promote

# --- the product of the others -------------------------------------------------------------


def _compute(x: Any, *vs: Any, axis: tuple[int, ...]) -> Any:
    """With the axes made one: left[k] times right[k], what stands before k and what stands after."""
    kept = tuple(i for i in range(x.ndim) if i not in axis)
    order = kept + axis
    sizes = tuple(x.shape[i] for i in order)
    n = math.prod(sizes[len(kept) :])
    lines = [v.transpose(order).reshape(*sizes[: len(kept)], n) for v in (x, *vs)]
    y = _directional(lines) if vs else _plain(lines[0])
    back = np.argsort(order).tolist()
    return array_module(x).ascontiguousarray(y.reshape(sizes).transpose(back)).reshape(x.shape)


def _plain(x: Any) -> Any:
    """The product of the others along the last axis, by running products from both ends."""
    y = array_module(x).ones(x.shape, x.dtype)
    y[..., 1:] = x[..., :-1].cumprod(axis=-1)
    if x.shape[-1] > 1:
        y[..., :-1] *= x[..., :0:-1].cumprod(axis=-1)[..., ::-1]
    return y


def _directional(lines: list[Any]) -> Any:
    """The same for x + e1 v1 + ... + em vm, where every e squared is 0: the coefficient of
    e1 ... em. A number of this kind is held as its 2^m coefficients, by the set of e's as bits."""
    m = len(lines) - 1
    x = lines[0]
    xp = array_module(x)
    y = xp.zeros(x.shape, xp.result_type(*lines))
    places = range(x.shape[-1])
    lefts = list(_running(lines, places))
    for k, right in zip(reversed(places), _running(lines, reversed(places)), strict=True):
        for bits in range(1 << m):
            y[..., k] += lefts[k][bits] * right[(1 << m) - 1 - bits]
    return y


def _running(lines: list[Any], places: Iterable[int]) -> Iterator[list[Any]]:
    """The products of the elements before each place, in the order of the places."""
    x, *vs = lines
    xp = array_module(x)
    one = xp.ones(x.shape[:-1], x.dtype)
    state = [one, *[one * 0 for _ in range((1 << len(vs)) - 1)]]
    for k in places:
        yield state
        last, state = state, [part * x[..., k] for part in state]
        for bits in range(len(state)):
            for i, v in enumerate(vs):
                if bits >> i & 1:
                    state[bits] = state[bits] + last[bits ^ (1 << i)] * v[..., k]


def _rule(g: Any, y: Any, x: Any, *vs: Any, wanted: tuple[bool, ...], axis: tuple[int, ...]) -> list[Any]:
    """A derivative more is a direction more: the family is closed."""
    found = [others_product(x, *vs, g, axis=axis) if wanted[0] else None]
    for i, want in enumerate(wanted[1:]):
        rest = (*vs[:i], *vs[i + 1 :])
        found.append(others_product(x, *rest, g, axis=axis) if want else None)
    return found


def _infer(x: Operand, *vs: Operand, axis: tuple[int, ...]) -> Spec:
    return Spec(x.shape, promote(x, *vs))


others_product = Op(
    "others_product",
    _compute,
    _infer,
    Joint(_rule, reads=lambda wanted: {"x", *map(str, range(1, len(wanted)))}),
    doc="""The product of all other elements over `axis`, at each element of x: the derivative of prod.

    With further arguments v1 ... vm, of x's shape: its m-th derivative along them, the sum over all
    choices of m further elements of v1 at the first, ... vm at the m-th, times the product of the
    rest. No division, so zeros are like other numbers; and all derivatives of these are of their
    own kind, so `prod` has gradients to any order.""",
)

# --- the product ---------------------------------------------------------------------------

_prod = reduction(
    "prod",
    fold("prod"),
    Rule(
        lambda g, y, x, *, axis, keepdims: restore(g, x.shape, axis) * others_product(x, axis=axis),
        reads="x",
    ),
    sum_dtype,
)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product over `axis`; of integers and bools in 64 bits. Of nothing it is 1.

    The derivative by an element is the product of the others, without a division: right to any
    order where elements are 0.
    """
    x, settings = normal_form("prod", x, axis, keepdims)
    return _prod(x, **settings)
