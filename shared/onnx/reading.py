"""From the bytes of a file to plain data (`shared.onnx.graph`), with all checks that need no op."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import DataError, MissingFileError, OnnxError
from shared.onnx import external
from shared.onnx.graph import Function, Graph, Node, Program, Reference, Type, Value
from shared.onnx.table import OWN
from shared.onnx.values import LARGEST, STRINGS

DEEPEST = 48
"""How many graphs may stand inside each other."""

MOST_NODES = 100_000
"""How many nodes a file may have, those of its functions counted each time that they are called."""


def package() -> Any:
    """The package onnx, or an error that says how to get it."""
    try:
        import onnx
    except ImportError:
        raise OnnxError("load: needs the package onnx; pip install 'diptych[onnx]' brings it") from None
    return onnx


def read(source: Any) -> Program:
    """A path, the bytes of a file, or a ModelProto of onnx's, as a Program."""
    onnx = package()
    folder: Path | None = None
    if isinstance(source, onnx.ModelProto):
        model = source
    else:
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
        else:
            path = Path(os.fspath(source))
            folder, data = path.parent, _bytes_of(path)
        model = onnx.ModelProto()
        try:
            model.ParseFromString(data)
        except Exception as error:  # protobuf has several classes for it, by how it was built
            raise DataError(f"load: this is no ONNX file, or it is cut off or damaged: {error}") from None
    if not model.HasField("graph"):
        raise DataError("load: this is no ONNX file, or it is cut off: there is no graph in it")
    return Reader(onnx, folder).program(model)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise MissingFileError(f"load: there is no file {str(path)!r}") from None


