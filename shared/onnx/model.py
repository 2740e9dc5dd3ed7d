"""A model from a file as a Module: its nodes are layers, which are called in order on what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from shared import ops
from shared.dims import same_size
from shared.errors import ArgumentError, DTypeError, OnnxError, SettingError, ShapeError, StateError
from shared.nn.module import Module
from shared.onnx.calling import call
from shared.onnx.graph import Graph, Node, Program, Value
from shared.onnx.table import Row, find
from shared.onnx.values import STRINGS, Narrow, carrier, is_narrow, is_sizes, outward
from shared.spec import in_short, sizes_match, str_shape
from shared.state import Buffer, Parameter, State

KINDS = ("parameter", "buffer", "constant")


class Layer(Module):
    """One node: an op of ONNX's, called on the values that it reads.

    node    what the file says: op, inputs, outputs, attributes, name, doc
    states  the Parameters and Buffers that it is the first to read, by their names in the file
    bodies  the graphs among its attributes, as Modules; a function's has one, `body`
    called  whether the op is a function, which its body runs
    """

    def __init__(self, node: Node, opset: int, bodies: Mapping[str, Body], called: bool) -> None:
        super().__init__()
        self.node, self.opset, self.called = node, opset, called
        self.states: dict[str, State] = {}
        self.bodies = dict(bodies)

    @property
    def name(self) -> str:
        """The node's name in the file, or its op."""
        return self.node.name or self.node.op

    @property
    def row(self) -> Row | None:
        """What the op is here: looked up, since functions of a table can't be pickled."""
        return None if self.called else find(self.node.domain, self.node.op, self.opset)

    def forward(self, *inputs: Any, outer: Mapping[str, Any] | None = None) -> Any:
        """What the op gives of its inputs; `outer`: what its bodies take from around them."""
        row = self.row
        if row is None:
            return self.bodies["body"].run(dict(zip(self.bodies["body"].input_names(), inputs, strict=False)))
        around = outer or {}
        graphs = {key: body.closed(around) for key, body in self.bodies.items()}
        return call(row, self.node, self.opset, inputs, graphs)

    def own_states(self) -> Iterator[tuple[str, State]]:
        """By their names in the file."""
        yield from self.states.items()

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Its bodies."""
        yield from self.bodies.items()

    def settings(self) -> str:
        """What the node says."""
        said = [f"{key}={in_short(v)}" for key, v in self.node.attributes.items() if key not in self.bodies]
        return ", ".join([self.node.op, *said])


class Body(Module):
    """A graph: layers in order. A whole model, a branch, what a loop repeats, a function.

    graph      what the file says of it
    layers     its nodes, by names that are unique in it
    constants  the values of the file that are as they are: shapes, axes, indices
    """

    def __init__(self, graph: Graph, layers: Mapping[str, Layer], constants: Mapping[str, Any]) -> None:
        super().__init__()
        self.graph, self.layers, self.constants = graph, dict(layers), dict(constants)
        self._last = _last_uses(graph)

    @property
    def name(self) -> str:
        return self.graph.name or type(self).__name__

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Its layers."""
        yield from self.layers.items()

    def input_names(self) -> list[str]:
        """What it is called with."""
        return [value.name for value in self.graph.inputs]

    def stored(self) -> dict[str, Any]:
        """The values that the file keeps, by name: constants, and States in the place of what is trained."""
        found = dict(self.constants)
        for layer in self.layers.values():
            for name, state in layer.states.items():
                kept = self.graph.initialisers[name].dtype
                found[name] = Narrow(state, kept) if is_narrow(kept) else state
        return found

    def run(self, values: dict[str, Any], keep: bool = False) -> tuple[Any, ...]:
        """What it gives, with its inputs, and all that it takes from around it, in `values`, which it fills.

        keep: whether all values stay there; else each is let go behind the last layer that reads it.
        """
        for name, value in self.stored().items():
            values.setdefault(name, value)
        for layer, dead in zip(self.layers.values(), self._last, strict=True):
            node = layer.node
            given = [values[name] if name else None for name in node.inputs]
            if node.bodies:
                made = layer(*given, outer={name: values[name] for name in node.read()})
            else:
                made = layer(*given)
            parts = made if isinstance(made, tuple) else (made,)
            for name, part in zip(node.outputs, parts, strict=False):
                if name:
                    values[name] = part
            for name in node.outputs[len(parts) :]:
                if name:
                    raise OnnxError(f"{node}: the output {name!r} is not given here")
            if not keep:
                for name in dead:
                    values.pop(name, None)
        return tuple(values[value.name] if value.name else None for value in self.graph.outputs)

    def closed(self, around: Mapping[str, Any]) -> Callable[..., tuple[Any, ...]]:
        """It as a function of its inputs."""
        return lambda *inputs: self.run({**around, **dict(zip(self.input_names(), inputs, strict=True))})


