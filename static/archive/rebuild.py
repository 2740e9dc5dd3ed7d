"""From the program of an archive back to a graph, each node inferred anew and compared.

A node is built only on Tensors before it, by an op that is here already, and only if the op
gives what is written down. `rebuild_bodies` does the same for loops and branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shared.dims import UNKNOWN_RANK
from shared.errors import ArchiveError, DiptychError
from shared.op import Op
from shared.source import Line
from shared.spec import Spec, sizes_match, spec_of
from static.archive.encoding import Reading, damaged, text
from static.archive.ops import DEFAULT, PREFIX, SET_SHAPE, SetShape, check_settings, op_called
from static.archive.unpack import Contents
from static.graph.create import DefaultOp
from static.graph.graph import ASSIGN, CONSTANT, GROUP, PLACEHOLDER, READ, Call, Graph, Node, Special, Tensor
from static.graph.variables import Variable

Entry = Mapping[str, Any]
Keys = Mapping[str, type]
Made = tuple[Op | Special, dict[str, Any], Sequence[Any]]
"""What a node is: its op, its settings, and the Specs that were inferred for its outputs."""

PROGRAM_KEYS: Keys = {
    "format": str, "version": int, "inputs": dict, "outputs": dict, "variables": dict, "scopes": list,
    "nodes": list,
}  # fmt: skip
NODE_KEYS: Keys = {"name": str, "op": str, "outputs": list}
MORE_KEYS: Keys = {"inputs": list, "after": list, "scope": int, "line": str}


class SavedLine(Line):
    """The text of a user's line, of a file that is not here."""

    __slots__ = ()

    @property
    def code(self) -> str:
        return self.file

    def __str__(self) -> str:
        return self.file


@dataclass
class Site:
    """Where a node is to stand: the graph and how deep it lies, the nodes before it, what it takes,
    and what is written of it."""

    builder: Builder
    graph: Graph
    depth: int
    nodes: Sequence[Node]
    inputs: list[Any]
    entry: Entry

    def settings(self) -> dict[str, Any]:
        given = self.entry.get("settings", {})
        return {key: self.builder.values.value(value) for key, value in given.items()}

    def take(self, count: int) -> None:
        if len(self.inputs) != count or not all(isinstance(x, Tensor) for x in self.inputs):
            raise damaged(f"it has to take {count} Tensors")


Kinds = Mapping[str, tuple[Callable[[Site], Made], Keys]]
"""For each kind of node what makes it, and the keys that may be written of it beside those of all."""


