"""Ops about the way back: what no gradient shall go through."""

from __future__ import annotations

from typing import Any

from shared.op import ZERO, Op, PlannerHints
from shared.ops.shapes import as_tensor_like

_stop_gradient = Op(
    "stop_gradient", lambda x: x, lambda x: x, [ZERO],
    constant=("y",), alias=(0,), hints=PlannerHints(view=lambda: True),
)  # fmt: skip


def stop_gradient(x: Any) -> Any:
    """The same value, taken as a constant: no gradient flows back through it. Shares memory with `x`.

    What `x.detach()` gives.
    """
    return _stop_gradient(as_tensor_like(x))
