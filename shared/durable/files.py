"""Files that outlast whoever writes them: whole or not there at all, on the disk when the call returns, and
nothing left behind.

A file is written under a name of our own beside its place, synced and renamed; then the folder is synced,
without which a power cut could still undo the rename. Who is killed meanwhile leaves that file, and whoever
writes to the folder next removes it. What the disk refuses is an error that names the path and the way out.
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

from shared.errors import DeniedError, DiptychError, DiskError, MissingFileError, SettingError

PathLike = str | os.PathLike[str]

DAY = 24 * 3600
"""Seconds after which what a process of another machine was writing counts as left behind."""

OURS = re.compile(r"\.?diptych-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}(\.partial)?")
"""Names of what is being written: where, and by which process."""


class _Raw(io.FileIO):
    """A file whose writes go by `disk`."""

    def write(self, data: Any) -> int:
        return disk.write(self.fileno(), data)


class Disk:
    """What writing a file asks of the operating system, each call in one place: the tests put a disk here
    that fails, or stops for good, at its n-th call."""

    def create(self, path: str) -> io.FileIO:
        return _Raw(path, "x")

    def write(self, file: int, data: Any) -> int:
        return os.write(file, data)

    def sync(self, file: int) -> None:
        os.fsync(file)

    def rename(self, source: str, target: str) -> None:
        os.replace(source, target)

    def remove(self, path: str) -> None:
        os.unlink(path)


disk = Disk()


# --- writing -------------------------------------------------------------------------------


def write(path: PathLike, content: bytes | str, call: str, lasting: bool = True) -> None:
    """The file with this content (text is UTF-8), in the place of an older one; see `replacing`."""
    with replacing(path, call, lasting) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: PathLike, call: str, lasting: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of the one at `path` when the block is over.

    Then it is on the disk, whatever happens to the machine; what can be had again, and shows when it is
    damaged, need not wait for that (`lasting=False`). If anything goes wrong before, the older file stays as
    it was. A link is followed. DiskError, in `call`'s name, for what the disk refuses.
    """
    target = _target(path, call)
    folder = os.path.dirname(target)
    sweep(folder)
    name = f".{_fresh_name()}.partial"
    partial = os.path.join(folder, name)
    _ours.add(name)
    try:
        with io.BufferedWriter(disk.create(partial), 1 << 20) as file:
            yield file
            file.flush()
            if lasting:
                disk.sync(file.fileno())
        disk.rename(partial, target)
        if lasting:
            _sync_folder(folder)
    except BaseException as error:
        with suppress(OSError):
            disk.remove(partial)
        if isinstance(error, OSError) and not isinstance(error, DiptychError):
            raise disk_error(call, path, error) from error
        raise
    finally:
        _ours.discard(name)


def remove(path: PathLike, call: str) -> None:
    """The file is gone, whether it was there or not."""
    with suppress(FileNotFoundError), reading(path, call, "removed"):
        disk.remove(os.fspath(path))


def check_writable(folder: PathLike, call: str) -> None:
    """Make the folder, if it is not there, and a file in it, which is removed again: DiskError before
    long work instead of after it."""
    try:
        os.makedirs(folder, exist_ok=True)
        trial = os.path.join(folder, f".{_fresh_name()}.partial")
        disk.create(trial).close()
        disk.remove(trial)
    except OSError as error:
        raise disk_error(call, folder, error) from error


def _target(path: PathLike, call: str) -> str:
    """Where the file itself stands or shall stand, links followed."""
    target = os.path.realpath(as_path(path, call))
    _check_kind(target, path, call, "written")
    return target


def _check_kind(found: str, path: PathLike, call: str, what: str) -> None:
    """An error for what is there and no file: of devices and pipes there may be no end."""
    try:
        kind = os.stat(found).st_mode
    except OSError:
        return
    if stat.S_ISDIR(kind):
        raise disk_error(call, path, IsADirectoryError(errno.EISDIR, ""), what)
    if not stat.S_ISREG(kind):
        raise SettingError(f"{call}: {os.fspath(path)} is a device or pipe; give the path of a file")


def as_path(path: Any, call: str) -> str:
    """A path as text; SettingError for what is none."""
    if not isinstance(path, (str, os.PathLike)) or not isinstance(found := os.fspath(path), str):
        raise SettingError(f"{call}: takes a path, a str or a Path, not {type(path).__name__}")
    if not found or "\0" in found:
        raise SettingError(f"{call}: {found!r} is no path; give the path of a file")
    return found


def _sync_folder(folder: str) -> None:
    if sys.platform == "win32":  # folders can not be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        disk.sync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems sync no folders
            raise
    finally:
        os.close(handle)


# --- what others have left -----------------------------------------------------------------

