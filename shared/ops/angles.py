"""Angles from their sines, cosines and tangents; and the sides of the triangles that they are in.

Derivatives are written so that they keep their digits at the ends: 1 - x^2 as (1 - x)(1 + x), whose factors
are exact near 1, and 1 + x^2 as the square of hypot(x, 1), which does not overflow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.op import Rule, elementwise
from shared.ops.choosing import BROADCAST, PROMOTE, equal, gate, not_equal, where
from shared.ops.elementwise import mul, neg, sqrt

_FLOATS = "Any shape; floats keep their dtype, integers and bools become floats."


def _sine_of_cosine(x: Any) -> Any:
    """sqrt(1 - x^2)."""
    return sqrt((1 - x) * (x + 1))


asin = elementwise(
    "asin", np.arcsin, None,
    Rule(lambda g, y, x: g / _sine_of_cosine(x), reads="x"),
    doc="The angle from -pi/2 to pi/2 whose sine is x, elementwise; NaN beyond 1, where there is none. Its\n"
    f"derivative, 1 / sqrt(1 - x^2), is infinite at 1.\n{_FLOATS}",
)  # fmt: skip

acos = elementwise(
    "acos", np.arccos, None,
    Rule(lambda g, y, x: neg(g / _sine_of_cosine(x)), reads="x"),
    doc="The angle from 0 to pi whose cosine is x, elementwise; NaN beyond 1, where there is none. Its\n"
    f"derivative, -1 / sqrt(1 - x^2), is infinite at 1.\n{_FLOATS}",
)  # fmt: skip


def _hypot_rule(g: Any, y: Any, side: Any) -> Any:
    return gate(g, not_equal(y, 0)) * (side / where(equal(y, 0), 1, y))


hypot = elementwise(
    "hypot", np.hypot, None,
    Rule(lambda g, y, a, b: _hypot_rule(g, y, a), reads="y a"),
    Rule(lambda g, y, a, b: _hypot_rule(g, y, b), reads="y b"),
    doc="sqrt(a^2 + b^2), elementwise, also where the squares leave the range. Its derivatives where both\n"
    f"are 0 are taken as 0. {BROADCAST} {PROMOTE}",
)  # fmt: skip

atan = elementwise(
    "atan", np.arctan, None,
    Rule(lambda g, y, x: _over_square(g, x), reads="x"),
    doc=f"The angle from -pi/2 to pi/2 whose tangent is x, elementwise.\n{_FLOATS}",
)  # fmt: skip


def one_and_square(x: Any) -> Any:
    """The root of 1 + x^2; of complex numbers in two factors, which jump where asinh and atan do."""
    if x.dtype.kind == "c":
        return sqrt(1 + x * 1j) * sqrt(1 - x * 1j)
    return hypot(x, 1)


def _over_square(g: Any, x: Any) -> Any:
    """g / (1 + x^2)."""
    h = one_and_square(x)
    return g / h / h


def _by_side(g: Any, a: Any, b: Any, side: Any) -> Any:
    """g side / (a^2 + b^2); 0 where a and b are."""
    h = hypot(a, b)
    g, h = gate(g, not_equal(h, 0)), where(equal(h, 0), 1, h)
    return g * (side / h / h)


atan2 = elementwise(
    "atan2", np.arctan2, None,
    Rule(lambda g, y, a, b: _by_side(g, a, b, b), reads="a b"),
    Rule(lambda g, y, a, b: neg(_by_side(g, a, b, a)), reads="a b"),
    doc="The angle from -pi to pi of the point (b, a), elementwise: atan(a / b) in the quadrant that the\n"
    "signs say, those of zeros too. Its derivatives of all orders where both are 0 are taken as 0.\n"
    f"{BROADCAST} {PROMOTE}",
)  # fmt: skip


def deg2rad(x: Any) -> Any:
    """Degrees as radians: x pi / 180, elementwise; integers become float32."""
    return mul(x, math.pi / 180)


def rad2deg(x: Any) -> Any:
    """Radians as degrees: 180 x / pi, elementwise; integers become float32."""
    return mul(x, 180 / math.pi)
