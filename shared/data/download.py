"""Files that are fetched once and kept: checked before every use, whole or not there at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from shared.errors import DataError

TIMEOUT = 30
"""Seconds without a byte after which a mirror is given up."""

_CHUNK = 1 << 16


def data_directory() -> Path:
    """Where downloaded data sets are kept: `DIPTYCH_DATA`, or the platform's cache directory."""
    if chosen := os.environ.get("DIPTYCH_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "diptych"


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
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = open(part, "xb")  # noqa: SIM115, closed below
    except OSError as error:
        raise DataError(
            f"{path.parent} can not be written to ({error.strerror}); set DIPTYCH_DATA to one that can be"
        ) from error
    try:
        with file, urlopen(Request(address, headers={"User-Agent": "diptych"}), timeout=TIMEOUT) as answer:
            reason = _receive(remote, answer, file)
        reason = reason or _wrong(remote, part)
        if reason is None:
            os.replace(part, path)
        return reason
    except (OSError, HTTPException, ValueError) as error:
        return f"failed ({error})"
    finally:
        part.unlink(missing_ok=True)


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
