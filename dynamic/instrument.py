"""Ops and rules with this thread's hooks around them, and what anomaly mode checks.

The tape and backward come here only where somebody watches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamic.modes import mode
from dynamic.node import Node
from dynamic.values import raw_array
from shared.errors import DiptychError, GradientError
from shared.op import Op
from shared.pullback import Cotangents, Pullback
from shared.source import user_line
from shared.watch import hooks


def compute(op: Op, arrays: list[Any], settings: dict[str, Any]) -> Any:
    """Compute an op, with the hooks before and after."""
    event = hooks.Event("dynamic", "forward", op, tuple(arrays), settings, user_line())
    with hooks.around(event):
        y = op.on_arrays(arrays, settings)
        event.outputs = (y,) if op.single else y
    return y


def vjp(node: Node, pullback: Pullback, g: Any, y: Any, inputs: Sequence[Any]) -> Cotangents:
    """Run the rules of a node, with the hooks before and after and the forward line in errors."""
    arriving = [raw_array(part) for part in (g if isinstance(g, tuple) else (g,)) if part is not None]
    event = hooks.Event("dynamic", "backward", pullback.op, arriving, node.settings, node.line)
    try:
        with hooks.around(event):
            cotangents = pullback.vjp(g, y, inputs, node.settings)
            event.outputs = [raw_array(part) for _, part in cotangents]
    except DiptychError:
        raise
    except Exception as error:
        raise GradientError(
            f"backward through {node.name}: {type(error).__name__}: {error}  (it ran forward "
            f"at {node.line})",
            node.line,
        ) from error
    if mode.get().tracing and all(map(_finite, arriving)) and not all(map(_finite, event.outputs)):
        raise GradientError(
            f"backward through {node.name} gave NaN or infinity where none came in; it ran "
            f"forward at {node.line}",
            node.line,
        )
    return cotangents


def _finite(g: Any) -> bool:
    return bool(np.isfinite(g).all())
