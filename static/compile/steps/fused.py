"""A fused op: several elementwise ops as one, computed by a kernel or, where that can not be, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import divide
from shared.kernels.fused import Recipe, inputs_followed, kernel_of
from shared.op import Op, PlannerHints, array_module
from shared.spec import Spec


@dataclass(frozen=True)
class Member:
    """One of the ops. parts: what it is given, as in Element, weak numbers as they are.

    Values are numbered as in the recipe, those of an array's blocks one after the other.
    """

    op: Op
    parts: tuple[tuple[bool, Any], ...]
    settings: dict[str, Any]

    def on(self, values: Sequence[Any]) -> list[Any]:
        """Its arguments among all values."""
        return [values[x] if is_value else x for is_value, x in self.parts]


class FusedOp(Op):
    """Unlisted: made for one group of steps, and shared by groups that are the same.

    The kernel is made when the op is. Arrays that it can not take (views, arrays of other modules,
    sizes that do not fit each other) are copied into order, or go through the members one by one,
    where what is wrong is said by the member that it is wrong for.
    """

    def __init__(self, recipe: Recipe, members: Sequence[Member], numbers: Sequence[float]) -> None:
        """numbers: those that the kernel is handed."""
        self.recipe = recipe
        group = Fused(recipe, tuple(members), tuple(numbers))  # which knows nothing of the op: no cycle
        names = tuple(f"y{i}" for i in range(len(recipe.outputs)))
        places = tuple(tuple(inputs_followed(recipe, len(out))) for out in recipe.outputs)
        super().__init__(
            _name([member.op.name for member in members]),
            self.computing(group),
            group.infer,
            outputs=names,
            out=True,
            hints=PlannerHints(inplace=places[0] if len(names) == 1 else places),
            listed=False,
            doc=f"{', '.join(member.op.name for member in members)}, in one kernel.",
        )

    @staticmethod
    def computing(group: Fused) -> Callable[..., Any]:
        """What computes it."""
        return _single(group) if group.single else _several(group)


class Fused:
    """What a fused op stands for: a recipe, its members, and the numbers that the kernel is handed."""

    def __init__(self, recipe: Recipe, members: Sequence[Member], numbers: Sequence[float]) -> None:
        self.recipe, self.members, self.numbers = recipe, members, numbers
        self.single = len(recipe.outputs) == 1

    def infer(self, *operands: Any) -> Any:
        """As of any op."""
        values: list[Any] = []
        for x, operand in zip(self.recipe.inputs, operands, strict=True):
            part = operand if x.blocks == 1 else Spec(_block(operand.shape, x.blocks), operand.dtype)
            values += [part] * x.blocks
        for member in self.members:
            values.append(member.op.infer(*member.on(values), **member.settings))
        found = tuple(
            Spec(side_by_side(values[out[0]].shape, len(out)), values[out[0]].dtype)
            for out in self.recipe.outputs
        )
        return found[0] if self.single else found

    def again(self, kernel: Callable[..., bool], arrays: Sequence[Any]) -> list[Any]:
        """The outputs, fresh, for arrays that the kernel has refused as they are."""
        with suppress(ValueError):  # sizes that do not fit: a member says so in its own words
            if plain := self._plain(arrays):
                outs = self.fresh(np.broadcast_shapes(*self.shapes(plain)))
                if kernel(*outs, *plain):
                    return outs
        return self.one_by_one(arrays)

    def one_by_one(self, arrays: Sequence[Any]) -> list[Any]:
        """The outputs, fresh, by the ops that the kernel stands for."""
        values: list[Any] = []
        for x, array in zip(self.recipe.inputs, arrays, strict=True):
            values += [array] if x.blocks == 1 else array_module(array).split(array, x.blocks, axis=-1)
        for i, member in enumerate(self.members):
            try:
                values.append(member.op.on_arrays(member.on(values), member.settings))
            except Exception as error:
                error.member = i  # type: ignore[attr-defined]  # whose node the user is shown
                raise
        return [
            values[out[0]] if len(out) == 1
            else array_module(values[out[0]]).concatenate([values[i] for i in out], axis=-1)
            for out in self.recipe.outputs
        ]  # fmt: skip

    def shapes(self, arrays: Sequence[Any]) -> list[tuple[int, ...]]:
        """Those of the values that arrays hold."""
        return [_block(a.shape, x.blocks) for a, x in zip(arrays, self.recipe.inputs, strict=True)]

    def dtypes(self) -> list[np.dtype[Any]]:
        """Of the outputs."""
        kinds = self.recipe.dtypes()
        return [np.dtype(kinds[out[0]]) for out in self.recipe.outputs]

    def fresh(self, shape: tuple[int, ...]) -> list[Any]:
        """Memory for the outputs, where each value has this shape."""
        return [
            np.empty(side_by_side(shape, len(out)), dtype)
            for out, dtype in zip(self.recipe.outputs, self.dtypes(), strict=True)
        ]

    def _plain(self, arrays: Sequence[Any]) -> list[Any]:
        """The arrays in C order; none if only the ops themselves know what to make of them."""
        wanted = [np.dtype(x.dtype) for x in self.recipe.inputs]
        if not all(isinstance(a, np.ndarray) and a.dtype == d for a, d in zip(arrays, wanted, strict=True)):
            return []
        return [np.require(np.asarray(a), d, ["C", "A"]) for a, d in zip(arrays, wanted, strict=True)]


def _block(shape: Any, blocks: int) -> Any:
    """The shape of one of an array's values."""
    return shape if blocks == 1 else (*shape[:-1], divide(shape[-1], blocks))


