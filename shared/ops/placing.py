"""The two ops by which values are put at an index, as getitem has it: set there, or the extreme kept.

Where an index names an element several times, the last value in the index's C order is the one that stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.op import Joint, Op, array_module
from shared.ops.choosing import cast, equal, gate, maximum
from shared.ops.creation import arange, zeros
from shared.ops.elementwise import add, div
from shared.ops.indexing import (
    EVERY,
    Template,
    admit_index,
    as_rows,
    filled,
    infer_getitem,
    pick,
    scatter_index,
)
from shared.ops.shapes import reshape
from shared.rules import Wanted
from shared.spec import Operand, Spec, promote, sizes_match, spec_of, str_shape

# --- set -----------------------------------------------------------------------------------

def _infer_put(x: Operand, values: Operand, *arrays: Operand, index: Template) -> Spec:
    picked = infer_getitem(x, *arrays, index=index).shape
    lead = len(picked) - len(values.shape)
    if lead < 0 or not all(
        sizes_match(a, b) or a == 1 for a, b in zip(values.shape, picked[lead:], strict=True)
    ):
        raise ShapeError(
            f"index_put: values {str_shape(values.shape)} do not stretch to what the index picks of "
            f"{str_shape(x.shape)}, which is {str_shape(picked)}"
        )
    return Spec(x.shape, promote(x, values))


def _comes_once(arrays: tuple[Any, ...]) -> bool:
    """Whether an index with these arrays names each element once at most."""
    return not arrays or (len(arrays) == 1 and arrays[0].dtype.kind == "b")


def _rows_of_values(
    x: Any, values: Any, arrays: tuple[Any, ...], index: Template
) -> tuple[Any, tuple[int, int, int], Any, Any]:
    """A copy of x, three sizes in which the index is one of rows, these, and the values for them."""
    xp = array_module(x)
    _infer_put(*map(spec_of, (x, values, *arrays)), index=index)
    y = x.astype(promote(x, values), order="C")
    sizes, rows, picked = as_rows(xp, x.shape, arrays, index)
    return y, sizes, rows, xp.broadcast_to(values, picked).reshape(sizes[0], rows.size, sizes[2])


def _compute_put(x: Any, values: Any, *arrays: Any, index: Template) -> Any:
    if _comes_once(arrays):
        _infer_put(*map(spec_of, (x, values, *arrays)), index=index)
        y = x.astype(promote(x, values), order="C")
        y[filled(index, arrays)] = values
        return y
    y, sizes, rows, values = _rows_of_values(x, values, arrays, index)
    xp, y = array_module(x), y.reshape(sizes)
    if xp is not np:  # CuPy would leave any of several values, NumPy leaves the last
        last, numbers = xp.full(sizes[1], -1, np.intp), xp.arange(rows.size)
        np.maximum.at(last, rows, numbers)
        kept = last[rows] == numbers
        rows, values = rows[kept], values[:, kept]
    y[:, rows] = values
    return y.reshape(x.shape)


def _by_index(wanted: Wanted) -> set[str]:
    """The names of the index arrays, if a gradient is asked for."""
    return {str(i) for i in range(2, len(wanted))} if any(wanted[:2]) else set()


def _put_rule(
    g: Any, y: Any, x: Any, values: Any, *arrays: Any, wanted: Wanted, index: Template
) -> list[Any]:
    nothing = zeros((), g.dtype, like=g)
    found = [put_op(g, nothing, *arrays, index=index) if wanted[0] else None, None]
    if wanted[1]:
        picked = pick(g, *arrays, index=index)
        if not _comes_once(arrays):  # each value has a number, and those that stayed can be told by it
            numbers = reshape(arange(picked.size, like=g), picked.shape)
            stayed = put_op(zeros(g.shape, "int64", like=g), numbers, *arrays, index=index)
            picked = gate(picked, equal(pick(stayed, *arrays, index=index), numbers))
        found[1] = picked
    return [*found, *(None for _ in arrays)]


put_op = Op(
    "index_put", _compute_put, _infer_put, Joint(_put_rule, reads=_by_index), judges=(2, ...),
    admits=lambda x, values, *arrays, index: admit_index(x, *arrays, index=index),
    doc="`x` with values, which broadcast, at an index as getitem has it; of several for one the last.",
)  # fmt: skip


# --- the extreme ---------------------------------------------------------------------------


def _compute_extreme(x: Any, values: Any, *arrays: Any, index: Template, largest: bool) -> Any:
    y, sizes, rows, values = _rows_of_values(x, values, arrays, index)
    ufunc: Any = np.maximum if largest else np.minimum
    ufunc.at(y.reshape(sizes), (EVERY, rows), values)
    return y


def _extreme_rule(
    g: Any, y: Any, x: Any, values: Any, *arrays: Any, wanted: Wanted, index: Template, largest: bool
) -> list[Any]:
    """As of max: what ties for the extreme shares its cotangent evenly; where it is NaN, none has any."""
    own, theirs = equal(x, y), equal(values, pick(y, *arrays, index=index))
    count = scatter_index(cast(theirs, g.dtype), *arrays, shape=x.shape, index=index)
    share = div(g, maximum(add(count, cast(own, g.dtype)), 1))
    found = [gate(share, own) if wanted[0] else None, None]
    if wanted[1]:
        found[1] = gate(pick(share, *arrays, index=index), theirs)
    return [*found, *(None for _ in arrays)]


extreme_op = Op(
    "index_extreme",
    _compute_extreme,
    lambda x, values, *arrays, index, largest: _infer_put(x, values, *arrays, index=index),
    Joint(_extreme_rule, reads=lambda wanted: _by_index(wanted) | {"x", "values", "y"}),
    judges=(2, ...),
    admits=lambda x, values, *arrays, index, largest: admit_index(x, *arrays, index=index),
    doc="The largest (or smallest) of `x` and of the values that an index, as getitem has it, puts there.",
)
