"""Reading an archive's bytes, and trusting none of them: a program as plain JSON, and arrays.

Nothing is unpacked to disk. What is too large for its archive, cut off, doubled or out of place
is refused before it is read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from shared.durable import files
from shared.errors import ArchiveError
from static.archive.encoding import damaged
from static.archive.save import CONSTANTS, FORMAT, PROGRAM, PROGRAM_LIMIT, RATIO, VERSION, WEIGHTS

MEMBERS = (PROGRAM, WEIGHTS, CONSTANTS)


class Contents(NamedTuple):
    """What an archive holds."""

    program: dict[str, Any]
    weights: dict[str, Any]
    constants: dict[str, Any]


def unpack(path: str | os.PathLike[str]) -> Contents:
    """The contents of the archive at `path`; ArchiveError, naming the member, if it is not whole."""
    name = files.as_path(path, "load")
    with files.opened(name, "load") as file:
        try:
            members = _members(file, os.fstat(file.fileno()).st_size)
        except ArchiveError as error:
            raise ArchiveError(f"load: {name}: {error.message}") from None
        except Exception as error:  # zipfile says in many ways that a file is broken
            text = damaged(f"load: {name} is not a whole archive ({type(error).__name__}: {error})").message
            raise ArchiveError(text) from None
    return Contents(
        _named(name, PROGRAM, _program, members), _named(name, WEIGHTS, _arrays, members),
        _named(name, CONSTANTS, _arrays, members),
    )  # fmt: skip


def _named(path: str, member: str, read: Callable[[bytes], Any], members: Mapping[str, bytes]) -> Any:
    try:
        return read(members[member])
    except ArchiveError as error:
        text = error.message
    except Exception as error:
        text = damaged(f"{type(error).__name__}: {error}").message
    raise ArchiveError(f"load: {path}: {member}: {text}")


# --- the zip file --------------------------------------------------------------------------


def _members(file: Any, size: int) -> dict[str, bytes]:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        for entry in entries:
            _check_entry(entry, size)
        for name in MEMBERS:
            if names.count(name) != 1:
                raise damaged(f"{name} is in it {names.count(name)} times")
        return {entry.filename: archive.read(entry) for entry in entries}


def _check_entry(entry: Any, size: int) -> None:
    """The member has its place here, is all there, and does not swell."""
    name = entry.orig_filename
    if name not in MEMBERS or entry.filename != name:
        raise ArchiveError(
            f"the member {name!r:.100} has no business in an archive, which holds {', '.join(MEMBERS)}; do "
            "not trust this file"
        )
    stored = entry.compress_type == 0 and entry.compress_size == entry.file_size
    deflated = entry.compress_type == 8 and name == PROGRAM
    if entry.flag_bits & 0x1 or not (stored or deflated):
        raise damaged(f"{name} is encrypted, or packed as archives are not")
    if entry.compress_size > size:
        raise ArchiveError(
            f"{name} is cut off: it takes {entry.compress_size} bytes of a file of {size}; copy it anew"
        )
    if name == PROGRAM and (
        entry.file_size > PROGRAM_LIMIT or (deflated and entry.file_size > RATIO * entry.compress_size)
    ):
        raise ArchiveError(
            f"{name} would swell from {entry.compress_size} to {entry.file_size} bytes; do not trust it"
        )


# --- its members ---------------------------------------------------------------------------


def _program(content: bytes) -> dict[str, Any]:
    try:
        program = json.loads(content, object_pairs_hook=_without_doubles, parse_constant=_no_number)
    except RecursionError:
        raise ArchiveError("it is nested too deep to be a program; do not trust this file") from None
    if not isinstance(program, dict) or program.get("format") != FORMAT:
        raise damaged(f'it does not say {{"format": "{FORMAT}"}}')
    version = program.get("version")
    if type(version) is not int or version != VERSION:
        raise ArchiveError(
            f"its schema has version {version!r:.20}, and this Diptych reads {VERSION}; load it with the "
            "version of Diptych that saved it"
        )
    return program


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise damaged(f"a key stands twice among {[key for key, _ in pairs]!r:.99}")
    return made


def _no_number(name: str) -> Any:
    raise damaged(f'{name} is no number of JSON; archives write {{"float": "nan"}}')


def _arrays(content: bytes) -> dict[str, Any]:
    from safetensors.numpy import load

    arrays = load(content)
    for name, array in arrays.items():
        if array.dtype == np.bool_ and array.size and int(array.view(np.uint8).max()) > 1:
            raise damaged(f"{name!r:.100} holds bytes that are no bools")
    return arrays