_ours: set[str] = set()
"""Names of what this process is writing: all else of its own number is of a dead one that had it before."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A new, empty folder among the temporary ones, gone after the block; those of dead processes are
    removed first."""
    import shutil
    import tempfile

    place = tempfile.gettempdir()
    sweep(place)
    name = _fresh_name()
    folder = Path(place, name)
    _ours.add(name)
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _ours.discard(name)


def sweep(folder: str) -> None:
    """Remove what dead processes were writing in a folder."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (named := OURS.fullmatch(entry.name)) and _is_left(entry, named):
                if entry.is_dir(follow_symlinks=False):
                    import shutil

                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    with suppress(OSError):
                        disk.remove(entry.path)


def _is_left(entry: os.DirEntry[str], named: re.Match[str]) -> bool:
    """Whether nobody is at it any more: a process of this machine is asked for by its number; of others
    the age decides."""
    if entry.name in _ours:
        return False
    with suppress(OSError):
        found = entry.stat(follow_symlinks=False)
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            return False
        if named["host"] != _host() or sys.platform == "win32":  # there, to ask for a process ends it
            return time.time() - found.st_mtime > DAY
        return int(named["pid"]) == os.getpid() or not _lives(int(named["pid"]))
    return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _fresh_name() -> str:
    return f"diptych-{_host()}-{os.getpid()}-{os.urandom(4).hex()}"


@cache
def _host() -> str:
    """Among whom this process's number is its own: the machine, and the container."""
    import hashlib
    import platform

    spaces = ""
    with suppress(OSError):
        spaces = os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(f"{platform.node()} {spaces}".encode()).hexdigest()[:8]


# --- what the disk refuses -----------------------------------------------------------------


@contextmanager
def reading(path: PathLike, call: str, what: str = "read") -> Iterator[None]:
    """Whatever the disk refuses within the block is a DiskError about `path`, in `call`'s name."""
    try:
        yield
    except DiptychError:
        raise
    except OSError as error:
        raise disk_error(call, path, error, what) from error


@contextmanager
def opened(path: PathLike, call: str) -> Iterator[IO[bytes]]:
    """A file to read from; errors as of `reading`, and SettingError for a device or pipe."""
    name = as_path(path, call)
    _check_kind(name, path, call, "read")
    with reading(path, call), open(name, "rb") as file:
        yield file


_REASONS: dict[int | None, tuple[type[DiskError], str]] = {
    errno.ENOSPC: (DiskError, "the disk is full; make room on it, or take a folder on another one"),
    errno.EDQUOT: (DiskError, "your share of the disk is used up; make room, or take a folder elsewhere"),
    errno.EFBIG: (DiskError, "the file would be larger than is allowed there; take a folder elsewhere"),
    errno.EACCES: (DeniedError, "permission is denied; take another folder, or change its permissions"),
    errno.EPERM: (DeniedError, "permission is denied; take another folder, or change its permissions"),
    errno.EROFS: (DeniedError, "the disk can only be read; take a folder on another one"),
    errno.EISDIR: (DiskError, "it is a folder; give the path of a file"),
    errno.ENOTDIR: (DiskError, "a part of the path is a file, not a folder; check the path"),
    errno.EEXIST: (DiskError, "there is a file of this name; give the path of a folder"),
    errno.ENAMETOOLONG: (DiskError, "the name is too long; take a shorter one"),
    errno.ELOOP: (DiskError, "links lead round in a circle; check the path"),
    errno.EMFILE: (DiskError, "too many files are open; close some, or raise the limit (ulimit -n)"),
    errno.EIO: (DiskError, "the disk fails; take a folder on another one, and look after this one"),
}


def disk_error(call: str, path: PathLike, error: OSError, what: str = "written") -> DiskError:
    """The project's own error for what the disk refused: the call, the path, the way out."""
    name = os.fspath(path)
    if error.errno == errno.ENOENT and what == "written":
        folder = os.path.dirname(os.path.abspath(name))
        kind: type[DiskError] = MissingFileError
        reason = f"there is no folder {folder}; make it first (os.makedirs), or check the path"
        if os.path.isdir(folder):
            reason = f"{folder} takes no files; take another folder"
    elif error.errno == errno.ENOENT:
        kind, reason = MissingFileError, "there is no such file; check the path"
    else:
        said = f"{error.strerror or error or type(error).__name__}; take another folder"
        kind, reason = _REASONS.get(error.errno, (DiskError, said))
    found = kind(f"{call}: {name} can not be {what}: {reason}")
    found.errno, found.strerror, found.filename = error.errno, error.strerror, name
    return found


# --- where what can be had again is kept ---------------------------------------------------


def cache_directory(variable: str) -> Path:
    """What an environment variable says, or the place for us in the platform's cache directory; DiskError,
    which names the variable, where there is no home."""
    try:
        if chosen := os.environ.get(variable):
            return Path(chosen).expanduser()
        if sys.platform == "win32":
            base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError as error:
        raise DiskError(
            f"there is no home directory to keep files in ({error}); set {variable} to a folder"
        ) from error
    return base / "diptych"
