"""Data sets by index, and what can be made of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from shared.data.order import shuffled
from shared.errors import RangeError, SettingError, ShapeError
from shared.spec import as_seed
from shared.usage.door import methods, refused

Transform = Callable[[Any], Any]


class Dataset:
    """`len(dataset)` examples, each had by `dataset[i]`. Subclasses write both.

    Anything with `__len__` and `__getitem__`, such as a list, serves a DataLoader as well.
    """

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__(); write one")

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__(); write one")

    def batch(self, indices: Any) -> Any:
        """The examples at `indices` (int64) as one batch, or None if they must be had one by one
        and put together by a collate function. Where it can be, one indexing is much faster."""
        return None


class TensorDataset(Dataset):
    """Arrays whose rows belong together: example i is the tuple of their i-th rows.

    transform is applied to the first part of an example, target_transform to the last.
    """

    def __init__(
        self, *arrays: Any, transform: Transform | None = None, target_transform: Transform | None = None
    ) -> None:
        self.arrays = as_arrays(arrays)
        sizes = [len(array) if array.ndim else None for array in self.arrays]
        if not sizes or None in sizes or len(set(sizes)) > 1:
            shapes = ", ".join(str(array.shape) for array in self.arrays)
            raise ShapeError(f"TensorDataset: pass arrays of equal length, not of shapes {shapes or 'none'}")
        if target_transform is not None and len(arrays) < 2:
            raise SettingError("TensorDataset: target_transform needs a second array, the targets")
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        try:
            parts = [array[index] for array in self.arrays]
            if self.transform is not None:
                parts[0] = self.transform(parts[0])
            if self.target_transform is not None:
                parts[-1] = self.target_transform(parts[-1])
        except Exception as error:
            refused("__getitem__", error, args=(index,), of=self)
            raise
        return tuple(parts)

    def batch(self, indices: Any) -> Any:
        if self.transform is not None or self.target_transform is not None:
            return None
        return tuple([array[indices] for array in self.arrays])


class Subset(Dataset):
    """The examples of a data set at `indices`, in that order."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, np.asarray(indices, np.int64)
        size = len(dataset)
        if outside := [int(i) for i in self.indices.reshape(-1) if not -size <= i < size]:
            raise RangeError(f"Subset: index {outside[0]} is outside the {size} examples of the data set")

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self.indices[index])]

    def batch(self, indices: Any) -> Any:
        return rows_of(self.dataset, self.indices[indices])


class ConcatDataset(Dataset):
    """Data sets one after the other."""

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise SettingError("ConcatDataset: pass one data set or more")
        self.ends = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        return self.ends[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise RangeError(f"ConcatDataset: index {index} is outside its {len(self)} examples")
        index %= len(self)
        which = bisect_right(self.ends, index)
        return self.datasets[which][index - (self.ends[which - 1] if which else 0)]


methods(TensorDataset, "batch")
methods(Subset, "__getitem__", "batch")
methods(ConcatDataset, "__getitem__")


def as_arrays(values: Sequence[Any]) -> tuple[Any, ...]:
    """NumPy arrays of arrays, lists and dynamic Tensors."""
    return tuple([v.numpy() if hasattr(v, "numpy") else np.asarray(v) for v in values])


def rows_of(dataset: Any, indices: Any) -> Any:
    """`dataset.batch(indices)` where the data set has such a method, else None."""
    batch = getattr(dataset, "batch", None)
    return None if batch is None else batch(indices)


def random_split(dataset: Any, lengths: Sequence[float], seed: int = 0) -> list[Subset]:
    """Disjoint random Subsets of the data set, of these lengths, by a seed.

    lengths are counts that add up to len(dataset), or shares that add up to 1; what rounding
    down leaves over goes to the first ones, one each.
    """
    size = len(dataset)
    counts = [int(length) for length in lengths]
    if math.isclose(sum(lengths), 1) and size != 1:
        counts = [math.floor(size * share) for share in lengths]
        for i in range(size - sum(counts)):
            counts[i % len(counts)] += 1
    if sum(counts) != size or min(counts, default=0) < 0:
        raise SettingError(
            f"random_split: lengths {list(lengths)} must add up to the {size} examples, or, as shares, to 1"
        )
    order = shuffled(size, as_seed("random_split", seed))
    ends = list(accumulate(counts))
    return [Subset(dataset, order[end - count : end]) for count, end in zip(counts, ends, strict=True)]
