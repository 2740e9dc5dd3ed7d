"""Losses that are minus the logarithm of a probability: of counts, of measurements with an error, of rare
positives.

All end with `reduction`: "mean", "sum" or "none". Names and settings are PyTorch's, and torchvision's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shared.dims import same_size
from shared.errors import RangeError, SettingError, ShapeError
from shared.op import Rule, elementwise
from shared.ops.choosing import cast, floating, greater, maximum, where
from shared.ops.creation import full as filled
from shared.ops.distances import (
    binary_cross_entropy_with_logits,
    floating_pair,
    known_reduction,
    pair,
    reduced_by,
)
from shared.ops.elementwise import exp, log, neg, pow, square, sub
from shared.ops.reals import RealOp
from shared.ops.shapes import expand_dims, shaped
from shared.ops.sigmoids import sigmoid
from shared.spec import as_number, is_weak, promote, sizes_match, spec_of, str_shape

# --- measurements --------------------------------------------------------------------------


def _admit_variances(var: Any, *, least: float) -> None:
    """RangeError for a variance below 0."""
    if bool((var < 0).any()):
        raise RangeError(
            f"gaussian_nll_loss: {int((var < 0).sum())} of {var.size} variances are below 0; of logarithms "
            "take exp first"
        )


def _compute_variance(var: Any, *, least: float) -> Any:
    _admit_variances(var, least=least)
    return np.maximum(var, least, order="C")


_variance = elementwise(
    "variance", _compute_variance, None,
    Rule(lambda g, y, var, *, least: g),
    kind=RealOp, dtype=lambda var, *, least: promote(var, least), judges=(0,), admits=_admit_variances,
    doc="A variance, held from `least` on; RangeError for one below 0. Its derivative is 1 everywhere, so\n"
    "that one which is held can still grow, as in PyTorch.",
)  # fmt: skip


def gaussian_nll_loss(
    x: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """(log(var) + (x - target)^2 / var) / 2, then reduced: of targets that are off by an error of this
    variance.

    x and target of one shape; var, in floating point and held from `eps` on, a number, of x's shape, or with
    a size of 1 or no axis for its last one: a variance for each row. `full` adds the constant log(2 pi) / 2.
    RangeError for a variance below 0, ShapeError for another shape. Nix and Weigend 1994.
    """
    known_reduction("gaussian_nll_loss", reduction)
    x, target = pair("gaussian_nll_loss", x, target)
    eps = as_number("gaussian_nll_loss", "eps", eps)
    if not 0 < eps < math.inf:
        raise SettingError(f"gaussian_nll_loss: eps must be a positive number, not {eps!r}")
    var = filled((), var, x.dtype, like=x) if is_weak(var) else floating(var)
    shape, given = tuple(x.shape), tuple(var.shape)
    if given and len(given) == len(shape) - 1:  # a row's, even where it would broadcast along the rows
        var, given = expand_dims(var, -1), (*given, 1)
    fits = [sizes_match(a, b) or same_size(a, 1) for a, b in zip(given, shape, strict=False)]
    if given and not (len(given) == len(shape) and all(fits)):
        raise ShapeError(
            f"gaussian_nll_loss: var {str_shape(given)} must have the shape of x {str_shape(shape)}; its "
            "last size may be 1, or be left out"
        )
    dtype = promote(spec_of(x), spec_of(target), spec_of(var))
    if dtype == np.float16:  # squares leave its range
        x, var = cast(x, np.float32), cast(var, np.float32)
    var = _variance(var, least=eps)
    losses = (log(var) + square(sub(x, target)) / var) * 0.5
    losses = shaped("gaussian_nll_loss: the losses", losses, shape)
    y = reduced_by(reduction, losses + 0.5 * math.log(2 * math.pi) if full else losses)
    return cast(y, dtype) if dtype == np.float16 else y


# --- counts --------------------------------------------------------------------------------


def poisson_nll_loss(
    x: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """exp(x) - target x, then reduced: of counts, x being the logarithm of how many are expected; or, without
    `log_input`, x - target log(x + eps), x being their number.

    `full` adds log(target!) where target is above 1, by Stirling's formula. Shapes as in `mse_loss`.
    """
    known_reduction("poisson_nll_loss", reduction)
    x, target = pair("poisson_nll_loss", x, target)
    if log_input:
        losses = exp(x) - target * x
    else:
        losses = x - target * log(x + as_number("poisson_nll_loss", "eps", eps))
    if full:
        count: Any = maximum(target, 1)
        stirling = count * log(count) - count + log(count * (2 * math.pi)) * 0.5
        losses = losses + where(greater(target, 1), stirling, 0)
    return reduced_by(reduction, losses)


# --- rare positives ------------------------------------------------------------------------


def sigmoid_focal_loss(
    x: Any, target: Any, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "none"
) -> Any:
    """binary_cross_entropy_with_logits times (1 - q)^gamma, q being the probability that x gives to the
    target, as `torchvision.ops.sigmoid_focal_loss`: what is known already counts for little.

    x and target (from 0 to 1) of one shape. Of the positives the share `alpha` counts, of the negatives
    1 - alpha; all of both where alpha is negative. Lin, Goyal, Girshick, He and Dollar 2017.
    """
    known_reduction("sigmoid_focal_loss", reduction)
    x, target = floating_pair("sigmoid_focal_loss", x, target)
    alpha = as_number("sigmoid_focal_loss", "alpha", alpha)
    missed = sigmoid(neg(x)) * target + sigmoid(x) * (1 - target)
    losses = binary_cross_entropy_with_logits(x, target, reduction="none")
    losses = losses * pow(missed, as_number("sigmoid_focal_loss", "gamma", gamma))
    if alpha >= 0:
        losses = losses * (target * alpha + (1 - target) * (1 - alpha))
    return reduced_by(reduction, losses)