class Builder:
    """Builds the graph of an archive."""

    def __init__(self, contents: Contents, kinds: Kinds) -> None:
        self.kinds = kinds
        self.program = fields("the program", contents.program, PROGRAM_KEYS)
        self.weights, self.constants = contents.weights, contents.constants
        self.values = Reading()
        self.graph = Graph()
        self.variables: dict[str, Variable] = {}
        self.scopes: list[Call] = []

    def build(self) -> tuple[Graph, dict[str, Tensor], dict[str, Tensor]]:
        """The graph, and its inputs and outputs by name; ArchiveError where anything does not fit."""
        self._make_variables()
        self._make_scopes()
        nodes = self.block(self.graph, self.program["nodes"], 0)
        for scope in self.scopes:
            self.graph._taken.add(scope.name)
        inputs, outputs = self._named("input", nodes), self._named("output", nodes)
        fed = {tensor.node for tensor in inputs.values()}
        for node in fed:
            if node.op is not PLACEHOLDER and not isinstance(node.op, DefaultOp):
                raise damaged(f"the input {node.name!r} is no placeholder")
        for node in nodes:
            if node.op is PLACEHOLDER and node not in fed:
                raise damaged(f"the placeholder {node.name!r} is no input")
        if len(fed) != len(inputs) or not outputs:
            raise damaged("two inputs are one, or there is no output")
        if self.constants:
            raise damaged(f"no node has the constants {list(self.constants)!r:.99}")
        return self.graph, inputs, outputs

    def _named(self, kind: str, nodes: Sequence[Node]) -> dict[str, Tensor]:
        given = self.program[kind + "s"].items()
        return {text(name, f"the name of an {kind}"): tensor_at(nodes, place) for name, place in given}

    def _make_variables(self) -> None:
        for name, about in self.program["variables"].items():
            text(name, "the name of a variable")
            fields(f"the variable {name!r}", about, {"spec": list, "trainable": bool})
            spec, value = self.values.spec(about["spec"]), self.weights.pop(name, None)
            if value is None or Spec(tuple(value.shape), value.dtype) != spec:
                found = "not" if value is None else f"{value.dtype}{list(value.shape)}"
                raise damaged(
                    f"the variable {name!r} is {spec} in the program, and {found} among the weights"
                )
            with self.graph.as_default():
                self.variables[name] = Variable(value, about["trainable"], name, automatic=True)
        if self.weights:
            raise damaged(f"no variable has the weights {list(self.weights)!r:.99}")

    def _make_scopes(self) -> None:
        for given in self.program["scopes"]:
            if not isinstance(given, list) or len(given) != 3 or type(given[2]) is not bool:
                raise damaged(f"{given!r:.80} is no scope, written [name, outer or null, whether a module]")
            parent = None if given[1] is None else at(self.scopes, given[1], "scope")
            name = text(given[0], "the name of a scope")
            self.scopes.append(Call(name.removeprefix("/"), parent, given[2], whole=name.startswith("/")))

    # --- nodes ---

    def block(self, graph: Graph, entries: Sequence[Any], depth: int) -> list[Node]:
        """The nodes of one graph; each refers to those before it."""
        nodes: list[Node] = []
        for entry in entries:
            try:
                nodes.append(self._node(graph, nodes, entry, depth))
                continue
            except DiptychError as error:
                message = error.message
            except Exception as error:  # an op met settings that no public function lets through
                message = damaged(f"{type(error).__name__}: {error}").message
            name = entry.get("name") if isinstance(entry, dict) else entry
            raise ArchiveError(f"node {len(nodes)} ({name!r:.80}): {message}")
        return nodes

    def _node(self, graph: Graph, nodes: Sequence[Node], entry: Any, depth: int) -> Node:
        kind = entry.get("op") if isinstance(entry, dict) else None
        make, more = self.kinds.get(kind, _OF_TABLE) if isinstance(kind, str) else _OF_TABLE
        fields("it", entry, NODE_KEYS, {**MORE_KEYS, **more})
        inputs = [
            tensor_at(nodes, given) if isinstance(given, list) else self.values.value(given)
            for given in entry.get("inputs", ())
        ]
        op, settings, inferred = make(Site(self, graph, depth, nodes, inputs, entry))
        written = entry["outputs"]
        if len(inferred) != len(written):
            raise damaged(f"it gives {len(inferred)} outputs, and {len(written)} are written")
        specs = [self.values.settle(given, spec) for given, spec in zip(written, inferred, strict=True)]
        node = self._placed(graph, nodes, op, inputs, settings, specs, entry)
        if op is READ:
            graph._reads[settings["variable"]] = node.outputs[0]
        if op is ASSIGN:
            graph.assigns.append(node)
            graph._reads.pop(settings["variable"], None)
        return node

    def _placed(
        self, graph: Graph, nodes: Sequence[Node], op: Op | Special, inputs: Sequence[Any],
        settings: dict[str, Any], specs: Sequence[Spec], entry: Entry,
    ) -> Node:  # fmt: skip
        """The node itself. Not by Node(...), which takes name, scope and line from here and now."""
        node = object.__new__(Node)
        node.graph, node.op, node.inputs, node.settings = graph, op, tuple(inputs), settings
        node.name = text(entry["name"], "its name")
        if node.name in graph._taken:
            raise damaged("something before it has the same name")
        graph._taken.add(node.name)
        node.call = at(self.scopes, entry["scope"], "scope") if "scope" in entry else None
        node.line = SavedLine(text(entry["line"], "its line"), 0) if "line" in entry else None
        node.control = tuple(at(nodes, place, "node") for place in entry.get("after", ()))
        node.outputs = tuple(Tensor(node, i, spec) for i, spec in enumerate(specs))
        node.order = graph.add(node)
        return node


# --- the kinds of node ---------------------------------------------------------------------


def _of_table(site: Site) -> Made:
    op, settings = op_called(site.entry["op"]), site.settings()
    if settings.get("count", len(site.entry["outputs"])) != len(site.entry["outputs"]):
        raise damaged(f"{op.name} would give {settings['count']!r:.80} outputs, and others are written")
    return applied(op, site.inputs, settings)


def applied(op: Op, inputs: Sequence[Any], settings: dict[str, Any]) -> Made:
    """An op on these inputs, with what it says that it gives."""
    check_settings(op, inputs, settings)
    inferred = op.infer(*[spec_of(x) for x in inputs], **settings)
    return op, settings, (inferred,) if op.single else tuple(inferred)


