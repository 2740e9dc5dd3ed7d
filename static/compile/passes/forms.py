"""The scalar form of a step: what a kernel is to compute for it, if kernels can.

A form has a place for all that the step is given. Numbers are handed to the kernel, those of
settings too, so that programs that differ in a rate or a slope alone share one. Numbers that make the
code another one stand in it, and so do those with which a form computes apart from any array.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, same_shape, same_size
from shared.kernels.expressions import literal, written
from shared.kernels.fused import FLOAT, INT, Part
from shared.kernels.scalars import BOOL, LLVM_TYPES, Code, Number, Unfit
from shared.op import exact
from static.compile.block import Step, Value

SHAPING = (0, 1, -1, 2, -2, 0.5, -0.5)
"""Numbers that are always in the code: with them a product or a sum is something simpler."""
MOST = 1 << 53
"""Up to here a double holds every integer."""


@dataclass(frozen=True, eq=False)
class Form:
    """An expression over a0, a1, ...: a step's inputs, and behind them the settings that are handed.
    Steps of the same form have the very same object.

    weak      for each input that is a number the Part that stands for it; None for a value
    settings  the settings that are handed
    """

    text: str
    weak: tuple[Any, ...]
    settings: tuple[str, ...] = ()

    def handed(self, step: Step) -> list[float]:
        """The numbers that a kernel is handed for a step of this form."""
        numbers = [float(x) for x, part in zip(step.inputs, self.weak, strict=True) if part in (FLOAT, INT)]
        return numbers + [float(step.settings[name]) for name in self.settings]


_UNTRIED: Any = object()
FORMS_KEPT = 4096
"""For how many kinds of steps their forms are kept: settings are among what tells kinds apart."""
_forms: dict[Any, Form | None] = {}


def form_of(step: Step) -> Form | None:
    """The step's form; None if no kernel can compute it."""
    op = step.op
    if op.scalar is None or not op.single or not op.pure or not step.outputs:
        return None
    y = step.outputs[0]
    if y.shape is UNKNOWN_RANK or y.dtype not in LLVM_TYPES:
        return None
    for x in step.inputs:
        if isinstance(x, Value):
            if x.shape is UNKNOWN_RANK or x.dtype not in LLVM_TYPES or not _fits(x.shape, y.shape):
                return None
        elif type(x) not in (bool, int, float):
            return None  # a size that is not known yet
    form, any_handed = _known(step, y.dtype, True)
    if form is None and any_handed:
        form, _ = _known(step, y.dtype, False)
    return form


def _known(step: Step, dtype: np.dtype[Any], hand: bool) -> tuple[Form | None, bool]:
    """The form with the numbers that can be handed, or with none; and whether there are any."""
    handed = (FLOAT, INT) if hand and all([x.dtype.kind == "f" for x in step.values()]) else (FLOAT,) * hand
    kinds = tuple([x.dtype if isinstance(x, Value) else _part(x, handed) for x in step.inputs])
    settings = tuple([(name, _part(x, handed[:1])) for name, x in step.settings.items()])
    key = step.op.scalar, step.op.ufunc, settings, kinds, dtype
    form = _forms.get(key, _UNTRIED)
    if form is _UNTRIED:
        while len(_forms) >= FORMS_KEPT:
            _forms.pop(next(iter(_forms), key), None)
        form = _forms[key] = _tried(step, dtype, kinds, settings)
    return form, any([kind in handed for kind in kinds + tuple([part for _, part in settings])])


def _part(number: Any, handed: tuple[Part, ...]) -> Any:
    """What stands for a number. An integer is handed only beside floats alone: whether it fits into
    an integer, its value must say."""
    if not isinstance(number, Dim) and number not in SHAPING:
        if FLOAT in handed and type(number) is float:
            return FLOAT
        if INT in handed and type(number) is int and abs(number) <= MOST:
            return INT
    return exact(number)


def _tried(
    step: Step, dtype: np.dtype[Any], kinds: tuple[Any, ...], settings: tuple[Any, ...]
) -> Form | None:
    """The form, if it can be written in terms of the step's dtypes."""
    op, code = step.op, Code()
    values = {x.dtype for x in step.values()} - {BOOL}
    promotes = len(values) > 1 or (dtype.kind == "f" and not values <= {dtype})
    if promotes and not op.ufunc and op.name != "cast":
        return None  # which parts it computes in which of the dtypes, its form does not say
    terms: list[Any] = []
    for i, (x, kind) in enumerate(zip(step.inputs, kinds, strict=True)):
        handed = Number(type(x), f"%x{i}") if kind in (FLOAT, INT) else x
        terms.append(code.given(x.dtype, f"%x{i}") if isinstance(x, Value) else handed)
    names = tuple([name for name, part in settings if part is FLOAT])
    places = {name: f"a{len(terms) + i}" for i, name in enumerate(names)}
    terms += [Number(float, f"%{place}") for place in places.values()]
    try:
        said = places | {name: literal(x) for name, x in step.settings.items() if name not in places}
        text = str(op.scalar).format(*(f"a{i}" for i in range(len(kinds))), **said)
        written(code, text, terms, dtype)
    except Unfit:
        return None
    weak = tuple([None if isinstance(x, Value) else kind for x, kind in zip(step.inputs, kinds, strict=True)])
    return Form(text, weak, names)


def _fits(own: Any, shape: Any) -> bool:
    """Whether each axis has the size of the loop's axis there, or 1."""
    return same_shape(own, shape) or all(
        [
            same_size(size, whole) or same_size(size, 1)
            for size, whole in zip(own, shape[len(shape) - len(own) :], strict=True)
        ]
    )
