"""From the nodes of a run to a straight-line Python program.

The program is source text that a person can read (`session.program(fetches)` prints it): one
line for each node, in program order, with what it gives and the user's line behind it. Kernels
are bound before the first run, values are dropped after their last use, and sizes that were
not known when the graph was built are read off the arrays that have them.
"""

from __future__ import annotations

import itertools
import keyword
import linecache
import re
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import hooks
from shared.dims import UNKNOWN_RANK, Dim, Symbol
from shared.op import Op
from shared.source import GENERATED
from static.graph import ASSIGN, CONSTANT, INITIAL, PLACEHOLDER, READ, Node, Tensor, symbols_of
from static.plan import last_uses
from static.prune import Selection
from static.variables import Variable

_serial = itertools.count(1)
_USED = ("_", "feeds", "state", "program", "asarray", "copy", "own", "slice", "Ellipsis")
"""The names that a program uses for itself."""


class Program:
    """A compiled run: call it with the fed arrays and the session's values.

    source    the generated text
    reads     the variables whose values it starts from
    missing   placeholders that it needs and that were not fed
    """

    def __init__(
        self,
        selection: Selection,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor | Variable],
        watched: bool = False,
    ) -> None:
        writer = _Writer(selection, fed, fetched, watched)
        self.source = writer.source()
        self.reads, self.missing = dict.fromkeys(writer.reads).keys(), writer.missing
        self.node_at, self.names = writer.node_at, writer.names
        file = f"{GENERATED} program {next(_serial)}>"
        linecache.cache[file] = (len(self.source), None, self.source.splitlines(True), file)
        exec(compile(self.source, file, "exec"), writer.namespace)
        weakref.finalize(self, linecache.cache.pop, file, None)
        self._run = writer.namespace["program"]
        self._file = file

    def __call__(self, feeds: Sequence[Any], state: dict[Variable, Any]) -> tuple[Any, ...]:
        """The fetched values, and what each assigned variable is to hold."""
        return self._run(feeds, state)

    def failed_at(self, error: BaseException) -> tuple[Node, list[Any]] | None:
        """The node that was running when `error` was raised, and what it was given."""
        trace, last = error.__traceback__, None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._file:
                last = trace
            trace = trace.tb_next
        node = self.node_at.get(last.tb_lineno) if last is not None else None
        if last is None or node is None:
            return None
        values = {**last.tb_frame.f_globals, **last.tb_frame.f_locals}
        return node, [values[self.names[x]] if isinstance(x, Tensor) else x for x in node.inputs]


