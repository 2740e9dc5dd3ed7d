"""Graphs kept in files: what `Graph.save` writes. `static.load` reads it; `docs/archive.md` tells
the schema.

An archive is a zip file of three members: the program as JSON, the variables' values and the
constants as safetensors. It holds data alone: ops by name, and no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, Size
from shared.durable import files
from shared.errors import ArchiveError, DiptychError
from shared.nn.saved import packed
from shared.op import Op
from shared.spec import Spec
from static.archive.encoding import DEPTH, DTYPES, Writing, text
from static.archive.ops import PREFIX, SET_SHAPE, check_settings, name_of
from static.control.body import BodyOp, Part
from static.graph.assignments import is_update
from static.graph.create import DefaultOp
from static.graph.graph import (
    ASSIGN,
    CONSTANT,
    INITIAL,
    PLACEHOLDER,
    READ,
    Call,
    Graph,
    Node,
    Special,
    Tensor,
)
from static.graph.select import Selection, select
from static.graph.variables import Variable
from static.run.session import Session
from static.run.signature import Named, named_tensors, values_of

FORMAT, VERSION = "diptych", 1
PROGRAM, WEIGHTS, CONSTANTS = "program.json", "weights.safetensors", "constants.safetensors"
PROGRAM_LIMIT = 256 * 2**20
"""How many bytes of JSON a program may take."""
RATIO = 100
"""How many times smaller deflating may have made it."""
LINE = 200
"""How many characters of a user's line are kept."""

Ref = list[int]
"""A Tensor in a program: the place of its node, and which of the node's outputs it is."""


def save(
    graph: Graph,
    path: str | os.PathLike[str],
    outputs: Named | None = None,
    inputs: Named | None = None,
    session: Session | None = None,
) -> None:
    """`graph.save(...)`: write what computes `outputs` to one file, which `static.load` runs without the
    code that built the graph.

    outputs  Tensors, or their names ("y:0"): one, a list, or a dict whose keys are to be their
             names; by default what the ops give that no other node uses
    inputs   in the same forms, what a run is fed; by default the placeholders that the outputs
             need. What lies behind an input that is no placeholder is left out.
    session  whose values the variables get: the default session's if None; if there is none,
             those that they start from, which for Parameters are those that they hold now

    The file holds the program as readable JSON (the user's lines with it) and arrays, and no
    code; it replaces an older one whole. Raises ArchiveError for a node that no archive can
    hold, such as py_func's.
    """
    wanted = named_tensors("save", graph, _unused(graph) if outputs is None else outputs, "output")
    if not wanted:
        raise ArchiveError("save: there is nothing to save; name at least one output")
    if inputs is None:
        inputs = [node.outputs[0] for node in select(graph, wanted.values()).nodes if _is_input(node)]
    given = named_tensors("save", graph, inputs, "input")
    fed = [tensor for tensor in given.values() if not isinstance(tensor.node.op, DefaultOp)]
    defaults = [tensor for tensor in given.values() if isinstance(tensor.node.op, DefaultOp)]
    selection = select(graph, [*wanted.values(), *defaults], fed)
    enough = set(fed)
    for node in selection.nodes:
        if node.op is PLACEHOLDER and node.outputs[0] not in enough:
            raise ArchiveError(
                f"save: the outputs need the placeholder {node.name!r}, which is not among the inputs "
                f"{list(given)}; add it, or leave inputs out to take all that are needed",
                node.line,
            )
    writer = _Writer()
    nodes, places = writer.block(_with_seen(graph, selection), fed)
    values = values_of(graph, list(writer.variables), session)
    program = {
        "format": FORMAT,
        "version": VERSION,
        "inputs": {text(name, "save: the name of an input"): places[t] for name, t in given.items()},
        "outputs": {text(name, "save: the name of an output"): places[t] for name, t in wanted.items()},
        "variables": {
            variable.name: {"spec": writer.values.spec(variable.spec), "trainable": variable.trainable}
            for variable in writer.variables
        },
        "scopes": writer.scopes,
        "nodes": nodes,
    }
    weights = {variable.name: value for variable, value in values.items()}
    _write(path, _json(program) + "\n", weights, writer.constants)


def _unused(graph: Graph) -> list[Tensor]:
    """What the ops give and no other node uses."""
    used = {node for other in graph.nodes for node in (*_sources(other), *other.control)}
    ends = [node for node in graph.nodes if isinstance(node.op, Op) and node not in used]
    return [tensor for node in ends for tensor in node.outputs[: _shown(node.op)]]


def _shown(op: Op | Special) -> int | None:
    """How many of its outputs are for others than its own gradient; None: all."""
    return len(list(op.parts.values())[-1].results) if isinstance(op, BodyOp) else None


def _sources(node: Node) -> Iterable[Node]:
    return [x.node for x in node.inputs if isinstance(x, Tensor)]


def _is_input(node: Node) -> bool:
    return node.op is PLACEHOLDER or isinstance(node.op, DefaultOp)


