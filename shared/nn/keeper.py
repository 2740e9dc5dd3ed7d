"""Going on without a rank that was lost: what the others keep for that, and how they agree where to go on."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np

from shared.errors import LostRankError, StateError
from shared.nn.module import Module
from shared.ranks import Communicator
from shared.ranks.transfer import Call
from shared.state import averaged


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

    It holds the states of this step and of the one before: Parameters as they are, for they are replaced and
    not written to, and copies of what the optimiser remembers. Slots that ranks share (`optim.Sharded`) are
    put together of the pieces and their mirrors; StateError where a piece and its mirror are both lost.
    """

    def __init__(
        self, comm: Communicator, model: Module | None = None, optimizer: Any = None, session: Any = None
    ) -> None:
        self.comm, self.model, self.optimizer, self.session = comm, model, optimizer, session
        self.step = 0
        self.lost = 0
        """How often ranks were lost."""
        self._kept: dict[int, Any] = {}
        self._places: dict[int, dict[str, int]] = {}

    def batches(self, loader: Any, epochs: int) -> Iterator[Any]:
        """This rank's rows of the batches of a loader, until it has seen so many epochs."""
        place = loader.state_dict()
        while place["epoch"] < epochs or not self._over():
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
                continue
            place = self._places[self.step]

    def _over(self) -> bool:
        """Whether all that are left have made all steps; if one was lost, they may have to make the last
        again."""
        self._kept[self.step] = self._states()
        while not self.comm.wires.all_here(True):
            step = self.step
            self.recover(agreed=True)
            if self.step < step:
                return False
            self._kept[self.step] = self._states()
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
        before = self.comm.size
        while True:
            try:
                old = self.comm.shrink(agreed)
                agreed = False
                if len(old) == before:
                    raise StateError(
                        "Keeper: no rank was lost, but one has ended, or raised an error; the others can not "
                        "go on"
                    )
                steps = self.comm.result(self.comm.begin_gather(Call("recover()", ""), np.array([self.step])))
                self.step = int(steps.min())
                self._restore(self._kept[self.step])
                self._recut(old, before)
                break
            except LostRankError:
                continue
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

    def _recut(self, old: list[int], before: int) -> None:
        """Cut what ranks share anew. old: the former numbers of those that are left."""
        cut_again = getattr(self.optimizer, "cut_again", None)
        if cut_again is None:
            return
        if self.session is not None:
            raise StateError(
                "Keeper: the graph was built for another number of ranks, by optim.Sharded; build it again"
            )
        holders = {}
        for piece in range(before):
            left = [rank for rank in (piece, (piece + 1) % before) if rank in old]
            if not left:
                raise StateError(
                    f"Keeper: piece {piece} and its mirror are both lost; go on from a checkpoint"
                )
            holders[piece] = old.index(left[0])
        cut_again(holders)
