"""Indexing as NumPy has it, and its gradient.

An index is a template, made of ints, slices, None, Ellipsis and `ARRAY`, beside the index
arrays that stand where `ARRAY` does. The template is a setting, the arrays are arguments.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shared.dims import Dim, Shape, Size, same_size
from shared.errors import DiptychError, DTypeError, RangeError, SettingError, ShapeError
from shared.kernels.scatter import scatter_rows, zeroed
from shared.op import Joint, Op, PlannerHints, array_module, as_array
from shared.ops.ranges import slice_size
from shared.ops.shapes import as_tensor_like, reshape
from shared.spec import Operand, Spec, broadcast_shapes, one_axis, sizes_match, spec_of, str_shape


class _Array:
    """Stands in a template where an index array goes."""

    def __repr__(self) -> str:
        return "ARRAY"


ARRAY = _Array()
EVERY = slice(None, None, None)
Template = tuple[Any, ...]


def filled(index: Template, arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index that NumPy takes."""
    if not arrays:
        return index
    rest = iter(arrays)
    return tuple(next(rest) if part is ARRAY else part for part in index)


# --- what comes out ------------------------------------------------------------------------


def _axes_of(part: Any, arrays: Iterator[Operand]) -> int:
    """How many axes of x a part of the index speaks for."""
    if part is ARRAY:
        array = next(arrays)
        return len(array.shape) if array.dtype.kind == "b" else 1
    return 0 if part is None or part is Ellipsis else 1


def _spelled_out(shape: Shape, arrays: tuple[Operand, ...], index: Template) -> Template:
    """The index with slices in the place of its Ellipsis, so that every axis has its part. An
    Ellipsis that stands for no axis stays: it still parts the arrays before it from those after."""
    places = [position for position, part in enumerate(index) if part is Ellipsis]
    if len(places) > 1:
        raise SettingError("getitem: an index can hold only one Ellipsis (...)")
    given = iter(arrays)
    spoken_for = sum(_axes_of(part, given) for part in index)
    if spoken_for > len(shape):
        raise ShapeError(f"getitem: {spoken_for} indices for {str_shape(shape)}, which has {len(shape)} axes")
    rest = (EVERY,) * (len(shape) - spoken_for)
    if not places:
        return (*index, *rest)
    return (*index[: places[0]], *(rest or (Ellipsis,)), *index[places[0] + 1 :])


class _Counted(Spec):
    """The integers that a mask amounts to: as many as it has that are true."""


def infer_getitem(x: Operand, *arrays: Operand, index: Template) -> Spec:
    """NumPy's rules: advanced indices (arrays, and ints beside them) broadcast together; the
    axes they make stand where the first of them stood, or in front if others part them."""
    parts = _spelled_out(x.shape, arrays, index)
    given = iter(arrays)
    basic: list[Size] = []
    picked: list[Operand] = []
    place = axis = 0
    for part in parts:
        if part is None:
            basic.append(1)
        elif isinstance(part, slice):
            basic.append(slice_size(x.shape[axis], part))
            axis += 1
        elif part is not Ellipsis:
            place = place if picked else len(basic)
            integers, axes = _integers(part, given, x.shape, axis)
            picked.append(integers)
            axis += axes
    if arrays:
        at = place if _stand_together(parts) else 0
        basic[at:at] = _together(picked)
    return Spec(tuple(basic), x.dtype)


def _integers(part: Any, arrays: Iterator[Operand], shape: Shape, axis: int) -> tuple[Operand, int]:
    """The integers that an int, an integer array or a mask amounts to, and the number of axes
    that it takes; checked as far as shapes tell."""
    if part is not ARRAY:
        size = shape[axis]
        if not isinstance(size, Dim) and not isinstance(part, Dim) and not -size <= part < size:
            raise RangeError(
                f"getitem: index {part} is out of range for axis {axis} of {str_shape(shape)}; it "
                f"goes from {-size} to {size - 1}"
            )
        return 0, 1
    array = next(arrays)
    if array.dtype.kind != "b":
        return array, 1
    covered = shape[axis : axis + len(array.shape)]
    if not all(map(sizes_match, array.shape, covered)):
        raise ShapeError(
            f"getitem: a mask of shape {str_shape(array.shape)} stands at axis {axis} of "
            f"{str_shape(shape)}, where the sizes are {str_shape(covered)}; they must be the same"
        )
    return _Counted((Dim(),), np.dtype(np.intp)), len(array.shape)


def _together(picked: Sequence[Operand]) -> Shape:
    """What advanced indices broadcast to. Where one of them is a mask's, a run measures what comes out,
    since nothing else has the size that the mask alone has."""
    shape = broadcast_shapes("getitem (its index arrays)", *picked)
    counted = [x.shape[0] for x in picked if isinstance(x, _Counted)]
    if len(picked) == 1 or not counted or not isinstance(shape[-1], Dim):
        return shape
    return (*shape[:-1], Dim())


