"""`static.data.Dataset`: what of it programs with arrays in memory use. For more there are `shared.data`'s
loaders, whose batches are fed.

An iterator's place is its own, whichever session asks; its end is an OutOfRangeError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from typing import Any

import numpy as np

from shared import nest
from shared.dims import Dim
from shared.errors import OutOfRangeError, SettingError, ShapeError, StateError
from shared.op import Op
from shared.spec import Spec, as_seed
from static.graph.create import group, placeholder
from static.graph.graph import Graph, Node, Tensor
from static.graph.operands import apply, as_tensor
from static.run.session import Session

Row = list[Any]
Rows = Callable[[Row], Iterator[Row]]


class Dataset:
    """Elements, one after the other, each a structure of arrays.

    sources  the Tensors that it is made of
    rows     from their values, the elements, each as a list
    specs    what is known of an element's arrays
    build    puts such a list into its structure
    """

    def __init__(
        self, sources: list[Tensor], rows: Rows, specs: list[Spec], build: Callable[[Any], Any]
    ) -> None:
        self._sources, self._rows, self._specs, self._build = sources, rows, specs, build

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of arrays or Tensors, in whatever structure they are: one that has as many of each."""
        values, build = (tensors, None) if isinstance(tensors, list) else nest.flatten(tensors)
        sources = [as_tensor(tensors)] if build is None else [as_tensor(value) for value in values]
        specs = [Spec(x.shape[1:], x.dtype) for x in sources]

        def rows(arrays: Row) -> Iterator[Row]:
            if len({len(array) for array in arrays}) > 1:
                counts = [len(array) for array in arrays]
                raise ShapeError(f"from_tensor_slices: arrays of {counts} rows; give as many of each")
            return map(list, zip(*arrays, strict=True))

        return Dataset(sources, rows, specs, build or (lambda row: row[0]))

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """One element."""
        values, build = nest.flatten(tensors)
        sources = [as_tensor(value) for value in values]
        return Dataset(sources, lambda arrays: iter([arrays]), [x.spec for x in sources], build)

    @staticmethod
    def range(*bounds: int) -> Dataset:
        """Whole numbers, as Python's range."""
        return Dataset.from_tensor_slices(np.arange(*bounds))

    def _with(
        self, rows: Callable[[Iterator[Row]], Iterator[Row]], specs: list[Spec] | None = None
    ) -> Dataset:
        before = self._rows
        return Dataset(self._sources, lambda arrays: rows(before(arrays)), specs or self._specs, self._build)

    def shuffle(self, buffer_size: int, seed: int | None = None) -> Dataset:
        """In another order: each element is drawn from the next `buffer_size`, anew in each pass."""
        rng = np.random.default_rng(None if seed is None else as_seed("shuffle", seed))

        def drawn(rows: Iterator[Row]) -> Iterator[Row]:
            held = list(islice(rows, buffer_size))
            for row in rows:
                at = int(rng.integers(len(held)))
                yield held[at]
                held[at] = row
            for at in rng.permutation(len(held)):
                yield held[int(at)]

        return self._with(drawn)

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements so many times; without end if None or -1."""
        before = self._rows

        def again(arrays: Row) -> Iterator[Row]:
            endless = count is None or count < 0
            passes = repeat(None) if endless else repeat(None, count or 0)
            return chain.from_iterable(before(arrays) for _ in passes)

        return Dataset(self._sources, again, self._specs, self._build)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """So many elements stacked; the last ones, if fewer are left, fewer or none."""
        if not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise SettingError(f"batch: batch_size is a whole number from 1 up, not {batch_size!r}")

        def stacked(rows: Iterator[Row]) -> Iterator[Row]:
            while group_of := list(islice(rows, batch_size)):
                if len(group_of) == batch_size or not drop_remainder:
                    yield [np.stack(column) for column in zip(*group_of, strict=True)]

        size = batch_size if drop_remainder else Dim()
        return self._with(stacked, [Spec((size, *spec.shape), spec.dtype) for spec in self._specs])

    def map(self, map_func: Callable[..., Any], num_parallel_calls: int | None = None) -> Dataset:
        """`map_func` of each element: a function of Tensors, which is built once."""
        graph = Graph()
        with graph.as_default():
            given = [placeholder(spec.dtype, spec.shape) for spec in self._specs]
            element = self._build(given)
            made = map_func(*element) if isinstance(element, tuple) else map_func(element)
            values, build = nest.flatten(made)
            results = [as_tensor(value) for value in values]
        call = Session(graph=graph).make_callable(results, given)
        specs = [Spec(tuple(Dim() if isinstance(n, Dim) else n for n in x.shape), x.dtype) for x in results]
        mapped = self._with(lambda rows: (call(*row) for row in rows), specs)
        mapped._build = build
        return mapped

    def take(self, count: int) -> Dataset:
        """The first so many elements."""
        return self._with(lambda rows: islice(rows, count))

    def skip(self, count: int) -> Dataset:
        """The elements without the first so many."""
        return self._with(lambda rows: islice(rows, count, None))

    def prefetch(self, buffer_size: int) -> Dataset:
        """The same: elements are made when they are asked for."""
        return self

    def make_one_shot_iterator(self) -> DatasetIterator:
        """An iterator over elements that are known now."""
        known = [x.node.settings.get("value") for x in self._sources]
        if any(value is None for value in known):
            raise SettingError(
                "make_one_shot_iterator: the elements come from Tensors; make_initializable_iterator() has "
                "an initializer, which is run with what they need"
            )
        made = DatasetIterator(self)
        made.start(known)
        return made

    def make_initializable_iterator(self) -> DatasetIterator:
        """An iterator that starts, or starts anew, when its `initializer` is run."""
        return DatasetIterator(self)


class DatasetIterator:
    """Where one is in a Dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._rows: Iterator[Row] | None = None

    def start(self, arrays: Row) -> None:
        """Begin at the first element of a Dataset of these arrays."""
        self._rows = self._dataset._rows(arrays)

    @property
    def initializer(self) -> Node:
        """The operation that starts it."""

        def compute(*arrays: Any) -> Any:
            self.start([np.array(array) for array in arrays])
            return np.asarray(True)

        spec = Spec((), np.dtype(bool))
        op = Op("start_iterator", compute, lambda *_: spec, constant=("y",), pure=False, listed=False)
        return group(apply(op, self._dataset._sources, {}))

    def get_next(self, name: str | None = None) -> Any:
        """The Tensors of the next element: every run that needs one of them takes one."""
        specs = tuple(self._dataset._specs)

        def compute() -> Any:
            if self._rows is None:
                raise StateError("get_next: the iterator was not started; run its initializer first")
            row = next(self._rows, None)
            if row is None:
                raise OutOfRangeError("get_next: end of sequence; run the initializer, or repeat() them")
            return tuple(np.asarray(value, spec.dtype) for value, spec in zip(row, specs, strict=True))

        single = len(specs) == 1
        names = ("y",) if single else tuple(f"y{i}" for i in range(len(specs)))
        op = Op(
            "get_next", (lambda: compute()[0]) if single else compute, lambda: specs[0] if single else specs,
            outputs=names, constant=names, pure=False, listed=False,
        )  # fmt: skip
        made = apply(op, [], {})
        return self._dataset._build([made] if single else list(made))
