"""Watching the tape: hooks of single Tensors, gradients kept of non-leaves, hooks around ops, and
what anomaly mode checks. A tape on which nobody watches pays nothing for it.

What belongs to one Tensor hangs on the node or leaf that its edge leads to. (Not in a table beside
it: a hook that knows its Tensor would keep the table's key alive, and so the tape for ever.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np

from dynamic.modes import mode
from dynamic.tensors import Tensor
from dynamic.values import raw_array
from shared.errors import DiptychError, GradientError
from shared.op import Op
from shared.rules import Plan
from shared.source import user_line
from shared.spec import str_shape
from shared.watch import hooks

if TYPE_CHECKING:
    from dynamic.tape import Node

TensorHook = Callable[["Tensor"], "Tensor | None"]
_watched: WeakSet[Any] = WeakSet()
"""The nodes and leaves on which something hangs."""


class Watch:
    """What hangs on a node or leaf: by output, hooks, and gradients that are to be kept."""

    __slots__ = ("hooks", "kept")

    def __init__(self) -> None:
        self.hooks: dict[int, list[TensorHook]] = {}
        self.kept: dict[int, Tensor | None] = {}


def _place(edge: Any) -> tuple[Any, int]:
    return edge if type(edge) is tuple else (edge, 0)


def _watch(owner: Any) -> Watch:
    """The watch of a node or leaf, which is set up if there is none."""
    if owner not in _watched:
        owner.watch = Watch()
        _watched.add(owner)
    return owner.watch


def register(tensor: Tensor, hook: TensorHook) -> Callable[[], None]:
    """See `Tensor.register_hook`."""
    if tensor.edge is None:
        raise GradientError(
            f"register_hook: no gradient ever reaches this Tensor (shape {str_shape(tensor.shape)}); make it "
            "require one, with tensor(..., requires_grad=True) or requires_grad_()"
        )
    owner, index = _place(tensor.edge)
    mine = _watch(owner).hooks.setdefault(index, [])
    mine.append(hook)

    def remove() -> None:
        if hook in mine:
            mine.remove(hook)

    return remove


def retain(tensor: Tensor) -> None:
    """See `Tensor.retain_grad`."""
    if tensor.edge is None:
        raise GradientError(
            f"retain_grad: no gradient ever reaches this Tensor (shape {str_shape(tensor.shape)}); make it "
            "require one, with tensor(..., requires_grad=True) or requires_grad_()"
        )
    if not tensor.is_leaf:
        node, index = tensor.edge
        _watch(node).kept.setdefault(index, None)


def retained(edge: Any) -> Tensor | None:
    """The gradient that was kept of a Tensor in the middle, if it was asked for."""
    node, index = edge
    return node.watch.kept.get(index) if node in _watched else None


def anything() -> bool:
    """Whether any hook or kept gradient is in force."""
    return bool(_watched)


def seen(owner: Any, index: int, g: Tensor) -> Tensor:
    """Show a gradient to the hooks of its Tensor, and keep it if it was asked for."""
    if owner not in _watched:
        return g
    kept = owner.watch.kept
    for hook in owner.watch.hooks.get(index, ()):
        changed = hook(g)
        if changed is not None and (getattr(changed, "shape", None), type(changed)) != (g.shape, type(g)):
            raise GradientError(
                f"register_hook: the hook gave {changed!r}; it must give None, or a Tensor of the "
                f"gradient's shape {str_shape(g.shape)}"
            )
        g = g if changed is None else changed
    if index in kept:
        before = kept[index]
        kept[index] = g.clone() if before is None else before + g
    return g


# --- while backward walks ------------------------------------------------------------------


def show(node: Node, gs: list[Any]) -> None:
    """Hooks of single Tensors see, and may change, the cotangents of a node's outputs."""
    for i, g in enumerate(gs):
        if g is not None:
            shown = seen(node, i, g if isinstance(g, Tensor) else Tensor(g))
            gs[i] = shown if isinstance(g, Tensor) else shown.data


def pull(node: Node, plan: Plan, g: Any, y: Any, inputs: Sequence[Any]) -> Sequence[tuple[int, Any]]:
    """Run the rules with this thread's hooks around, and with the forward line in errors."""
    arriving = [raw_array(part) for part in (g if isinstance(g, tuple) else (g,)) if part is not None]
    event = hooks.Event("dynamic", "backward", plan.op, arriving, node.settings, node.line)
    try:
        with hooks.around(event):
            pulled = plan.pull(g, y, inputs, node.settings)
            event.outputs = [raw_array(part) for _, part in pulled]
    except DiptychError:
        raise
    except Exception as error:
        raise GradientError(
            f"backward through {plan.op.name}: {type(error).__name__}: {error}  (it ran forward "
            f"at {node.line})",
            node.line,
        ) from error
    if mode.get().tracing:
        _check_finite(node, plan, arriving, event.outputs)
    return pulled


def _check_finite(node: Node, plan: Plan, arriving: Sequence[Any], leaving: Sequence[Any]) -> None:
    """GradientError where NaN comes out of a rule and none went in."""
    if all(map(_finite, arriving)) and not all(map(_finite, leaving)):
        raise GradientError(
            f"backward through {plan.op.name} gave NaN or infinity where none came in; it ran "
            f"forward at {node.line}",
            node.line,
        )


def _finite(g: Any) -> bool:
    return bool(np.isfinite(g).all())


# --- while ops run -------------------------------------------------------------------------


def run(op: Op, arrays: list[Any], settings: dict[str, Any]) -> Any:
    """Compute, with this thread's hooks before and after."""
    event = hooks.Event("dynamic", "forward", op, tuple(arrays), settings, user_line())
    with hooks.around(event):
        y = op.on_arrays(arrays, settings)
        event.outputs = (y,) if op.single else y
    return y
