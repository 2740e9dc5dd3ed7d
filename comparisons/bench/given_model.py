"""A model in an ONNX file that somebody gave: run on both engines and in onnxruntime.

`python -m comparisons run --onnx FILE` runs it. It is an experiment like those of `comparisons/experiments`,
but for its file, so it is part of a run only where it is asked for, and of a full run where an installed
package brings a model along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import dynamic
import static
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import sized, timed
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import OTHER, PAIR, count, no_further, number, size, spread_of
from shared import onnx
from shared.errors import ArgumentError
from shared.spec import str_shape

NAME = "given_model"
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


def run(context: Context, file: Path, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Numbers, times and memory on both engines, and in onnxruntime where that is installed."""
    model = onnx.load(file)
    feeds = drawn(model, sizes, context.seed)
    context.note("the numbers")
    call, session, y = on_static(file, feeds)
    given = {"dynamic": _arrays(on_dynamic(file, feeds)()), "static": _arrays(call())}
    makers: dict[str, Callable[[], Call]] = {
        "dynamic": partial(on_dynamic, file, feeds),
        "static": lambda: on_static(file, feeds)[0],
    }
    try:
        given["onnxruntime"] = _arrays(on_onnxruntime(file, feeds)())
        makers["onnxruntime"] = partial(on_onnxruntime, file, feeds)
    except ImportError:
        pass
    rights = given.get("onnxruntime", given["dynamic"])
    outputs = [
        {
            "name": value.name,
            "shape": list(right.shape),
            "apart": {engine: _apart(given[engine][i], right) for engine in PAIR},
        }
        for i, (value, right) in enumerate(zip(model.outputs, rights, strict=True))
    ]
    context.note("from the file to the first answer")
    first = context.time({name: _first(make) for name, make in makers.items()}, at_least=0)
    context.note("each further answer")
    steady = context.time({name: make() for name, make in makers.items()})
    context.note("memory")
    program = session.program(y)
    return {
        "file": file.name, "bytes": file.stat().st_size, "producer": model.producer,
        "nodes": len(model.layers), "numbers_kept": sum(int(p.size) for p in model.parameters()),
        "inputs": [f"{name}: {a.dtype.name} {str_shape(a.shape)}" for name, a in feeds.items()],
        "peer": "onnxruntime" in makers, "outputs": outputs, "first": first, "steady": steady,
        "memory": {engine: context.held(makers[engine])["peak"] for engine in PAIR},
        "lines": len(program.splitlines()), "kernels": context.kernels(on_dynamic(file, feeds))["total"],
        "codes": {"dynamic": {"code": source_of(on_dynamic)}, "static": {"code": source_of(on_static)}},
    }  # fmt: skip


def _first(make: Callable[[], Call]) -> Call:
    return lambda: make()()


def _arrays(made: Any) -> list[Any]:
    parts = made if isinstance(made, (tuple, list)) else [made]
    return [np.asarray(part.numpy() if hasattr(part, "numpy") else part) for part in parts]


def _apart(value: Any, right: Any) -> float:
    """How far two arrays lie apart at most, as a share of the range of the second."""
    span = float(np.ptp(right.astype("float64"))) if right.size else 0.0
    far = np.abs(value.astype("float64") - right.astype("float64")).max() if right.size else 0.0
    return float(np.nan_to_num(far / (span or 1.0), nan=0.0, posinf=1.0))


# What is said of it.


def read(found: Json) -> Reading:
    """What the page says of it."""
    sides = (*PAIR, "onnxruntime") if found["peer"] else PAIR
    first, steady, memory = found["first"], found["steady"], found["memory"]
    quick, soon = (ahead(*(times[engine] for engine in PAIR)) for times in (steady, first))
    far = max((part["apart"][engine] for part in found["outputs"] for engine in PAIR), default=0.0)
    beside = "onnxruntime's" if found["peer"] else "dynamic's"
    return Reading(
        answer=f"`{found['file']}` ({count(found['nodes'], 'node')}) runs on both engines, and their numbers "
        f"lie {no_further(far)} of the range of {beside}. {_who(quick, 'each further answer')}",
        verdicts=[
            timed("a given model, from its file to the first answer", *(first[e] for e in PAIR)),
            timed("a given model, each further answer", *(steady[e] for e in PAIR)),
            sized("a given model, memory at most", *(memory[e] for e in PAIR)),
        ],
        evidence=[
            Pair("Run", found["codes"]["dynamic"], found["codes"]["static"]),
            Table("Times", ("", *sides), [
                ("from the file to the first answer", *(spread_of(first[side]) for side in sides)),
                ("each further answer", *(spread_of(steady[side]) for side in sides)),
            ], [soon, quick]),
            Table("The model", ("", "both"), [
                ("file", f"`{found['file']}`, {size(found['bytes'])}"),
                ("made by", found["producer"] or "it does not say"),
                ("nodes", number(found["nodes"])),
                ("trainable numbers", number(found["numbers_kept"])),
                ("inputs", ", ".join(found["inputs"])),
                ("ops that one call runs on dynamic", number(found["kernels"])),
                ("lines of the program that static generates", number(found["lines"])),
            ]),
            Table("Numbers", ("output", "shape", *PAIR), [
                (part["name"], str(part["shape"]), *(f"{part['apart'][engine]:.1e}" for engine in PAIR))
                for part in found["outputs"]
            ], says=f"The largest distance from {beside}, as a share of the output's range."),
        ],
        happened=[_who(soon, "the first answer"), _who(quick, "each further answer")],
        means=[
            "Whoever reads, debugs or trains a model that was given has every line of it at hand on dynamic; "
            "whoever runs it often has the compiled program on static. It is one Module, so nobody has to "
            "choose before it is known which."
        ],
        otherwise=[
            f"That {OTHER[quick]} takes longer for an answer says nothing of what it is for." if quick
            else "Neither is ahead once it runs."
        ],
        threats=[
            "The inputs are drawn, and not of the kind that the model is for.",
            "onnxruntime rearranges a model and runs kernels of its own, with as many threads as there are "
            "cores; its memory is not seen by the meter that counts here.",
        ],
    )  # fmt: skip


def _who(leader: str | None, what: str) -> str:
    if leader is None:
        return f"Neither engine is ahead in {what}."
    return f"{leader.capitalize()} is ahead in {what}."


EXPERIMENT = Experiment(
    name=NAME,
    title="A model that somebody gave",
    question="I was given a model as an ONNX file. What does it do on either engine?",
    dimension="speed",
    run=lambda context: run(context, Path("model.onnx"), {}),
    read=read,
    sizes=lambda found: f"`{found['file']}`, {count(found['nodes'], 'node')}.",
    level="fast",
)


PACKAGED = (("magika", "models/standard_v3_3/model.onnx"), ("swift_f0", "model.onnx"))
"""Packages that have a model inside, and where."""


def packaged() -> Experiment | None:
    """The experiment on the first model that an installed package brings along; None if there is none, or no
    onnxruntime to hold it against."""
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        return None
    for package, inside in PACKAGED:
        found = find_spec(package)
        for folder in (found.submodule_search_locations or ()) if found is not None else ():
            if (file := Path(folder) / inside).is_file():
                return of(file, {})
    return None


def of(file: Path, sizes: Mapping[str, int]) -> Experiment:
    """The experiment on a file; `sizes`: what stands for the names of sizes that it leaves open."""
    return replace(EXPERIMENT, run=partial(run, file=file, sizes=sizes))
