"""Checkpoints of a session's variables: numbered files, the oldest dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.errors import DataError, StateError
from shared.nn.saved import read_file, write_file
from shared.spec import str_shape
from static.graph.graph import get_default_graph
from static.graph.variables import Variable
from static.run.session import Session

INDEX = "checkpoint.json"


class Saver:
    """Saves and restores variables by their names (all of the default graph, unless told which).

    max_to_keep: how many checkpoints stay; older ones are deleted as new ones are written.
    """

    def __init__(self, var_list: Sequence[Variable] | None = None, max_to_keep: int = 5) -> None:
        self.variables = list(var_list) if var_list is not None else list(get_default_graph().variables)
        self.max_to_keep = max_to_keep

    def save(self, session: Session, path: str | os.PathLike[str], global_step: int | None = None) -> str:
        """Write `path`, or `path-step`; gives the file's path.

        The file replaces an older one of its name whole: a crash leaves either or the other.
        """
        target = Path(f"{os.fspath(path)}-{int(global_step)}" if global_step is not None else path)
        values = session.run(list(self.variables))
        write_file(target, {v.name: a for v, a in zip(self.variables, values, strict=True)}, {})
        kept = [name for name in _read_index(target.parent) if name != target.name] + [target.name]
        gone = kept[: max(len(kept) - self.max_to_keep, 0)] if self.max_to_keep else []
        _write_index(target.parent, kept[len(gone) :])
        for name in gone:
            (target.parent / name).unlink(missing_ok=True)
        return str(target)

    def restore(self, session: Session, path: str | os.PathLike[str]) -> None:
        """Make the variables hold what was saved; StateError, and no change, if one is missing
        there or has another shape or dtype."""
        if not os.path.isfile(path):
            raise DataError(
                f"restore: there is no checkpoint {os.fspath(path)}; static.latest_checkpoint(directory) "
                "gives the one that was written last"
            )
        saved, _ = read_file(path)
        values = {v: saved[v.name] for v in self.variables if v.name in saved}
        for variable in self.variables:
            if variable not in values:
                has = ", ".join(sorted(saved)[:8]) + (", ..." if len(saved) > 8 else "")
                raise StateError(
                    f"restore: Key {variable.name!r} not found in checkpoint {os.fspath(path)}, which has "
                    f"{has}; was the model built twice in one graph?"
                )
            value = values[variable]
            if value.shape != variable.shape or value.dtype != variable.dtype:
                raise StateError(
                    f"restore: {variable.name!r} is {variable.dtype} {str_shape(variable.shape)} in the "
                    f"graph, but {value.dtype} {str_shape(value.shape)} in {os.fspath(path)}; build the "
                    "graph with the sizes that were saved, or leave the variable out of var_list"
                )
        session.hold(values)


def latest_checkpoint(directory: str | os.PathLike[str]) -> str | None:
    """The path of the checkpoint that was written last in a directory, or None."""
    names = _read_index(Path(directory))
    return str(Path(directory) / names[-1]) if names else None


def _read_index(directory: Path) -> list[str]:
    try:
        names: Any = json.loads((directory / INDEX).read_text())
    except (OSError, ValueError):
        return []
    return [name for name in names if isinstance(name, str) and (directory / name).is_file()]


def _write_index(directory: Path, names: Sequence[str]) -> None:
    """The list of checkpoints, replaced whole."""
    partial = directory / f".{INDEX}.{os.getpid()}.partial"
    partial.write_text(json.dumps(list(names)))
    os.replace(partial, directory / INDEX)
