"""A fused op: several elementwise ops as one, computed by a kernel or, where that can not be, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.kernels.fused import Recipe, inputs_followed, kernel_of
from shared.op import Op, settings_key


@dataclass(frozen=True)
class Member:
    """One of the ops. parts: what it is given, as in Element, weak numbers as they are."""

    op: Op
    parts: tuple[tuple[bool, Any], ...]
    settings: dict[str, Any]

    def key(self) -> Any:
        """What tells it from others that have the same scalar form."""
        return self.op, settings_key(self.settings)

    def on(self, values: Sequence[Any]) -> list[Any]:
        """Its arguments among all values."""
        return [values[x] if is_value else x for is_value, x in self.parts]


class FusedOp(Op):
    """Unlisted: made for one group of steps, and shared by groups that are the same.

    The kernel is made when the op is. Arrays that it can not take (views, arrays of other modules,
    sizes that do not fit each other) are copied into order, or go through the members one by one,
    where what is wrong is said by the member that it is wrong for.
    """

    def __init__(self, recipe: Recipe, members: Sequence[Member]) -> None:
        self.recipe, self.members = recipe, tuple(members)
        names = tuple(f"y{i}" for i in range(len(recipe.outputs)))
        super().__init__(
            _name([member.op.name for member in members]),
            _single(self) if len(names) == 1 else _several(self),
            self._infer,
            outputs=names,
            out=True,
            inplace=tuple(inputs_followed(recipe)),
            listed=False,
            doc=f"{', '.join(member.op.name for member in members)}, in one kernel.",
        )

    def _infer(self, *operands: Any) -> Any:
        values = list(operands)
        for member in self.members:
            values.append(member.op.infer(*member.on(values), **member.settings))
        found = tuple(values[i] for i in self.recipe.outputs)
        return found[0] if self.single else found

    def again(self, kernel: Callable[..., bool], arrays: Sequence[Any]) -> list[Any]:
        """The outputs, fresh, for arrays that the kernel has refused as they are."""
        with suppress(ValueError):  # sizes that do not fit: a member says so in its own words
            if plain := self._plain(arrays):
                shape = np.broadcast_shapes(*(a.shape for a in plain))
                outs = [np.empty(shape, dtype) for dtype in self.dtypes()]
                if kernel(*outs, *plain):
                    return outs
        values = list(arrays)
        for i, member in enumerate(self.members):
            try:
                values.append(member.op.on_arrays(member.on(values), member.settings))
            except Exception as error:
                error.member = i  # type: ignore[attr-defined]  # whose node the user is shown
                raise
        return [values[i] for i in self.recipe.outputs]

    def dtypes(self) -> list[np.dtype[Any]]:
        """Of the outputs."""
        kinds = [x.dtype for x in self.recipe.inputs] + [e.dtype for e in self.recipe.elements]
        return [np.dtype(kinds[i]) for i in self.recipe.outputs]

    def _plain(self, arrays: Sequence[Any]) -> list[Any]:
        """The arrays in C order; none if only the ops themselves know what to make of them."""
        wanted = [np.dtype(x.dtype) for x in self.recipe.inputs]
        if not all(isinstance(a, np.ndarray) and a.dtype == d for a, d in zip(arrays, wanted, strict=True)):
            return []
        return [np.require(np.asarray(a), d, ["C", "A"]) for a, d in zip(arrays, wanted, strict=True)]


def _name(names: Sequence[str]) -> str:
    return f"fused_{'_'.join(names)}" if len(names) < 4 else f"fused_{names[0]}_to_{names[-1]}_{len(names)}"


def _shape(op: FusedOp) -> Callable[[Sequence[Any]], tuple[int, ...]]:
    """A function of the arrays that gives the outputs' shape."""
    followed = next(inputs_followed(op.recipe), None)
    if followed is not None:
        return lambda arrays: arrays[followed].shape

    def broadcast(arrays: Sequence[Any]) -> tuple[int, ...]:
        try:
            return np.broadcast_shapes(*(a.shape for a in arrays))
        except ValueError:  # the kernel will refuse them
            return ()

    return broadcast


def _single(op: FusedOp) -> Callable[..., Any]:
    kernel, shape, (dtype,) = kernel_of(op.recipe), _shape(op), op.dtypes()

    def compute(*arrays: Any, out: Any = None) -> Any:
        y = np.empty(shape(arrays), dtype) if out is None else out
        if kernel(y, *arrays):
            return y
        (found,) = op.again(kernel, arrays)
        if out is None:
            return found
        np.copyto(out, found)
        return out

    return compute


def _several(op: FusedOp) -> Callable[..., Any]:
    kernel, shape, dtypes = kernel_of(op.recipe), _shape(op), op.dtypes()
    nowhere = (None,) * len(dtypes)

    def compute(*arrays: Any, out: Any = None) -> Any:
        whole, out = shape(arrays), out or nowhere
        ys = [np.empty(whole, d) if y is None else y for y, d in zip(out, dtypes, strict=True)]
        if kernel(*ys, *arrays):
            return tuple(ys)
        found = op.again(kernel, arrays)
        for i, y in enumerate(out):
            if y is not None:
                np.copyto(y, found[i])
                found[i] = y
        return tuple(found)

    return compute