class Reader:
    """Reads the parts of one file. `folder`: where its external data may be; None if nowhere."""

    def __init__(self, onnx: Any, folder: Path | None) -> None:
        self.onnx, self.folder = onnx, folder
        self.nodes = 0

    def program(self, model: Any) -> Program:
        """The whole file."""
        opsets = _opsets(model.opset_import)
        functions: dict[tuple[str, str], Function] = {}
        for proto in model.functions:
            key = (_domain(proto.domain), _text(proto.name))
            if key in functions:
                raise OnnxError(f"load: the function {proto.name!r} is defined twice")
            functions[key] = self.function(proto)
        return Program(
            self.graph(model.graph, frozenset(), 0),
            opsets, functions,
            {_text(entry.key): _text(entry.value) for entry in model.metadata_props},
            f"{_text(model.producer_name)} {_text(model.producer_version)}".strip(),
            _text(model.doc_string),
        )  # fmt: skip

    def function(self, proto: Any) -> Function:
        """A function, as the graph that a call of it runs."""
        graph = Graph(
            _text(proto.name),
            tuple(Value(_text(name)) for name in proto.input),
            tuple(Value(_text(name)) for name in proto.output),
            self.ordered(_text(proto.name), proto.node, {*map(_text, proto.input)}, frozenset(), 1),
            doc=_text(proto.doc_string),
        )
        for name in graph.captured():
            raise OnnxError(f"load: the function {proto.name!r} reads {name!r}, which nothing in it makes")
        return Function(
            graph, _opsets(proto.opset_import),
            {_text(a.name): self.attribute(a, set(), 1) for a in proto.attribute_proto},
        )  # fmt: skip

    def graph(self, proto: Any, around: frozenset[str], depth: int) -> Graph:
        """A graph; `around`: the names that it may take from those that it stands in."""
        if depth > DEEPEST:
            raise OnnxError(f"load: more than {DEEPEST} graphs stand inside each other")
        initialisers = {_text(t.name): self.tensor(t) for t in proto.initializer}
        for sparse in proto.sparse_initializer:
            initialisers[_text(sparse.values.name)] = self.sparse(sparse)
        inputs = tuple(self.value(info) for info in proto.input)
        names = [value.name for value in inputs]
        if twice := {name for name in names if names.count(name) > 1}:
            raise OnnxError(f"load: the graph {proto.name!r} has two inputs {sorted(twice)[0]!r}")
        here = {*names, *initialisers}
        nodes = self.ordered(proto.name, proto.node, here, around, depth)
        made = {*here, *around, *(name for node in nodes for name in node.outputs)}
        outputs = tuple(self.value(info) for info in proto.output)
        for value in outputs:
            if value.name not in made:
                raise OnnxError(f"load: nothing makes the output {value.name!r} of the graph {proto.name!r}")
        infos = {value.name: value for value in map(self.value, proto.value_info)}
        return Graph(_text(proto.name), inputs, outputs, nodes, initialisers, infos, _text(proto.doc_string))

    def ordered(
        self, graph: str, protos: Iterable[Any], given: set[str], around: frozenset[str], depth: int
    ) -> tuple[Node, ...]:
        """Nodes, each behind those that make what it reads, else in the order of the file."""
        protos = list(protos)
        self.nodes += len(protos)
        if self.nodes > MOST_NODES:
            raise OnnxError(f"load: the file has more than {MOST_NODES} nodes")
        makers: dict[str, int] = {}
        for place, proto in enumerate(protos):
            for name in map(_text, proto.output):
                if name and (name in makers or name in given):
                    raise OnnxError(f"load: {name!r} is made twice in the graph {graph!r}")
                makers[name] = place
        makers.pop("", None)
        names = frozenset({"", *given, *around, *makers})
        nodes = [self.node(proto, names, depth) for proto in protos]
        for node in nodes:
            for name in node.read():
                if name not in names:
                    raise OnnxError(f"load: {node} reads {name!r}, which nothing makes")
        return tuple(nodes[place] for place in _sorted(nodes, makers))

    def node(self, proto: Any, around: frozenset[str], depth: int) -> Node:
        """One node with its attributes."""
        return Node(
            _text(proto.op_type), _domain(proto.domain), _text(proto.name), tuple(map(_text, proto.input)),
            tuple(map(_text, proto.output)),
            {_text(a.name): self.attribute(a, around, depth) for a in proto.attribute},
            _text(proto.doc_string),
        )  # fmt: skip

    def attribute(self, proto: Any, around: Iterable[str], depth: int) -> Any:
        """An attribute's value: a number, text, an array, a Type, a Graph, or a tuple of such."""
        if proto.ref_attr_name:
            return Reference(_text(proto.ref_attr_name))
        kinds = self.onnx.AttributeProto
        one: dict[int, Callable[[], Any]] = {
            kinds.FLOAT: lambda: proto.f,
            kinds.INT: lambda: proto.i,
            kinds.STRING: lambda: _text(proto.s),
            kinds.TENSOR: lambda: self.tensor(proto.t),
            kinds.SPARSE_TENSOR: lambda: self.sparse(proto.sparse_tensor),
            kinds.GRAPH: lambda: self.graph(proto.g, frozenset(around), depth + 1),
            kinds.TYPE_PROTO: lambda: self.type(proto.tp),
            kinds.FLOATS: lambda: tuple(proto.floats),
            kinds.INTS: lambda: tuple(proto.ints),
            kinds.STRINGS: lambda: tuple(map(_text, proto.strings)),
            kinds.TENSORS: lambda: tuple(map(self.tensor, proto.tensors)),
            kinds.TYPE_PROTOS: lambda: tuple(map(self.type, proto.type_protos)),
        }
        if proto.type not in one:
            raise OnnxError(f"load: the attribute {proto.name!r} is of a kind that is not known here")
        return one[proto.type]()

    def value(self, info: Any) -> Value:
        """A name and its type."""
        return Value(_text(info.name), self.type(info.type), _text(info.doc_string))

    def type(self, proto: Any) -> Type:
        """What a value is said to be."""
        kind = proto.WhichOneof("value")
        if kind == "tensor_type":
            said = proto.tensor_type
            shape = None
            if said.HasField("shape"):
                shape = tuple(_size(dim) for dim in said.shape.dim)
            return Type("tensor", self.dtype(said.elem_type) if said.elem_type else None, shape)
        if kind in ("sequence_type", "optional_type"):
            return Type(kind.partition("_")[0], inner=self.type(getattr(proto, kind).elem_type))
        return Type() if kind is None else Type(kind.partition("_")[0])

    def dtype(self, kind: int) -> np.dtype[Any]:
        """The dtype of one of ONNX's numbers of types."""
        if kind == self.onnx.TensorProto.STRING:
            return STRINGS
        try:
            return np.dtype(self.onnx.helper.tensor_dtype_to_np_dtype(kind))
        except (KeyError, TypeError):
            raise OnnxError(f"load: a value is of type {kind}, which is not known here") from None

    def tensor(self, proto: Any) -> Any:
        """The array that a file keeps; OnnxError unless it is as long as its shape says."""
        name = _text(proto.name) or "an array"
        dtype = self.dtype(proto.data_type)
        if any(size < 0 for size in proto.dims):
            raise OnnxError(f"load: {name} has a size below zero: {list(proto.dims)}")
        if math.prod(proto.dims) > LARGEST:
            raise OnnxError(f"load: {name} would have {math.prod(proto.dims)} elements")
        if proto.HasField("segment"):
            raise OnnxError(f"load: {name} is kept in segments, which no writer makes; they are not read")
        if proto.data_location == self.onnx.TensorProto.EXTERNAL:
            filled = self.onnx.TensorProto()
            filled.CopyFrom(proto)
            filled.raw_data = external.read(proto, self.folder)
            filled.data_location = self.onnx.TensorProto.DEFAULT
            del filled.external_data[:]
            proto = filled
        try:
            array = self.onnx.numpy_helper.to_array(proto)
            if array.shape != tuple(proto.dims):
                raise ValueError(f"{array.size} elements")
        except Exception as error:
            raise OnnxError(
                f"load: {name} does not hold what its shape {list(proto.dims)} says: {error}"
            ) from None
        if dtype == STRINGS:
            return _strings(array)
        return np.ascontiguousarray(array).reshape(array.shape)

    def sparse(self, proto: Any) -> Any:
        """A sparse array, as the dense one."""
        shape, values = tuple(proto.dims), self.tensor(proto.values)
        places = self.tensor(proto.indices)
        if any(size < 0 for size in shape) or math.prod(shape) * values.itemsize > LARGEST:
            raise OnnxError(f"load: a sparse array of shape {list(shape)} is not read")
        dense = np.zeros(shape, values.dtype)
        try:
            if places.ndim == 1:
                dense.reshape(-1)[places] = values
            else:
                dense[tuple(places.T)] = values
        except (IndexError, ValueError) as error:
            raise OnnxError(
                f"load: a sparse array of shape {list(shape)} is not what it says: {error}"
            ) from None
        return dense


