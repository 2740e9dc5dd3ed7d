"""Indexing as NumPy has it, its gradient, and picking along one axis.

An index is a template, made of ints, slices, None, Ellipsis and `ARRAY`, beside the index
arrays that stand where `ARRAY` does. The template is a setting, the arrays are arguments.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size
from shared.errors import RangeError, SettingError, ShapeError
from shared.op import ZERO, Joint, Op, Rule, array_module
from shared.spec import Operand, Spec, broadcast_shapes, one_axis, str_shape


class _Array:
    """Stands in a template where an index array goes."""

    def __repr__(self) -> str:
        return "ARRAY"


ARRAY = _Array()
Template = tuple[Any, ...]


def _fill(index: Template, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index that NumPy takes."""
    if not arrays:
        return index
    rest = iter(arrays)
    return tuple(next(rest) if part is ARRAY else part for part in index)


def _compute_getitem(x: Any, *arrays: Any, index: Template) -> Any:
    try:
        return x[_fill(index, arrays)]
    except IndexError as error:
        raise RangeError(f"getitem: {error}; the shape is {str_shape(x.shape)}") from None


def _slice_size(size: Size, part: slice) -> Size:
    """How many elements a slice takes of an axis; measured at run if it can't be known."""
    numbers = (part.start, part.stop, part.step)
    if not isinstance(size, Dim) and not any(isinstance(n, Dim) for n in numbers):
        return len(range(*part.indices(size)))
    if part.step in (None, 1) and part.start in (None, 0) and part.stop in (None, size):
        return size
    if part.step == -1 and part.start is None and part.stop is None:
        return size
    return Dim()


def _infer_getitem(x: Operand, *arrays: Operand, index: Template) -> Spec:
    """NumPy's rules: index arrays broadcast together; the axes they make stand where the
    first of them stood, or in front if a slice, None or Ellipsis parts them."""
    consumed = 0
    specs = iter(arrays)
    for part in index:
        if part is ARRAY:
            array = next(specs)
            consumed += array.ndim if array.dtype.kind == "b" else 1
        elif part is not None and part is not Ellipsis:
            consumed += 1
    ndim = len(x.shape)
    if consumed > ndim:
        raise ShapeError(f"getitem: {consumed} indices for {str_shape(x.shape)}, which has {ndim}")
    if Ellipsis not in [part for part in index if part is not ARRAY]:
        index = (*index, Ellipsis)

    specs = iter(arrays)
    result: list[Size] = []
    picked: list[Operand] = []
    runs: list[int] = []  # positions in the template at which advanced indices stand
    place, axis = 0, 0
    for position, part in enumerate(index):
        if part is ARRAY or (arrays and isinstance(part, int)):
            if not picked:
                place = len(result)
            runs.append(position)
            if part is ARRAY:
                array = next(specs)
                if array.dtype.kind == "b":
                    picked.append(Spec((Dim(),), np.dtype(np.intp)))
                    axis += array.ndim
                    continue
                picked.append(array)
            else:
                picked.append(0)
            axis += 1
        elif part is None:
            result.append(1)
        elif part is Ellipsis:
            width = ndim - consumed
            result.extend(x.shape[axis : axis + width])
            axis += width
        elif isinstance(part, slice):
            result.append(_slice_size(x.shape[axis], part))
            axis += 1
        else:
            size = x.shape[axis]
            if not isinstance(size, Dim) and not isinstance(part, Dim) and not -size <= part < size:
                raise RangeError(f"getitem: index {part} is out of range for {str_shape(x.shape)}")
            axis += 1
    if picked:
        together = runs == list(range(runs[0], runs[0] + len(runs)))
        at = place if together else 0
        result[at:at] = broadcast_shapes("getitem", *picked)
    return Spec(tuple(result), x.dtype)


_getitem = Op(
    "getitem",
    _compute_getitem,
    _infer_getitem,
    Joint(
        lambda g, y, x, *arrays, wanted, index: (
            _scatter_index(g, *arrays, shape=x.shape, index=index),
            *(None for _ in arrays),
        ),
        reads=lambda wanted: {str(i) for i in range(1, len(wanted))},
    ),
    alias=(0,),
)


