"""A model's graph as plain data: what a file says, read and checked, before it is a Module."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Type:
    """What a value is said to be.

    kind   "tensor", "sequence", "optional", or "" where nothing is said
    dtype  of a tensor; None if unknown
    shape  of a tensor: ints, and names or None for sizes that are not known; None if unknown
    inner  of a sequence or an optional: what is in it
    """

    kind: str = ""
    dtype: np.dtype[Any] | None = None
    shape: tuple[int | str | None, ...] | None = None
    inner: Type | None = None


@dataclass(frozen=True)
class Value:
    """A name with its type: an input or an output of a graph, or something between."""

    name: str
    type: Type = Type()
    doc: str = ""


@dataclass(frozen=True)
class Reference:
    """In the body of a function, the place of an attribute that each call of it gives."""

    name: str


@dataclass(frozen=True)
class Node:
    """One application of an op. `inputs` has "" for what is left out; attributes may be Graphs."""

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    doc: str = ""

    @property
    def bodies(self) -> dict[str, Graph]:
        """The graphs among the attributes: branches, what a loop repeats."""
        return {key: value for key, value in self.attributes.items() if isinstance(value, Graph)}

    def read(self) -> Iterator[str]:
        """The names of all that it reads, in its bodies too."""
        yield from (name for name in self.inputs if name)
        for body in self.bodies.values():
            yield from body.captured()

    def __str__(self) -> str:
        called = f"{self.domain}.{self.op}" if self.domain else self.op
        return f"{called} {self.name!r}" if self.name else called


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which they can be computed, with what goes in and what comes out.

    initialisers  the values that the file keeps, by name; those of a dtype that NumPy lacks are of ml_dtypes'
    infos         what the file says of values between
    """

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    initialisers: Mapping[str, Any] = field(default_factory=dict)
    infos: Mapping[str, Value] = field(default_factory=dict)
    doc: str = ""

    def captured(self) -> tuple[str, ...]:
        """The names that it takes from around it."""
        here = {value.name for value in self.inputs} | set(self.initialisers)
        found: dict[str, None] = {}
        for node in self.nodes:
            found.update(dict.fromkeys(name for name in node.read() if name not in here))
            here.update(node.outputs)
        found.update(dict.fromkeys(v.name for v in self.outputs if v.name and v.name not in here))
        return tuple(found)

    def up_to(self, outputs: Sequence[str], needed: Collection[str]) -> Graph:
        """The same with other outputs, and only what those need."""
        return replace(
            self,
            inputs=tuple(value for value in self.inputs if value.name in needed),
            outputs=tuple(self.infos.get(name, Value(name)) for name in outputs),
            nodes=tuple(node for node in self.nodes if not set(node.outputs).isdisjoint(needed)),
            initialisers={name: kept for name, kept in self.initialisers.items() if name in needed},
        )

    def bound(self, attributes: Mapping[str, Any]) -> Graph:
        """The same with attributes in the places of References; one that is not given is left out."""
        nodes = []
        for node in self.nodes:
            made: dict[str, Any] = {}
            for key, value in node.attributes.items():
                if isinstance(value, Reference):
                    if value.name in attributes:
                        made[key] = attributes[value.name]
                else:
                    made[key] = value.bound(attributes) if isinstance(value, Graph) else value
            nodes.append(replace(node, attributes=made))
        return replace(self, nodes=tuple(nodes))


@dataclass(frozen=True)
class Function:
    """What a file calls an op of its own. `defaults`: attributes that a call may leave out."""

    graph: Graph
    opsets: Mapping[str, int]
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """A whole file."""

    graph: Graph
    opsets: Mapping[str, int]
    functions: Mapping[tuple[str, str], Function] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    producer: str = ""
    doc: str = ""
