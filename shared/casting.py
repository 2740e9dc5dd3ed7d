"""What may take the place of a value of a fixed dtype: in an assignment, an update of rows, a feed.

A cast may round, as one to a shorter float does. It may not lose what a number is: no float becomes an
integer, no integer one that does not hold it, nothing finite becomes infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import DTypeError
from shared.spec import NUMBERS, in_short


def may_become(given: np.dtype[Any], dtype: np.dtype[Any]) -> bool:
    """Whether every value of one dtype may be cast to another: to the same kind of number, or to a wider
    kind; to an integer from those alone that it holds."""
    if dtype.kind in "iub":
        return np.can_cast(given, dtype, "safe")
    return np.can_cast(given, dtype, "same_kind")


def check_dtype(call: str, name: str, given: np.dtype[Any], dtype: np.dtype[Any]) -> None:
    """DTypeError unless values of `given` may take the place of `name`'s, which are of `dtype`."""
    if given != dtype and not may_become(given, dtype):
        raise DTypeError(
            f"{call}: {name} is {dtype}, and {given} does not go into it without loss; cast the value first, "
            f"ops.cast(value, {dtype.name!r}), if that is meant"
        )


def cast_known(array: Any, dtype: np.dtype[Any]) -> Any:
    """Numbers that are known as an array of `dtype`, in C order; None if one of them would be lost.

    Integers are held to what they are, and not to their dtype: an int64 of 3 goes into an int8.
    """
    if not np.can_cast(array.dtype, dtype, "same_kind") and array.dtype.kind not in "iub":
        return None
    with np.errstate(over="ignore"):
        made = array.astype(dtype, order="C")
    if dtype.kind in "iub":
        return made if bool((made == array).all()) else None
    overflows = made.dtype.itemsize < array.dtype.itemsize and (np.isfinite(array) & ~np.isfinite(made)).any()
    return None if overflows else made


def cast_whole(array: Any, dtype: np.dtype[Any]) -> Any:
    """Floats that are all whole numbers as an array of integers or bools; None if one would be lost."""
    if dtype.kind not in "iub":
        return None
    with np.errstate(invalid="ignore"):
        made = array.astype(dtype, order="C")
    return made if bool((made == array).all()) else None


def cast_number(call: str, name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Numbers that are known (one, lists of them, an array) as an array of `dtype`; DTypeError where one
    would be lost."""
    array = np.asarray(value)
    made = cast_known(array, dtype) if array.dtype.kind in NUMBERS else None
    if made is None:
        raise DTypeError(
            f"{call}: {name} is {dtype}, which does not hold {in_short(value)}; give numbers that it holds, "
            "or make the variable of another dtype"
        )
    return made


def check_holds(call: str, dtype: np.dtype[Any], *numbers: Any) -> None:
    """DTypeError for a Python or NumPy number outside what a dtype of real numbers holds, which a cast would
    wrap."""
    low, high = 0, 1
    if dtype.kind != "b":
        limits: Any = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
        low, high = int(limits.min), int(limits.max)
    for number in numbers:
        if isinstance(number, (int, float, np.number)) and not low <= number <= high:
            raise DTypeError(f"{call}: {dtype.name} does not hold {number}; ask for a wider dtype")
