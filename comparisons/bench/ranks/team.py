"""The processes of a system's ranks: started, asked all at once, ended.

Each is asked over a socket of its own and sleeps while nobody asks, so that teams can take turns.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from comparisons.bench.process import HOME, START, PeerError, Settings, last_words
from shared.durable import files
from shared.errors import NoTransportError
from shared.ranks import launch

PATIENCE = 120.0
"""Seconds that a team has to start, and to answer."""
SHUTDOWN = 5.0
"""Seconds that mpirun has to see that its ranks are gone."""


class Team:
    """Ranks of one system. Close it, or use it in a `with` block.

    system   see `training.TRAINED`
    ranks    how many; ours that talk are started by mpirun
    talk     whether they average their gradients, or are processes that know nothing of each other
    """

    def __init__(
        self, system: str, ranks: int, settings: Settings, *, talk: bool = True, **environment: str
    ) -> None:
        self.system, self.ranks, self.talk = system, ranks, talk and ranks > 1
        self._folder = files.scratch()
        folder = self._folder.__enter__()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (a full pipe would stop the processes)
        self._started: list[subprocess.Popen[bytes]] = []
        self._lines: list[Any] = []
        self.hellos: list[dict[str, Any]] = []
        try:
            with _listening(folder / "asked") as door:
                self._start(str(folder / "asked"), settings, environment)
                self._meet(door)
        except BaseException:
            self.close()
            raise

    def _start(self, door: str, settings: Settings, more: Mapping[str, str]) -> None:
        family = "torch" if self.system.startswith("torch") else "ours"
        python = settings.pythons.get(family, sys.executable)
        code = START.format(home=HOME, module="comparisons.bench.ranks.member")
        asked = ["-c", code, self.system, door]
        environment = {**os.environ, **settings.environment(), **more}
        if self.talk and family == "ours":
            try:
                commands = [[*launch.command(self.ranks, [], ulfm=False, hosts=None), *asked]]
            except NoTransportError as error:
                raise PeerError(str(error)) from None
        else:
            commands = [[python, *asked, str(rank), str(self.ranks)] for rank in range(self.ranks)]
        for command in commands:
            self._started.append(
                subprocess.Popen(
                    command, env=environment | {"DIPTYCH_BENCH_TALKS": str(int(self.talk))},
                    stdin=subprocess.DEVNULL, stdout=self._errors, stderr=self._errors,
                    start_new_session=True,
                )
            )  # fmt: skip

    def _meet(self, door: socket.socket) -> None:
        met = []
        for _ in range(self.ranks):
            for _ in range(int(PATIENCE)):
                with suppress(TimeoutError):
                    line, _ = door.accept()
                    line.settimeout(PATIENCE)
                    met.append(line.makefile("rw"))
                    line.close()  # with the file made of it
                    break
                self._look()
            else:
                raise PeerError(f"{self.ranks} ranks have not started within {PATIENCE:g} s")
        known = sorted(((self._answer(line), line) for line in met), key=lambda pair: pair[0]["rank"])
        self.hellos, self._lines = [hello for hello, _ in known], [line for _, line in known]

    def _look(self) -> None:
        if any(process.poll() is not None for process in self._started):
            raise PeerError(self._words())

    def _words(self) -> str:
        self._errors.seek(0)
        said = last_words(self._errors.read().decode(errors="replace"))
        return said or "its ranks ended without a word"

    def ask(self, do: str, **more: Any) -> list[dict[str, Any]]:
        """One request to all ranks at once, and their answers, by rank."""
        for line in self._lines:
            line.write(json.dumps({"do": do} | more) + "\n")
            line.flush()
        return [self._answer(line) for line in self._lines]

    def _answer(self, line: Any) -> dict[str, Any]:
        try:
            said = line.readline()
        except TimeoutError:
            raise PeerError(f"a rank has not answered within {PATIENCE:g} s") from None
        if not said:
            raise PeerError(self._words())
        found: dict[str, Any] = json.loads(said)
        return found

    def close(self) -> None:
        """End the processes; they hold nothing worth waiting for."""
        for line in self._lines:
            with suppress(OSError):
                line.close()
        for hello in self.hellos:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(hello["pid"], signal.SIGKILL)
        for process in self._started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(SHUTDOWN if self.hellos else 0)
            process.kill()
            process.wait()
        self._errors.close()
        self._folder.__exit__(None, None, None)

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        door.settimeout(1.0)
        yield door
