"""Models as named arrays: in memory, and in safetensors files.

The names are the paths of `named_states`, which are PyTorch's, so that a checkpoint made there
loads here. A generator's state is saved like any buffer; as PyTorch has no such thing, a
checkpoint without one is complete all the same, and the layer goes on with the one it has.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from shared.device.cuda import adopted, to_device, to_host
from shared.durable import files, interrupts
from shared.errors import StateError
from shared.spec import str_shape
from shared.state import Generator, Parameter, State

CHECKPOINT = "diptych checkpoint"
"""What the metadata of a file say under `format`, if `nn.save_checkpoint` or a Saver wrote it."""

Paths = Iterable[tuple[str, State]]
"""States with their paths. A State that stands in two places (tied weights) comes twice."""


class Loaded(NamedTuple):
    """What a checkpoint lacked, what it had in excess, and what else its file says."""

    missing_keys: list[str]
    unexpected_keys: list[str]
    metadata: dict[str, str]


def arrays_of(paths: Paths) -> dict[str, Any]:
    """Copies of the values by path; a State that stands in two places under its first one."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for path, state in paths:
        if id(state) not in seen:
            seen.add(id(state))
            state.name = state.name or path
            found[path] = np.array(state.numpy())
    return found


def load_arrays(paths: Paths, arrays: Mapping[str, Any], strict: bool, source: str) -> Loaded:
    """Make the States hold `arrays`, all of them or, if anything does not fit, none.

    `strict=False` leaves aside missing and unexpected names; a wrong shape is always an error.
    Values are copied and cast to the States' dtypes.
    """
    if not isinstance(arrays, Mapping):
        raise StateError(
            f"{source}: takes a dict of arrays by name, not {type(arrays).__name__}; a file is read with "
            ".load(path)"
        )
    known = dict(paths)
    given = {path: _as_array(value) for path, value in arrays.items()}
    chosen: dict[int, tuple[str, State]] = {}
    wrong: list[str] = []
    for path, state in known.items():
        if path not in given:
            continue
        before = chosen.setdefault(id(state), (path, state))[0]
        wrong.extend(_misfit(path, state, given[path]))
        if before != path and not np.array_equal(given[before], given[path]):
            wrong.append(f"{path} and {before} are one State of the model and differ in the checkpoint")
    missing = [
        path for path, state in known.items()
        if id(state) not in chosen and not isinstance(state, Generator)
    ]  # fmt: skip
    unexpected = [path for path in given if path not in known]
    if wrong or (strict and (missing or unexpected)):
        raise StateError(_complaint(source, strict, missing, unexpected, wrong))
    values = [(s, to_device(np.array(given[path], _kind(s)), s.device)) for path, s in chosen.values()]
    with interrupts.deferred():
        for state, value in values:
            state.data = value
    return Loaded(missing, unexpected, {})


def _as_array(value: Any) -> Any:
    return np.asarray(value.numpy() if hasattr(value, "numpy") else to_host(adopted(value)))


def _kind(state: State) -> Any:
    return state.kind if not state.settled and isinstance(state, Parameter) else state.dtype


def _misfit(path: str, state: State, array: Any) -> list[str]:
    if state.settled:
        sizes: Any = state.shape
    else:
        sizes = getattr(state, "sizes", None) or array.shape
    fits = len(sizes) == array.ndim and all(
        size is None or size == given for size, given in zip(sizes, array.shape, strict=True)
    )
    if not fits:
        return [f"{path} is {str_shape(array.shape)} in the checkpoint, {str_shape(sizes)} in the model"]
    if not np.can_cast(array.dtype, _kind(state), "same_kind"):
        return [f"{path} is {array.dtype} in the checkpoint, {_kind(state)} in the model"]
    return []


def _complaint(
    source: str, strict: bool, missing: list[str], unexpected: list[str], wrong: list[str]
) -> str:
    parts = [f"{source}: the checkpoint does not fit the model, and nothing was loaded."]
    if strict and missing:
        parts.append(f"Missing in the checkpoint: {_listed(missing)}.")
    if strict and unexpected:
        parts.append(f"Unexpected in it: {_listed(unexpected)}.")
    if wrong:
        parts.append(f"Not fitting: {_listed(wrong, '; ')}.")
    if strict and not wrong:
        parts.append("Was it made by another model? strict=False loads the names that both have")
    else:
        parts.append("Build the model with the sizes that the checkpoint was made with")
    return " ".join(parts)


def _listed(names: list[str], between: str = ", ", most: int = 20) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return between.join(names[:most]) + rest


# --- files ---------------------------------------------------------------------------------


def packed(arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Arrays and words as a safetensors file holds them."""
    from safetensors.numpy import save

    # What is not in C order would be written as it lies, without a word of that.
    plain = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    return save(plain, None if metadata is None else {str(k): str(v) for k, v in metadata.items()})


def write_file(
    path: str | os.PathLike[str], arrays: Mapping[str, Any], metadata: Mapping[str, str], call: str = "save"
) -> None:
    """Write a safetensors file, whole or not at all: whoever reads `path` meanwhile, and whoever
    comes after a crash, finds the old file or the new one."""
    files.write(path, packed(arrays, metadata), call)


def read_own(path: str | os.PathLike[str], call: str) -> tuple[dict[str, Any], dict[str, str]]:
    """`read_file` of a model's or optimiser's own file: StateError for a checkpoint of both."""
    arrays, metadata = read_file(path, call)
    if metadata.get("format") == CHECKPOINT:
        raise StateError(
            f"{call}: {os.fspath(path)} is a checkpoint; nn.load_checkpoint(path, model, optimizer) reads "
            "it, and nn.load_checkpoint(path, model) its model alone"
        )
    return arrays, metadata


def read_file(
    path: str | os.PathLike[str], call: str = "load"
) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and the metadata of a safetensors file; StateError if it is not a whole one, DiskError if
    it can not be read."""
    from safetensors import SafetensorError, safe_open

    name = files.as_path(path, call)
    try:
        with files.opened(name, call), safe_open(name, framework="np") as file:
            names = file.keys()  # the file itself can not be iterated over
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, TypeError) as error:
        raise StateError(
            f"{call}: {name} is not a whole safetensors file of dtypes that NumPy has "
            f"({error}); copy it anew, or save it again"
        ) from None
