"""From what a file says to a Module: each node's row is found, and what becomes of each value that it
keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from shared.errors import OnnxError
from shared.onnx import table
from shared.onnx.graph import Function, Graph, Node, Program
from shared.onnx.model import Body, Layer, OnnxModel
from shared.onnx.reading import DEEPEST, MOST_NODES, Reader, package, read
from shared.onnx.table import OWN
from shared.onnx.values import carrier, is_narrow
from shared.state import Buffer, Parameter, State

PASSING = {"Identity", "Transpose", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Cast", "DequantizeLinear"}
"""Ops through which a weight may go before it is read as one."""

PRODUCTS = {"MatMul", "Gemm", "Conv", "ConvTranspose"}
"""Ops behind which exporters write the bias as an Add."""

SHAPES = {"Shape", "Size"}
"""Ops that look at no element: what they give is known though their input is not."""


def load(source: Any) -> OnnxModel:
    """The model in an ONNX file, as a Module: see `shared.onnx`."""
    program = read(source)
    for domain, version in program.opsets.items():
        if domain == OWN and version > table.NEWEST:
            raise OnnxError(
                f"load: the file is of opset {version}, and {table.NEWEST} is the latest that is known here; "
                "onnx.version_converter writes it in an older one"
            )
    build = Build(program)
    graph, layers, constants, known = build.parts(program.graph, program.opsets, 0)
    if build.unknown:
        listed = ", ".join(
            f"{op} ({count} times)" if count > 1 else op for op, count in build.unknown.items()
        )
        raise OnnxError(
            f"load: there are no words here for ops of this model: {listed}; a row says what an op is: see "
            "shared.onnx.onnx_op"
        )
    inputs = [v.name for v in graph.inputs if v.name in known and v.name not in graph.initialisers]
    return OnnxModel(replace(program, graph=graph), layers, constants, inputs)


class Build:
    """Makes the Modules of one file. `unknown`: the ops that nothing is known of."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.unknown: Counter[str] = Counter()
        self.nodes = 0

    def parts(
        self, graph: Graph, opsets: Mapping[str, int], depth: int
    ) -> tuple[Graph, dict[str, Layer], dict[str, Any], set[str]]:
        """A graph's layers and constants, and the names in it, or around it, whose values must be known when
        a graph of the model is built.
        """
        if depth > DEEPEST:
            raise OnnxError(f"load: the graph {graph.name!r} stands inside of more than {DEEPEST} others")
        graph = _lifted(graph)
        self.nodes += len(graph.nodes)
        if self.nodes > MOST_NODES:
            raise OnnxError(
                f"load: with its functions written out, the file has more than {MOST_NODES} nodes"
            )
        layers: dict[str, Layer] = {}
        inner: dict[str, set[str]] = {}
        for node in graph.nodes:
            name = _unique(node.name or node.op, layers)
            layers[name], inner[name] = self.layer(node, graph, opsets, depth)
        known = _known(graph, layers, inner, sizes=False)
        folded = _known(graph, layers, inner, sizes=True)
        weights = _weights(graph, layers)
        constants: dict[str, Any] = {}
        for name, array in graph.initialisers.items():
            kept = _kept(name, array, name in folded, name in weights)
            reader = next((layer for layer in layers.values() if name in layer.node.read()), None)
            if reader is None or not isinstance(kept, State):
                constants[name] = array
            else:
                reader.states[name] = kept
        return graph, layers, constants, known

    def body(self, graph: Graph, opsets: Mapping[str, int], depth: int) -> tuple[Body, set[str]]:
        """A graph inside another one, as a Module."""
        graph, layers, constants, known = self.parts(graph, opsets, depth)
        return Body(graph, layers, constants), known

    def layer(
        self, node: Node, graph: Graph, opsets: Mapping[str, int], depth: int
    ) -> tuple[Layer, set[str]]:
        """A node as a Module, and the names in its bodies that must be known."""
        version = opsets.get(node.domain, 1)
        function = self.program.functions.get((node.domain, node.op))
        row = None if function else table.find(node.domain, node.op, version)
        if row is None and function is None:
            function = self.own_function(node, graph, version)
        if row is None and function is None:
            self.unknown[f"{node.domain}.{node.op}" if node.domain else node.op] += 1
        bodies: dict[str, Body] = {}
        known: set[str] = set()
        if function is not None:
            called = function.graph.bound({**function.defaults, **node.attributes})
            called = replace(
                called,
                inputs=called.inputs[: len(node.inputs)]
                + tuple(value for value in called.inputs[len(node.inputs) :]),
            )
            bodies["body"], needed = self.body(called, function.opsets, depth + 1)
            formal = bodies["body"].input_names()
            known |= {a for a, name in zip(node.inputs, formal, strict=False) if name in needed}
        else:
            for key, inside in node.bodies.items():
                bodies[key], needed = self.body(inside, opsets, depth + 1)
                formal = bodies[key].input_names()
                known |= needed - set(formal)
                known |= {a for a, name in zip(node.inputs, formal, strict=False) if name in needed}
        return Layer(node, version, bodies, row is None), known

    def own_function(self, node: Node, graph: Graph, version: int) -> Function | None:
        """What ONNX itself says that an op is made of, if it does."""
        onnx = package()
        try:
            schema = onnx.defs.get_schema(node.op, version, node.domain)
        except onnx.defs.SchemaError:
            return None
        proto = onnx.FunctionProto()
        if schema.has_function:
            proto.CopyFrom(schema.function_body)
        else:
            return None
        function = Reader(onnx, None).function(proto)
        defaults = {
            key: Reader(onnx, None).attribute(a.default_value, (), 1)
            for key, a in schema.attributes.items()
            if a.default_value.name
        }
        return replace(function, opsets=function.opsets or {OWN: version}, defaults=defaults)


