"""Functions of an element for which NumPy makes some twenty passes over memory, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from shared.kernels import FLOATS, machine
from shared.kernels.fused import Element, Input, Recipe, kernel_of

WORTH_MAPPING = 1 << 16
"""The number of elements from which on one pass, of a nanosecond for each, is worth the loading of LLVM."""


def worth_mapping(x: Any) -> bool:
    """Whether `mapped` takes this array, and is worth its loading."""
    return (
        type(x) is np.ndarray
        and x.size >= WORTH_MAPPING
        and x.dtype in FLOATS
        and x.flags.c_contiguous
        and x.flags.aligned
        and not machine.available()
    )


def mapped(text: str, x: Any, out: Any = None) -> Any:
    """The function of this scalar form, of a0, at each element; `out` may be x. Its twin is the op's own
    way, and it is as far from that as `fast_math` says."""
    y = np.empty_like(x) if out is None else out
    if swept(((text, (0,)),), (1,), (y,), (x,)):
        return y
    y[...] = mapped(text, x)  # an `out` that is not as kernels take it
    return y


def swept(
    elements: tuple[tuple[str, tuple[int, ...]], ...], outputs: tuple[int, ...], to: Sequence[Any],
    given: Sequence[Any],
) -> bool:  # fmt: skip
    """Whether arrays of one dtype and shape were filled, in one pass, with these values: those that are given
    count first, then each element, a form a0, a1, ... of some values before it. Nothing is written if not."""
    return _kernel(elements, outputs, len(given), given[0].dtype.name)(*to, *given)


@cache
def _kernel(
    elements: tuple[tuple[str, tuple[int, ...]], ...], outputs: tuple[int, ...], count: int, dtype: str
) -> Callable[..., bool]:
    said = tuple([Element(text, parts, dtype) for text, parts in elements])
    return kernel_of(Recipe(None, (Input(dtype, (True,)),) * count, said, tuple([(y,) for y in outputs])))