def _stand_together(parts: Template) -> bool:
    """Whether the ints and arrays follow one another."""
    kinds = [part is None or part is Ellipsis or isinstance(part, slice) for part in parts]
    first, last = kinds.index(False), len(kinds) - kinds[::-1].index(False)
    return not any(kinds[first:last])


# --- the op and its adjoint ----------------------------------------------------------------


def _rows_axis(shape: Shape, arrays: tuple[Any, ...], index: Template) -> int | None:
    """The axis, if the index is one integer array there and takes all of the other axes."""
    if len(arrays) != 1 or arrays[0].dtype.kind == "b":
        return None
    parts = [part for part in _spelled_out(shape, arrays, index) if part is not Ellipsis]
    whole = all(part is ARRAY or (isinstance(part, slice) and part == EVERY) for part in parts)
    return parts.index(ARRAY) if whole else None


def _compute_getitem(x: Any, *arrays: Any, index: Template) -> Any:
    try:
        if not arrays:  # a single element is a view, too: NumPy would give a number for it
            return x[index if Ellipsis in index else (*index, ...)]
        axis = _rows_axis(x.shape, arrays, index)
        if axis is not None and x.size:  # take is faster, and gives C order
            return x.take(arrays[0].astype(np.intp, copy=False), axis=axis)
        if any(array.dtype.kind == "b" and not array.size for array in arrays):
            infer_getitem(spec_of(x), *map(spec_of, arrays), index=index)  # NumPy takes any
        return array_module(x).asarray(x[filled(index, arrays)], order="C")
    except IndexError as error:
        infer_getitem(spec_of(x), *map(spec_of, arrays), index=index)
        raise RangeError(f"getitem: {error}; the shape is {str_shape(x.shape)}") from None


def _is_leading(*, index: Template) -> bool:
    """Whether an index chooses along the first axis alone, and a run of memory: not by an array, whose order
    is its own."""
    first, rest = index[:1], index[1:]
    if first == (ARRAY,):
        return False
    step = first[0].step if first and isinstance(first[0], slice) else 1
    return step in (None, 1) and all(part is Ellipsis or part == EVERY for part in rest)


def _arrays_only(wanted: tuple[bool, ...]) -> set[str]:
    """The names of all arguments but the first, whose gradient alone there is."""
    return {str(i) for i in range(1, len(wanted))} if wanted[0] else set()


def admit_index(x: Any, *arrays: Any, index: Template) -> None:
    """What NumPy would say of an index, said of an array of the shape that has no memory of its own."""
    if arrays:
        _compute_getitem(np.broadcast_to(np.zeros((), bool), x.shape), *arrays, index=index)


pick = Op(
    "getitem",
    _compute_getitem,
    infer_getitem,
    Joint(
        lambda g, y, *args, wanted, index: (
            scatter_index(g, *args[1:], shape=args[0].shape, index=index),
            *(None for _ in args[1:]),
        ),
        reads=_arrays_only,
    ),
    alias=(0,),
    hints=PlannerHints(view=_is_leading),
    judges=(1, ...),
    admits=admit_index,
    doc="`x[index]`: the index is a template, which is a setting, and the arrays that fill it.",
)


def _compute_scatter_index(
    g: Any, *arrays: Any, shape: tuple[int, ...], index: Template, out: Any = None
) -> Any:
    xp = array_module(g)
    if not arrays or (len(arrays) == 1 and arrays[0].dtype.kind == "b"):  # nothing comes twice
        y = zeroed(xp, shape, g.dtype, out)
        y[filled(index, arrays)] = g
        return y
    (lead, size, trail), rows, _ = as_rows(xp, shape, arrays, index)
    values = g.reshape(lead, rows.size, trail)
    if out is None:
        return scatter_rows(values, rows, size).reshape(shape)
    scatter_rows(values, rows, size, out.reshape(lead, size, trail))
    return out


def as_rows(
    xp: Any, shape: tuple[int, ...], arrays: tuple[Any, ...], index: Template
) -> tuple[tuple[int, int, int], Any, tuple[int, ...]]:
    """An index as one of rows: what it picks of an array of this shape is, in C order, `[:, rows]` of that in
    the three sizes; and the shape of what it picks."""
    axis = _rows_axis(shape, arrays, index)
    if axis is not None:
        lead, trail = shape[:axis], shape[axis + 1 :]
        sizes = math.prod(lead), shape[axis], math.prod(trail)
        return sizes, arrays[0].reshape(-1), (*lead, *arrays[0].shape, *trail)
    parts = _spelled_out(shape, arrays, index)
    ends = len(shape) - _whole_axes(parts)
    places = _positions(xp, shape[:ends], filled(parts[: len(parts) - len(shape) + ends], arrays))
    sizes = 1, math.prod(shape[:ends]), math.prod(shape[ends:])
    return sizes, places.reshape(-1), (*places.shape, *shape[ends:])


def _whole_axes(parts: Template) -> int:
    """How many axes at the end the index takes as they are."""
    count = 0
    while count < len(parts) and isinstance(parts[-1 - count], slice) and parts[-1 - count] == EVERY:
        count += 1
    return count


