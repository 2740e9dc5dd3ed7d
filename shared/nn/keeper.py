"""Going on without a rank that was lost: what the others keep for that, how they agree where to go on, and
what they leave for those that join."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from shared.errors import LostRankError, StateError
from shared.nn.checkpoint import load_checkpoint, save_checkpoint
from shared.nn.module import Module
from shared.ranks import Communicator, joining
from shared.ranks.transfer import Call
from shared.state import averaged

VARIABLE = "variable "
"""What the names of a graph's own variables begin with in the file for those that join."""
OWN = "own "
"""The same of what users keep there."""


class Keeper:
    """Training that a lost rank does not end, where MPI runs with ULFM (`diptych-run --ulfm`).

        keeper = nn.parallel.Keeper(comm, model, opt)
        for x, y in keeper.batches(loader, epochs=3):
            with keeper:
                ...one step: loss, backward, opt.step()

    Within the block a LostRankError is answered: those that are left agree, are numbered anew, go back to the
    states from which the earliest of them began its step, and share the rows among themselves; the step that
    was lost is made again, by the batch that `batches` gives next. No rank repeats more than one.

    session  of a graph that trains: its variables are kept, in place of what model and opt hold
    step     the step that is being made, from 0
    extra    what else is to be kept for ranks that join: arrays, and what JSON can hold

    It holds the states of this step and of the one before: Parameters as they are, for they are replaced and
    not written to, and copies of what the optimiser remembers. Slots that ranks share (`optim.Sharded`) are
    put together of the pieces and their mirrors; StateError where a piece and its mirror are both lost.

    Under `diptych-run --join` rank 0 writes all of it to a file at each epoch's end; where more ranks, or
    fewer, are wanted by then than there are, all end there (`SystemExit`) and are started again, and
    `batches` goes on with the next epoch.
    """

    def __init__(
        self, comm: Communicator, model: Module | None = None, optimizer: Any = None, session: Any = None
    ) -> None:
        self.comm, self.model, self.optimizer, self.session = comm, model, optimizer, session
        self.step = 0
        self.lost = 0
        """How often ranks were lost."""
        self.extra: dict[str, Any] = {}
        self._kept: dict[int, Any] = {}
        self._places: dict[int, dict[str, int]] = {}
        self._loader: Any = None
        self._file: Path | None = None

    def batches(self, loader: Any, epochs: int) -> Iterator[Any]:
        """This rank's rows of the batches of a loader, until it has seen so many epochs."""
        self._loader, self._file = copy(loader), joining.states() if self.comm.name == "world" else None
        if self._file is not None and self._file.exists():
            self._resume(self._file)
        place = self._loader.state_dict()
        while place["epoch"] < epochs:
            if self.step in self._places:  # one was lost behind the last step
                place = self._places[self.step]
            mine = loader.shard(self.comm.rank, self.comm.size)
            mine.load_state_dict(place)
            lost = self.lost
            for batch in mine:
                self._places[self.step] = place
                yield batch
                if self.lost != lost:
                    break
                place = mine.state_dict()
            else:
                place = mine.state_dict()
                last = place["epoch"] >= epochs
                if not (last or self._file) or self._over(place, last):
                    continue
            place = self._places[self.step]

    def _over(self, place: dict[str, int], last: bool) -> bool:
        """Whether all that are left have made all steps of the epoch; if one was lost, they may have to make
        the last again. The place behind it is written for those that join, and where there are any, it ends
        here."""
        self._places[self.step] = place
        while True:
            self._kept[self.step] = self._states()
            step, wanted = self.step, self.comm.size
            try:
                well = self.comm.wires.all_here(True)
                if well and self._file is not None:
                    wanted = self._wanted(self._file)
                    self._write(self._file, place, self._whole())
                    well = self.comm.wires.all_here(True)
            except LostRankError:
                self.recover()
            else:
                if well:
                    break
                self.recover(agreed=True)
            if self.step < step:
                return False
        if wanted != self.comm.size and not last:
            joining.leave(wanted)
        return True

    def __enter__(self) -> Self:
        self._kept[self.step] = self._states()
        for old in [step for step in self._kept if step < self.step - 1]:
            del self._kept[old]
            self._places.pop(old, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None:
            self.step += 1
        elif isinstance(error, LostRankError):
            self.recover()
            return True
        return False

    def recover(self, agreed: bool = False) -> None:
        """After a LostRankError: agree with those that are left, and go back to where the earliest of them
        is."""
        before, number = self.comm.size, self.comm.rank
        while True:
            try:
                old = self.comm.shrink(agreed, number)
                agreed = False
                if len(old) == before:
                    raise StateError(
                        "Keeper: no rank was lost, but one has ended, or raised an error; the others can not "
                        "go on"
                    )
                steps = self.comm.result(self.comm.begin_gather(Call("recover()", ""), np.array([self.step])))
                self.step = int(steps.min())
                self._restore(self._kept[self.step])
                whole = self._whole(_holders(old, before)) if hasattr(self.optimizer, "share") else None
                if self.session is not None and whole is not None:
                    self._leave_a_graph(whole)
                elif self.comm.wires.all_here(True):  # else one more was lost, and nothing is cut yet
                    break
                agreed = True
            except LostRankError:
                continue
        if whole is not None:
            self.optimizer.share(whole)
        self.lost += 1

    def _states(self) -> Any:
        if self.session is not None:
            return self.session.values()
        found = [] if self.model is None else [(s, s.data) for _, s in self.model.named_states()]
        if self.optimizer is not None:
            found += [(s, s.data.copy()) for _, s in self.optimizer.named_states()]
        return found

    def _restore(self, kept: Any) -> None:
        if self.session is not None:
            self.session.hold(kept)
        else:
            for state, array in kept:
                state.hold(array.copy())
                state.grad = None
        for averager in {id(p.averager): p.averager for p in averaged}.values():
            if averager is not None and averager.comm is self.comm:
                averager.start_again()

    def _whole(self, holders: dict[int, int] | None = None) -> Any:
        """The optimiser by itself, and in a session's place what model and optimiser hold. All ranks ask for
        it together."""
        if self.session is not None:
            self.session.store(*self._holders())
        return self.optimizer.gathered(holders) if hasattr(self.optimizer, "share") else self.optimizer

    def _holders(self) -> list[Any]:
        return [one for one in (self.model, self.optimizer) if one is not None]

    # --- for those that join ---

    def _wanted(self, file: Path) -> int:
        """How many ranks are to make the next epoch, the same to all: not more than can share a batch."""
        number = min(joining.wanted(file), self._loader.fewest())
        return int(self.comm.result(self.comm.begin_spread(Call("wanted()", ""), np.array([number]), 0))[0])

    def _write(self, file: Path, place: dict[str, int], whole: Any) -> None:
        if self.comm.rank == 0:
            self._loader.load_state_dict(place)
            extra = {OWN + name: value for name, value in self.extra.items()}
            extra |= {VARIABLE + variable.name: value for variable, value in self._variables().items()}
            save_checkpoint(file, self.model, whole, self._loader, self.step, extra)

    def _resume(self, file: Path) -> None:
        whole = self._whole()
        found = load_checkpoint(file, self.model, whole, self._loader)
        if whole is not self.optimizer:
            self.optimizer.share(whole)
        if self.session is not None:
            self.session.load(*self._holders())
            named = {VARIABLE + variable.name: variable for variable in self.session.graph.variables}
            self.session.hold({named[name]: v for name, v in found.extra.items() if name in named})
        self.step = found.step or 0
        self._kept.clear()
        self._places.clear()
        self.extra |= {
            name.removeprefix(OWN): value for name, value in found.extra.items() if name.startswith(OWN)
        }

    def _variables(self) -> dict[Any, Any]:
        """Of a graph: what stands for no State of the model's or optimiser's, and for no piece of one."""
        if self.session is None:
            return {}
        known = {id(state) for one in self._holders() for _, state in one.named_states()}
        for pieces in getattr(self.optimizer, "pieces", {}).values():
            known |= {id(piece) for piece in pieces.values()}
        return {v: array for v, array in self.session.values().items() if id(v.state) not in known}

    def _leave_a_graph(self, whole: Any) -> None:
        """A graph by `optim.Sharded` has the number of ranks in it: it is built again, by those that join."""
        if self._file is None:
            raise StateError(
                "Keeper: the graph was built for another number of ranks, by optim.Sharded; build it again, "
                "or run under diptych-run --join, which does"
            )
        wanted = self._wanted(self._file)
        self._write(self._file, self._places[self.step], whole)
        if self.comm.wires.all_here(True):
            joining.leave(wanted)


def _holders(old: list[int], before: int) -> dict[int, int]:
    """By piece of what ranks share, who gives it. old: the former numbers of those that are left."""
    holders = {}
    for piece in range(before):
        left = [rank for rank in (piece, (piece + 1) % before) if rank in old]
        if not left:
            raise StateError(f"Keeper: piece {piece} and its mirror are both lost; go on from a checkpoint")
        holders[piece] = old.index(left[0])
    return holders
