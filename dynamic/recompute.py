"""Checkpointing: forget what a part of a computation needs for its gradient, and make it again
when backward comes to it (Chen, Xu, Zhang and Guestrin 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dynamic import versions
from dynamic.modes import in_mode, mode
from dynamic.node import Edge, Node
from dynamic.tensors import Tensor
from shared.errors import GradientError
from shared.spec import spec_of
from shared.state import State


class Checkpoint(Node):
    """A node that stands for all of `fn(*args)`; in backward it puts the real nodes in its place."""

    __slots__ = ("fn",)

    def __init__(self, fn: Callable[..., Any], args: Sequence[Any], outputs: Sequence[Any]) -> None:
        edges = [arg.edge if isinstance(arg, (Tensor, State)) else None for arg in args]
        kept = [Tensor(arg.array, arg.edge) if isinstance(arg, Tensor) else arg for arg in args]
        super().__init__(None, {}, edges, kept, outputs)
        self.fn = fn

    @property
    def name(self) -> str:
        return f"checkpoint of {getattr(self.fn, '__name__', 'a function')}"

    def expand(self, gs: Sequence[Any]) -> list[tuple[Edge, Any]]:
        """Run `fn` again, recording, and give the edges of its outputs with their cotangents."""
        if self.inputs is None:
            raise GradientError(
                "backward through a checkpoint a second time: its arguments were freed by the first; "
                "pass retain_graph=True there"
            )
        if versions.changes:
            self.check_unchanged()
        with in_mode(recording=True):
            made = self.fn(*self.inputs)
        ys = made if isinstance(made, (tuple, list)) else (made,)
        return [(y.edge, g) for y, g in zip(ys, gs, strict=True) if g is not None and y.edge is not None]


def checkpoint(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`, keeping only its arguments: what its gradient needs is computed a second time.

    `fn` must give the same values when it is called again, from its arguments and from
    parameters it uses; a layer with a generator of its own (Dropout) draws anew, so pass such
    randomness in. Gives a Tensor, or a tuple of them, as `fn` does.
    """
    if not mode.get().recording:
        return fn(*args)
    with in_mode(recording=False):
        made = fn(*args)
    ys = made if isinstance(made, (tuple, list)) else (made,)
    for y in ys:
        if not isinstance(y, Tensor):
            raise GradientError(
                f"checkpoint: fn must give a Tensor or a tuple of them, not {type(y).__name__}; leave out of "
                "fn what is no computation on Tensors"
            )
    node = Checkpoint(fn, args, [spec_of(y) for y in ys])
    tensors = [Tensor(y.array, (node, i) if y.dtype.kind == "f" else None) for i, y in enumerate(ys)]
    return type(made)(tensors) if isinstance(made, (tuple, list)) else tensors[0]


