"""PyTorch's keywords for what is called otherwise here: translated where they mean the same, and answered
with what to write where they don't. The one table of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

SAME = {
    "dim": ("axis", "axes", "start_axis"), "dims": ("axis", "axes"), "keepdim": ("keepdims",),
    "start_dim": ("start_axis",), "end_dim": ("end_axis",), "dim0": ("axis1",), "dim1": ("axis2",),
    "num_classes": ("classes",), "unbiased": ("correction", "ddof"), "sections": ("sections",),
    "diagonal": ("k",), "other": ("b", "y"), "repeats": ("repeats",), "steps": ("num",), "shifts": ("shift",),
}  # fmt: skip
"""A keyword, and those of ours that mean the same: the first that a function has is meant."""

OF = {
    "clip": {"min": "low", "max": "high", "a_min": "low", "a_max": "high"},
    "scatter": {"src": "values"}, "DataLoader": {"num_workers": "prefetch"},
    "diagonal": {"dim1": "axis1", "dim2": "axis2"},
    "roll": {"dims": "axis", "shifts": "shift"},
    "masked_fill": {"mask": "mask", "value": "value"}, "linspace": {"steps": "num"},
    "kl_div": {"input": "input"}, "interpolate": {"scale_factor": "scale_factor"},
}  # fmt: skip
"""By function, keywords that mean the same as one of ours in that alone."""

IDLE = {"inplace": False, "device": None, "non_blocking": False, "pin_memory": False, "foreach": None,
        "fused": None, "out": None, "memory_format": None, "copy": False, "layout": None,
        "set_to_none": True, "size_average": None, "reduce": None, "sorted": True}  # fmt: skip
"""Keywords that change no value: they are taken, and nothing is done with them. With the value that says
nothing in any case."""

MEANT = {
    "size_average": "reduction='mean', or reduction='sum'",
    "reduce": "reduction='none', 'mean' or 'sum'",
    "out": "out[...] = what the call gives",
}
"""Some of these that say something, if their value is not None: what to write."""

OTHERWISE = {
    "max": "x.max(axis=1) for the values, x.argmax(axis=1) for the places, or "
    "ops.max_with_indices(x, axis=1)",
    "min": "x.min(axis=1) for the values, x.argmin(axis=1) for the places, or "
    "ops.min_with_indices(x, axis=1)",
    "sort": "ops.sort(x, axis=1) for the values, ops.argsort(x, axis=1) for the places",
    "median": "ops.median(x, axis=1), of an even count the mean of the two in the middle",
    "mode": "ops.mode(x, axis=1)",
}  # fmt: skip
"""Functions of which PyTorch's gives pairs if it is called with `dim=`, and ours do not: what to write."""

NOT_TAKEN = {
    ("div", "rounding_mode"): "ops.floor_divide(a, b) for 'floor', ops.trunc(a / b) for 'trunc'",
    ("round", "decimals"): "ops.round(x * 10**n) / 10**n",
    ("sum", "dtype"): "ops.sum(ops.cast(x, dtype))", ("mean", "dtype"): "ops.mean(ops.cast(x, dtype))",
    ("prod", "dtype"): "ops.prod(ops.cast(x, dtype))", ("cumsum", "dtype"): "ops.cumsum(ops.cast(x, dtype))",
    ("softmax", "dtype"): "ops.softmax(ops.cast(x, dtype))",
    ("log_softmax", "dtype"): "ops.log_softmax(ops.cast(x, dtype))",
}  # fmt: skip
"""By function and keyword, what is asked for in another way here."""


@cache
def _names(function: Callable[..., Any]) -> frozenset[str]:
    """The names that a function takes."""
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return frozenset()


def translated(
    name: str, function: Callable[..., Any], settings: Mapping[str, Any]
) -> dict[str, Any] | str | None:
    """Settings in our words, if some of them were PyTorch's; text that says what to write; None if
    none was."""
    known = _names(function)
    if not known or not any(key not in known for key in settings):
        return None
    found: dict[str, Any] = {}
    changed = False
    for key, value in settings.items():
        if key in known:
            found[key] = value
        elif key == "dim" and name in OTHERWISE:
            return f"dim= gives values and places in PyTorch; write {OTHERWISE[name]}"
        elif key == "unbiased" and "correction" in known:
            found["correction"], changed = int(bool(value)), True
        elif (ours := OF.get(name, {}).get(key)) in known and ours is not None:
            found[ours], changed = value, True
        elif key in SAME and (ours := next((k for k in SAME[key] if k in known), None)):
            found[ours], changed = value, True
        elif key in MEANT and value is not None:
            return f"{key}= is not taken here; write {MEANT[key]}"
        elif key in IDLE:
            changed = True
        else:
            return None
    return found if changed else None
