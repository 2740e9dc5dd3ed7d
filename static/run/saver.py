"""Checkpoints of a session's variables: numbered files, the oldest dropped."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from shared.durable import files
from shared.errors import DataError, StateError
from shared.nn.checkpoint import read_checkpoint, write_checkpoint
from shared.nn.saved import CHECKPOINT, read_file
from shared.spec import str_shape, whole
from shared.state import Buffer, Parameter, Slot, State
from shared.usage.door import methods
from static.graph.graph import Tensor, get_default_graph
from static.graph.variables import Variable, lift
from static.run.session import Session

INDEX = "checkpoint.json"


class Saver:
    """Saves and restores variables (all of the default graph, unless told which): those of a model and its
    optimiser by their paths, so that `nn.load_checkpoint` reads them too, others by their names.

    var_list     variables, or a dict of them by the names that they have in the file
    max_to_keep  how many checkpoints stay; older ones are deleted as new ones are written. 0 or None: all
    """

    def __init__(
        self, var_list: Sequence[Any] | Mapping[str, Any] | None = None, max_to_keep: int | None = 5
    ) -> None:
        graph = get_default_graph()
        given: Any = graph.variables if var_list is None else var_list
        self.names = list(given) if isinstance(given, Mapping) else None
        listed = given.values() if isinstance(given, Mapping) else given
        self.variables: list[Variable] = [lift(graph, v) if isinstance(v, State) else v for v in listed]
        self.max_to_keep = max_to_keep
        self.last_checkpoints: list[str] = []

    def save(self, session: Session, path: files.PathLike, global_step: Any = None) -> str:
        """Write `path`, or `path-step`; gives the file's path. global_step: a number, or a variable.

        The file is that of `nn.save_checkpoint`, and replaces an older one of its name whole: a crash leaves
        either or the other. Which files there are stands in `checkpoint.json` beside them: a new one is
        listed before it is written, as the oldest, so that none is ever forgotten.
        """
        symbolic = isinstance(global_step, (Variable, Tensor))
        step = None if global_step is None else _count(session.run(global_step) if symbolic else global_step)
        name = files.as_path(path, "Saver.save")
        target = Path(name if step is None else f"{name}-{step}")
        values = session.run(list(self.variables))
        arrays = dict(zip(self._keys(), values, strict=True))
        kept = _read_index(target.parent, "Saver.save")
        if target.name not in kept:
            _write_index(target.parent, kept := [target.name, *kept])
        facts: dict[str, Any] = {"step": step, "extra": {}, "by": "Saver"}
        write_checkpoint(target, arrays, facts | _parts(self._keys()), "Saver.save")
        kept = [name for name in kept if name != target.name] + [target.name]
        gone = kept[: max(len(kept) - self.max_to_keep, 0)] if self.max_to_keep else []
        for name in gone:
            files.remove(target.parent / name, "Saver.save")
        _write_index(target.parent, kept[len(gone) :])
        mine = [saved for saved in self.last_checkpoints if saved != str(target)]
        self.last_checkpoints = [saved for saved in mine if Path(saved).name not in gone] + [str(target)]
        return str(target)

    def restore(self, session: Session, path: files.PathLike) -> None:
        """Make the variables hold what was saved, here or by `nn.save_checkpoint`; StateError, and no
        change, if one is missing there or has another shape or dtype."""
        if not os.path.isfile(files.as_path(path, "Saver.restore")):
            raise DataError(
                f"restore: there is no checkpoint {os.fspath(path)}; static.latest_checkpoint(directory) "
                "gives the one that was written last"
            )
        names = self.names or [variable.name for variable in self.variables]
        saved = _named(dict(zip(self._keys(), names, strict=True)), path)
        for name, variable in zip(names, self.variables, strict=True):
            if name not in saved:
                has = ", ".join(sorted(saved)[:8]) + (", ..." if len(saved) > 8 else "")
                raise StateError(
                    f"restore: Key {name!r} not found in checkpoint {os.fspath(path)}, which has "
                    f"{has}; was the model built twice in one graph?"
                )
            value = saved[name]
            if value.shape != variable.shape or value.dtype != variable.dtype:
                raise StateError(
                    f"restore: {variable.name!r} is {variable.dtype} {str_shape(variable.shape)} in the "
                    f"graph, but {value.dtype} {str_shape(value.shape)} in {os.fspath(path)}; build the "
                    "graph with the sizes that were saved, or leave the variable out of var_list"
                )
        session.hold({variable: saved[name] for name, variable in zip(names, self.variables, strict=True)})

    def _keys(self) -> list[str]:
        if self.names is not None:
            return [f"variable/{name}" for name in self.names]
        return _keys(self.variables)


methods(Saver, "save", "restore")

# --- names ---------------------------------------------------------------------------------


def _keys(variables: Sequence[Variable]) -> list[str]:
    """What the variables are called in a checkpoint. Of two that would be called alike, such as the counts
    of two optimisers, the second is numbered, as its name in the graph is."""
    found: dict[str, None] = {}
    for variable in variables:
        key, count = _key(variable), 1
        while (unique := key if count == 1 else f"{key}~{count}") in found:
            count += 1
        found[unique] = None
    return list(found)


def _key(variable: Variable) -> str:
    state = variable.state
    if isinstance(state, Slot) and state.parameter.name:
        return f"optimizer/{state.parameter.name}/{state.slot}"
    if state is None or not state.name:
        return f"variable/{variable.name}"
    return f"{'model' if isinstance(state, (Parameter, Buffer)) else 'optimizer'}/{state.name}"


def _parts(keys: Sequence[str]) -> dict[str, str]:
    """Which parts of a checkpoint there are; of which classes, a graph does not know."""
    return {key.partition("/")[0]: "" for key in keys}


def _named(names: Mapping[str, str], path: files.PathLike) -> Mapping[str, Any]:
    """The arrays of a checkpoint by the names of those whose keys are given; others by their own."""
    arrays, about = read_file(path, "Saver.restore")
    if about.get("format") != CHECKPOINT:  # as Savers wrote until there were checkpoints
        return arrays
    arrays, _ = read_checkpoint(path, "Saver.restore")
    return {names.get(key, key.partition("/")[2]): array for key, array in arrays.items()}


def _count(step: Any) -> int:
    """A count of steps as an int; an optimiser keeps its own as a float."""
    counted = isinstance(step, (float, np.generic, np.ndarray)) and np.ndim(step) == 0
    return whole("Saver.save", "global_step", int(step) if counted and step == np.trunc(step) else step)


# --- which there are -----------------------------------------------------------------------


def latest_checkpoint(directory: files.PathLike) -> str | None:
    """The path of the checkpoint that was written last in a directory, or None."""
    names = _read_index(Path(files.as_path(directory, "latest_checkpoint")), "latest_checkpoint")
    return str(Path(directory) / names[-1]) if names else None


class CheckpointState(NamedTuple):
    """Which checkpoints there are in a directory: the last, and all."""

    model_checkpoint_path: str
    all_model_checkpoint_paths: list[str]


def get_checkpoint_state(directory: files.PathLike) -> CheckpointState | None:
    """The checkpoints in a directory, the oldest first, or None if there is none."""
    folder = files.as_path(directory, "get_checkpoint_state")
    paths = [str(Path(folder) / name) for name in _read_index(Path(folder), "get_checkpoint_state")]
    return CheckpointState(paths[-1], paths) if paths else None


def _read_index(directory: Path, call: str) -> list[str]:
    """The names of the checkpoints in a directory, the oldest first."""
    index = directory / INDEX
    try:
        with files.opened(index, call) as file:
            names: Any = json.loads(file.read())
    except FileNotFoundError:
        return []
    except ValueError as error:
        names = error
    if not isinstance(names, list) or not all(isinstance(n, str) and n == Path(n).name for n in names):
        raise DataError(
            f"{call}: {index} should be a list of the files beside it, and is not; delete it: the "
            "checkpoints stay, and Saver.restore reads each by its path"
        )
    return [name for name in names if os.path.isfile(directory / name)]  # which takes any name


def _write_index(directory: Path, names: Sequence[str]) -> None:
    files.write(directory / INDEX, json.dumps(list(names)), "Saver.save")
