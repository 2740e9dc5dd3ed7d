"""Object code on disk, so that a second process need not compile: `DIPTYCH_CACHE`, or the user's cache.

Files are named by a hash of all that the code depends on, and written whole. Each begins with a checksum of
its name, of the processor and the versions that it was made for, and of the code: what is damaged, or stands
under another's name, is compiled again. Where they take more than `LIMIT`, those go that were not used for
longest.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from shared.durable import files
from shared.errors import DiskError

LIMIT = 128 * 2**20
"""Bytes that all kernels together may take; a kernel takes some thousands. It is passed by what is written
between two looks."""
LOOK = 64
"""One write in so many looks at the whole folder, which takes longer the more there is: that one, by chance,
whose checksum divides by it."""

_HEADER = b"diptych kernel 2\n"
_DIGEST = 32


def directory() -> Path:
    """Where kernels are kept: `DIPTYCH_CACHE`, or the platform's cache directory."""
    return files.cache_directory("DIPTYCH_CACHE") / "kernels"


def read(name: str, identity: str) -> bytes | None:
    """The code that was written under this name for this machine; None if there is none, or it is not
    what was written."""
    try:
        path = directory() / name
        content = path.read_bytes()
        with suppress(OSError):
            os.utime(path)  # used now
    except OSError:  # or there is no home
        return None
    head, body = content[: len(_HEADER) + _DIGEST], content[len(_HEADER) + _DIGEST :]
    return body if head == _head(name, identity, body) else None


def write(name: str, identity: str, body: bytes) -> None:
    """Keep it; where nothing can be written, it is compiled in every process."""
    with suppress(DiskError, OSError):
        place = directory()
        place.mkdir(parents=True, exist_ok=True)
        head = _head(name, identity, body)
        files.write(place / name, head + body, "kernels", lasting=False)
        if head[-1] % LOOK == 0:
            _forget(place)


def _head(name: str, identity: str, body: bytes) -> bytes:
    import hashlib

    said = f"{len(name)} {name} {len(identity)} {identity} ".encode()
    return _HEADER + hashlib.sha256(said + body).digest()


def _forget(place: Path) -> None:
    """Remove what was not used for longest, until three quarters of the limit are left."""
    with os.scandir(place) as entries:
        found = [(entry.stat(), entry.path) for entry in entries if not entry.name.startswith(".")]
    total = sum(about.st_size for about, _ in found)
    if total <= LIMIT:
        return
    for about, path in sorted(found, key=lambda pair: pair[0].st_mtime):
        files.remove(path, "kernels")
        total -= about.st_size
        if total <= LIMIT * 3 // 4:
            return
