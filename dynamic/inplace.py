"""Changing the array of a Tensor or Parameter in place, where no gradient is put at risk unnoticed.

An array that was changed after the tape kept it would give a wrong gradient without a word. So
changes are refused while the tape records what they would break, and those that are made are
written down in `dynamic.versions`, where backward looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dynamic.modes import mode
from dynamic.sharing import is_shown
from dynamic.versions import record_change
from shared.errors import DiptychError, DTypeError, GradientError, RangeError, ShapeError
from shared.spec import str_shape


def change(
    x: Any, array: Any, call: str, write: Callable[[Any], None], written: Sequence[Any] = ()
) -> None:
    """Let `write` change the array of a Tensor or Parameter, if no gradient is put at risk unnoticed:
    neither that of x, nor those of the values that are `written` into it."""
    now = mode.get()
    if now.call is not None:
        now.call.before_change()
    if now.recording:
        _check_gradients(x, array, call, written)
    if not array.flags.writeable:
        raise GradientError(f"{call}: this Tensor is a read-only view (broadcast); clone() it first")
    try:
        write(array)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise _refused(array, call, error) from None
    record_change(array)


def _check_gradients(x: Any, array: Any, call: str, written: Sequence[Any]) -> None:
    """GradientError if a change of x would lose a gradient, or make a wrong one."""
    for value in written:
        if getattr(value, "edge", None) is not None:
            raise GradientError(
                f"{call}: what is written (shape {str_shape(value.shape)}) carries a gradient, which a "
                "change in place would lose; write x = x + y for a new Tensor, or write y.detach()"
            )
    if x.edge is not None:
        what = "a leaf that requires a gradient" if x.is_leaf else "a value that the tape remembers"
        what += ", and of which there are views" if not x.is_leaf and is_shown(x) else ""
        raise GradientError(
            f"{call}: {what} (shape {str_shape(array.shape)}) can not be changed in place while "
            "the tape records; write y = x + ... for a new Tensor, or update it under "
            "`with dynamic.no_grad():`"
        )


def _refused(array: Any, call: str, error: Exception) -> DiptychError:
    """The error to raise for what NumPy raised: what was written does not fit."""
    told = f"{call}: x is {array.dtype} {str_shape(array.shape)}"
    if isinstance(error, IndexError):
        return RangeError(f"{told}: {error}")
    text = f"{told} and stays so: {error}; convert what is written, or write y = x + ... for a new Tensor"
    return ShapeError(text) if isinstance(error, ValueError) else DTypeError(text)
