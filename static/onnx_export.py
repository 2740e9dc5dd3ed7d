"""Export to ONNX: a graph's outputs as one file that other runtimes load.

Every node becomes one or a few ONNX nodes; `onnx_ops` says for each op which. Sizes that are not
known until run stay unknown: they get names, and what is computed of them is computed by nodes.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from shared.dims import UNKNOWN_RANK
from shared.errors import ExportError, FetchError, GraphError, SessionError
from static.graph import PLACEHOLDER, READ, Graph, Tensor, get_default_graph
from static.onnx_writer import Model, Writer
from static.prune import select
from static.session import Session, get_default_session
from static.variables import Variable

OPSET = 21
IR_VERSION = 10
"""The version of the file format that came with this opset: what reads the one reads the other."""
LARGEST = 2**31 - 1
"""How many bytes one file can hold, by the limits of protocol buffers."""

Named = Tensor | str | Sequence[Any] | Mapping[str, Any]


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
    first = next(iter(_parts(outputs)), None)
    export(first.graph if isinstance(first, Tensor) else get_default_graph(), path, outputs, inputs, session)


def export(
    graph: Graph, path: str | os.PathLike[str], outputs: Named, inputs: Named | None, session: Session | None
) -> None:
    """See `export_onnx`."""
    try:
        import onnx
    except ImportError:
        raise ExportError(
            "export_onnx: needs the package onnx; pip install 'diptych[onnx]' brings it"
        ) from None

    wanted = _named(graph, outputs, "output")
    if inputs is None:
        needed = select(graph, wanted.values()).nodes
        inputs = [node.outputs[0] for node in needed if node.op is PLACEHOLDER]
    given = _named(graph, inputs, "input")
    for name in given.keys() & wanted.keys():
        raise ExportError(f"export_onnx: an input and an output are called {name!r}; name one otherwise: "
                          "{'y': ...}")  # fmt: skip
    selection = select(graph, wanted.values(), given.values())
    reads = [n.settings["variable"] for n in selection.nodes if n.op is READ and n not in selection.seen]
    writer = Writer(graph, Model(_values(graph, list(dict.fromkeys(reads)), session), [*given, *wanted]))
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
    for name, tensor in wanted.items():
        writer.nodes.append(onnx.helper.make_node("Identity", [writer.name(tensor)], [name], name))
    made = onnx.helper.make_graph(
        writer.nodes,
        Path(path).stem,
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
    _replace(Path(path), model.SerializeToString())


# --- what is asked for ---------------------------------------------------------------------


def _parts(named: Any) -> list[Any]:
    if isinstance(named, Mapping):
        return list(named.values())
    return list(named) if isinstance(named, (list, tuple)) else [named]


def _named(graph: Graph, named: Any, kind: str) -> dict[str, Tensor]:
    """Tensors by the names that they are to have in the model."""
    found: dict[str, Tensor] = {}
    keys = list(named) if isinstance(named, Mapping) else [None] * len(_parts(named))
    for key, part in zip(keys, _parts(named), strict=True):
        tensor = graph.get_tensor_by_name(part) if isinstance(part, str) else part
        if not isinstance(tensor, Tensor):
            raise FetchError(
                f"export_onnx: {part!r} can be no {kind} of the model; name Tensors of the graph (for a "
                "variable v, v.value())"
            )
        if tensor.graph is not graph:
            raise GraphError(f"export_onnx: {tensor.name!r} is not of the same graph as the first output")
        name = key or (tensor.node.name if len(tensor.node.outputs) == 1 else tensor.name)
        if kind == "output" and tensor.spec.shape is UNKNOWN_RANK:
            raise ExportError(
                f"export_onnx: not even the number of axes of {tensor.name!r} is known, and the outputs of "
                f"an ONNX model must say it: {tensor.node.name}.set_shape(...)",
                tensor.line,
            )
        if name in found:
            raise ExportError(
                f"export_onnx: two {kind}s are called {name!r}; name them: {{'a': ..., 'b': ...}}"
            )
        found[name] = tensor
    if not found and kind == "output":
        raise FetchError("export_onnx: there is nothing to export; name at least one output")
    return found


def _values(
    graph: Graph, variables: Sequence[Variable], session: Session | None
) -> dict[Variable, Any]:
    """The value that each variable gets in the file."""
    session = session if session is not None else _session_of(graph)
    if session is None:
        return {variable: variable.initial() for variable in variables}
    return dict(zip(variables, session.run(list(variables)), strict=True))


def _session_of(graph: Graph) -> Session | None:
    """The default session, if it runs this graph."""
    try:
        session = get_default_session()
    except SessionError:
        return None
    return session if session.graph is graph else None


def _version() -> str:
    try:
        return version("diptych")
    except PackageNotFoundError:  # run from a checkout
        return ""


def _replace(path: Path, content: bytes) -> None:
    """The file with this content, in the place of an older one whole."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
