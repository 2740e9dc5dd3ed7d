"""Files that are fetched once and kept: checked before every use, whole or not there at all."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shared.durable import files
from shared.errors import DataError, DiskError

TIMEOUT = 30
"""Seconds without a byte after which a mirror is given up."""

_CHUNK = 1 << 16


def data_directory() -> Path:
    """Where downloaded data sets are kept: `DIPTYCH_DATA`, or the platform's cache directory."""
    return files.cache_directory("DIPTYCH_DATA")


@dataclass(frozen=True)
class Remote:
    """A file that mirrors offer.

    name     its place below the data directory, such as `mnist/train-labels-idx1-ubyte.gz`
    mirrors  the addresses that are tried in turn
    sha256   of its content: of what `opened` reads from it
    size     of the same, in bytes
    opened   how the content is read: `open`, or `gzip.open`, because mirrors compress the same
             content differently
    """

    name: str
    mirrors: tuple[str, ...]
    sha256: str
    size: int
    opened: Callable[..., Any] = open


def fetch(remote: Remote) -> Path:
    """The path of a file that is there and right; downloaded if it was not there.

    DataError if no mirror gives it, or if the file that is there is not the right one.
    """
    path = data_directory() / remote.name
    if path.exists():
        if wrong := _wrong(remote, path):
            raise DataError(f"{path} {wrong}; delete it, and it will be downloaded again")
        return path
    reasons = []
    for address in remote.mirrors:
        reason = _download(remote, address, path)
        if reason is None:
            return path
        reasons.append(f"{address} {reason}")
    raise DataError(
        f"{remote.name} could not be downloaded: {'; '.join(reasons)}. Check the network and try again, or "
        f"put the file at {path} yourself (DIPTYCH_DATA sets another directory)"
    )


def _download(remote: Remote, address: str, path: Path) -> str | None:
    """Put the file at `path` if this mirror gives the right one; else say what was wrong."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with files.replacing(path, "fetch") as file:
            if reason := _received(remote, address, file):
                raise _Refused(reason)
            file.flush()
            if reason := _wrong(remote, Path(file.name)):
                raise _Refused(reason)
    except _Refused as refused:
        return str(refused)
    except OSError as error:
        raise DataError(
            f"{path.parent} can not be written to ({error.strerror}); set DIPTYCH_DATA to one that can be"
        ) from error
    return None


class _Refused(Exception):
    """What a mirror gave is not the file, for this reason."""


def _received(remote: Remote, address: str, file: IO[bytes]) -> str | None:
    """Ask a mirror, and copy its answer to a file; what went wrong on the way, if anything."""
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    try:
        with urlopen(Request(address, headers={"User-Agent": "diptych"}), timeout=TIMEOUT) as answer:
            return _receive(remote, answer, file)
    except DiskError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        return f"failed ({error})"


def _receive(remote: Remote, answer: Any, file: IO[bytes]) -> str | None:
    """Copy an answer to a file; what was wrong with its length, if anything."""
    most = remote.size + _CHUNK  # compressed files are smaller, or larger by next to nothing
    announced = int(answer.headers.get("Content-Length") or 0)
    done = 0
    with Progress(Path(remote.name).name, announced) as progress:
        while chunk := answer.read(_CHUNK):
            done += len(chunk)
            if done > most:
                return f"sent more than {most:,} bytes, which the file can not have"
            with files.reading(remote.name, "fetch", "written"):
                file.write(chunk)
            progress.show(done)
    if announced and done < announced:
        return f"stopped after {done:,} of {announced:,} bytes"
    return None


def _wrong(remote: Remote, path: Path) -> str | None:
    """What is wrong with a file, or None."""
    import zlib

    digest, size = hashlib.sha256(), 0
    try:
        with remote.opened(path, "rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
                if size > remote.size:
                    return f"holds more than the {remote.size:,} bytes that it should"
    except EOFError:
        return "is cut off"
    except (OSError, zlib.error) as error:
        return f"can not be read ({error})"
    if size < remote.size:
        return f"is cut off: it holds {size:,} of {remote.size:,} bytes"
    if digest.hexdigest() != remote.sha256:
        return f"is not the file that it should be (its sha256 is {digest.hexdigest()}, not {remote.sha256})"
    return None


class Progress:
    """A bar on stderr while bytes come in; silent where stderr is no terminal."""

    def __init__(self, name: str, total: int, width: int = 30) -> None:
        self.name, self.total, self.width = name, total, width
        self.shown = ""
        self.on = sys.stderr is not None and sys.stderr.isatty()

    def show(self, done: int) -> None:
        if not self.on:
            return
        text = f"{self.name}  {done / 1e6:.1f} MB"
        if self.total:
            filled = self.width * done // self.total
            bar = "#" * filled + "." * (self.width - filled)
            text = f"{self.name}  [{bar}] {100 * done // self.total:3d} % of {self.total / 1e6:.1f} MB"
        if text != self.shown:
            self.shown = text
            print(f"\r{text}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        if self.shown:
            print(file=sys.stderr)
