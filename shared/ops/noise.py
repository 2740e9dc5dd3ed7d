"""What noise does to a layer's values, with randomness as an argument: dropout's kin, rrelu, gumbel_softmax.

Each gives what comes out and the generator's next state: see `shared.ops.random`.
"""

from __future__ import annotations

import math
from typing import Any

from shared.errors import SettingError, ShapeError
from shared.numerics.summing import work_dtype
from shared.ops.activations import SELU_ALPHA, SELU_SCALE
from shared.ops.choosing import cast, floating, gate, greater, less, maximum, where
from shared.ops.creation import full, ones
from shared.ops.elementwise import log, neg
from shared.ops.gradients import stop_gradient
from shared.ops.lookup import one_hot
from shared.ops.random import bernoulli, dropout, uniform
from shared.ops.reductions import argmax
from shared.ops.shapes import as_tensor_like, transpose
from shared.ops.softmaxes import softmax
from shared.spec import as_number, one_axis, str_shape


def _probability(call: str, p: Any) -> float:
    p = as_number(call, "p", p)
    if not 0 <= p <= 1:
        raise SettingError(f"{call}: p must be a probability from 0 to 1, not {p!r}")
    return p


def _drawn_like(x: Any, state: Any) -> tuple[Any, Any]:
    """Numbers evenly from [0, 1) of x's shape and the next state. They are the same for every dtype: drawn in
    single precision, and given in x's, but for half in single."""
    drawn, moved = uniform(state, tuple(x.shape))
    return cast(drawn, work_dtype(x.dtype)), moved


# --- dropout's kin -------------------------------------------------------------------------


def _dropout_of_channels(call: str, x: Any, state: Any, p: float, axes: int) -> tuple[Any, Any]:
    """Dropout of all that lies along the last `axes` axes at once."""
    x = as_tensor_like(x)
    shape = tuple(x.shape)
    if len(shape) - axes not in (1, 2):
        raise ShapeError(
            f"{call}: x {str_shape(shape)} must have {axes + 2} axes, N and C first, or {axes + 1}, C first"
        )
    lead = shape[: len(shape) - axes]
    mask, moved = dropout(ones((*lead, *(1,) * axes), x.dtype, like=x), state, _probability(call, p))
    return x * mask, moved


def dropout1d(x: Any, state: Any, p: float = 0.5) -> tuple[Any, Any]:
    """`x` (N, C, L) or (C, L) with whole channels zeroed with probability p, the others scaled by
    1 / (1 - p). Gives (y, the generator's next state). Tompson and others 2015."""
    return _dropout_of_channels("dropout1d", x, state, p, 1)


def dropout2d(x: Any, state: Any, p: float = 0.5) -> tuple[Any, Any]:
    """The same for (N, C, H, W) or (C, H, W)."""
    return _dropout_of_channels("dropout2d", x, state, p, 2)


def dropout3d(x: Any, state: Any, p: float = 0.5) -> tuple[Any, Any]:
    """The same for (N, C, D, H, W) or (C, D, H, W)."""
    return _dropout_of_channels("dropout3d", x, state, p, 3)


def alpha_dropout(x: Any, state: Any, p: float = 0.5) -> tuple[Any, Any]:
    """Dropout for selu: with probability p an element becomes what selu gives far below 0, and all are scaled
    and moved so that mean 0 and variance 1 stay. Klambauer and others 2017.

    Gives (y, the generator's next state). For a p of 1 all is 0, as in PyTorch.
    """
    x, p = floating(x), _probability("alpha_dropout", p)
    kept, moved = bernoulli(state, full(tuple(x.shape), 1 - p, x.dtype, like=x))
    if p == 1:
        return gate(x, False), moved
    low = -SELU_ALPHA * SELU_SCALE
    scale = 1 / math.sqrt((1 - p) * (1 + p * low * low))
    return where(greater(kept, 0), x, low) * scale - scale * low * p, moved


def rrelu(x: Any, state: Any, lower: float = 1 / 8, upper: float = 1 / 3) -> tuple[Any, Any]:
    """x, times a number drawn evenly from [lower, upper) where it is negative. Xu, Wang, Chen and Li 2015.

    Gives (y, the generator's next state). In evaluation the middle of the two is the slope: `leaky_relu`.
    """
    x = floating(x)
    lower, upper = as_number("rrelu", "lower", lower), as_number("rrelu", "upper", upper)
    if not lower <= upper:
        raise SettingError(f"rrelu: lower {lower} must not be above upper {upper}")
    drawn, moved = _drawn_like(x, state)
    slope = cast(drawn * (upper - lower) + lower, x.dtype)
    negative = less(x, 0)
    return where(negative, gate(x, negative) * slope, x), moved


# --- gumbel_softmax ------------------------------------------------------------------------

_LEAST = 2.0**-25
"""Half the least distance of two numbers that are drawn: what stands for 0, whose logarithm is infinite."""


def gumbel_softmax(
    logits: Any, state: Any, tau: float = 1.0, hard: bool = False, axis: int = -1
) -> tuple[Any, Any]:
    """A sample of the classes along `axis`, softly: softmax((logits + noise) / tau), the noise being
    Gumbel's, so that the largest is a draw from softmax(logits). Jang, Gu and Poole 2017; Maddison, Mnih and
    Teh 2017.

    Gives (y, the generator's next state). `hard`: y is 1 at the class that was drawn and 0 elsewhere, and its
    gradient is that of the soft one. SettingError for a tau that is not positive.
    """
    logits, tau = floating(logits), as_number("gumbel_softmax", "tau", tau)
    if not 0 < tau < math.inf:
        raise SettingError(f"gumbel_softmax: tau must be a positive number, not {tau!r}")
    axis = one_axis("gumbel_softmax", axis, len(logits.shape))
    drawn, moved = _drawn_like(logits, state)
    noise = neg(log(neg(log(maximum(drawn, _LEAST)))))
    soft = softmax((logits + cast(noise, logits.dtype)) / tau, axis)
    if not hard:
        return soft, moved
    chosen = one_hot(argmax(soft, axis), soft.shape[axis], soft.dtype)
    order = list(range(len(soft.shape) - 1))
    order.insert(axis, len(order))
    return transpose(chosen, order) + (soft - stop_gradient(soft)), moved  # 0, that has the gradient of soft