def _with_seen(graph: Graph, selection: Selection) -> list[Node]:
    """The nodes of a run, and the assignments that its reads see without storing them."""
    nodes = set(selection.nodes)
    calls = {call for node in nodes if node.call is not None for call in node.call.modules()}
    assigns: dict[tuple[Variable, Tensor], list[Node]] = {}
    for node in graph.assigns:
        if node in nodes or is_update(node, calls, nodes):
            assigns.setdefault((node.settings["variable"], node.inputs[0]), []).append(node)
    for read, tensor in selection.seen.items():
        before = [n for n in assigns[read.settings["variable"], tensor] if n.order < read.order]
        nodes.add(before[-1])
    return sorted(nodes, key=lambda node: node.order)


class _Writer:
    """Writes graphs down as JSON values, and gathers what they refer to.

    specs   what is known of the Tensors written so far
    told    those of which more is known than their ops say, by `set_shape`
    """

    def __init__(self) -> None:
        self.values = Writing()
        self.variables: dict[Variable, None] = {}
        self.constants: dict[str, Any] = {}
        self.scopes: list[list[Any]] = []
        self.specs: dict[Tensor, Spec] = {}
        self.told: set[Tensor] = set()
        self.failed = False
        self._calls: dict[Call, int] = {}

    def block(
        self, nodes: Sequence[Node], fed: Sequence[Tensor], depth: int = 0
    ) -> tuple[list[Any], dict[Tensor, Ref]]:
        """One graph's nodes, what it is fed first, and where its Tensors are among them."""
        entries: list[Any] = []
        places: dict[Tensor, Ref] = {}
        orders: dict[Node, int] = {}
        names = {node.name for node in nodes if node.op is not PLACEHOLDER}

        def unique(name: str, ending: str) -> str:
            while name in names:
                name += ending
            names.add(name)
            return name

        for tensor in fed:
            name = unique(tensor.node.name, "_fed")  # of a node that gives something else, too
            places[tensor] = [len(entries), 0]
            orders.setdefault(tensor.node, len(entries))
            with self._naming(tensor.node):
                entries.append(self._entry(tensor.node, name, PREFIX + "placeholder", [tensor.spec]))
        for node in nodes:
            if node.op is PLACEHOLDER and node.outputs[0] in places:
                continue
            with self._naming(node):
                entry = self._node(node, places, orders, depth)
            orders[node] = place = len(entries)
            entries.append(entry)
            for tensor in node.outputs:
                ref = [place, tensor.index]
                if tensor in self.told:
                    more = {"inputs": [ref]}
                    ref = [len(entries), 0]
                    name = unique(node.name, "_shape")
                    entries.append(self._entry(node, name, SET_SHAPE, [self.specs[tensor]], more))
                places.setdefault(tensor, ref)
        return entries, places

    @contextmanager
    def _naming(self, node: Node) -> Iterator[None]:
        """An error within the block names the node; of a node in a node's body, the inner one."""
        try:
            yield
        except DiptychError as error:
            if self.failed:
                raise
            self.failed = True
            raise ArchiveError(f"save: node {node.name!r}: {error.message}", node.line) from None

    def _node(
        self, node: Node, places: Mapping[Tensor, Ref], orders: Mapping[Node, int], depth: int
    ) -> dict[str, Any]:
        op = node.op
        more: dict[str, Any] = {}
        if node.inputs:
            more["inputs"] = [
                places[x] if isinstance(x, Tensor) else self.values.value(x) for x in node.inputs
            ]
        if node.control:
            more["after"] = [orders[before] for before in node.control]
        if op is READ or op is ASSIGN:
            variable = node.settings["variable"]
            self.variables[variable] = None
            more["variable"] = text(variable.name, "the name of a variable")
            owner = node.settings.get("owner")
            if owner is not None and owner in orders:
                more["owner"] = orders[owner]
                if node.settings["update"]:
                    more["update"] = True
        elif op is CONSTANT:
            more["array"] = key = str(len(self.constants))
            self.constants[key] = node.settings["value"]
        elif op is PLACEHOLDER:
            raise ArchiveError("a placeholder inside a loop or branch can not be fed; make it outside")
        elif op is INITIAL:
            raise ArchiveError(
                "it gives a variable its first value, but what is saved goes on from the saved ones; leave "
                "initialisers out of the outputs"
            )
        elif isinstance(op, Op):
            check_settings(op, node.inputs, node.settings)
            if node.settings:
                more["settings"] = {key: self.values.value(value) for key, value in node.settings.items()}
            if isinstance(op, BodyOp):
                more["bodies"] = {name: self._part(part, depth + 1) for name, part in op.parts.items()}
            return self._entry(node, node.name, name_of(op), self._inferred(node, op), more)
        return self._entry(node, node.name, PREFIX + op.name, [t.spec for t in node.outputs], more)

    def _inferred(self, node: Node, op: Op) -> list[Spec]:
        """What the node gives, as it will be inferred from what is written; and where `set_shape`
        was told more, or was told something of an input after the node was built, what holds then."""
        specs = [self.specs.get(x, x.spec) if isinstance(x, Tensor) else x for x in node.inputs]
        inferred = op.infer(*specs, **node.settings)
        written = []
        for tensor, found in zip(node.outputs, [inferred] if op.single else inferred, strict=True):
            believed = tensor.spec
            if believed.shape is UNKNOWN_RANK:
                believed = found
            if found.shape is not UNKNOWN_RANK:
                sizes = [self._older(*pair) for pair in zip(found.shape, believed.shape, strict=True)]
                told = [b if isinstance(b, int) else a for a, b in zip(sizes, believed.shape, strict=True)]
                found, believed = Spec(tuple(sizes), found.dtype), Spec(tuple(told), found.dtype)
            written.append(found)
            self.specs[tensor] = believed
            if found != believed:
                self.told.add(tensor)
        return written

    def _older(self, found: Size, believed: Size) -> Size:
        """For an unknown size that inference makes anew, the one that it made when the node was built."""
        symbol = found.symbol() if isinstance(found, Dim) else None
        if symbol is None or self.values.knows(symbol) or not isinstance(believed, Dim):
            return found
        return believed if believed.symbol() is not None else found

    def _part(self, part: Part, depth: int) -> dict[str, Any]:
        """The body of a loop or branch."""
        if depth > DEPTH:
            raise ArchiveError(f"loops and branches more than {DEPTH} deep; take some of them apart")
        needed = select(part.body, [*part.results, *part.hidden], part.inputs).nodes
        nodes, places = self.block(needed, part.inputs, depth)
        return {
            "inputs": [places[tensor][0] for tensor in part.inputs],
            "arguments": list(part.arguments),
            "results": [places[tensor] for tensor in part.results],
            "hidden": [places[tensor] for tensor in part.hidden],
            "carried": part.carried,
            "columns": part.columns,
            "stacked": part.stacked,
            "nodes": nodes,
        }

    def _entry(
        self, node: Node, name: str, op: str, outputs: Sequence[Spec], more: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        entry = {"name": text(name, "the name of a node"), "op": op, **(more or {})}
        entry["outputs"] = [self.values.spec(spec) for spec in outputs]
        if node.call is not None:
            entry["scope"] = self._scope(node.call)
        if node.line is not None:
            entry["line"] = "".join(c if c.isprintable() else " " for c in str(node.line)[:LINE])
        return entry

    def _scope(self, call: Call) -> int:
        for one in reversed(list(call.chain())):
            if one not in self._calls:
                outer = one.parent
                above = f"{outer.name}/" if outer is not None and outer.name else ""
                name = one.name.removeprefix(above) if one.name.startswith(above) else f"/{one.name}"
                self._calls[one] = len(self.scopes)
                place = None if outer is None else self._calls[outer]
                self.scopes.append([text(name, "the name of a scope"), place, one.module])
        return self._calls[call]


# --- the file ------------------------------------------------------------------------------


_SPREAD = {"bodies", "nodes", "variables"}


def _json(value: Any, indent: int = 0, spread: bool = False) -> str:
    """JSON with a line for each node and variable."""
    if not value or not (spread or (isinstance(value, dict) and _SPREAD & value.keys())):
        return _flat(value)
    pad = "\n" + " " * indent
    if isinstance(value, list):
        return "[" + ",".join(f"{pad} {_json(part, indent + 1)}" for part in value) + pad + "]"
    pairs = [f"{pad} {_flat(key)}: {_json(part, indent + 1, key in _SPREAD)}" for key, part in value.items()]
    return "{" + ",".join(pairs) + pad + "}"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _write(
    path: files.PathLike, program: str, weights: Mapping[str, Any], constants: Mapping[str, Any]
) -> None:
    """The archive, in the place of an older one whole: a crash leaves either or the other."""
    import zipfile
    import zlib

    members = {PROGRAM: program.encode(), WEIGHTS: _tensors(weights), CONSTANTS: _tensors(constants)}
    if len(members[PROGRAM]) > PROGRAM_LIMIT:
        raise ArchiveError(
            f"save: the program takes {len(members[PROGRAM])} bytes, and an archive takes {PROGRAM_LIMIT}; "
            "write loops with static.scan instead of unrolling them"
        )
    deflated = len(zlib.compress(members[PROGRAM])) * RATIO > len(members[PROGRAM])
    with files.replacing(path, "save") as whole, zipfile.ZipFile(whole, "w") as file:
        for name, content in members.items():
            about = zipfile.ZipInfo(name)  # no time of day: the same graph makes the same bytes
            about.external_attr, about.create_system = 0o644 << 16, 3
            kind = zipfile.ZIP_DEFLATED if name == PROGRAM and deflated else zipfile.ZIP_STORED
            file.writestr(about, content, kind)


def _tensors(arrays: Mapping[str, Any]) -> bytes:
    """Arrays as safetensors."""
    for name, array in arrays.items():
        if DTYPES.get(array.dtype.name) != array.dtype or array.dtype == np.complex128:
            raise ArchiveError(f"save: the array {name!r} is {array.dtype}, which safetensors does not have")
    return packed(arrays)
