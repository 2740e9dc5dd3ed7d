"""A model in an ONNX file that somebody gave, ready to be called on either engine and in onnxruntime."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import dynamic
import static
from shared import onnx
from shared.errors import ArgumentError

ELSE = 32
"""A size that the file leaves open, but for the first axis, which is the batch."""
Feeds = Mapping[str, Any]
Call = Callable[[], Any]


def on_dynamic(file: Path, feeds: Feeds) -> Call:
    """Loaded, it runs line by line."""
    model = onnx.load(file)
    xs = {name: dynamic.tensor(array) for name, array in feeds.items()}

    def call():
        with dynamic.no_grad():
            return model(**xs)

    return call


def on_static(file: Path, feeds: Feeds) -> tuple[Call, Any, Any]:
    """Loaded, it is built into a graph once, which a session compiles at its first run."""
    model = onnx.load(file)
    with static.Graph().as_default() as graph:
        xs = {
            name: array if name in model.known else static.placeholder(array.dtype, array.shape)
            for name, array in feeds.items()
        }
        y = model(**xs)
        start = static.global_variables_initializer()
    session = static.Session(graph=graph)
    session.run(start)
    fed = {x: feeds[name] for name, x in xs.items() if name not in model.known}
    return (lambda: session.run(y, fed)), session, y


def on_onnxruntime(file: Path, feeds: Feeds, threads: int = 0) -> Call:
    """The same file, where most people run it. threads: as many as it likes, if 0."""
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options)
    return lambda: session.run(None, dict(feeds))


def drawn(model: Any, sizes: Mapping[str, int], seed: int, batch: int = 1) -> dict[str, Any]:
    """An input for each of a model's: normal numbers, ones of whole numbers; open sizes as they are said."""
    rng = np.random.default_rng(seed)
    made = {}
    for value in model.inputs:
        shape = []
        for axis, n in enumerate(value.type.shape or ()):
            shape.append(n if isinstance(n, int) and n else sizes.get(str(n), ELSE if axis else batch))
        dtype = value.type.dtype
        if dtype is None or dtype.kind not in "biuf":
            raise ArgumentError(f"--onnx: the input {value.name!r} is of {dtype}, which is not drawn here")
        numbers = rng.standard_normal(shape) if dtype.kind == "f" else np.ones(shape)
        made[value.name] = np.asarray(numbers, dtype)
    return made


PACKAGED = (("magika", "models/standard_v3_3/model.onnx"), ("swift_f0", "model.onnx"))
"""Packages that have a model inside, and where."""


def packaged() -> tuple[str, Path] | None:
    """The first model that an installed package brings along, and how it is called; None if there is none, or
    no onnxruntime to hold it against."""
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        return None
    for package, inside in PACKAGED:
        found = find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found is not None else ():
            if (file := Path(folder) / inside).is_file():
                return f"{package}/{inside}", file
    return None
