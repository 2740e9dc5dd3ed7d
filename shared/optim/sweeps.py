"""An elementwise rule on raw arrays as one sweep over memory.

A rule such as Adam's is a dozen ops. Called once with symbols in the place of arrays it says which, and these
become one kernel, which reads and writes each element once. Rules of plain arithmetic alone go that way, of
which kernels give NumPy's bits; all else goes chunk by chunk (`shared.optim.chunks`), or op by op.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from shared.dispatch import ENGINE_OF
from shared.kernels import FLOATS, worth_a_kernel
from shared.kernels.expressions import is_plain
from shared.kernels.fused import FLOAT, MOST_ARRAYS, Element, Input, Part, Recipe, kernel_of
from shared.kernels.scalars import Unfit
from shared.op import exact
from shared.operators import Operators, bind
from shared.optim import chunks
from shared.optim.chunks import Update
from shared.spec import Spec, is_weak

Bind = Callable[[tuple[Any, ...]], Update]
"""Fills the rates of a step into a rule."""


def worth_sweeping(arrays: Iterable[Any]) -> bool:
    """Whether any of these arrays is so large that kernels are worth their loading."""
    return any(map(worth_a_kernel, arrays))


def update_of(bound: Bind, rates: tuple[Any, ...], p: Any, slots: dict[str, Any], sweeps: bool) -> Update:
    """The rule for arrays like p and its slots, each element by itself: as a kernel, if it `sweeps` and is
    made of what kernels have, and else in chunks, or op by op where arrays are small.

    The parameter that it gives is fresh. A kernel, and chunks, write the slots where they are."""
    rule = bound(rates)
    kernel = _kernel(bound, len(rates), tuple(slots), p.dtype) if sweeps and p.dtype in FLOATS else None

    def update(p: Any, g: Any, slots: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        if kernel is not None and type(p) is np.ndarray:
            new = np.empty_like(p)
            if kernel(new, *slots.values(), p, g, *slots.values(), *rates):
                return new, slots
        in_chunks = slots and chunks.fits(p, g, *slots.values())
        return chunks.run(rule, p, g, slots) if in_chunks else rule(p, g, slots)

    return update


def _kernel(bound: Bind, rates: int, slots: tuple[str, ...], dtype: Any) -> Callable[..., bool] | None:
    """What fills (new p, each slot) from (p, g, each slot, each rate); None for a rule that is no kernel."""
    said = _Said(dtype)
    p, g, *rest = (said.given(axes) for axes in [(True,)] * (2 + len(slots)) + [()] * rates)
    before = dict(zip(slots, rest, strict=False))
    try:
        new, moved = bound(tuple(rest[len(slots) :]))(p, g, dict(before))
        recipe = said.recipe([new, *(before | moved).values()])
        few = len(recipe.inputs) + len(recipe.outputs) <= MOST_ARRAYS
        return kernel_of(recipe, said.numbers) if few else None
    except (Unfit, AttributeError, TypeError, ValueError):  # it asks for more than what elements are made of
        return None


# --- a rule with symbols in the place of arrays --------------------------------------------


class _Symbol(Operators):
    """A value of a rule: its number among all values, as a Recipe counts them. What it holds, and its shape,
    nobody knows: a rule that asks is none for kernels."""

    def __init__(self, said: _Said, number: int, spec: Spec) -> None:
        self.said, self.number, self.spec, self.dtype = said, number, spec, spec.dtype

    @property
    def shape(self) -> Any:
        raise Unfit("a rule asks for a shape")

    def __bool__(self) -> bool:
        raise Unfit("a rule asks for a value")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise Unfit("a rule asks for an array")


class _Said:
    """What a rule has said so far: inputs, elements, and the numbers that a kernel is handed."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.inputs: list[Input] = []
        self.elements: list[Element] = []
        self.numbers: list[float] = []

    def given(self, axes: tuple[bool, ...]) -> _Symbol:
        self.inputs.append(Input(self.dtype.name, axes))
        return _Symbol(self, len(self.inputs) - 1, Spec((2,) * len(axes), self.dtype))

    def recipe(self, outputs: Sequence[Any]) -> Recipe:
        if not all(isinstance(y, _Symbol) and y.dtype == self.dtype for y in outputs):
            raise Unfit("a rule gives what is like its parameter")
        return Recipe(None, tuple(self.inputs), tuple(self.elements), tuple((y.number,) for y in outputs))

    def part(self, x: Any) -> Part:
        if isinstance(x, _Symbol):
            return x.number
        if not is_weak(x):
            raise Unfit(f"{x!r} is neither of the arrays nor a number")
        if type(x) is float and x not in (0.0, 1.0, -1.0):  # with these a product is something simpler
            self.numbers.append(x)
            return FLOAT
        return exact(x)


class _Recorder:
    """The engine of symbols: an op that is applied is written down."""

    name = "symbols"

    def apply(self, op: Any, args: Sequence[Any], settings: dict[str, Any]) -> _Symbol:
        if op.scalar is None or settings or not op.single or not op.pure:
            raise Unfit(f"{op.name} has no form for kernels")
        text = op.scalar.format(*(f"a{i}" for i in range(len(args))))
        if not is_plain(text):
            raise Unfit(f"{op.name} is approximated in kernels")
        said = next(x.said for x in args if isinstance(x, _Symbol))
        spec = op.infer(*[x.spec if isinstance(x, _Symbol) else x for x in args])
        said.elements.append(Element(text, tuple(map(said.part, args)), spec.dtype.name))
        return _Symbol(said, len(said.inputs) + len(said.elements) - 1, spec)


_RECORDER = _Recorder()
ENGINE_OF[_Symbol] = _RECORDER  # type: ignore[assignment]  # of ops alone, in no call of a user's
bind(_Symbol, _RECORDER.apply)
