"""A communicator: the ranks that train together, as one of them sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.errors import EngineError, SettingError
from shared.ranks import handshake, transfer
from shared.ranks.handshake import RECORD, Note
from shared.ranks.transfer import Call, Transfer
from shared.ranks.wires import Alone, Wires
from shared.spec import Spec

CHECKED_STEPS = 10
"""The training steps in which every collective begins with a handshake, unless told otherwise."""

GRACE = 3.0
"""Seconds, at most, that a rank whose limit is over gives the others to say where they are."""

PATIENCE = 200
"""How often a waiting rank looks again at once, before it lets others have the core in between."""


class Communicator:
    """Ranks 0 to size - 1, of which this process is one.

    name   by which graphs know it
    check  whether each collective begins with a handshake, in which a rank that makes another call, or
           with another shape, is found out: True, False, or None for the first ten training steps. It
           costs one small message a collective
    limit  seconds that a rank waits for the others before it is an error

    What is begun goes on while this process computes, whenever `progress()` is called; results are waited
    for.
    """

    bucket_bytes = 25 << 20
    """The bytes of gradients that go in one message, at most."""

    def __init__(
        self, name: str, wires: Wires | None = None, check: bool | None = None, limit: float = 120.0
    ) -> None:
        self.name, self.check, self.limit = name, check, limit
        self.wires: Wires = Alone() if wires is None else wires
        self.steps, self.count = 0, 0
        """Training steps made, and collectives begun."""
        self.heard: Callable[[str, Any], None] | None = None
        """For who draws what happens: told of each gradient that is "ready" (with its bytes), and of each
        Transfer that is "begun", that is "over", that this rank "waits" for, and that it has "waited" for."""
        self._queue: list[Transfer] = []
        self._notes: dict[int, Note] = {}

    def __repr__(self) -> str:
        return f"<{self.name}: rank {self.rank} of {self.size}>"

    @property
    def rank(self) -> int:
        """Which one this process is."""
        return self.wires.rank

    @property
    def size(self) -> int:
        """How many there are."""
        return self.wires.size

    @property
    def checks(self) -> bool:
        """Whether collectives begin with a handshake now."""
        return self.size > 1 and (self.steps < CHECKED_STEPS if self.check is None else self.check)

    # --- collectives on raw arrays ---

    def begin_sum(
        self, call: Call, arrays: Sequence[Any], kind: str = "sum", weight: Any = None,
        counts: Sequence[int] = (),
    ) -> Transfer:  # fmt: skip
        """See `shared.ranks.transfer.summed`."""
        return self._begin(transfer.summed(self.wires, call, self._taken(call, arrays), kind, weight, counts))

    def begin_scatter(self, call: Call, array: Any) -> Transfer:
        """See `shared.ranks.transfer.scattered`."""
        return self._begin(transfer.scattered(self.wires, call, self._taken(call, [array])[0]))

    def begin_gather(self, call: Call, array: Any) -> Transfer:
        """See `shared.ranks.transfer.gathered`."""
        return self._begin(transfer.gathered(self.wires, call, self._taken(call, [array])[0]))

    def begin_spread(self, call: Call, array: Any, root: int) -> Transfer:
        """See `shared.ranks.transfer.spread`."""
        if not 0 <= root < self.size:
            raise SettingError(f"{call.what}: there is no rank {root}; there are 0 to {self.size - 1}")
        return self._begin(transfer.spread(self.wires, call, self._taken(call, [array])[0], root))

    def _taken(self, call: Call, arrays: Sequence[Any]) -> Sequence[Any]:
        if self.size > 1 and any([not isinstance(array, np.ndarray) for array in arrays]):
            raise EngineError(
                f"{call.what}: MPI carries arrays of the host here, and these are on a GPU; bring them over "
                "by .cpu(), or train on the CPU"
            )
        return arrays

    def _begin(self, begun: Transfer) -> Transfer:
        self.count += 1
        begun.number = self.count
        if self.checks:
            mine, all_ = handshake.record(self.count, begun.call), np.empty((self.size, RECORD), np.uint8)
            request = self.wires.compare(mine, all_)
            self._until(request.done, begun)
            handshake.check_same(begun.call, all_)
        self._queue.append(begun)
        self.tell("begun", begun)
        self.progress()
        return begun

    # --- waiting ---

    def progress(self) -> None:
        """Let what is under way go on, as far as that takes no waiting."""
        may_gather = True
        for one in self._queue:
            before = one.stage
            one.advance(may_gather)
            if one.over and one.stage != before:
                self.tell("over", one)
            may_gather = may_gather and one.stage >= 2
        while self._queue and self._queue[0].over:
            self._queue.pop(0)

    def result(self, of: Transfer) -> Any:
        """What a transfer gives, waited for."""

        def over() -> bool:
            self.progress()
            return of.over

        if not of.over:
            self.tell("waits", of)
            self._until(over, of)
            self.tell("waited", of)
        return of.value

    def tell(self, what: str, of: Any) -> None:
        """Let who listens hear of it."""
        if self.heard is not None:
            self.heard(what, of)

    def step(self) -> None:
        """One training step is made: after the tenth, collectives begin without a handshake."""
        self.steps += 1

    def shrink(self, agreed: bool = False, number: int | None = None) -> list[int]:
        """Go on without the ranks that were lost, after a LostRankError: all that are left must call it.
        They are numbered anew, in their old order. Gives their old numbers, by the new ones.

        agreed  whether this rank heard of it from `wires.all_here`, in which the others took part
        number  the number that counts as this rank's old one, where it shrinks for the second time; by
                default the one that it has
        """
        before = self.rank if number is None else number
        self.wires.abandon()
        if not agreed:  # one that has made its last step waits there
            self.wires.all_here(False)
        self._queue.clear()
        self._notes.clear()
        self.wires = self.wires.without_lost()
        self.count = self.steps = 0
        gathered = self.begin_gather(Call("shrink()", ""), np.array([before]))
        return [int(rank) for rank in self.result(gathered)]

    def barrier(self, at: str = "") -> None:
        """Wait until all ranks have come here."""
        self.result(self.begin_gather(Call("barrier()", at), np.zeros(1)))

    def _until(self, done: Callable[[], bool], of: Transfer) -> None:
        """Wait for something; an error when it is plain that it will not come, or the time is over."""
        for _ in range(PATIENCE):
            if done():
                return
        start, looked = time.monotonic(), 0.0
        while not done():
            waited = time.monotonic() - start
            if waited > self.limit:
                self._give_up(done, of)
                return
            if waited - looked > 0.02:  # notes are rare
                looked = waited
                self._read(of)
            if waited < 0.002:
                time.sleep(0)
            else:
                time.sleep(0.00005)

    def _read(self, of: Transfer) -> None:
        for rank, packed in self.wires.notes():
            self._notes[rank] = Note.unpacked(packed)
        if self._notes:
            try:
                handshake.check_notes(of, self._notes)
            except Exception:
                self._post(of)
                raise

    def _post(self, of: Transfer) -> None:
        self.wires.post(Note("waits", of.number, of.call.what, of.call.at).packed())

    def _give_up(self, done: Callable[[], bool], of: Transfer) -> None:
        """The limit is over: say so, hear the others, and raise what fits."""
        self._post(of)
        until = time.monotonic() + min(GRACE, self.limit)
        while time.monotonic() < until:
            if done():
                return
            self._read(of)
            time.sleep(0.005)
        missing = [r for r in range(self.size) if r != self.rank and r not in self._notes]
        raise handshake.late(of, self.limit, missing or list(self._notes))


def told(name: str, array: Any, **settings: Any) -> str:
    """A call in words, the same on every rank that makes it."""
    words = "".join(f", {key}={value!r}" for key, value in settings.items())
    return f"{name}({Spec(array.shape, array.dtype)}{words})"