def _strings(array: Any) -> Any:
    flat = [part.decode(errors="replace") if isinstance(part, bytes) else str(part) for part in array.ravel()]
    return np.array(flat, STRINGS).reshape(array.shape)


def _text(data: str | bytes) -> str:
    """What protobuf gives as bytes where it is not well written."""
    return data if isinstance(data, str) else data.decode(errors="replace")


def _domain(name: str) -> str:
    return OWN if name == "ai.onnx" else _text(name)


def _opsets(protos: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for proto in protos:
        domain = _domain(proto.domain)
        if not 0 < proto.version < 2**31:
            raise OnnxError(f"load: the opset {domain or 'ai.onnx'!r} has no version {proto.version}")
        if found.get(domain, proto.version) != proto.version:
            raise OnnxError(f"load: the file says two versions of the opset {domain or 'ai.onnx'!r}")
        found[domain] = proto.version
    return found


def _size(dim: Any) -> int | str | None:
    kind = dim.WhichOneof("value")
    if kind == "dim_value":
        return dim.dim_value if dim.dim_value >= 0 else None
    return _text(dim.dim_param) if kind and dim.dim_param not in ("", "?") else None


def _sorted(nodes: list[Node], makers: Mapping[str, int]) -> list[int]:
    """The places of nodes, each behind those that make what it reads; OnnxError where they go in a circle."""
    waits = [{makers[name] for name in node.read() if name in makers} for node in nodes]
    if all(place > max(before, default=-1) for place, before in enumerate(waits)):
        return list(range(len(nodes)))
    order: list[int] = []
    state = [0] * len(nodes)  # 1 while what it waits for is looked at, 2 when it stands in the order
    for start in range(len(nodes)):
        stack = [start]
        while stack:
            place = stack[-1]
            if state[place] == 0:
                state[place] = 1
                for before in sorted(waits[place], reverse=True):
                    if state[before] == 1:
                        raise OnnxError(f"load: {nodes[place]} needs, in a circle, what is made of it")
                    if state[before] == 0:
                        stack.append(before)
            else:
                stack.pop()
                if state[place] == 1:
                    state[place] = 2
                    order.append(place)
    return order