def _compute_scatter_index(g: Any, *arrays: Any, shape: Shape, index: Template) -> Any:
    xp = array_module(g)
    out = xp.zeros(shape, g.dtype)
    if arrays:
        xp.add.at(out, _fill(index, arrays), g)
    else:
        out[index] = g
    return out


_scatter_index = Op(
    "scatter_index",
    _compute_scatter_index,
    lambda g, *arrays, shape, index: Spec(shape, g.dtype),
    Joint(
        lambda g, y, x, *arrays, wanted, shape, index: (
            _getitem(g, *arrays, index=index),
            *(None for _ in arrays),
        ),
        reads=lambda wanted: {str(i) for i in range(1, len(wanted))},
    ),
)


def getitem(x: Any, index: Any) -> Any:
    """`x[index]` with every basic and advanced index that NumPy has.

    Index arrays may be integers or bools, raw or Tensors; duplicates add up in the gradient.
    Raises RangeError for an index outside, SettingError for what is no index.
    """
    template: list[Any] = []
    arrays: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, (list, np.ndarray)) or hasattr(part, "dtype"):
            array = np.asarray(part, dtype=np.intp if len(part) == 0 else None) \
                if isinstance(part, list) else part  # fmt: skip
            if isinstance(array, np.integer):
                template.append(int(array))
                continue
            if array.dtype.kind not in "iub":
                raise SettingError(
                    f"getitem: an index array must hold integers or bools, not {array.dtype}"
                )
            template.append(ARRAY)
            arrays.append(array)
        elif part is None or part is Ellipsis or isinstance(part, (slice, Dim)):
            template.append(part)
        elif isinstance(part, int) and not isinstance(part, bool):
            template.append(part)
        else:
            raise SettingError(
                f"getitem: {part!r} is no index; use ints, slices, None, ... or integer arrays"
            )
    return _getitem(x, *arrays, index=tuple(template))


# --- one axis ------------------------------------------------------------------------------


def _along(x: Any, index: Any, axis: int) -> tuple[Any, ...]:
    """The index arrays that pick `index` along `axis` and keep the other axes in place."""
    xp = array_module(x)
    grid = xp.indices(index.shape, sparse=True)
    return (*grid[:axis], index, *grid[axis + 1 :])


def _compute_gather(x: Any, index: Any, *, axis: int) -> Any:
    try:
        return x[_along(x, index, axis)]
    except IndexError as error:
        raise RangeError(f"gather: {error}") from None


def _compute_scatter_add(g: Any, index: Any, *, axis: int, size: int) -> Any:
    xp = array_module(g)
    out = xp.zeros((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype)
    xp.add.at(out, _along(g, index, axis), g)
    return out


_gather = Op(
    "gather",
    _compute_gather,
    lambda x, index, *, axis: Spec(index.shape, x.dtype),
    [
        Rule(
            lambda g, y, x, index, *, axis: _scatter_add(g, index, axis=axis, size=x.shape[axis]),
            reads="index",
        ),
        ZERO,
    ],
)

_scatter_add = Op(
    "scatter_add",
    _compute_scatter_add,
    lambda g, index, *, axis, size: Spec((*g.shape[:axis], size, *g.shape[axis + 1 :]), g.dtype),
    [
        Rule(lambda g, y, x, index, *, axis, size: _gather(g, index, axis=axis), reads="index"),
        ZERO,
    ],
)


def gather(x: Any, index: Any, axis: int) -> Any:
    """Elements of `x` picked along `axis`; `index` (integers) has x's sizes on other axes."""
    return _gather(x, index, axis=one_axis("gather", axis, x.ndim))


def scatter_add(values: Any, index: Any, axis: int, size: Size) -> Any:
    """Zeros of `size` along `axis`, with `values` added in at `index`: what undoes gather."""
    return _scatter_add(values, index, axis=one_axis("scatter_add", axis, values.ndim), size=size)