def side_by_side(shape: Any, blocks: int) -> Any:
    """The shape of an array that holds so many values of this shape."""
    return shape if blocks == 1 else (*shape[:-1], shape[-1] * blocks)


def _name(names: Sequence[str]) -> str:
    return f"fused_{'_'.join(names)}" if len(names) < 4 else f"fused_{names[0]}_to_{names[-1]}_{len(names)}"


def _shape(op: Fused) -> Callable[[Sequence[Any]], tuple[int, ...]]:
    """A function of the arrays that gives the shape of what a kernel computes."""
    followed = next(inputs_followed(op.recipe), None)
    if followed is not None:
        return lambda arrays: getattr(arrays[followed], "shape", ())  # a number may come from elsewhere

    def broadcast(arrays: Sequence[Any]) -> tuple[int, ...]:
        try:
            return np.broadcast_shapes(*op.shapes(arrays))
        except ValueError:  # the kernel will refuse them
            return ()

    return broadcast


def _single(op: Fused) -> Callable[..., Any]:
    kernel, shape, (dtype,) = kernel_of(op.recipe, op.numbers), _shape(op), op.dtypes()
    many = len(op.recipe.outputs[0])

    def compute(*arrays: Any, out: Any = None) -> Any:
        y = np.empty(side_by_side(shape(arrays), many), dtype) if out is None else out
        if kernel(y, *arrays):
            return y
        (found,) = op.again(kernel, arrays)
        if out is None:
            return found
        np.copyto(out, found)
        return out

    return compute


def _several(op: Fused) -> Callable[..., Any]:
    kernel, shape = kernel_of(op.recipe, op.numbers), _shape(op)
    kinds = [(len(out), dtype) for out, dtype in zip(op.recipe.outputs, op.dtypes(), strict=True)]
    nowhere = (None,) * len(kinds)

    def compute(*arrays: Any, out: Any = None) -> Any:
        out = out or nowhere
        ys = out
        if any(y is None for y in out):
            whole = shape(arrays)
            ys = [
                np.empty(side_by_side(whole, many), dtype) if y is None else y
                for y, (many, dtype) in zip(out, kinds, strict=True)
            ]
        if kernel(*ys, *arrays):
            return tuple(ys)
        found = op.again(kernel, arrays)
        for i, y in enumerate(out):
            if y is not None:
                np.copyto(y, found[i])
                found[i] = y
        return tuple(found)

    return compute