class _Writer:
    """Writes one program."""

    def __init__(
        self,
        selection: Selection,
        fed: Sequence[Tensor],
        fetched: Sequence[Tensor | Variable],
        watched: bool,
    ) -> None:
        self.selection, self.fed, self.fetched = selection, list(fed), list(fetched)
        self.watched = watched
        self.given = set(self.fed)
        self.namespace: dict[str, Any] = {"asarray": np.asarray, "copy": _copy, "own": _own}
        self.bound: dict[int, str] = {}
        self.names: dict[Tensor | Variable, str] = {}
        self.sizes: dict[Symbol, str] = {}
        self.taken: set[str] = {*keyword.kwlist, *_USED}
        self.counts: dict[str, int] = {}
        self.lines: list[str] = []
        self.node_at: dict[int, Node] = {}
        self.reads: list[Variable] = []
        self.missing: list[Node] = []
        self.wanted = {s for node in selection.nodes for s in symbols_of(node)}
        self.last_use = last_uses(selection, self.fed, self.fetched, self.wanted)

    def source(self) -> str:
        self.lines.append("def program(feeds, state):")
        self._unpack()
        for node in self.selection.nodes:
            self._node(node)
        self._finish()
        return "\n".join(self.lines) + "\n"

    # names

    def _name(self, wish: str) -> str:
        """A fresh Python name that resembles `wish`. Of ASCII alone, for Python takes some names
        that differ in other letters for one and the same."""
        base = re.sub(r"\W+", "_", wish.rpartition("/")[2], flags=re.ASCII).strip("_") or "value"
        base = f"_{base}" if base[0].isdigit() else base
        name, count = base, itertools.count(1)
        while name in self.taken:
            name = f"{base}_{next(count)}"
        self.taken.add(name)
        return name

    def _numbered(self, base: str) -> str:
        """`mul_1`, `mul_2`, ...: the results of one kind of op, in program order."""
        count = self.counts[base] = self.counts.get(base, 0) + 1
        return self._name(f"{base}_{count}")

    def _bind(self, wish: str, value: Any) -> str:
        """A name in the program's namespace for a kernel or constant."""
        name = self.bound.get(id(value))
        if name is None:
            name = self.bound[id(value)] = self._name(wish)
            self.namespace[name] = value
        return name

    def _literal(self, value: Any) -> str:
        """Source text for a setting or weak number."""
        if isinstance(value, Dim):
            return value.source(lambda symbol: self.sizes[symbol])
        if isinstance(value, tuple):
            parts = ", ".join(self._literal(part) for part in value)
            return f"({parts},)" if len(value) == 1 else f"({parts})"
        if isinstance(value, slice):
            return f"slice({', '.join(self._literal(v) for v in (value.start, value.stop, value.step))})"
        if value is None or value is Ellipsis or isinstance(value, (bool, int, str)):
            return repr(value)
        if isinstance(value, float) and np.isfinite(value):
            return repr(value)
        if isinstance(value, np.dtype):
            return self._bind(value.name, value)
        return self._bind(type(value).__name__.lower(), value)

    def _operand(self, value: Any) -> str:
        return self.names[value] if isinstance(value, Tensor) else self._literal(value)

    # lines

    def _unpack(self) -> None:
        for tensor in self.fed:
            self.names[tensor] = self._name(tensor.node.name)
        if self.fed:
            self.lines.append(f"    {', '.join(self.names[t] for t in self.fed)}, = feeds")
        for tensor in self.fed:
            self._measure(tensor)
        late = [v for v in self.fetched if isinstance(v, Variable) and v not in self.selection.stores]
        early = [
            node.settings["variable"]
            for node in self.selection.nodes
            if node.op is READ and node not in self.selection.seen
        ]
        for variable in dict.fromkeys((*early, *late)):
            self.reads.append(variable)
            name = self.names[variable] = self._name(variable.name.replace("/", "_"))
            key = self._bind(f"key_{name}", variable)
            self.lines.append(f"    {name} = state[{key}]")

    def _measure(self, tensor: Tensor) -> None:
        """Read unknown sizes off an array that has them."""
        for axis, size in enumerate(tensor.sizes):
            symbol = size.symbol() if isinstance(size, Dim) else None
            if symbol in self.wanted and symbol not in self.sizes:
                self.sizes[symbol] = self._name(symbol.name)
                self.lines.append(f"    {self.sizes[symbol]} = {self.names[tensor]}.shape[{axis}]")

    def _node(self, node: Node) -> None:
        op = node.op
        if op is READ:
            seen = self.selection.seen.get(node)
            source = node.settings["variable"] if seen is None else seen
            self.names[node.outputs[0]] = self.names[source]
        elif op is ASSIGN:
            self.names[node.outputs[0]] = self.names[node.inputs[0]]
        elif op is CONSTANT:
            self.names[node.outputs[0]] = self._bind(node.name, node.settings["value"])
            self._measure(node.outputs[0])
        elif op is INITIAL:
            variable = node.settings["variable"]
            name = self.names[node.outputs[0]] = self._name(variable.name + "_start")
            self._line(f"{name} = {self._bind(f'initial_{name}', variable.initial)}()", node)
        elif op is PLACEHOLDER:
            if node.outputs[0] not in self.names:
                self.missing.append(node)
                self.names[node.outputs[0]] = self._name(node.name)
                self._measure(node.outputs[0])
        elif isinstance(op, Op):
            self._apply(node, op)
        self._drop(node)

    def _apply(self, node: Node, op: Op) -> None:
        arguments = [self._operand(x) for x in node.inputs]
        arguments += [f"{key}={self._literal(value)}" for key, value in node.settings.items()]
        if op.selective:
            used = [i for i, tensor in enumerate(node.outputs) if tensor in self.last_use]
            arguments.append(f"needed={self._literal(tuple(used))}")
        kernel = self._bind(op.name, self._kernel(node, op))
        call = f"{kernel}({', '.join(arguments)})"
        if op.single and node.outputs[0].shape in ((), UNKNOWN_RANK):
            call = f"asarray({call})"
        results = []
        for tensor in node.outputs:
            name = "_"
            if tensor in self.last_use and tensor not in self.given:
                name = self.names[tensor] = self._numbered(op.name)
            results.append(name)
        self._line(f"{', '.join(results)}{'' if op.single else ','} = {call}", node)
        if "_" in results:
            self.lines.append("    del _")
        for tensor in node.outputs:
            if tensor in self.names:
                self._measure(tensor)

    def _kernel(self, node: Node, op: Op) -> Callable[..., Any]:
        """What computes a node: the op's own function, unless somebody watches, or the sizes that
        a run brings may be such that only infer knows that they do not fit."""
        if self.watched:
            return _watched(node, op)
        sizes = [size for x in node.inputs if isinstance(x, Tensor) for size in x.sizes]
        if op.check and any(isinstance(size, Dim) for size in sizes):
            return _checked(op)
        return op.compute

    def _line(self, text: str, node: Node) -> None:
        self.lines.append("    " + text)
        self.node_at[len(self.lines)] = node
        specs = ", ".join(str(t.spec) for t in node.outputs)
        where = f"  {node.line}" if node.line is not None else ""
        comment = specs + where
        if not comment.isprintable():  # it must stay one line, whatever a size is called
            comment = "".join(c if c.isprintable() else " " for c in comment)
        self.lines[-1] += f"  # {comment}"

    def _drop(self, node: Node) -> None:
        """Let go of arrays whose last use this was."""
        used = [x for x in dict.fromkeys(node.inputs) if isinstance(x, Tensor)]
        gone = [tensor for tensor in used if self.last_use.get(tensor) is node]
        names = dict.fromkeys(self.names[t] for t in gone if self._is_temporary(t))
        if names:
            self.lines.append(f"    del {', '.join(names)}")

    def _is_temporary(self, tensor: Tensor) -> bool:
        return isinstance(tensor.node.op, Op) and tensor not in self.given

    def _finish(self) -> None:
        stores = self.selection.stores
        given: set[str] = set()
        results = []
        for value in self.fetched:
            source: Tensor | Variable = value
            if isinstance(value, Variable) and value in stores:
                source = stores[value]
            results.append(self._leaving(source, given))
        saved = [
            f"{self._bind('key_' + self._name(v.name), v)}: {self._leaving(t, given)}"
            for v, t in stores.items()
        ]
        fetched = f"({', '.join(results)}{',' if len(results) == 1 else ''})"
        self.lines.append(f"    return {fetched}, {{{', '.join(saved)}}}")

    def _leaving(self, value: Tensor | Variable, given: set[str]) -> str:
        """A value that belongs to whoever gets it: copied if anything else may hold it."""
        name = self.names[value]
        fresh = isinstance(value, Tensor) and self._is_fresh(value) and name not in given
        given.add(name)
        if not fresh:
            return f"copy({name})"
        assert isinstance(value, Tensor)
        in_doubt = len(value.sizes) > 1 and isinstance(value.node.op, Op) and value.node.op.ufunc
        return f"own({name})" if in_doubt else name  # a ufunc may have kept the order of a view

    def _is_fresh(self, tensor: Tensor) -> bool:
        op = tensor.node.op
        return tensor not in self.given and (op is INITIAL or (isinstance(op, Op) and not op.alias))


def _copy(array: Any) -> Any:
    """A copy, in C order."""
    return np.array(array, order="C")


def _own(array: Any) -> Any:
    """A fresh array, in C order."""
    return array if array.flags.c_contiguous else _copy(array)


def _checked(op: Op) -> Callable[..., Any]:
    """The op's function behind a look at its arguments."""
    return lambda *arrays, **settings: op.on_arrays(arrays, settings)


def _watched(node: Node, op: Op) -> Callable[..., Any]:
    """The op's function with the hooks of the running thread before and after it."""

    def run(*arrays: Any, **settings: Any) -> Any:
        event = hooks.Event("static", "forward", op, arrays, settings, node.line, node.name)
        with hooks.around(event):
            y = op.on_arrays(arrays, settings)
            event.outputs = (y,) if op.single else y
        return y

    return run
