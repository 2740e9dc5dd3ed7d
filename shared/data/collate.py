"""Examples put together to a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.errors import ShapeError
from shared.spec import whole
from shared.usage.door import methods


def default_collate(examples: Sequence[Any]) -> Any:
    """A batch of examples of one structure: arrays are stacked, numbers become an array.

    Python ints give int64, floats float32, bools bool; tuples, lists, namedtuples and dicts are
    put together part by part; strings and other things become a list. ShapeError if arrays
    that shall be stacked differ in shape.
    """
    first = examples[0]
    if isinstance(first, (tuple, list)):
        if any(len(example) != len(first) for example in examples):
            sizes = sorted({len(example) for example in examples})
            raise ShapeError(f"collate: the examples of a batch have different numbers of parts, {sizes}")
        parts = [default_collate(part) for part in zip(*examples, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if isinstance(first, dict):
        return {key: default_collate([example[key] for example in examples]) for key in first}
    if isinstance(first, float) and not isinstance(first, np.generic):
        return np.asarray(examples, np.float32)
    if isinstance(first, int) and not isinstance(first, bool):
        return np.asarray(examples, np.int64)
    if isinstance(first, (np.ndarray, np.generic, bool)):
        return _stacked(examples)
    return list(examples)


def _stacked(examples: Sequence[Any]) -> Any:
    shapes = {np.shape(example) for example in examples}
    if len(shapes) > 1:
        listed = ", ".join(str(shape) for shape in sorted(shapes)[:5])
        raise ShapeError(
            f"collate: examples of shapes {listed} do not make one array; pad them "
            "(collate_fn=PadCollate()) or pass a collate_fn of your own"
        )
    return np.stack(examples)


def pad_sequence(sequences: Sequence[Any], batch_first: bool = False, padding_value: float = 0) -> Any:
    """Sequences (length, ...) of different lengths as one array (longest, N, ...), or, with
    `batch_first`, (N, longest, ...), filled up at their ends."""
    return _padded([np.asarray(s) for s in sequences], batch_first, padding_value, 1)


def _padded(arrays: Sequence[Any], batch_first: bool, padding_value: float, multiple_of: int) -> Any:
    rest = {array.shape[1:] if array.ndim else None for array in arrays}
    if len(rest) != 1 or None in rest:
        listed = ", ".join(str(array.shape) for array in arrays[:5])
        raise ShapeError(
            f"pad_sequence: the sequences may differ in their first axis alone, not be of shapes {listed}"
        )
    longest = max(len(array) for array in arrays)
    longest += -longest % multiple_of
    shape = (len(arrays), longest, *arrays[0].shape[1:])
    padded = np.full(shape, padding_value, np.result_type(*[array.dtype for array in arrays]))
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return padded if batch_first else np.ascontiguousarray(np.swapaxes(padded, 0, 1))


class PadCollate:
    """A collate function for sequences of different lengths.

    Each sequence of an example, (length, ...), becomes a pair: the padded array, and int64 (N,)
    with the true lengths. What is no sequence is put together as `default_collate` does: examples
    (sequence, label) give ((array, lengths), labels), bare sequences give (array, lengths).

    parts        which parts of an example are sequences, by position; None: all with an axis
    batch_first  (N, longest, ...), else (longest, N, ...), which recurrent layers take
    multiple_of  round the longest length up to a multiple of this, so that fewer shapes occur
    """

    def __init__(
        self,
        padding_value: float = 0,
        batch_first: bool = False,
        parts: Sequence[int] | None = None,
        multiple_of: int = 1,
    ) -> None:
        self.padding_value, self.batch_first = padding_value, batch_first
        self.multiple_of = whole("PadCollate", "multiple_of", multiple_of, 1)
        self.parts = None if parts is None else tuple(parts)

    def __call__(self, examples: Sequence[Any]) -> Any:
        if not isinstance(examples[0], tuple):
            return self._pad(examples)
        columns = list(zip(*examples, strict=True))
        return tuple(
            self._pad(column) if self._is_sequence(i, column[0]) else default_collate(column)
            for i, column in enumerate(columns)
        )

    def _is_sequence(self, position: int, value: Any) -> bool:
        return np.ndim(value) > 0 if self.parts is None else position in self.parts

    def _pad(self, sequences: Sequence[Any]) -> tuple[Any, Any]:
        arrays = [np.asarray(s) for s in sequences]
        padded = _padded(arrays, self.batch_first, self.padding_value, self.multiple_of)
        return padded, np.array([len(array) for array in arrays], np.int64)


methods(PadCollate, "__call__")
