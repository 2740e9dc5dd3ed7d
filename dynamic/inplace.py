"""Changing a Tensor's array in place, and noticing when that breaks a gradient.

An array that was changed after the tape kept it would give a wrong gradient without a word.
So changes made through Tensors are written down, with the place in the order of nodes at which
each happened; backward compares. As long as nobody changes anything in place, which is the
rule, this costs nothing.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamic.modes import mode
from shared.device.cuda import CudaArray
from shared.errors import DiptychError, DTypeError, GradientError, RangeError, ShapeError
from shared.source import Line, user_line
from shared.spec import str_shape

if TYPE_CHECKING:
    from dynamic.tape import Node


@dataclass
class Change:
    """The last change of an array: after which node it happened, and on which line."""

    array: weakref.ref[Any]
    order: int
    line: Line | None


ARRAYS = (np.ndarray, CudaArray)

changes: dict[int, Change] = {}
"""The last change of each changed array that is still alive, by the id of what owns its memory."""


def change(tensor: Any, call: str, write: Callable[[Any], None], written: Any = None) -> None:
    """Let `write` change the Tensor's array, if no gradient is put at risk unnoticed: neither that
    of the Tensor, nor that of the value that is `written` into it."""
    if getattr(written, "edge", None) is not None and mode.get().recording:
        raise GradientError(
            f"{call}: what is written (shape {str_shape(written.shape)}) carries a gradient, which a change "
            "in place would lose; write x = x + y for a new Tensor, or write y.detach()"
        )
    if tensor.edge is not None and mode.get().recording:
        kind = "a leaf that requires a gradient" if tensor.is_leaf else "a value that the tape remembers"
        raise GradientError(
            f"{call}: {kind} (shape {str_shape(tensor.shape)}) can not be changed in place while "
            "the tape records; write y = x + ... for a new Tensor, or update it under "
            "`with dynamic.no_grad():`"
        )
    if not tensor.data.flags.writeable:
        raise GradientError(f"{call}: this Tensor is a read-only view (broadcast); clone() it first")
    try:
        write(tensor.data)
    except (ValueError, TypeError, IndexError) as error:
        raise _refused(tensor, call, error) from None
    _note(tensor.data)


def _refused(tensor: Any, call: str, error: Exception) -> DiptychError:
    """The error to raise for what NumPy raised: what was written does not fit."""
    told = f"{call}: x is {tensor.dtype} {str_shape(tensor.shape)}"
    if isinstance(error, IndexError):
        return RangeError(f"{told}: {error}")
    text = f"{told} and stays so: {error}; convert what is written, or write y = x + ... for a new Tensor"
    return ShapeError(text) if isinstance(error, ValueError) else DTypeError(text)


def _owner(array: Any) -> Any:
    """The array that owns the memory of a view; of one on the GPU, CuPy's."""
    if isinstance(array, CudaArray):
        return array.array if array.base is None else array.base
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _note(array: Any) -> None:
    from dynamic.tape import next_order

    owner = _owner(array)
    key = id(owner)
    gone = weakref.ref(owner, lambda _: changes.pop(key, None))
    changes[key] = Change(gone, next_order(), user_line())


def check(node: Node) -> None:
    """GradientError if an array that the node kept was changed after it was kept."""
    for value in (*(node.inputs or ()), *node.outputs):
        array = value if isinstance(value, ARRAYS) else getattr(value, "data", None)
        if not isinstance(array, ARRAYS):
            continue
        changed = changes.get(id(_owner(array)))
        if changed is not None and changed.order > node.order:
            raise GradientError(
                f"backward through {node.name}: an array of shape {str_shape(array.shape)} that its "
                f"gradient needs was changed in place since, at {changed.line}; change a clone() "
                "instead, or call backward before the change"
            )