def _placeholder(site: Site) -> Made:
    site.take(0)
    (given,) = site.entry["outputs"]
    return PLACEHOLDER, {}, [site.builder.values.spec(given)]


def _default(site: Site) -> Made:
    spec = _told(site)
    return DefaultOp(spec), {}, [spec]


def _set_shape(site: Site) -> Made:
    spec = _told(site)
    return SetShape(spec), {}, [spec]


def _told(site: Site) -> Spec:
    """What is written of a value, where nothing but the value contradicts it."""
    site.take(1)
    (given,) = site.entry["outputs"]
    spec, found = site.builder.values.spec(given), site.inputs[0].spec
    if found.shape is UNKNOWN_RANK and spec.shape is not UNKNOWN_RANK:
        found = Spec(spec.shape, found.dtype)
    check_fits("the value", found, spec)
    return spec


def _constant(site: Site) -> Made:
    site.take(0)
    array = site.builder.constants.pop(site.entry.get("array", ""), None)
    if array is None:
        raise damaged("its array is not among the constants, or another node's")
    array = np.array(array)  # aligned, as it may not be in the file, and writable as any other
    return CONSTANT, {"value": array}, [Spec(tuple(array.shape), array.dtype)]


def _read(site: Site) -> Made:
    site.take(0)
    variable = _variable(site)
    return READ, {"variable": variable}, [variable.spec]


def _assign(site: Site) -> Made:
    site.take(1)
    variable, entry = _variable(site), site.entry
    check_fits("the value", site.inputs[0].spec, variable.spec)
    owner = at(site.nodes, entry["owner"], "node") if "owner" in entry else None
    settings = {"variable": variable, "owner": owner, "update": entry.get("update", False)}
    return ASSIGN, settings, [variable.spec]


def _group(site: Site) -> Made:
    site.take(len(site.inputs))
    return GROUP, {}, []


def _variable(site: Site) -> Variable:
    variable = site.builder.variables.get(site.entry.get("variable", ""))
    if variable is None or site.graph is not site.builder.graph:
        raise damaged("its variable is none of the program's, or it stands inside a loop or branch")
    return variable


_OF_TABLE = (_of_table, {"settings": dict})

KINDS: Kinds = {
    PREFIX + PLACEHOLDER.name: (_placeholder, {}),
    PREFIX + CONSTANT.name: (_constant, {"array": str}),
    PREFIX + READ.name: (_read, {"variable": str}),
    PREFIX + ASSIGN.name: (_assign, {"variable": str, "owner": int, "update": bool}),
    PREFIX + GROUP.name: (_group, {}),
    DEFAULT: (_default, {}),
    SET_SHAPE: (_set_shape, {}),
}
"""The kinds of node that stand in no table of ops."""


# --- checks --------------------------------------------------------------------------------


def fields(what: str, given: Any, needed: Keys, more: Keys | None = None) -> Entry:
    """`given` if it is an object with these keys, and maybe more, of these types."""
    if not isinstance(given, dict):
        raise damaged(f"{what} is {given!r:.80}, and no object")
    for key in needed:
        if key not in given:
            raise damaged(f"{what} lacks {key!r}")
    for key, value in given.items():
        kind = needed.get(key) or (more or {}).get(key)
        if kind is None:
            raise damaged(f"{what} has {key!r:.80}, which means nothing there")
        if type(value) is not kind:
            raise damaged(f"{what}: {key} is {value!r:.80}, and should be a JSON {kind.__name__}")
    return given


def at(things: Sequence[Any], place: Any, what: str) -> Any:
    """The thing at a place that is written down; it must be there already."""
    if type(place) is not int or not 0 <= place < len(things):
        raise damaged(f"{place!r:.80} is no {what} before this; each stands behind what it needs")
    return things[place]


def tensor_at(nodes: Sequence[Node], place: Any) -> Tensor:
    """The Tensor that `[node, output]` means."""
    if not isinstance(place, list) or len(place) != 2:
        raise damaged(f"{place!r:.80} is no Tensor, which is written [node, output]")
    return at(at(nodes, place[0], "node").outputs, place[1], "output")


def check_fits(what: str, given: Spec, wanted: Spec) -> None:
    """ArchiveError if a value of the one Spec can not be one of the other."""
    if UNKNOWN_RANK in (given.shape, wanted.shape):
        fits = given.shape is wanted.shape
    else:
        fits = given.ndim == wanted.ndim and all(map(sizes_match, given.shape, wanted.shape))
    if not fits or given.dtype != wanted.dtype:
        raise damaged(f"{what} is {given}, and should be {wanted}")
