"""Checkpoints: a model, its optimiser and the place in the data, in one file, so that none can be a step
ahead of the others.

The file is safetensors. Its arrays are called `model/PATH` (with PyTorch's paths), `optimizer/PATH/SLOT`,
`optimizer/lr`, `optimizer/steps`, `extra/NAME` and, of a graph's own variables, `variable/NAME`; what is no
array stands in its metadata as JSON. `static.Saver` writes the same.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from shared.durable import files, interrupts
from shared.errors import SettingError, StateError
from shared.nn.module import Module
from shared.nn.saved import CHECKPOINT, Paths, arrays_of, load_arrays, read_file, write_file
from shared.state import State

VERSION = 1


class Checkpoint(NamedTuple):
    """What a checkpoint says beside the states that were loaded from it."""

    step: int | None
    extra: dict[str, Any]


def save_checkpoint(
    path: files.PathLike,
    model: Module | None = None,
    optimizer: Any = None,
    loader: Any = None,
    step: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write where training stands to one file, which replaces an older one whole.

    model      what is trained, generators included; models that are trained together stand in one
               Module (`nn.ModuleDict`)
    optimizer  its rates, counts and slots, these by the path of the parameter in `model`; or a dict of
               several by name
    loader     anything whose `state_dict()` JSON can hold, such as a DataLoader
    step       how many steps were made
    extra      what else is to be kept, by name: arrays, and what JSON can hold, as JSON gives it back

    When the call returns, the file is on the disk: it was synced, renamed, and its folder synced. Before
    that, whatever happens, the older one is whole. StateError for a parameter that is trained and not in the
    model, DiskError for what the disk refuses.
    """
    call = "save_checkpoint"
    arrays: dict[str, Any] = {}
    facts: dict[str, Any] = {"step": None if step is None else _count(call, step)}
    if model is not None:
        arrays |= {f"model/{name}": value for name, value in _model(call, model).state_dict().items()}
        facts["model"] = type(model).__name__
    for prefix, one in _optimizers(call, optimizer).items():
        arrays |= {f"{prefix}/{name}": value for name, value in arrays_of(_paths(call, model, one)).items()}
        facts[prefix] = type(one).__name__
    if loader is not None:
        facts["loader"] = _plain(call, "loader.state_dict()", loader.state_dict())
    kept: dict[str, Any] = {}
    for name, value in (extra or {}).items():
        if not isinstance(name, str):
            raise SettingError(f"{call}: the names in extra are text, not {name!r}")
        if isinstance(value, np.ndarray):
            arrays[f"extra/{name}"] = value
        else:
            kept[name] = _plain(call, f"extra[{name!r}]", value)
    write_checkpoint(path, arrays, {**facts, "extra": kept}, call)


def load_checkpoint(
    path: files.PathLike,
    model: Module | None = None,
    optimizer: Any = None,
    loader: Any = None,
) -> Checkpoint:
    """Make a model, an optimiser and a loader go on from a checkpoint; gives its step and its extra.

    What is not passed is left aside: `load_checkpoint(path, model)` is enough to ask the model. StateError,
    and nothing has changed, if the file lacks something or anything does not fit.
    """
    call = "load_checkpoint"
    arrays, facts = read_checkpoint(path, call)
    where = f"{call}: {files.as_path(path, call)}"
    optimizers = _optimizers(call, optimizer)
    for part, given in (("model", model), *optimizers.items(), ("loader", loader)):
        kind = type(given).__name__
        if given is not None and part not in facts:
            raise StateError(f"{where} holds no {part}; leave it out, or save it with the others")
        if part in optimizers and facts[part] not in ("", kind):
            raise StateError(f"{where} holds the {part} of {facts[part]}, not of {kind}; make one like it")
    changed: list[tuple[State, Any]] = []
    with interrupts.deferred():
        try:
            if model is not None:
                _load(list(_model(call, model).state_paths()), arrays, "model", where, changed)
            for prefix, one in optimizers.items():
                paths = _paths(call, model, one)
                if facts.get("by") == "Saver":  # which knows nothing of what its graph did not train
                    known = {name.rpartition("/")[0] for name in arrays}
                    paths = [(p, s) for p, s in paths if f"{prefix}/{p}".rpartition("/")[0] in known]
                _load(paths, arrays, prefix, where, changed)
            if loader is not None:
                loader.load_state_dict(facts["loader"])
        except BaseException:
            for state, data in changed:
                state.hold(data)
            raise
    extra = {name.removeprefix("extra/"): a for name, a in arrays.items() if name.startswith("extra/")}
    return Checkpoint(facts["step"], {**facts["extra"], **extra})


