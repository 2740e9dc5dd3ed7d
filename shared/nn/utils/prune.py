"""Pruning: weights that are held at zero by a mask. As `torch.nn.utils.prune`, whose names the states have:
`weight_orig`, which is trained, and `weight_mask`; `weight` is their product.

A second pruning goes on from the first: it counts what is left, and takes away from that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import drawn, uniform
from shared.nn.module import Module
from shared.nn.utils.computed import compute, held, hold, is_computed
from shared.spec import one_axis, str_shape
from shared.state import Buffer, Parameter
from shared.usage.door import public

__all__ = [
    "custom_from_mask", "is_pruned", "l1_unstructured", "ln_structured", "random_structured",
    "random_unstructured", "remove",
]  # fmt: skip

Amount = int | float
"""How much to prune: a number of weights (or channels), or a share of those that are left."""


def random_unstructured(module: Any, name: str, amount: Amount) -> Any:
    """Prune weights that are drawn at random. Gives the layer."""
    return _unstructured("random_unstructured", module, name, amount, lambda w: drawn(w.shape, uniform()))


def l1_unstructured(module: Any, name: str, amount: Amount, importance_scores: Any = None) -> Any:
    """Prune the weights that are smallest, or whose scores (an array of the weight's shape) are; of equal
    ones the first. Gives the layer."""

    def score(weight: Any) -> Any:
        return np.abs(weight) if importance_scores is None else _scores(importance_scores, weight)

    return _unstructured("l1_unstructured", module, name, amount, score)


def random_structured(module: Any, name: str, amount: Amount, axis: int) -> Any:
    """Prune whole channels along an axis, drawn at random. Gives the layer."""

    def score(rows: Any) -> Any:
        return drawn((len(rows),), uniform())

    return _structured("random_structured", module, name, amount, axis, score)


def ln_structured(
    module: Any, name: str, amount: Amount, n: float, axis: int, importance_scores: Any = None
) -> Any:
    """Prune the whole channels along an axis whose n-norm is the smallest. Gives the layer."""

    def score(rows: Any) -> Any:
        return np.linalg.norm(rows.astype(np.float64), n, axis=1)

    return _structured("ln_structured", module, name, amount, axis, score, importance_scores)


def custom_from_mask(module: Any, name: str, mask: Any) -> Any:
    """Prune where a mask of the weight's shape is 0, or False. Gives the layer."""
    given = np.asarray(mask.numpy() if hasattr(mask, "numpy") else mask)
    return _prune("custom_from_mask", module, name, lambda weight, kept: given)


def remove(module: Any, name: str) -> Any:
    """Make the weight a Parameter again, with zeros where it was pruned, which are trained from now on. Gives
    the layer."""
    if not is_pruned_at(module, name):
        raise SettingError(f"remove: {type(module).__name__}.{name} is not pruned")
    parameter, mask = vars(module)[f"{name}_orig"], vars(module)[f"{name}_mask"]
    parameter.data = parameter.value() * mask.value()
    for part in ("_orig", "_mask"):
        del vars(module)[name + part]
    parameter.name = ""
    hold(module, name, parameter)
    return module


def is_pruned(module: Module) -> bool:
    """Whether any weight in a model is pruned."""
    return any(
        is_pruned_at(inner, name.removesuffix("_mask"))
        for inner in module.modules() for name in list(vars(inner)) if name.endswith("_mask")
    )  # fmt: skip


def is_pruned_at(module: Any, name: str) -> bool:
    """Whether that Parameter of a layer is pruned."""
    return is_computed(module, name) and f"{name}_mask" in vars(module)


# --- how -----------------------------------------------------------------------------------


def _prune(call: str, module: Any, name: str, choose: Callable[[Any, Any], Any]) -> Any:
    """Keep of what is left where `choose(weight, kept)` is not 0; both are arrays on the host."""
    if is_pruned_at(module, name):
        parameter, mask = vars(module)[f"{name}_orig"], vars(module)[f"{name}_mask"]
    else:
        parameter = held(call, module, name)
        mask = Buffer(np.ones(parameter.shape, parameter.dtype))
    kept = mask.numpy() != 0
    chosen = choose(parameter.numpy(), kept)
    if chosen.shape != kept.shape:
        raise ShapeError(
            f"{call}: the mask has shape {str_shape(chosen.shape)}, {name} {str_shape(kept.shape)}; they "
            "must be the same"
        )
    mask.assign(np.asarray(kept & (chosen != 0), parameter.dtype))
    if not is_computed(module, name):
        compute(module, name, partial(_masked, name))
        parameter.name = ""
        setattr(module, f"{name}_orig", parameter)
        setattr(module, f"{name}_mask", mask)
    return module


def _masked(name: str, module: Any) -> Any:
    parts: tuple[Parameter, Buffer] = vars(module)[f"{name}_orig"], vars(module)[f"{name}_mask"]
    return ops.mul(*parts)


def _unstructured(
    call: str, module: Any, name: str, amount: Amount, score: Callable[[Any], Any]
) -> Any:
    """Prune the weights of the lowest scores."""

    def choose(weight: Any, kept: Any) -> Any:
        places = np.flatnonzero(kept)
        scores = np.asarray(score(weight)).reshape(-1)[places]
        chosen = kept.reshape(-1).copy()
        chosen[places[_lowest(call, scores, amount)]] = False
        return chosen.reshape(weight.shape)

    return _prune(call, module, name, choose)


def _structured(
    call: str, module: Any, name: str, amount: Amount, axis: int, score: Callable[[Any], Any],
    importance_scores: Any = None,
) -> Any:  # fmt: skip
    """Prune the channels of the lowest scores, each of which is a row that `score` is given."""

    def choose(weight: Any, kept: Any) -> Any:
        if weight.ndim < 2:
            raise ShapeError(
                f"{call}: {name} {str_shape(weight.shape)} has no channels; one of 2 axes or more has"
            )
        at = one_axis(call, axis, weight.ndim)
        scored = weight if importance_scores is None else _scores(importance_scores, weight)
        rows = np.moveaxis(scored, at, 0).reshape(weight.shape[at], -1)
        left = np.flatnonzero(np.moveaxis(kept, at, 0).reshape(len(rows), -1).any(1))
        gone = left[_lowest(call, np.asarray(score(rows[left])), amount)]
        chosen = np.moveaxis(np.ones(weight.shape, bool), at, 0)
        chosen[gone] = False
        return np.moveaxis(chosen, 0, at)

    return _prune(call, module, name, choose)


def _scores(given: Any, weight: Any) -> Any:
    scores = np.asarray(given.numpy() if hasattr(given, "numpy") else given)
    if scores.shape != weight.shape:
        raise ShapeError(
            f"importance_scores has shape {str_shape(scores.shape)}, the weight {str_shape(weight.shape)}; "
            "they must be the same"
        )
    return scores


def _lowest(call: str, scores: Any, amount: Amount) -> Any:
    """The places of as many of the lowest scores as `amount` says; of equal ones the first."""
    share = isinstance(amount, float)
    if isinstance(amount, bool) or not isinstance(amount, (int, float)) or not 0 <= amount <= (
        1 if share else len(scores)
    ):
        raise SettingError(
            f"{call}: amount is a share from 0.0 to 1.0, or a whole number of the {len(scores)} that are "
            f"left, not {amount!r}"
        )
    count = round(amount * len(scores)) if share else int(amount)
    return np.argsort(scores, kind="stable")[:count]


public(globals(), __all__)
