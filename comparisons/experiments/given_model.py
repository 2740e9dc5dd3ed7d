"""I was given a model as an ONNX file. What does it do on either engine?

`python -m comparisons run --onnx FILE` asks it of a file of one's own. Without one it is asked of a model
that an installed package has inside or, where there is none, told as it was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.bench.given_model import Call, drawn, on_dynamic, on_onnxruntime, on_static, packaged
from comparisons.lab.blocks import Json, Pair, Table
from comparisons.lab.context import Context
from comparisons.lab.experiment import Experiment
from comparisons.lab.reading import Reading
from comparisons.lab.snippet import source_of
from comparisons.lab.verdict import recorded, sized, timed
from comparisons.statistics.effect import ahead
from comparisons.statistics.quantities import OTHER, PAIR, count, no_further, number, size, spread_of
from shared import onnx
from shared.spec import str_shape

RECORDED = Path(__file__).with_name("data") / "given_model.json"
WHY = "no installed package brings a model along to be held against onnxruntime"


def run(context: Context) -> dict[str, Any]:
    """Of a model that is at hand; what was recorded of one, where none is."""
    found = packaged()
    if found is None:
        return {**json.loads(RECORDED.read_text(encoding="utf-8")), "why": WHY}
    name, file = found
    return {**measured(context, file, {}), "file": name}


def measured(context: Context, file: Path, sizes: Mapping[str, int]) -> dict[str, Any]:
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
        "why": "", "file": file.name, "bytes": file.stat().st_size, "producer": model.producer,
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
    rows = [
        timed("a given model, from its file to the first answer", *(first[e] for e in PAIR)),
        timed("a given model, each further answer", *(steady[e] for e in PAIR)),
        sized("a given model, memory at most", *(memory[e] for e in PAIR)),
    ]
    return Reading(
        answer=f"`{found['file']}` ({count(found['nodes'], 'node')}) runs on both engines, and their numbers "
        f"lie {no_further(far)} of the range of {beside}. {_who(quick, 'each further answer')}",
        verdicts=recorded(rows) if found["why"] else rows,
        evidence=[
            Pair("Run", found["codes"]["dynamic"], found["codes"]["static"], says=_origin(found)),
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
        means=[_means(quick)],
        otherwise=[
            f"{OTHER[quick].capitalize()} takes longer for an answer, and has what it is chosen for." if quick
            else "Where neither is resolved to be ahead, what else one has decides."
        ],
        threats=[
            "The inputs are drawn, and not of the kind that the model is for.",
            "ONNX Runtime rearranges a model and runs kernels of its own, with as many threads as there are "
            "cores; its memory is not seen by the meter that counts here.",
        ],
    )  # fmt: skip


def _means(leader: str | None) -> str:
    both = "A model that was given is one Module, so nobody has to choose before it is known which"
    if leader == "static":
        return f"{both}: debugged or trained line by line on dynamic, run often as static's program."
    if leader == "dynamic":
        return f"{both}: line by line on dynamic, which answers sooner here, or saved as a graph by static."
    return f"{both}: debugged or trained line by line on dynamic, saved or shipped as a graph by static."


def _origin(found: Json) -> str:
    if not found["why"]:
        return "`python -m comparisons run --onnx FILE` asks it of a file of yours."
    return (
        f"Recorded in December 2026 on 2 cores, for here {found['why']}: "
        "`pip install onnx onnxruntime magika`. "
        "`python -m comparisons run --onnx FILE` asks it of a file of yours."
    )


def _who(leader: str | None, what: str) -> str:
    if leader is None:
        return f"Which engine is ahead in {what} is not resolved."
    return f"{leader.capitalize()} is ahead in {what}."


EXPERIMENT = Experiment(
    name="given_model",
    title="A model that somebody gave",
    question="I was given a model as an ONNX file. What does it do on either engine?",
    dimension="speed",
    run=run,
    read=read,
    sizes=lambda found: f"{found['file']}, {count(found['nodes'], 'node')}.",
    level="fast",
)


def of(file: Path, sizes: Mapping[str, int]) -> Experiment:
    """The experiment on a file; `sizes`: what stands for the names of sizes that it leaves open."""
    return replace(EXPERIMENT, run=partial(measured, file=file, sizes=sizes))
