"""`save` and `load`: dicts and lists of Tensors, arrays and numbers in one file."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from dynamic.tensors import Tensor
from shared.errors import DTypeError
from shared.nn.saved import read_file, write_file
from shared.state import State

_PLACE = "__array__"


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write Tensors, Parameters, arrays, numbers and text, in dicts and lists, to one safetensors file, whole
    or not at all. DTypeError for anything else, of a model for one: save `model.state_dict()`."""
    arrays: dict[str, Any] = {}
    words = json.dumps(_apart(obj, arrays))
    write_file(path, arrays, {"structure": words}, "save")


def load(path: str | os.PathLike[str], map_location: Any = None, weights_only: bool = True) -> Any:
    """What `save` wrote, arrays as Tensors; of another safetensors file a dict of its Tensors. Nothing in a
    file is ever run."""
    arrays, metadata = read_file(path, "load")
    if "structure" not in metadata:
        return {name: Tensor(array) for name, array in arrays.items()}
    return _together(json.loads(metadata["structure"]), arrays)


def _apart(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, (Tensor, State, np.ndarray, np.generic)):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(value.numpy() if hasattr(value, "numpy") else value)
        return {_PLACE: name, "shape": list(arrays[name].shape) if not np.ndim(value) else None}
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            return {"__pairs__": [[_apart(k, arrays), _apart(v, arrays)] for k, v in value.items()]}
        return {key: _apart(part, arrays) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_apart(part, arrays) for part in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise DTypeError(
        f"save: {type(value).__name__} is no Tensor, number or text; of a model or an optimiser save its "
        "state_dict(), or write nn.save_checkpoint(path, model, optimizer)"
    )


def _together(value: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if _PLACE in value:
            array = arrays[value[_PLACE]]
            return Tensor(array.reshape(()) if value["shape"] is not None else array)
        if "__pairs__" in value:
            return {_together(k, arrays): _together(v, arrays) for k, v in value["__pairs__"]}
        return {key: _together(part, arrays) for key, part in value.items()}
    return [_together(part, arrays) for part in value] if isinstance(value, list) else value
