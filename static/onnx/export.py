"""Export to ONNX: a graph's outputs as one file that other runtimes load.

Every node becomes one or a few ONNX nodes; `static.onnx.table` says for each op which. Sizes that are not
known until run stay unknown: they get names, and what is computed of them is computed by nodes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from shared.dims import UNKNOWN_RANK
from shared.durable import files
from shared.errors import ExportError, FetchError
from static.graph.graph import PLACEHOLDER, READ, Graph, Tensor, get_default_graph
from static.graph.select import select
from static.onnx.table import NO_WORDS, ROWS
from static.onnx.writer import Model, Writer
from static.run.session import Session
from static.run.signature import Named, named_tensors, values_of

OPSET = 21
IR_VERSION = 10
"""The version of the file format that came with this opset: what reads the one reads the other."""
LARGEST = 2**31 - 1
"""How many bytes one file can hold, by the limits of protocol buffers."""


def export_onnx(
    path: str | os.PathLike[str], outputs: Named, inputs: Named | None = None, session: Session | None = None
) -> None:
    """Write what computes `outputs` to an ONNX file (opset 21).

    outputs  Tensors of one graph, or their names ("y:0"): one, a sequence, or a dict whose keys
             become the names of the model's outputs; else a Tensor's node gives the name
    inputs   what a run of the model is fed, in the same forms; all placeholders that the outputs
             need, in the order in which they were made, if None
    session  whose values the variables get: the default session's if None; if there is none,
             those that they start from, which is what the Parameters hold now

    Sizes that are unknown here are unknown there. The file is checked with onnx's checker, and
    takes the place of an older one whole. Needs the package onnx, which the extra `onnx` brings.
    Raises ExportError for a node that ONNX has no words for, and where a run would assign.
    """
    parts = list(outputs.values()) if isinstance(outputs, Mapping) else outputs
    first = parts[0] if isinstance(parts, (list, tuple)) and parts else parts
    export(first.graph if isinstance(first, Tensor) else get_default_graph(), path, outputs, inputs, session)


def export(
    graph: Graph, path: str | os.PathLike[str], outputs: Named, inputs: Named | None = None,
    session: Session | None = None,
) -> None:  # fmt: skip
    """`graph.export_onnx(...)`: see `export_onnx`."""
    try:
        import onnx
    except ImportError:
        raise ExportError(
            "export_onnx: needs the package onnx; pip install 'diptych[onnx]' brings it"
        ) from None

    given, wanted = _asked(graph, outputs, inputs)
    writer = _written(graph, given, wanted, session)
    for name, tensor in wanted.items():
        writer.nodes.append(onnx.helper.make_node("Identity", [writer.name(tensor)], [name], name))
    made = onnx.helper.make_graph(
        writer.nodes,
        Path(files.as_path(path, "export_onnx")).stem,
        [writer.described(name, tensor.spec) for name, tensor in given.items()],
        [writer.described(name, tensor.spec) for name, tensor in wanted.items()],
        writer.model.initializers,
    )
    model = onnx.helper.make_model(
        made,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="diptych",
        producer_version=_version(),
    )
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ExportError(
            f"export_onnx: onnx's checker refuses the model: {error}; ONNX may not have the op for these "
            "dtypes: cast before it"
        ) from None
    files.write(path, model.SerializeToString(), "export_onnx")


def _asked(
    graph: Graph, outputs: Named, inputs: Named | None
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """What goes in and what comes out, by name."""
    wanted = named_tensors("export_onnx", graph, outputs, "output")
    if not wanted:
        raise FetchError("export_onnx: there is nothing to export; name at least one output")
    for name, tensor in wanted.items():
        if tensor.spec.shape is UNKNOWN_RANK:
            raise ExportError(
                f"export_onnx: not even the number of axes of {name!r} is known, and the outputs of an ONNX "
                f"model must say it: {tensor.node.name}.set_shape(...)",
                tensor.line,
            )
    if inputs is None:
        needed = select(graph, wanted.values()).nodes
        inputs = [node.outputs[0] for node in needed if node.op is PLACEHOLDER]
    given = named_tensors("export_onnx", graph, inputs, "input")
    for name in given.keys() & wanted.keys():
        raise ExportError(
            f"export_onnx: an input and an output are called {name!r}; name one otherwise: {{'y': ...}}"
        )
    return given, wanted


def _written(
    graph: Graph, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], session: Session | None
) -> Writer:
    """The nodes, and the values that they need."""
    selection = select(graph, wanted.values(), given.values())
    reads = [n.settings["variable"] for n in selection.nodes if n.op is READ and n not in selection.seen]
    values = values_of(graph, list(dict.fromkeys(reads)), session)
    writer = Writer(graph, Model(ROWS, NO_WORDS, values, [*given, *wanted]))
    writer.names.update({tensor: name for name, tensor in given.items()})
    writer.write(selection, wanted.values(), given.values())
    for variable in selection.stores:
        raise ExportError(
            f"export_onnx: a run of these outputs assigns to the variable {variable.name!r}, and an ONNX "
            "model keeps nothing from run to run; export what is assigned, not the assignment"
        )
    if writer.model.bytes > LARGEST:
        raise ExportError(
            f"export_onnx: the values take {writer.model.bytes} bytes, and one ONNX file holds {LARGEST}; "
            "export the model in parts, each fed with the Tensors that the one before gives"
        )
    return writer


def _version() -> str:
    try:
        return version("diptych")
    except PackageNotFoundError:  # run from a checkout
        return ""
