"""Checkpointing: forget what a part of a computation needs for its gradient, and make it again
when backward comes to it (Chen, Xu, Zhang and Guestrin 2016)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dynamic import versions
from dynamic.create import drawing_from, draws_state
from dynamic.modes import in_mode, mode
from dynamic.node import Edge, Node
from dynamic.tensors import Tensor
from shared.errors import GradientError
from shared.spec import spec_of
from shared.state import State
from shared.touched import holding, touched


class Checkpoint(Node):
    """A node that stands for all of `fn(*args)`; in backward it puts the real nodes in its place.

    Behind the arguments stand, among its inputs, the arrays that the states which `fn` read or changed
    held before: from these it is run again.
    """

    __slots__ = ("fn", "states", "draws")

    def __init__(
        self, fn: Callable[..., Any], args: Sequence[Any], arrays: dict[State, Any], draws: Any,
        outputs: Sequence[Any],
    ) -> None:  # fmt: skip
        edges = [arg.edge if isinstance(arg, (Tensor, State)) else None for arg in (*args, *arrays)]
        kept = [Tensor(arg.array, arg.edge) if isinstance(arg, Tensor) else arg for arg in args]
        super().__init__(None, {}, edges, [*kept, *arrays.values()], outputs)
        self.fn, self.states, self.draws = fn, tuple(arrays), draws

    @property
    def name(self) -> str:
        return f"checkpoint of {getattr(self.fn, '__name__', 'a function')}"

    def expand(self, gs: Sequence[Any]) -> list[tuple[Edge, Any]]:
        """Run `fn` again as it ran, recording, and give the edges of its outputs with their cotangents."""
        if self.inputs is None:
            raise GradientError(
                "backward through a checkpoint a second time: its arguments were freed by the first; "
                "pass retain_graph=True there"
            )
        if versions.changes:
            self.check_unchanged()
        count = len(self.inputs) - len(self.states)
        args, arrays = self.inputs[:count], self.inputs[count:]
        with (
            _apart(recording=True),
            holding(dict(zip(self.states, arrays, strict=True))),
            drawing_from(self.draws),
        ):
            made = self.fn(*args)
        ys = made if isinstance(made, (tuple, list)) else (made,)
        return [(y.edge, g) for y, g in zip(ys, gs, strict=True) if g is not None and y.edge is not None]


def _apart(recording: bool) -> Any:
    """A mode in which all is done at once, for it is done twice: a call of a `dynamic.function` hears nothing
    of it, or it would do it once more."""
    call = mode.get().call
    if call is not None:
        call.flush()
    return in_mode(recording=recording, call=None)


def checkpoint(fn: Callable[..., Any], *args: Any) -> Any:
    """`fn(*args)`, keeping only its arguments: what its gradient needs is computed a second time.

    All states that `fn` uses are as they were when it runs again, and afterwards as they are now:
    Parameters that a step has changed since, generators (a Dropout draws the same mask), running
    statistics (which move once), and the numbers of `dynamic.rand` and `randn`. Beside them `fn` must
    give the same values when it is called again. Gives a Tensor, or a tuple of them, as `fn` does.
    """
    if not mode.get().recording:
        return fn(*args)
    draws = draws_state()
    with _apart(recording=False), touched() as arrays:
        made = fn(*args)
    ys = made if isinstance(made, (tuple, list)) else (made,)
    for y in ys:
        if not isinstance(y, Tensor):
            raise GradientError(
                f"checkpoint: fn must give a Tensor or a tuple of them, not {type(y).__name__}; leave out of "
                "fn what is no computation on Tensors"
            )
    node = Checkpoint(fn, args, arrays, draws, [spec_of(y) for y in ys])
    tensors = [Tensor(y.array, (node, i) if y.dtype.kind in "fc" else None) for i, y in enumerate(ys)]
    return type(made)(tensors) if isinstance(made, (tuple, list)) else tensors[0]
