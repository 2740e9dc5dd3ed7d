"""`diptych-run -n 2 script.py`: starts ranks of a script, watches over them, and says how it went.

It is a thin call of mpirun, with the flags that one machine needs. The verdict is its own: Open MPI has ended
with status 0 after it lost a rank, and has hung in its own shutdown. So each rank leaves a word of how it
ended, and when all have, or are gone, what is left of mpirun has some seconds to end, too.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import NoTransportError
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
    """

    status: int
    verdicts: dict[int, Verdict]

    def told(self, ranks: int) -> str:
        """In words, for people."""
        lines = [
            f"rank {rank}: {verdict}"
            for rank, verdict in sorted(self.verdicts.items())
            if verdict.kind != "ended"
        ]
        lines += [
            f"rank {rank}: was killed, or never began" for rank in range(ranks) if rank not in self.verdicts
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


def environment(ranks: int, folder: str, hosts: str | None) -> dict[str, str]:
    """That of the ranks: on one machine they share its cores, unless the threads are set already.

    There mpirun's own files lie in `folder`, too. It would name them in /tmp by its process number: one that
    was killed leaves them behind, and the next of that number can't start.
    """
    found = {**os.environ, FOLDER: folder}
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
) -> tuple[Outcome, str]:  # fmt: skip
    """Run a script, with its arguments, on so many ranks; gives how it ended, and what it printed, where
    `output` is subprocess.PIPE.

    ulfm   whether the others go on when a rank is lost
    limit  seconds, after which all are killed
    least  how many ranks must end well; by default all
    """
    with (
        tempfile.TemporaryDirectory(prefix="diptych-ranks-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile() as printed,
    ):
        process = subprocess.Popen(
            command(ranks, script, ulfm, hosts), env=environment(ranks, folder, hosts),
            start_new_session=True, stdout=printed if output is not None else None, stderr=subprocess.STDOUT
            if output is not None else None,
        )  # fmt: skip
        try:
            over = _watched(process, Path(folder), ranks, limit)
        finally:
            _end(process, Path(folder))
        found = verdicts(Path(folder))
        ended = sum(verdict.kind == "ended" for verdict in found.values())
        if not found:  # a script that never asked for ranks
            ended = ranks if process.returncode == 0 else 0
            found = {rank: Verdict("ended") for rank in range(ended)}
        status = 124 if over else 0 if ended >= (ranks if least is None else least) else 1
        printed.seek(0)
        return Outcome(status, found), printed.read().decode(errors="replace")


def _watched(process: subprocess.Popen[bytes], folder: Path, ranks: int, limit: float | None) -> bool:
    """Wait until it is over; whether it was the time that was over."""
    start = time.monotonic()
    done: float | None = None
    while process.poll() is None:
        now = time.monotonic()
        if limit is not None and now - start > limit:
            return True
        if done is None and _all_over(folder, ranks):
            done = now
        if done is not None and now - done > SHUTDOWN:
            return False
        time.sleep(0.02)
    return False


def _pids(folder: Path) -> dict[int, int]:
    return {int(path.suffix[1:]): int(path.read_text() or 0) for path in folder.glob("pid.*")}


def _all_over(folder: Path, ranks: int) -> bool:
    """Whether every rank has begun, and has left its word or is gone."""
    pids = _pids(folder)
    if len(pids) < ranks:
        return False
    left = set(verdicts(folder))
    return all(rank in left or not Path(f"/proc/{pid}").exists() for rank, pid in pids.items())


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    """Leave nothing behind: ranks are children of mpirun's, in sessions of their own."""
    for pid in [process.pid, *_pids(folder).values()] if process.poll() is None else []:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="diptych-run", description="Run a script on several ranks, by MPI, and say how it went.",
    )  # fmt: skip
    parser.add_argument("-n", "--ranks", type=int, default=2, help="how many (default: 2)")
    parser.add_argument("--hostfile", help="the machines, as mpirun reads them; without one, this machine")
    parser.add_argument("--ulfm", action="store_true", help="the others go on when a rank is lost")
    parser.add_argument(
        "--least", type=int, help="how many ranks must end well (default: all; with --ulfm, 1)"
    )
    parser.add_argument("--limit", type=float, help="seconds after which all are killed")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    asked = parser.parse_args(arguments)
    if not asked.script or asked.ranks < 1:
        parser.error("name a script to run, and 1 rank or more")
    least = asked.least if asked.least is not None else 1 if asked.ulfm else None
    try:
        outcome, _ = launch(
            asked.ranks, asked.script, ulfm=asked.ulfm, hosts=asked.hostfile, limit=asked.limit, least=least
        )
    except NoTransportError as error:
        sys.exit(str(error))
    if said := outcome.told(asked.ranks):
        print(f"diptych-run: {said}", file=sys.stderr)
    sys.exit(outcome.status)


if __name__ == "__main__":
    main()