def write_checkpoint(
    path: files.PathLike, arrays: Mapping[str, Any], facts: Mapping[str, Any], call: str
) -> None:
    """Arrays under their full names, and what JSON holds."""
    about = {"format": CHECKPOINT, "version": str(VERSION), "facts": json.dumps(facts)}
    write_file(path, arrays, about, call)


def read_checkpoint(path: files.PathLike, call: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same, of a checkpoint; StateError if it is none, or of a later version."""
    arrays, about = read_file(path, call)
    if about.get("format") != CHECKPOINT:
        raise StateError(
            f"{call}: {path} is no checkpoint of save_checkpoint or a Saver; what model.save or "
            "optimizer.save wrote is read by their load"
        )
    if about.get("version") != str(VERSION):
        raise StateError(
            f"{call}: {path} is a checkpoint of version {about.get('version')}, and this Diptych reads "
            f"{VERSION}; read it with the one that wrote it"
        )
    try:
        facts = json.loads(about["facts"])
        if not isinstance(facts["extra"], dict) or not isinstance(facts["step"], int | None):
            raise TypeError("not of the right form")
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{call}: {path} is damaged ({error}); take an older one") from None
    return arrays, facts


# --- the parts -----------------------------------------------------------------------------


def _model(call: str, model: Any) -> Module:
    if not isinstance(model, Module):
        raise SettingError(f"{call}: model must be a Module, not {type(model).__name__}")
    return model


def _optimizers(call: str, given: Any) -> dict[str, Any]:
    """The optimisers, by what their arrays' names begin with."""
    if given is None:
        return {}
    named = {f".{name}": one for name, one in given.items()} if isinstance(given, Mapping) else {"": given}
    for one in named.values():
        if not hasattr(one, "slots"):
            raise SettingError(f"{call}: optimizer must be an Optimizer, not {type(one).__name__}")
    return {f"optimizer{name}": one for name, one in named.items()}


def _paths(call: str, model: Module | None, optimizer: Any) -> Paths:
    """An optimiser's States, those of a parameter by its path in the model."""
    if model is None:
        return list(optimizer.named_states())
    paths = {id(state): path for path, state in model.named_states()}
    for parameter in optimizer.parameters:
        if id(parameter) not in paths:
            raise StateError(
                f"{call}: the optimiser trains {parameter.name or 'a parameter'}, which is not in the model; "
                "pass the Module that holds all that it trains"
            )
    return list(optimizer.named_states(lambda parameter: paths[id(parameter)]))


def _load(
    paths: Paths, arrays: Mapping[str, Any], prefix: str, where: str, changed: list[tuple[State, Any]]
) -> None:
    """The arrays under a prefix, into States, all or none; and what these held before."""
    head = f"{prefix}/"
    own = {name.removeprefix(head): a for name, a in arrays.items() if name.startswith(head)}
    changed.extend((state, state.data) for _, state in paths)
    load_arrays(paths, own, True, f"{where} ({prefix})")


def _count(call: str, step: Any) -> int:
    try:
        return operator.index(step)
    except TypeError:
        raise SettingError(f"{call}: step is a whole number, not {step!r}") from None


def _plain(call: str, name: str, value: Any) -> Any:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise SettingError(
            f"{call}: {name} can not be kept ({error}); it holds text, numbers, lists and dicts of Python's "
            "own (float(x), x.tolist()), and arrays only as values of extra"
        ) from None
