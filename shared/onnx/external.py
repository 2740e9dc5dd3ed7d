"""Arrays that a model keeps in files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.errors import MissingFileError, OnnxError


def read(proto: Any, folder: Path | None) -> bytes:
    """The bytes of a tensor that are kept in another file, which must lie in the model's own folder.

    OnnxError for a place outside of it, by `..`, an absolute path or a link, and for a part that the file
    does not have.
    """
    name = proto.name or "an array"
    said = {entry.key: entry.value for entry in proto.external_data}
    if folder is None:
        raise OnnxError(
            f"load: {name} is kept in the file {said.get('location')!r} beside the model; give the model's "
            "path, not its bytes"
        )
    home = folder.resolve()
    path = (home / said.get("location", "")).resolve()
    if not path.is_relative_to(home) or path == home:
        raise OnnxError(
            f"load: {name} is said to be in {said.get('location')!r}, which is outside of the model's folder"
        )
    try:
        offset = int(said.get("offset") or 0)
        size = path.stat().st_size
        length = int(said["length"]) if said.get("length") else size - offset
    except FileNotFoundError:
        raise MissingFileError(f"load: {name} is kept in {path.name!r}, and there is no such file") from None
    except ValueError:
        raise OnnxError(f"load: where {name} is in {path.name!r} is not said in numbers") from None
    if offset < 0 or length < 0 or offset + length > size:
        raise OnnxError(
            f"load: {name} is said to be bytes {offset} to {offset + length} of the {size} of {path.name!r}"
        )
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
