"""The communicators of a process, by name."""

from __future__ import annotations

import atexit
import contextlib
import copyreg
import os
import sys
import time
from types import TracebackType
from typing import Any

from shared.errors import CollectiveError, DiptychError
from shared.ranks import mpi, verdicts
from shared.ranks.communicator import Communicator
from shared.ranks.handshake import Note
from shared.ranks.verdicts import Verdict
from shared.usage.numbers import number

_alone = Communicator("alone")
_found: dict[str, Communicator] = {"alone": _alone}


def alone() -> Communicator:
    """A communicator of this process and no other: what is written for many ranks runs on it as it is."""
    return _alone


def world(check: bool | None = None, limit: float | None = None) -> Communicator:
    """All ranks that were started together: by `diptych-run -n N script.py`, or by mpirun.

    The first call loads MPI; NoTransportError if it is not installed. It is one object: later calls give it
    again, with `check` and `limit` set (see `Communicator`) where they are given.

    From then on a rank that ends, or ends in an error, tells the others, so that none waits for it in vain;
    and one that ends in an error ends at once, with status 1.
    """
    found = _found.get("world")
    if found is None:
        verdicts.ask()
        found = _found["world"] = Communicator("world", mpi.Mpi(mpi.load().COMM_WORLD))
        found.limit = float(os.environ.get("DIPTYCH_RANKS_LIMIT", found.limit))
        if "DIPTYCH_RANKS_CHECK" in os.environ:
            found.check = os.environ["DIPTYCH_RANKS_CHECK"] != "0"
        _tell_the_others(found)
    if check is not None:
        found.check = bool(check)
    if limit is not None:
        found.limit = number("world", "limit", limit, above=True)
    return found


def called(name: str) -> Communicator:
    """The communicator of a name: what a graph says of it."""
    if name == "world":
        return world()
    found = _found.get(name)
    if found is None:
        raise CollectiveError(f"there is no communicator {name!r}; there are {', '.join(map(repr, _found))}")
    return found


def known(name: str) -> Communicator | None:
    """The communicator of a name, if this process has it by now."""
    return _found.get(name)


copyreg.pickle(Communicator, lambda comm: (called, (comm.name,)))


def _tell_the_others(comm: Communicator) -> None:
    """Say when this process ends, or ends in an error: to the other ranks, and to who started them."""
    verdicts.begin(comm.rank)
    before, started_as = sys.excepthook, comm.rank

    def failed(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> Any:
        before(kind, error, traceback)
        line = error.line if isinstance(error, DiptychError) else None
        said = error.message if isinstance(error, DiptychError) else str(error)
        said = f"{kind.__name__}: {said[:300]}" + (f" ({line})" if line is not None else "")
        verdicts.end(started_as, Verdict("raised", said))
        if comm.size == 1:
            return
        if not isinstance(error, CollectiveError):  # of these the others know
            _post(comm, Note("raised", comm.count, said))
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        time.sleep(
            0.5
        )  # MPI's shutdown waits for everybody, and the launcher ends the others: let them speak
        os._exit(1)

    def ended() -> None:
        verdicts.end(started_as, verdicts.last())
        if comm.size > 1:
            _post(comm, Note("ended", comm.count, ""))

    sys.excepthook = failed
    atexit.register(ended)


def _post(comm: Communicator, note: Note) -> None:
    with contextlib.suppress(Exception):
        comm.wires.post(note.packed())
