"""Gradients of single Tensors: hooks that see them, and those that are kept of non-leaves.

Both hang on the edge of a Tensor, in tables that forget an edge when its node is gone; a tape
on which nobody watches pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from shared.errors import GradientError
from shared.spec import str_shape

if TYPE_CHECKING:
    from dynamic.tensors import Tensor

TensorHook = Callable[["Tensor"], "Tensor | None"]
_hooks: WeakKeyDictionary[Any, dict[int, list[TensorHook]]] = WeakKeyDictionary()
_kept: WeakKeyDictionary[Any, dict[int, Tensor | None]] = WeakKeyDictionary()


def _place(edge: Any) -> tuple[Any, int]:
    return edge if type(edge) is tuple else (edge, 0)


def register(tensor: Tensor, hook: TensorHook) -> Callable[[], None]:
    """See `Tensor.register_hook`."""
    if tensor.edge is None:
        raise GradientError(
            f"register_hook: no gradient ever reaches this Tensor (shape {str_shape(tensor.shape)}); make it "
            "require one, with tensor(..., requires_grad=True) or requires_grad_()"
        )
    owner, index = _place(tensor.edge)
    hooks = _hooks.setdefault(owner, {}).setdefault(index, [])
    hooks.append(hook)
    return lambda: hooks.remove(hook)


def retain(tensor: Tensor) -> None:
    """See `Tensor.retain_grad`."""
    if tensor.edge is None:
        raise GradientError(
            f"retain_grad: no gradient ever reaches this Tensor (shape {str_shape(tensor.shape)}); make it "
            "require one, with tensor(..., requires_grad=True) or requires_grad_()"
        )
    if not tensor.is_leaf:
        node, index = tensor.edge
        _kept.setdefault(node, {}).setdefault(index, None)


def retained(edge: Any) -> Tensor | None:
    """The gradient that was kept of a Tensor in the middle, if it was asked for."""
    node, index = edge
    return _kept.get(node, {}).get(index)


def anything() -> bool:
    """Whether any hook or kept gradient is in force."""
    return bool(_hooks or _kept)


def seen(owner: Any, index: int, g: Tensor) -> Tensor:
    """Show a gradient to the hooks of its Tensor, and keep it if it was asked for."""
    for hook in _hooks.get(owner, {}).get(index, ()):
        changed = hook(g)
        if changed is not None and (getattr(changed, "shape", None), type(changed)) != (g.shape, type(g)):
            raise GradientError(
                f"register_hook: the hook gave {changed!r}; it must give None, or a Tensor of the "
                f"gradient's shape {str_shape(g.shape)}"
            )
        g = g if changed is None else changed
    kept = _kept.get(owner)
    if kept is not None and index in kept:
        before = kept[index]
        kept[index] = g if before is None else before + g
    return g
