"""Batches, epoch after epoch, in an order that can be left and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from typing import Any, Self

import numpy as np

from shared.data.collate import default_collate
from shared.data.dataset import as_arrays, rows_of
from shared.data.draws import making
from shared.data.order import shuffled
from shared.data.prefetch import prefetched
from shared.errors import SettingError, ShapeError, StateError
from shared.spec import as_seed, in_short, whole
from shared.usage.door import methods, refused


class Loader:
    """What loaders share: epochs, position, prefetching. Subclasses write `__len__` and `made`.

    Each `iter(loader)` is one epoch. `epoch` and `position` tell where the last iterator stands:
    how many epochs are over, and how many batches of this one were handed out.
    """

    part: tuple[int, int] = (0, 1)
    """Which part of each batch it gives, of how many."""

    def __init__(self, prefetch: int) -> None:
        self.prefetch = whole(type(self).__name__, "prefetch", prefetch)
        self.epoch = self.position = 0
        self._resumed = False
        self._last: object = None

    def __len__(self) -> int:
        """How many batches an epoch has."""
        raise NotImplementedError

    def made(self, epoch: int, start: int) -> Generator[Any, None, None]:
        """The batches of an epoch from number `start` on."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        if self.position and not self._resumed:  # an epoch that was left half way is over
            self.epoch, self.position = self.epoch + 1, 0
        self._resumed = False
        self._last = mark = object()
        return self._iterate(mark, self.epoch, self.position)

    def _iterate(self, mark: object, epoch: int, start: int) -> Iterator[Any]:
        source = self.made(epoch, start)
        if self.prefetch:
            source = prefetched(source, self.prefetch)
        with closing(source):
            try:
                for position, batch in enumerate(source, start + 1):
                    if self._last is mark:
                        self.position = position
                    yield batch
            except Exception as error:
                refused("__iter__", error, of=self)
                raise
        if self._last is mark:
            self.epoch, self.position = epoch + 1, 0

    def shard(self, rank: int, size: int) -> Self:
        """A loader that gives this rank's rows of each batch, of `size` ranks: they follow each other, and
        the first ranks have one more where they can not be equal. It stands where this one does.

        Batches are numbered as they are for one rank, so `state_dict` fits any number of ranks. SettingError
        where some batch has fewer rows than there are ranks.
        """
        call = f"{type(self).__name__}.shard"
        size = whole(call, "size", size, 1)
        if whole(call, "rank", rank) >= size:
            raise SettingError(f"{call}: there is no rank {rank} of {size}; they are numbered from 0")
        if self.fewest() < size:
            raise SettingError(
                f"{call}: a batch of {self.fewest()} rows can not be shared by {size} ranks; take larger "
                "batches, and drop_last=True where it is the last one"
            )
        made = copy(self)
        made.part = (int(rank), size)
        return made

    def fewest(self) -> int:
        """The rows of the smallest batch."""
        raise NotImplementedError

    def share(self, rows: Any) -> Any:
        """Of the rows of one batch those of this part."""
        rank, size = self.part
        least, more = divmod(len(rows), size)
        start = rank * least + min(rank, more)
        return rows[start : start + least + (rank < more)]

    def state_dict(self) -> dict[str, int]:
        """Where the loader stands, and what its order depends on, as plain numbers."""
        return {"epoch": self.epoch, "position": self.position, **self.order()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where `state_dict` was taken: the next `iter(loader)` gives the batches of that
        epoch which had not been handed out, in the same order. StateError if this loader would
        order its batches differently."""
        call = f"{type(self).__name__}.load_state_dict"
        own = self.state_dict()
        if state.keys() != own.keys():
            raise StateError(f"{call}: takes {', '.join(own)}, not {', '.join(map(str, state))}")
        for name, value in self.order().items():
            if int(state[name]) != value:
                raise StateError(
                    f"{call}: {name} was {int(state[name])} and is {value} in this loader; "
                    "make it as the saved one was made"
                )
        epoch, position = int(state["epoch"]), int(state["position"])
        if epoch < 0 or not 0 <= position <= len(self):
            raise StateError(f"{call}: there is no batch {position} of the {len(self)} in epoch {epoch}")
        self.epoch, self.position = epoch, position
        self._resumed, self._last = True, None

    def order(self) -> dict[str, int]:
        """What decides which batches come in which order."""
        raise NotImplementedError


methods(Loader, "load_state_dict", "shard", "share")


class DataLoader(Loader):
    """Batches of a map-style data set: arrays, whatever the engine.

    dataset     anything with `__len__` and `__getitem__`; see `Dataset`
    shuffle     each epoch in a new order, which seed and the number of the epoch decide
    drop_last   leave out what does not fill a last batch, so that all have one shape
    collate_fn  from a list of examples to a batch; `default_collate`, if none is given
    prefetch    how many batches a background thread makes ahead; 0 makes each when it is asked for

        for x, y in DataLoader(TensorDataset(images, labels), 64, shuffle=True):
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        seed: int = 0,
        drop_last: bool = False,
        collate_fn: Callable[[Sequence[Any]], Any] | None = None,
        prefetch: int = 0,
    ) -> None:
        super().__init__(prefetch)
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise SettingError(
                "DataLoader: the data set has a length and gives examples by their numbers, which "
                f"{in_short(dataset)} does not"
            )
        batch_size = whole("DataLoader", "batch_size", batch_size, 1)
        if drop_last and len(dataset) < batch_size:
            raise SettingError(
                f"DataLoader: {len(dataset)} examples do not fill one batch of {batch_size}, and drop_last "
                "leaves out the rest; take a smaller batch_size"
            )
        self.dataset, self.batch_size, self.seed = dataset, batch_size, as_seed("DataLoader", seed)
        self.shuffle, self.drop_last, self.collate_fn = bool(shuffle), bool(drop_last), collate_fn

    def __len__(self) -> int:
        size = len(self.dataset)
        return size // self.batch_size if self.drop_last else -(-size // self.batch_size)

    def order(self) -> dict[str, int]:
        return {
            "seed": self.seed,
            "shuffle": int(self.shuffle),
            "examples": len(self.dataset),
            "batch_size": self.batch_size,
            "drop_last": int(self.drop_last),
        }

    def made(self, epoch: int, start: int) -> Generator[Any, None, None]:
        size = len(self.dataset)
        indices = shuffled(size, self.seed, epoch) if self.shuffle else np.arange(size)
        for number in range(start, len(self)):
            batch = indices[number * self.batch_size : (number + 1) * self.batch_size]
            yield self._batch(epoch, self.share(batch))

    def fewest(self) -> int:
        last = len(self.dataset) % self.batch_size
        return last if last and not self.drop_last else min(self.batch_size, len(self.dataset))

    def _batch(self, epoch: int, indices: Any) -> Any:
        if self.collate_fn is None and (batch := rows_of(self.dataset, indices)) is not None:
            return batch
        examples = []
        for index in indices.tolist():
            with making(self.seed, epoch, index):
                examples.append(self.dataset[index])
        return (self.collate_fn or default_collate)(examples)


