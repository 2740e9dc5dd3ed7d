"""Disks that fail, or stop, at the n-th thing that they are asked: in the manner of SQLite's crash tests.

    with faulty(n, stop=True) as disk: ...

`Failing` gives an OSError at its n-th call, once, as a full disk does. `Stopping` stops there for good, as a
process does that is killed: nothing is written, and nothing tidied, from then on. Afterwards `power_cut()`
makes of the folder what a power cut may leave: what was not synced is gone from the files, and a rename whose
folder was not synced is undone.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from shared.durable import files


class Stopped(BaseException):
    """The process is no more."""


class Counting(files.Disk):
    """Counts what it is asked; `at` says what happens at each call. It waits for no disk."""

    def __init__(self) -> None:
        self.calls = 0
        self.said: list[str] = []

    def at(self, name: str) -> None:
        """Called before each call is done."""
        self.calls += 1
        self.said.append(name)

    def create(self, path: str) -> io.FileIO:
        self.at("create")
        return super().create(path)

    def write(self, file: int, data: Any) -> int:
        self.at("write")
        return super().write(file, data)

    def sync(self, file: int) -> None:
        self.at("sync")

    def rename(self, source: str, target: str) -> None:
        self.at("rename")
        super().rename(source, target)

    def remove(self, path: str) -> None:
        self.at("remove")
        super().remove(path)


class Failing(Counting):
    """Fails at its n-th call, and at no other."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n

    def at(self, name: str) -> None:
        super().at(name)
        if self.calls == self.n:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Stopping(Counting):
    """Does nothing from its n-th call on. A write that it stops at is done by half."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.n = n
        self.unsynced: dict[tuple[int, int], str] = {}
        self.renamed: list[tuple[str, bytes | None]] = []

    def at(self, name: str) -> None:
        super().at(name)
        if self.calls >= self.n:
            raise Stopped

    def write(self, file: int, data: Any) -> int:
        try:
            self.at("write")
        except Stopped:
            if self.calls == self.n:
                os.write(file, bytes(data)[: len(data) // 2])
            raise
        self.unsynced[_identity(file)] = ""
        return os.write(file, data)

    def sync(self, file: int) -> None:
        super().sync(file)
        if self.unsynced.pop(_identity(file), None) is None:  # a folder
            self.renamed.clear()

    def rename(self, source: str, target: str) -> None:
        self.at("rename")
        before = Path(target).read_bytes() if os.path.exists(target) else None
        os.replace(source, target)
        self.renamed.append((target, before))

    def power_cut(self, folder: Path) -> None:
        """What was never synced is lost."""
        for path in folder.rglob("*"):
            about = path.stat()
            if path.is_file() and (about.st_dev, about.st_ino) in self.unsynced:
                path.write_bytes(b"")
        for target, before in reversed(self.renamed):
            if before is None:
                os.unlink(target)
            else:
                Path(target).write_bytes(before)


def _identity(file: int) -> tuple[int, int]:
    about = os.fstat(file)
    return about.st_dev, about.st_ino


@contextmanager
def on(disk: files.Disk) -> Iterator[None]:
    """Everything goes by this disk within the block; where it stops, so does the block."""
    before = files.disk
    files.disk = disk
    try:
        yield
    except Stopped:
        pass
    finally:
        files.disk = before
        files._ours.clear()  # a process that is no more holds nothing
