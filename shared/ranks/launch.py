"""`diptych-run -n 2 script.py`: starts ranks of a script, watches over them, and says how it went.

It is a thin call of mpirun, with the flags that one machine needs. The verdict is its own: Open MPI has ended
with status 0 after it lost a rank, and has hung in its own shutdown. So each rank leaves a word of how it
ended, and when all have, or are gone, what is left of mpirun has some seconds to end, too. Where ranks may
join, there are several starts, and the verdict is that of the last.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import NoTransportError
from shared.ranks.joining import STATES, Starts
from shared.ranks.mpi import INSTALL
from shared.ranks.verdicts import FOLDER, Verdict, verdicts

SHUTDOWN = 3.0
"""Seconds that MPI gets for its shutdown once every rank is done or gone."""

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    status    0 if all ranks that it takes ended well, 1 if not, 124 if the time was over
    verdicts  of each rank, by number; a rank that was killed has left none
    ranks     how many there were
    """

    status: int
    verdicts: dict[int, Verdict]
    ranks: int

    def told(self) -> str:
        """In words, for people."""
        lines = [
            f"rank {rank}: {verdict}"
            for rank, verdict in sorted(self.verdicts.items())
            if verdict.kind != "ended"
        ]
        lines += [
            f"rank {rank}: was killed, or never began"
            for rank in range(self.ranks)
            if rank not in self.verdicts
        ]
        return "\n".join(["the time limit is over" if self.status == 124 else "", *lines]).strip()


def mpirun() -> str:
    """Where mpirun is: beside this Python, or on the path. NoTransportError if nowhere."""
    places = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
    found = shutil.which("mpirun", path=places)
    if found is None:
        raise NoTransportError(f"diptych-run: there is no mpirun; {INSTALL}")
    return found


def command(ranks: int, script: Sequence[str], ulfm: bool, hosts: str | None) -> list[str]:
    """What starts the ranks."""
    flags = ["-n", str(ranks)]
    flags += ["--hostfile", hosts] if hosts else ["--oversubscribe", "--bind-to", "none"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-run-as-root")
    if ulfm:
        flags += ["--with-ft", "ulfm"]
    return [mpirun(), *flags, sys.executable, *script]


def environment(ranks: int, folder: str, hosts: str | None, states: Path | None) -> dict[str, str]:
    """That of the ranks: on one machine they share its cores, unless the threads are set already.

    There mpirun's own files lie in `folder`, too. It would name them in /tmp by its process number: one that
    was killed leaves them behind, and the next of that number can't start.
    """
    found = {**os.environ, FOLDER: folder, STATES: str(states or "")}
    if not hosts:
        found["PRTE_MCA_prte_tmpdir_base"] = folder
        share = str(
            max(1, len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0]) // ranks)
        )
        for name in THREADS:
            found.setdefault(name, share)
    return found


def launch(
    ranks: int, script: Sequence[str], *, ulfm: bool = False, hosts: str | None = None,
    limit: float | None = None, least: int | None = None, output: int | None = None,
    join: bool = False, asked: str | None = None, say: Callable[[str], object] = lambda text: None,
) -> tuple[Outcome, str]:  # fmt: skip
    """Run a script, with its arguments, on so many ranks; gives how it ended, and what it printed, where
    `output` is subprocess.PIPE.

    ulfm   whether the others go on when a rank is lost
    limit  seconds, after which all are killed
    least  how many ranks must end well; by default all
    join   whether all start again at the end of an epoch in which ranks were lost (`nn.parallel.Keeper`)
    asked  a file in which another number of ranks may be asked for meanwhile
    say    told of each start but the first
    """
    until = None if limit is None else time.monotonic() + limit
    with (
        tempfile.TemporaryDirectory(prefix="diptych-ranks-", ignore_cleanup_errors=True) as home,
        tempfile.TemporaryFile() as printed,
    ):
        starts = Starts(Path(home) / "states", ranks, asked) if join else None
        for number in itertools.count():
            folder = Path(home) / str(number)
            folder.mkdir()
            process = subprocess.Popen(
                command(ranks, script, ulfm, hosts),
                env=environment(ranks, str(folder), hosts, starts.folder if starts else None),
                start_new_session=True, stdout=printed if output is not None else None,
                stderr=subprocess.STDOUT if output is not None else None,
            )  # fmt: skip
            start = _Start(process, folder, ranks)
            try:
                over = start.watched(until, starts)
            finally:
                start.end()
            outcome = start.outcome(over, ranks if least is None else least)
            may = starts is not None and not over and (number or _pids(folder, "pid"))
            ranks = starts.next(ranks, outcome.verdicts, not outcome.status) if may and starts else 0
            if not ranks:
                break
            say(f"{outcome.told()}\nstart {number + 2}, with {ranks} ranks".strip())
        printed.seek(0)
        return outcome, printed.read().decode(errors="replace")


