"""Changing a Tensor's array in place, where no gradient is put at risk unnoticed.

An array that was changed after the tape kept it would give a wrong gradient without a word. So
changes are refused while the tape records what they would break, and those that are made are
written down in `dynamic.versions`, where backward looks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynamic.modes import mode
from dynamic.versions import record_change
from shared.errors import DiptychError, DTypeError, GradientError, RangeError, ShapeError
from shared.spec import str_shape


def change(tensor: Any, call: str, write: Callable[[Any], None], written: Any = None) -> None:
    """Let `write` change the Tensor's array, if no gradient is put at risk unnoticed: neither that
    of the Tensor, nor that of the value that is `written` into it."""
    if getattr(written, "edge", None) is not None and mode.get().recording:
        raise GradientError(
            f"{call}: what is written (shape {str_shape(written.shape)}) carries a gradient, which a change "
            "in place would lose; write x = x + y for a new Tensor, or write y.detach()"
        )
    if tensor.edge is not None and mode.get().recording:
        what = "a leaf that requires a gradient" if tensor.is_leaf else "a value that the tape remembers"
        raise GradientError(
            f"{call}: {what} (shape {str_shape(tensor.shape)}) can not be changed in place while "
            "the tape records; write y = x + ... for a new Tensor, or update it under "
            "`with dynamic.no_grad():`"
        )
    if not tensor.data.flags.writeable:
        raise GradientError(f"{call}: this Tensor is a read-only view (broadcast); clone() it first")
    try:
        write(tensor.data)
    except (ValueError, TypeError, IndexError) as error:
        raise _refused(tensor, call, error) from None
    record_change(tensor.data)


def _refused(tensor: Any, call: str, error: Exception) -> DiptychError:
    """The error to raise for what NumPy raised: what was written does not fit."""
    told = f"{call}: x is {tensor.dtype} {str_shape(tensor.shape)}"
    if isinstance(error, IndexError):
        return RangeError(f"{told}: {error}")
    text = f"{told} and stays so: {error}; convert what is written, or write y = x + ... for a new Tensor"
    return ShapeError(text) if isinstance(error, ValueError) else DTypeError(text)
