"""Object code on disk, so that a second process need not compile: `DIPTYCH_CACHE`, or the user's cache.

Files are named by a hash of all that the code depends on. They are written whole and then renamed,
so that writers at the same time do no harm, and begin with their own checksum, so that one that was
damaged is compiled again.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

_HEADER = b"diptych kernel 1\n"
_DIGEST = 32


def directory() -> Path:
    """Where kernels are kept: `DIPTYCH_CACHE`, or the platform's cache directory."""
    if chosen := os.environ.get("DIPTYCH_CACHE"):
        return Path(chosen) / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "diptych" / "kernels"


def read(name: str) -> bytes | None:
    """What was written under this name; None if nothing was, or it is not whole."""
    try:
        content = (directory() / name).read_bytes()
    except (OSError, RuntimeError):  # there is no home
        return None
    head, digest = content[: len(_HEADER)], content[len(_HEADER) : len(_HEADER) + _DIGEST]
    body = content[len(_HEADER) + _DIGEST :]
    return body if head == _HEADER and digest == hashlib.sha256(body).digest() else None


def write(name: str, body: bytes) -> None:
    """Keep it; where nothing can be written, it is compiled in every process."""
    with suppress(OSError, RuntimeError):
        place = directory()
        place.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_HEADER + hashlib.sha256(body).digest() + body)
            os.replace(temporary, place / name)
        except OSError:
            os.unlink(temporary)
