"""Tables that are looked up by number, a bag of numbers at a time."""

from __future__ import annotations

from typing import Any

from shared.errors import SettingError, ShapeError
from shared.ops.choosing import equal, where
from shared.ops.creation import arange, ones, zeros
from shared.ops.elementwise import mul, sub
from shared.ops.indexing import integer_array
from shared.ops.lookup import embedding, scatter_sum
from shared.ops.reductions import cumsum
from shared.ops.scattering import index_put
from shared.ops.shapes import as_tensor_like, broadcast_to, expand_dims, reshape
from shared.spec import sizes_match, str_shape

_MODES = {"sum": "add", "mean": "mean", "max": "max"}


def embedding_bag(
    ids: Any, weight: Any, offsets: Any = None, mode: str = "mean", per_sample_weights: Any = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Any:  # fmt: skip
    """The rows of `weight` for the ids of a bag made one, as `torch.nn.functional.embedding_bag`.

    ids      (bags, each) integers, or (count,), the bags one after the other
    weight   (rows, size)
    offsets  (bags,) integers, for ids of one axis: where each bag begins, from 0 on, not falling. With
             `include_last_offset` there is one more, where the last one ends
    mode     "sum", "mean" or "max"; an empty bag gives zeros
    per_sample_weights  like ids: what each row is multiplied by, for a sum
    padding_idx  an id that does not count, and whose row gets no gradient
    Gives (bags, size). Raises RangeError for an id outside, ShapeError for what does not fit.
    """
    ids, weight = integer_array("embedding_bag", "ids", ids), as_tensor_like(weight)
    if mode not in _MODES:
        raise SettingError(f"embedding_bag: mode must be 'sum', 'mean' or 'max', not {mode!r}")
    if len(weight.shape) != 2 or len(ids.shape) != (2 if offsets is None else 1):
        raise ShapeError(
            f"embedding_bag: ids {str_shape(ids.shape)} of a weight {str_shape(weight.shape)}: the weight is "
            "(rows, size), and ids are (bags, each), or (count,) with offsets"
        )
    if offsets is None:
        count = ids.shape[0]
        bags = reshape(broadcast_to(expand_dims(arange(count, like=ids), 1), ids.shape), -1)
    else:
        offsets = integer_array("embedding_bag", "offsets", offsets)
        if len(offsets.shape) != 1:
            raise ShapeError(f"embedding_bag: offsets {str_shape(offsets.shape)} must have one axis")
        count = offsets.shape[0] - include_last_offset
        begun = scatter_sum(ones(offsets.shape, "int64", like=ids), offsets, 0, ids.shape[0] + 1)
        bags = sub(cumsum(begun, 0)[:-1], 1)
    rows = embedding(reshape(ids, -1), weight, padding_idx)
    if per_sample_weights is not None:
        rows = mul(rows, _weights(per_sample_weights, ids, mode))
    if padding_idx is not None:  # what belongs to no bag goes into one more, which is left out
        padding = padding_idx % weight.shape[0]
        bags = where(equal(reshape(ids, -1), padding), count, bags)
    y = zeros((count + 1, weight.shape[1]), rows.dtype, like=rows)
    return index_put(y, bags, rows, _MODES[mode], include_self=mode == "sum")[:-1]


def _weights(given: Any, ids: Any, mode: str) -> Any:
    """The weights of the rows, (count, 1)."""
    given = as_tensor_like(given)
    same = len(given.shape) == len(ids.shape) and all(map(sizes_match, given.shape, ids.shape))
    if mode != "sum" or not same:
        raise SettingError(
            f"embedding_bag: per_sample_weights {str_shape(given.shape)} are for mode='sum' and like ids, "
            f"{str_shape(ids.shape)}, not for mode={mode!r}"
        )
    return reshape(given, (-1, 1))