def _lifted(graph: Graph) -> Graph:
    """The same with the arrays of Constant nodes among what the graph keeps."""
    constants = {
        node.outputs[0]: node.attributes["value"]
        for node in graph.nodes
        if node.op == "Constant"
        and node.domain == OWN
        and isinstance(node.attributes.get("value"), np.ndarray)
    }
    nodes = tuple(node for node in graph.nodes if not node.outputs or node.outputs[0] not in constants)
    return replace(graph, nodes=nodes, initialisers={**graph.initialisers, **constants})


def _unique(name: str, taken: Iterable[str]) -> str:
    found, number = name, 1
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _known(graph: Graph, layers: Mapping[str, Layer], inner: Mapping[str, set[str]], sizes: bool) -> set[str]:
    """The names whose values must be known when a graph of the model is built: those that a row asks for, and
    what they are computed of. sizes: whether also those of sizes, which a run could measure."""
    known: set[str] = set()
    for path, layer in reversed(list(layers.items())):
        node, row = layer.node, layer.row
        known |= inner[path]
        if row is not None:
            known |= {
                name
                for i, name in enumerate(node.inputs)
                if row.input_name(i) in (row.known if sizes else row.known - row.sizes)
            }
        if node.op not in SHAPES and known.intersection(node.outputs):
            known |= set(node.inputs)
    return known - {""}


def _weights(graph: Graph, layers: Mapping[str, Layer]) -> set[str]:
    """The names that are read as weights."""
    makers = {name: layer.node for layer in layers.values() for name in layer.node.outputs}
    found: set[str] = set()
    for layer in layers.values():
        node, row = layer.node, layer.row
        if row is not None:
            found |= {name for i, name in enumerate(node.inputs) if row.input_name(i) in row.weights}
        elif "body" in layer.bodies:
            body = layer.bodies["body"]
            inside = _weights(body.graph, body.layers)
            found |= {a for a, b in zip(node.inputs, body.input_names(), strict=False) if b in inside}
        if node.op == "Add" and any(makers[n].op in PRODUCTS for n in node.inputs if n in makers):
            found |= set(node.inputs)
        for body in layer.bodies.values():
            found |= _weights(body.graph, body.layers) - set(body.input_names())
    found |= _of_norms(layers, makers)
    for layer in reversed(list(layers.values())):
        if layer.node.op in PASSING and found.intersection(layer.node.outputs):
            found.add(layer.node.inputs[0])
    return found


def _of_norms(layers: Mapping[str, Layer], makers: Mapping[str, Node]) -> set[str]:
    """What scales and shifts a value that was divided by a root: exporters write norms so, op by op."""
    found: set[str] = set()
    level = dict.fromkeys(makers, "")
    for node in (layer.node for layer in layers.values()):
        before = {level.get(name, "") for name in node.inputs}
        roots = [makers[name].op for name in node.inputs if name in makers]
        if node.op == "Div" and len(node.inputs) == 2 and roots and "Sqrt" in roots[-1:]:
            now = "divided"
        elif node.op == "Mul" and "Reciprocal" in roots:
            now = "divided"
        elif node.op == "Mul" and "divided" in before:
            now = "scaled"
        elif node.op == "Add" and "scaled" in before:
            now = "shifted"
        else:
            now = ""
        if now in ("scaled", "shifted"):
            found |= set(node.inputs)
        level.update(dict.fromkeys(node.outputs, now))
    return found


def _kept(name: str, array: Any, known: bool, weight: bool) -> Any:
    """What becomes of a value of the file: a Parameter, a Buffer, or the array that it is."""
    narrow = is_narrow(array.dtype)
    carried = array.astype(carrier(array.dtype)) if narrow else array
    if known or carried.dtype.kind not in "biufc":
        return array
    if weight and carried.dtype.kind == "f":
        return Parameter(carried, name)
    return Buffer(carried, name) if weight or carried.dtype.kind in "fc" else array