def _positions(xp: Any, shape: tuple[int, ...], index: Template) -> Any:
    """For each element that the index picks from an array of this shape, in C order, the place
    where it stands in the flattened array."""
    places = xp.broadcast_to(xp.zeros((), np.intp), shape)[index]
    for axis, size in enumerate(shape):
        steps = xp.arange(size) * math.prod(shape[axis + 1 :])
        column = steps.reshape(-1, *(1,) * (len(shape) - axis - 1))
        places = places + xp.broadcast_to(column, shape)[index]
    return places


scatter_index = Op(
    "scatter_index",
    _compute_scatter_index,
    lambda g, *arrays, shape, index: Spec(shape, g.dtype),
    Joint(
        lambda g, y, *args, wanted, shape, index: (
            pick(g, *args[1:], index=index),
            *(None for _ in args[1:]),
        ),
        reads=_arrays_only,
    ),
    out=True,
    judges=(1, ...),
    admits=lambda g, *arrays, shape, index: admit_index(Spec(shape, g.dtype), *arrays, index=index),
    doc="Zeros of `shape`, with g added in at the index: the adjoint of getitem. Elements that the\n"
    "index names several times get the sum, taken in g's C order.",
)


# --- what users call -----------------------------------------------------------------------


def getitem(x: Any, index: Any) -> Any:
    """`x[index]`, by NumPy's rules, with every basic and advanced index that NumPy has.

    Ints, slices, None and Ellipsis give a view; integer arrays, masks and lists, raw or Tensors,
    a fresh array. In the gradient, elements that were picked several times add up. A size that
    only a run can tell (of a mask; of a slice of an unknown size) is unknown.

    Raises RangeError for an index outside, ShapeError for too many indices, for index arrays
    that do not broadcast and for a mask that does not fit, SettingError for what is no index.
    """
    template, arrays = parted(index)
    return pick(as_tensor_like(x), *arrays, index=template)


def parted(index: Any) -> tuple[Template, list[Any]]:
    """An index as a template and the arrays that fill it, in normal form; SettingError for what is none."""
    template: list[Any] = []
    arrays: list[Any] = []
    for part in index if isinstance(index, tuple) else (index,):
        part = _index_part(part)
        if hasattr(part, "dtype"):
            arrays.append(part)
            part = ARRAY
        template.append(part)
    return tuple(template), arrays


def take(x: Any, index: Any, axis: int | None = None) -> Any:
    """The elements of `x` at `index` along `axis`; of the flattened `x` if the axis is None.

    index: integers of any shape, which stands in the result where the axis was; -1 is the last.
    Duplicates add up in the gradient. Raises RangeError for an index outside.
    """
    x = as_tensor_like(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    lead = (EVERY,) * one_axis("take", axis, x.ndim)
    return pick(x, integer_array("take", "index", index), index=(*lead, ARRAY))


def _index_part(part: Any) -> Any:
    """One part of an index in its normal form: int, Dim, slice, None, Ellipsis or an array."""
    if part is None or part is Ellipsis or isinstance(part, Dim):
        return part
    if isinstance(part, slice):
        bounds = [_bound(value) for value in (part.start, part.stop, part.step)]
        if bounds[2] is not None and same_size(bounds[2], 0):
            raise SettingError("getitem: the step of a slice can not be zero")
        return slice(*bounds)
    if isinstance(part, (list, tuple, range)):
        part = _array_of(part)
    elif isinstance(part, (bool, np.bool_)):
        part = np.asarray(part)
    if hasattr(part, "dtype") and not isinstance(part, np.integer):
        if part.dtype.kind not in "iub":
            raise SettingError(
                f"getitem: an index array must hold integers or bools, not {part.dtype}; cast it"
            )
        return part
    try:
        return int(operator.index(part))
    except TypeError:
        raise SettingError(
            f"getitem: {part!r} is no index; use ints, slices, None, ... or integer arrays"
        ) from None


def _bound(value: Any) -> Any:
    """A bound of a slice: None, an int or an unknown size."""
    if value is None or isinstance(value, Dim):
        return value
    try:
        return int(operator.index(value))
    except TypeError as error:
        if isinstance(error, DiptychError):
            raise
        raise SettingError(f"getitem: a slice goes between integers, not {value!r}") from None


def _array_of(values: Any) -> Any:
    """A list inside an index as an array; an empty one picks nothing."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise SettingError(f"getitem: the rows of the index {values!r} differ in length") from None
    return array.astype(np.intp) if array.size == 0 else array


def integer_array(call: str, name: str, values: Any) -> Any:
    """An argument that must hold integers, or DTypeError; lists become arrays."""
    if isinstance(values, (list, tuple)) and len(values) == 0:
        return np.zeros(0, np.intp)
    array = values if hasattr(values, "dtype") else as_array(values)
    if array.dtype.kind not in "iu":
        raise DTypeError(f"{call}: {name} must hold integers, not {array.dtype}; cast it first")
    return array