class SequenceLoader(Loader):
    """Windows of long sequences for truncated backpropagation through time.

    The arrays (length, ...) are cut into `batch_size` streams of equal length; window k holds the
    k-th stretch of every stream, so that row i goes on in the next window where it ended in this
    one, and a recurrent state can be carried over (and detached). What does not fill the streams,
    fewer than batch_size steps, is left out at the end.

    length       how many steps a window has; the last may have fewer, or is left out (drop_last)
    batch_first  windows (batch_size, length, ...), else (length, batch_size, ...), which recurrent
                 layers take

    Gives a tuple of windows, one for each array. For text, targets are the inputs one step on:

        for x, y in SequenceLoader(codes[:-1], codes[1:], batch_size=32, length=50):
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int,
        length: int,
        batch_first: bool = False,
        drop_last: bool = False,
        prefetch: int = 0,
    ) -> None:
        super().__init__(prefetch)
        self.arrays = as_arrays(arrays)
        sizes = {len(array) if array.ndim else None for array in self.arrays}
        if len(sizes) != 1 or None in sizes:
            shapes = ", ".join(str(array.shape) for array in self.arrays)
            raise ShapeError(f"SequenceLoader: pass arrays of equal length, not of shapes {shapes or 'none'}")
        self.batch_size = whole("SequenceLoader", "batch_size", batch_size, 1)
        self.length = whole("SequenceLoader", "length", length, 1)
        self.batch_first, self.drop_last = bool(batch_first), bool(drop_last)
        steps = len(self.arrays[0])
        self.stream = steps // self.batch_size
        if self.stream < (self.length if self.drop_last else 1):
            raise SettingError(
                f"SequenceLoader: {steps} steps do not fill one window of {self.length} steps in each of "
                f"{self.batch_size} streams; take a smaller batch_size or length"
            )

    def fewest(self) -> int:
        return self.batch_size

    def __len__(self) -> int:
        return self.stream // self.length if self.drop_last else -(-self.stream // self.length)

    def order(self) -> dict[str, int]:
        return {
            "steps": len(self.arrays[0]),
            "batch_size": self.batch_size,
            "length": self.length,
            "drop_last": int(self.drop_last),
        }

    def made(self, epoch: int, start: int) -> Generator[Any, None, None]:
        streams = []
        for array in self.arrays:
            kept = array[: self.stream * self.batch_size]
            rows = self.share(kept.reshape(self.batch_size, self.stream, *array.shape[1:]))
            streams.append(rows if self.batch_first else np.swapaxes(rows, 0, 1))
        for number in range(start, len(self)):
            window = slice(number * self.length, min((number + 1) * self.length, self.stream))
            at = (slice(None), window) if self.batch_first else (window,)
            yield tuple([np.array(rows[at], order="C") for rows in streams])
