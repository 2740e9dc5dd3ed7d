"""The wires of MPI, by mpi4py. Nothing imports mpi4py before this is asked for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from shared.errors import CollectiveError, LostRankError, NoTransportError
from shared.ranks.wires import Request, Wires

INSTALL = (
    "pip install 'diptych[mpi]' brings it (mpi4py, and Open MPI as a wheel: nothing else has to be "
    "installed), and diptych-run -n 2 script.py starts ranks"
)


@cache
def load() -> Any:
    """mpi4py's MPI, started; NoTransportError with the way to get it."""
    try:
        from mpi4py import MPI
    except ImportError as error:
        raise NoTransportError(
            f"world: mpi4py is not installed, or finds no MPI ({error}); {INSTALL}"
        ) from None
    except RuntimeError as error:
        raise NoTransportError(f"world: mpi4py can not load MPI ({error}); {INSTALL}") from None
    return MPI


class Sent:
    """A request of MPI's. What it reads and writes is kept until it is done."""

    def __init__(self, wires: Mpi, start: Callable[[], Any], *kept: Any) -> None:
        self._wires, self._kept = wires, kept
        self._request = wires.guarded(start)
        self._begun = time.monotonic() if wires.delay else 0.0

    def done(self) -> bool:
        """See `Request`."""
        if self._request is not None:
            if not self._wires.guarded(self._request.Test):
                return False
            self._request = None
        return not self._begun or time.monotonic() - self._begun >= self._wires.delay


class Mpi:
    """Ranks of a communicator of MPI's, which is copied: no message of the user's own can meet one of these.

    delay  seconds that each message takes at least
    """

    def __init__(self, within: Any) -> None:
        self.mpi = load()
        self.within = within
        self.rank, self.size = within.Get_rank(), within.Get_size()
        self._first, self._second, self._beside = (within.Dup() for _ in range(3))
        self._posted: list[Any] = []
        self.delay = 0.0

    def exchange(self, given: Any, taken: Any) -> Request:
        """See `Wires`."""
        return self._sent(self._first.Ialltoall, given, taken)

    def gather(self, given: Any, taken: Any) -> Request:
        """See `Wires`."""
        return self._sent(self._second.Iallgather, given, taken)

    def compare(self, given: Any, taken: Any) -> Request:
        """See `Wires`."""
        return self._sent(self._beside.Iallgather, given, taken)

    def spread(self, array: Any, root: int) -> Request:
        """See `Wires`."""
        return Sent(self, lambda: self._second.Ibcast([_bytes(array), self.mpi.BYTE], root), array)

    def _sent(self, start: Callable[..., Any], given: Any, taken: Any) -> Request:
        byte = self.mpi.BYTE
        return Sent(self, lambda: start([_bytes(given), byte], [_bytes(taken), byte]), given, taken)

    def post(self, note: bytes) -> None:
        """See `Wires`."""
        self._posted = [one for one in self._posted if not self._tested(one)]
        for rank in range(self.size):
            if rank != self.rank:
                with contextlib.suppress(self.mpi.Exception):  # one that is gone
                    self._posted.append(self._beside.Isend([note, self.mpi.BYTE], rank, 1))

    def _tested(self, request: Any) -> bool:
        try:
            return bool(request.Test())
        except self.mpi.Exception:
            return True

    def notes(self) -> list[tuple[int, bytes]]:
        """See `Wires`."""
        found = []
        status = self.mpi.Status()
        while self.guarded(lambda: self._beside.Iprobe(self.mpi.ANY_SOURCE, 1, status)):
            note = bytearray(status.Get_count(self.mpi.BYTE))
            self._beside.Recv([note, self.mpi.BYTE], status.Get_source(), 1)
            found.append((status.Get_source(), bytes(note)))
        return found

    def guarded(self, call: Callable[[], Any]) -> Any:
        """What a call of MPI's gives; LostRankError, here and on every other rank, where one is gone."""
        try:
            return call()
        except self.mpi.Exception as error:
            kind = error.Get_error_class()
            if kind not in (self.mpi.ERR_PROC_FAILED, self.mpi.ERR_PROC_FAILED_PENDING, self.mpi.ERR_REVOKED):
                raise CollectiveError(
                    f"MPI says: {error.Get_error_string()}; do all ranks make the same call, on arrays of "
                    "one shape? world(check=True) looks before each"
                ) from None
            self.abandon()
            raise LostRankError(
                "a rank was lost while this one was in a collective with it (MPI says: "
                f"{error.Get_error_string()}); the others can go on without it: see docs/ranks.md"
            ) from None

    def abandon(self) -> None:
        """See `Wires`."""
        for one in (self._first, self._second, self._beside):
            with contextlib.suppress(self.mpi.Exception, NotImplementedError):
                one.Revoke()


    def all_here(self, well: bool) -> bool:
        """See `Wires`. Where MPI knows no agreement, nobody goes on without a lost rank either."""
        try:
            return bool(self.within.Agree(int(well)))
        except NotImplementedError:
            return well
        except self.mpi.Exception as error:
            lost = error.Get_error_class() in (self.mpi.ERR_PROC_FAILED, self.mpi.ERR_REVOKED)
            return well and not lost

    def without_lost(self) -> Wires:
        """See `Wires`."""
        for _ in range(self.size):
            try:
                made = Mpi(self.within.Shrink())
                break
            except self.mpi.Exception:  # one more was lost meanwhile
                continue
        else:
            raise LostRankError("the ranks that are left can not agree on who they are")
        made.delay = self.delay
        return made


def _bytes(array: Any) -> Any:
    return array.reshape(-1).view(np.uint8)
