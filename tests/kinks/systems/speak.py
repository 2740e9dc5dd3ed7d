"""How a system's file is asked: rows come in as JSON, and what it gives at each goes out as JSON.

Such a file is run as a script by an interpreter that has the system and NumPy, and need not have Diptych.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

Measure = Callable[[Callable[..., Any], list[np.ndarray], Any, int, bool], tuple[Any, Any]]
"""(call, arguments, cotangent or None, order, whether slopes are asked) to (value, slopes as a function)."""


def each(calls: dict[str, Any]) -> dict[str, Any]:
    """Calls by the name of a row, of calls by the names of all rows that have them."""
    return {name: call for names, call in calls.items() for name in names.split()}


def array(values: Any, dtype: str) -> np.ndarray:
    """A row's argument: floats in the row's dtype, ints in int32, bools."""
    made = np.asarray(values)
    return made.astype({"f": dtype, "i": "int32", "b": "bool"}[made.dtype.kind])


def plain(found: Any) -> Any:
    """Numbers of six digits, in lists."""
    made = np.asarray(found)
    if made.dtype.kind not in "fiub":  # ml_dtypes and such
        made = made.astype("float64")
    if made.dtype.kind == "f":
        made = np.vectorize(lambda v: float(f"{v:.6g}"), otypes=["float64"])(made.astype("float64"))
    return made.tolist()


def answer(asked: dict[str, Any], call: Any, measure: Any) -> dict[str, Any]:
    """What a system gives at one row: value and slopes, or the error in place of either; `absent` if the
    system has no such function."""
    if call is None:
        return {"absent": True}
    args = [array(a, asked["dtype"]) for a in asked["args"]]
    seed = None if asked["seed"] is None else array(asked["seed"], asked["dtype"])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value, slopes = measure(call, args, seed, asked["order"], asked["slopes"])
            found = {"value": plain(value)}
        except Exception as error:
            return {"raises": told(error)}
        try:
            found["slopes"] = [plain(slope) for slope in slopes()] if asked["slopes"] else None
        except Exception as error:
            found["slopes"] = {"raises": told(error)}
    return found


def told(error: Exception) -> str:
    """An error's class."""
    return type(error).__name__


def floating(args: list[np.ndarray]) -> list[int]:
    """The places of the arguments that have a gradient."""
    return [i for i, a in enumerate(args) if a.dtype.kind == "f"]


def serve(version: str, calls: dict[str, Any], measure: Any) -> None:
    """Answers the rows on stdin, on stdout."""
    rows = json.load(sys.stdin)
    answers = {name: answer(asked, calls.get(name), measure) for name, asked in rows.items()}
    print(json.dumps({"version": version, "rows": answers}))