def _last_uses(graph: Graph) -> list[list[str]]:
    """For each node the names that nothing behind it reads."""
    kept = {value.name for value in graph.outputs}
    dead: list[list[str]] = []
    for node in reversed(graph.nodes):
        here = {name for name in (*node.read(), *node.outputs) if name and name not in kept}
        kept |= here
        dead.append(sorted(here))
    return dead[::-1]


class OnnxModel(Body):
    """A model from an ONNX file. Called on Tensors of either engine, in the order of `inputs` or by name.

    inputs, outputs  their names and types: `shape` has names for sizes that are not known
    known            the inputs whose values must be there when a graph is built, because they are shapes,
                     axes, pads or counts: give arrays for them
    opsets, metadata, producer, doc   what else the file says

    The values that the file keeps are Parameters where products, convolutions, norms, embeddings or
    recurrences read them as weights, constants where they are shapes, axes or the like, else Buffers;
    `keep_as` changes that. They have their names in the file.
    """

    def __init__(
        self,
        program: Program,
        layers: Mapping[str, Layer],
        constants: Mapping[str, Any],
        known: Iterable[str],
    ) -> None:
        super().__init__(program.graph, layers, constants)
        self.program, self.known = program, tuple(known)
        self.opsets, self.metadata = dict(program.opsets), dict(program.metadata)
        self.producer, self.doc = program.producer, program.doc or program.graph.doc

    @property
    def inputs(self) -> tuple[Value, ...]:
        """What it is called with; inputs for which the file keeps a value may be left out."""
        kept = self.graph.initialisers
        return tuple(value for value in self.graph.inputs if value.name not in kept)

    @property
    def outputs(self) -> tuple[Value, ...]:
        """What it gives."""
        return self.graph.outputs

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """What the model gives of its inputs: a value, or a tuple of several."""
        made = self.run(self._given(inputs, named))
        return outward(made[0]) if len(made) == 1 else tuple(outward(part) for part in made)

    def values(self, *inputs: Any, **named: Any) -> dict[str, Any]:
        """Every value that a call makes, by its name in the file."""
        found = self._given(inputs, named)
        self.run(found, keep=True)
        return {name: value.value if isinstance(value, Narrow) else value for name, value in found.items()}

    def up_to(self, *names: str) -> OnnxModel:
        """The model as far as some values between, which become its outputs: without its head, say. It shares
        the Parameters and Buffers, and leaves out what the values don't need.

        names: of values in the file (`model.values(...)` has them), or of layers that give one.
        """
        wanted = [self.layers[n].node.outputs[0] if n in self.layers else n for n in names]
        made = {name for layer in self.layers.values() for name in layer.node.outputs}
        for name, given in zip(wanted, names, strict=True):
            if name not in made:
                near = get_close_matches(given, [*made, *self.layers], 3, 0.5)
                raise ArgumentError(
                    f"up_to: the model makes no {given!r}" + (f"; did you mean {near[0]!r}?" if near else "")
                )
        needed = set(wanted)
        for layer in reversed(self.layers.values()):
            if needed.intersection(layer.node.outputs):
                needed.update(layer.node.read())
        graph = self.graph.up_to(wanted, needed)
        layers = {
            path: Layer(layer.node, layer.opset, layer.bodies, layer.called)
            for path, layer in self.layers.items()
            if needed.intersection(layer.node.outputs)
        }
        cut = OnnxModel(replace(self.program, graph=graph), layers, {}, needed.intersection(self.known))
        for name, value in self.stored().items():
            value = value.value if isinstance(value, Narrow) else value
            reader = next((layer for layer in layers.values() if name in layer.node.read()), None)
            if reader is not None and isinstance(value, State):
                reader.states[name] = value
            elif name in needed:
                cut.constants[name] = value
        cut.train(self.training)
        return cut

    def _given(self, inputs: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        wanted = [value.name for value in self.inputs]
        if len(inputs) > len(wanted):
            raise ArgumentError(
                f"{self.name}: takes {len(wanted)} inputs ({', '.join(wanted)}), not {len(inputs)}"
            )
        given = dict(zip(wanted, inputs, strict=False))
        for name, value in named.items():
            if name in given or name not in self.input_names():
                raise ArgumentError(
                    f"{self.name}: there is no further input {name!r}; it takes {', '.join(wanted)}"
                )
            given[name] = value
        if missing := [name for name in wanted if name not in given and not _optional(self._value(name))]:
            raise ArgumentError(
                f"{self.name}: the input {missing[0]!r} is missing; it takes {', '.join(wanted)}"
            )
        sizes: dict[str, Any] = {}
        return {
            name: _checked(self._value(name), given[name], sizes) if name in given else None
            for name in (*wanted, *named)
        }

    def _value(self, name: str) -> Value:
        return next(value for value in self.graph.inputs if value.name == name)

    # --- what the file keeps ---

    def state_paths(self) -> Iterator[tuple[str, State]]:
        """Parameters and Buffers by their names in the file; one of a body, behind the path of its layer."""
        for path, module in self.named_modules():
            above = path.rpartition(".")[0] if isinstance(module, Layer) else ""
            for name, state in module.own_states():
                yield (f"{above}.{name}" if above else name), state

    def keep_as(self, name: str, kind: str) -> None:
        """Keep a value of the file as a "parameter", which is trained, a "buffer", which is not, or a
        "constant", which is part of the program."""
        if kind not in KINDS:
            raise SettingError(f"keep_as: {kind!r} is none of {', '.join(map(repr, KINDS))}")
        for body in (module for module in self.modules() if isinstance(module, Body)):
            if name in body.stored():
                break
        else:
            raise StateError(f"keep_as: the file keeps no {name!r}; it keeps {', '.join(self.stored())}")
        value: Any = body.constants.pop(name, None)
        for layer in body.layers.values():
            value = layer.states.pop(name, value)
        array = value.data if isinstance(value, State) else value
        if kind == "constant":
            body.constants[name] = array
        else:
            array = array if not is_narrow(array.dtype) else array.astype(carrier(array.dtype))
            reader = next((layer for layer in body.layers.values() if name in layer.node.read()), None)
            if reader is None:
                raise StateError(f"keep_as: no layer reads {name!r}")
            reader.states[name] = (Parameter if kind == "parameter" else Buffer)(array, name)


def _optional(value: Value) -> bool:
    return value.type.kind == "optional"


def _checked(value: Value, given: Any, sizes: dict[str, Any]) -> Any:
    """An input as its type says; DTypeError and ShapeError where it is another. `sizes`: what the names of
    sizes stand for in this call.
    """
    said = value.type
    if said.kind == "optional" and said.inner is not None:
        return None if given is None else _checked(Value(value.name, said.inner), given, {})
    if said.kind == "sequence" and said.inner is not None:
        if not isinstance(given, (list, tuple)):
            raise ArgumentError(f"{value.name}: a sequence is a list of tensors here, not {in_short(given)}")
        return [_checked(Value(value.name, said.inner), part, {}) for part in given]
    if said.dtype == STRINGS:
        given = np.asarray(given)
        return np.array([str(part) for part in given.ravel()], STRINGS).reshape(given.shape)
    if not hasattr(given, "dtype") or isinstance(given, np.generic):
        given = np.asarray(given, None if said.dtype is None or is_narrow(said.dtype) else said.dtype)
    if said.dtype is not None and is_narrow(said.dtype):
        kind = carrier(said.dtype)
        given = given.astype(kind) if isinstance(given, np.ndarray) and given.dtype == said.dtype else given
        _check_dtype(value.name, given, kind)
    elif said.dtype is not None and not is_sizes(given):
        _check_dtype(value.name, given, said.dtype)
    if said.shape is not None:
        _check_shape(value, tuple(given.shape), sizes)
        if said.dtype == np.int64 and len(said.shape) == 1 and isinstance(said.shape[0], int):
            given = _as_long(given, said.shape[0])
    return Narrow(given, said.dtype) if said.dtype is not None and is_narrow(said.dtype) else given


def _as_long(given: Any, length: int) -> Any:
    """A vector of whole numbers as long as the file says: of a shape, that is how many axes there are."""
    return given if same_size(given.shape[0], length) else ops.reshape(given, (length,))


def _check_dtype(name: str, given: Any, dtype: np.dtype[Any]) -> None:
    if given.dtype != dtype:
        raise DTypeError(
            f"the input {name!r} is {dtype}, not {given.dtype}; cast it: .astype({dtype.name!r})"
        )


def _check_shape(value: Value, shape: tuple[Any, ...], sizes: dict[str, Any]) -> None:
    said = value.type.shape or ()
    fits = len(said) == len(shape)
    for want, size in zip(said, shape, strict=False):
        bound = sizes.setdefault(want, size) if isinstance(want, str) else want
        fits = fits and (bound is None or sizes_match(bound, size))
    if not fits:
        known = ", ".join(f"{k} = {v}" for k, v in sizes.items())
        raise ShapeError(
            f"the input {value.name!r} has shape ({', '.join(map(str, said))}), not {str_shape(shape)}"
            + (f"; in this call {known}" if known else "")
        )