class _Start:
    """One mpirun with its ranks, which leave their words in a folder."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, ranks: int) -> None:
        self.process, self.folder, self.ranks = process, folder, ranks
        self.all_there = False
        """Whether mpirun has had all ranks as its children."""

    def watched(self, until: float | None, starts: Starts | None) -> bool:
        """Wait until it is over; whether it was the time that was over."""
        done: float | None = None
        while self.process.poll() is None:
            now = time.monotonic()
            if until is not None and now > until:
                return True
            if starts is not None:
                starts.look()
            if done is None and self.all_over():
                done = now
            if done is not None and now - done > SHUTDOWN:
                return False
            time.sleep(0.02)
        return False

    def all_over(self) -> bool:
        """Whether every rank has begun, and has left its word or is gone; or none is left, or they wait
        in vain for one that was lost before any had begun, of which Open MPI 5.0.11 tells nobody."""
        pids = _pids(self.folder, "pid")
        if len(pids) < self.ranks:
            children = _children(self.process.pid)
            missing = self.all_there and len(children) < self.ranks
            self.all_there |= len(children) >= self.ranks
            waits = not pids and not _pids(self.folder, "asks").keys().isdisjoint(children)
            return missing and (waits or not children)
        left = set(verdicts(self.folder))
        return all(rank in left or not Path(f"/proc/{pid}").exists() for rank, pid in pids.items())

    def end(self) -> None:
        """Leave nothing behind: ranks are children of mpirun's, in sessions of their own."""
        left = {*_children(self.process.pid), *_pids(self.folder, "pid").values()}
        for pid in [*([self.process.pid] if self.process.poll() is None else []), *left]:
            if pid == self.process.pid or self._ours(pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def _ours(self, pid: int) -> bool:
        """Whether a process was started for this, and is not another one of the same number."""
        try:
            return os.fsencode(self.folder) in Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False

    def outcome(self, over: bool, least: int) -> Outcome:
        """How it ended, by the words that were left."""
        found = verdicts(self.folder)
        ended = sum(verdict.kind == "ended" for verdict in found.values())
        if not found:  # a script that never asked for ranks
            ended = self.ranks if self.process.returncode == 0 else 0
            found = {rank: Verdict("ended") for rank in range(ended)}
        return Outcome(124 if over else 0 if ended >= least else 1, found, self.ranks)


def _pids(folder: Path, kind: str) -> dict[int, int]:
    """By rank the processes that have left such a word."""
    return {int(path.suffix[1:]): int(path.read_text() or 0) for path in folder.glob(f"{kind}.*")}


def _children(pid: int) -> list[int]:
    """The processes that one has started and that live, as far as the system tells."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(child) for child in path.read_text().split()]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="diptych-run", description="Run a script on several ranks, by MPI, and say how it went.",
    )  # fmt: skip
    parser.add_argument("-n", "--ranks", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--hostfile", help="the machines, as mpirun reads them; without one, this machine")
    parser.add_argument("--ulfm", action="store_true", help="the others go on when a rank is lost")
    parser.add_argument(
        "--join", action="store_true",
        help="--ulfm, and at the end of an epoch in which ranks were lost, all start again, and go on",
    )  # fmt: skip
    parser.add_argument(
        "--wanted", metavar="FILE",
        help="with --join (which it implies): another number of ranks, written there, starts likewise",
    )  # fmt: skip
    parser.add_argument(
        "--least", type=int, help="how many ranks must end well (default: all; with --ulfm, 1)"
    )
    parser.add_argument("--limit", type=float, help="seconds after which all are killed")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    asked = parser.parse_args(arguments)
    if not asked.script or asked.ranks < 1:
        parser.error("name a script to run, and 1 rank or more")
    join = asked.join or asked.wanted is not None
    ulfm = asked.ulfm or join
    if join and asked.hostfile:
        parser.error("ranks join on one machine: what they take up lies in a folder of it")
    least = asked.least if asked.least is not None else 1 if ulfm else None

    def say(text: str) -> None:
        print(f"diptych-run: {text}", file=sys.stderr, flush=True)

    try:
        outcome, _ = launch(
            asked.ranks, asked.script, ulfm=ulfm, hosts=asked.hostfile, limit=asked.limit, least=least,
            join=join, asked=asked.wanted, say=say,
        )  # fmt: skip
    except NoTransportError as error:
        sys.exit(str(error))
    if said := outcome.told():
        say(said)
    sys.exit(outcome.status)


if __name__ == "__main__":
    main()
