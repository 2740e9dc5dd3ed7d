"""Hooks of single Tensors, and gradients that are kept of Tensors in the middle.

They hang on the node or leaf that the Tensor's edge leads to. (Not in a table beside it: a hook
that knows its Tensor would keep the table's key alive, and so the tape for ever.) A tape on which
none hangs pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from dynamic.node import Edge
from dynamic.values import Values
from shared.errors import GradientError
from shared.spec import str_shape

GradientHook = Callable[[Any], Any]
hooked: WeakSet[Any] = WeakSet()
"""The nodes and leaves on which something hangs."""


class GradientHooks:
    """What hangs on a node or leaf: by output, hooks, and gradients that are to be kept."""

    __slots__ = ("called", "retained")

    def __init__(self) -> None:
        self.called: dict[int, list[GradientHook]] = {}
        self.retained: dict[int, Any] = {}


def _hooks_of(node: Any) -> GradientHooks:
    """The hooks of a node or leaf, which are set up if there are none."""
    if node.hooks is None:
        node.hooks = GradientHooks()
        hooked.add(node)
    return node.hooks


def _edge_of(call: str, tensor: Values) -> Edge:
    if tensor.edge is None:
        raise GradientError(
            f"{call}: no gradient ever reaches this Tensor (shape {str_shape(tensor.shape)}); make it "
            "require one, with tensor(..., requires_grad=True) or requires_grad_()"
        )
    return tensor.edge


def register(tensor: Values, hook: GradientHook) -> Callable[[], None]:
    """See `Tensor.register_hook`."""
    node, index = _edge_of("register_hook", tensor)
    called = _hooks_of(node).called.setdefault(index, [])
    called.append(hook)

    def remove() -> None:
        if hook in called:
            called.remove(hook)

    return remove


def retain(tensor: Values) -> None:
    """See `Tensor.retain_grad`."""
    node, index = _edge_of("retain_grad", tensor)
    if not node.is_leaf:
        _hooks_of(node).retained.setdefault(index, None)


def through_hooks(node: Any, index: int, g: Any) -> Any:
    """What a Tensor's hooks make of its gradient, which is kept if that was asked for."""
    if node.hooks is None:
        return g
    for hook in node.hooks.called.get(index, ()):
        given = hook(g)
        if given is not None and not (isinstance(given, Values) and given.shape == g.shape):
            raise GradientError(
                f"register_hook: the hook gave {given!r}; it must give None, or a Tensor of the "
                f"gradient's shape {str_shape(g.shape)}"
            )
        g = g if given is None else given
    retained = node.hooks.retained
    if index in retained:
        before = retained[index]
        retained[index] = g.clone() if before is None else before + g
    return g
