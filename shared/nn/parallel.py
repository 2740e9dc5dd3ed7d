"""Data parallelism: every rank has the whole model and some of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from shared import ranks
from shared.durable.interrupts import Block
from shared.errors import ArgumentError, SettingError, StateError
from shared.nn.averaging import Averager
from shared.nn.keeper import Keeper as Keeper
from shared.nn.module import Module
from shared.nn.regular import _BatchNorm
from shared.ops.collectives import rows_before
from shared.ops.creation import zeros
from shared.ops.random import drawing_rows
from shared.ranks import Communicator
from shared.ranks.communicator import told
from shared.ranks.transfer import Call
from shared.spec import in_short
from shared.state import Generator, State


def data_parallel(
    model: Module, comm: Communicator | None = None, *, batch_axis: int | None = 0,
    sync_batch_norm: bool = False,
) -> DataParallel:  # fmt: skip
    """The model, trained by all ranks of `comm` (by default `ranks.world()`) at once: see `DataParallel`."""
    return DataParallel(model, comm, batch_axis=batch_axis, sync_batch_norm=sync_batch_norm)


class DataParallel(Module):
    """A model that all ranks train together, each on rows of its own, as one rank would train it on all rows.

    At the start every rank takes over what rank 0's model holds. `loss.backward()` leaves in each `.grad` the
    average over ranks, and `opt.minimize(loss)` steps by it. The loss is the mean over this rank's rows; a
    rank counts by how many it was given, so ranks may have unequal numbers. Masks of dropout are those that
    one rank would have drawn for all rows, rank 0's first. Names of Parameters are those of the model
    itself.

    batch_axis       the axis of the first argument along which the rows lie; None if all ranks count alike
    sync_batch_norm  whether batch normalisation takes its statistics over the rows of all ranks. Else each
                     rank has its own, and its own running ones

    The model must know its shapes: call it once, or give its layers their input sizes.
    """

    def __init__(
        self, model: Module, comm: Communicator | None = None, *, batch_axis: int | None = 0,
        sync_batch_norm: bool = False,
    ) -> None:  # fmt: skip
        if not isinstance(model, Module):
            raise ArgumentError(f"data_parallel: takes a Module, not {in_short(model)}")
        if batch_axis is not None and not isinstance(batch_axis, int):
            raise SettingError(f"data_parallel: batch_axis is an axis or None, not {in_short(batch_axis)}")
        self.model, self.comm = model, ranks.world() if comm is None else comm
        self.batch_axis = batch_axis
        for path, state in model.named_states():
            if not state.settled:
                raise StateError(
                    f"data_parallel: {path} has no shape yet, so the ranks can not start from the same "
                    "values; call the model once before, or give the layer its input size"
                )
        spread([state for _, state in model.named_states()], self.comm)
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.averager = Averager(self.comm, parameters) if self.comm.size > 1 else None
        self._draws = any(isinstance(state, Generator) for _, state in model.named_states())
        for module in model.modules() if sync_batch_norm else ():
            if isinstance(module, _BatchNorm):
                module.comm = self.comm

    def named_children(self) -> Iterator[tuple[str, Module]]:
        return self.model.named_children()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        return self.model.named_modules(prefix)

    def own_states(self) -> Iterator[tuple[str, State]]:
        return self.model.own_states()

    def settings(self) -> str:
        return f"{self.comm!r}"

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        averager = self.averager
        if averager is None or not self.model.training:
            return self.model(*args, **kwargs)
        batch = self._batch((*args, *kwargs.values()))
        if batch is None or self.batch_axis is None:
            averager.weight = None
            return self.model(*args, **kwargs)
        rows = batch.shape[self.batch_axis]
        averager.weight = zeros((), np.float64, like=batch) + rows  # now, so that it is there before backward
        if not self._draws:
            return self.model(*args, **kwargs)
        with drawing_rows(rows_before(rows, like=batch, comm=self.comm), self.batch_axis):
            return self.model(*args, **kwargs)

    def _batch(self, args: Sequence[Any]) -> Any:
        """The argument that says how many rows this rank has."""
        if self.batch_axis is None:
            return None
        for value in args:
            shape = getattr(value, "shape", None)
            if shape is not None:
                if not -len(shape) <= self.batch_axis < len(shape):
                    raise SettingError(
                        f"data_parallel: the first argument has no axis {self.batch_axis}, of its "
                        f"{len(shape)}; batch_axis= says where the rows are, None that all ranks count alike"
                    )
                return value
        return None

    def no_sync(self) -> no_sync:
        """A block in which gradients stay this rank's own and add up, without a message; the first backward
        behind it averages all that has been added up, each rank counting by the rows of that last one."""
        return no_sync(self)


class no_sync(Block):
    """See `DataParallel.no_sync`."""

    def __init__(self, model: DataParallel) -> None:
        self.model = model

    def on(self) -> None:
        if self.model.averager is not None:
            self.model.averager.on = False

    def off(self, late: bool = False) -> None:
        if self.model.averager is not None:
            self.model.averager.on = True

    def again(self) -> no_sync:
        return no_sync(self.model)


def spread(states: Sequence[State], comm: Communicator, root: int = 0) -> None:
    """Let all ranks hold what rank `root` holds."""
    under_way = []
    for state in states:
        array = state.value()
        call = Call(told("data_parallel", array, of=state.name), "")
        under_way.append((state, comm.begin_spread(call, array, root)))
    for state, transfer in under_way:
        state.data = comm.result(transfer)
