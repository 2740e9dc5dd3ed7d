"""From the steps of a run to a straight-line Python program.

The program is source text that a person can read (`session.program(fetches)` prints it): one
line for each step, in program order, with what it gives and the user's line behind it. Kernels
are bound before the first run, and sizes that were not known when the graph was built are read
off the arrays that have them. Results go into the arrays of an arena where there is a place for
them (`static/compile/plan.py`), over an input that dies there, or into new ones, which are dropped after
their last use.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from shared.dims import Dim
from shared.op import Op
from shared.sizes.atoms import NAMES, Symbol
from shared.spec import spec_of
from shared.watch import hooks
from static.compile.block import Step, Value, last_uses
from static.compile.layout import Layout
from static.compile.options import Options
from static.control.body import BodyOp, Compiler
from static.graph.graph import Node

_USED = ("_", "feeds", "state", "arrays", "program", "asarray", "copy", "own", "slice", "Ellipsis", *NAMES)
"""The names that a program uses for itself."""


class Writer:
    """Writes one program.

    source()   its text
    namespace  what stands behind the names that it takes as given
    names      those of values; `step_at`, the step that each line is for
    """

    def __init__(self, layout: Layout, options: Options, compiler: Compiler) -> None:
        self.layout, self.options, self.device = layout, options, options.device
        self.compiler = compiler
        self.block = block = layout.block
        self.namespace: dict[str, Any] = {
            "asarray": self.device.asarray, "copy": self.device.copy, "own": self.device.own
        }  # fmt: skip
        self.bound: dict[int, str] = {}
        self.names: dict[Value, str] = {}
        self.sizes: dict[Symbol, str] = {}
        self.measured: dict[Value, list[tuple[Symbol, int]]] = {}
        for symbol, (value, axis) in block.sizes.items():
            self.measured.setdefault(value, []).append((symbol, axis))
        self.taken: set[str] = {*keyword.kwlist, *_USED}
        self.counts: dict[str, int] = {}
        self.serials: dict[str, int] = {}
        self.lines: list[str] = []
        self.step_at: dict[int, Step] = {}
        self.last_use = last_uses(block)
        self.makers = block.makers()

    def source(self) -> str:
        self.lines.append("def program(feeds, state, arrays):")
        self._unpack()
        self._results()
        for step in self.block.steps:
            if step in self.layout.views:
                self._view(step)
            else:
                if step in self.layout.elided:
                    self._elided(step)
                else:
                    self._step(step)
                self._drop(step)
        self._finish()
        return "\n".join(self.lines) + "\n"

    # names

    def _name(self, wish: str) -> str:
        """A fresh Python name that resembles `wish`. Of ASCII alone, for Python takes some names
        that differ in other letters for one and the same."""
        base = re.sub(r"\W+", "_", wish.rpartition("/")[2], flags=re.ASCII).strip("_") or "value"
        base = f"_{base}" if base[0].isdigit() else base
        name = base
        while name in self.taken:
            count = self.serials[base] = self.serials.get(base, 0) + 1
            name = f"{base}_{count}"
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
        return self.names[value] if isinstance(value, Value) else self._literal(value)

    # lines

    def _unpack(self) -> None:
        block = self.block
        for value in block.fed:
            self.names[value] = self._name(value.name)
        if block.fed:
            self.lines.append(f"    {', '.join(self.names[v] for v in block.fed)}, = feeds")
        for value in block.missing.values():
            self.names[value] = self._name(value.name)
        for value in (*block.fed, *block.missing.values()):
            self._measure(value)
        for variable, value in block.reads.items():
            name = self.names[value] = self._name(variable.name.replace("/", "_"))
            key = self._bind(f"key_{name}", variable)
            self.lines.append(f"    {name} = state[{key}]")
        for value, array in block.constants.items():
            self.names[value] = self._bind(value.name, self.device.put(array))
            self._measure(value)

    def _measure(self, value: Value) -> None:
        """Read unknown sizes off an array that has them."""
        for symbol, axis in self.measured.get(value, ()):
            self.sizes[symbol] = self._name(symbol.name)
            self.lines.append(f"    {self.sizes[symbol]} = {self.names[value]}.shape[{axis}]")

    def _results(self) -> None:
        """Name what steps give, and take the arrays that were made for them."""
        for step in self.block.steps:
            for value in step.outputs:
                if value in self.last_use:
                    self.names[value] = self._numbered(step.op.name)
        names = [self.names.get(value, "_") for value in self.layout.arrays()]
        listed = _wrapped(names)
        if len(listed) == 1:
            self.lines.append(f"    {listed[0]}, = arrays")
        elif listed:
            self.lines += ["    (", *(f"        {line}," for line in listed), "    ) = arrays"]

    def _view(self, step: Step) -> None:
        """What was done when the arrays were made is said in a comment."""
        made = ", ".join(self.names.get(value, "_") for value in step.outputs)
        self._line(f"# {made} = {self._call(step)}, made beforehand", step)

    def _elided(self, step: Step) -> None:
        """What stands there already is said in a comment; the others are put beside it."""
        others, (y,) = self.layout.elided[step], step.outputs
        which = "the others are there already" if others else "which are there already"
        self._line(f"# {self.names[y]} = {self._call(step)}, {which}", step)
        for position in others:
            x, at = step.inputs[position], self._literal(position)
            if step.op.name == "concatenate":
                start = sum(other.shape[0] for other in step.inputs[:position])
                at = f"{start}:{start + x.shape[0]}"
            self._line(f"{self.names[y]}[{at}] = {self.names[x]}", step)

    def _step(self, step: Step) -> None:
        op, call = step.op, self._call(step)
        if op.single and not step.outputs[0].sizes and self._into(step) is None:
            call = f"asarray({call})"
        results = [self.names.get(value, "_") for value in step.outputs]
        self._line(f"{', '.join(results)}{'' if op.single else ','} = {call}", step)
        if "_" in results:
            self.lines.append("    del _")
        for value, name in zip(step.outputs, results, strict=True):
            if name != "_" and not value.sizes and not op.single and self._place(value) is None:
                self.lines.append(f"    {name} = asarray({name})")
        for value in step.outputs:
            if value in self.names:
                self._measure(value)

    def _call(self, step: Step) -> str:
        op = step.op
        arguments = [self._operand(x) for x in step.inputs]
        arguments += [f"{key}={self._literal(value)}" for key, value in step.settings.items()]
        if op.hints.selective:
            used = [i for i, value in enumerate(step.outputs) if value in self.last_use]
            arguments.append(f"needed={self._literal(tuple(used))}")
        into = self._into(step)
        if into is not None:
            arguments.append(f"out={into}")
        return f"{self._bind(op.name, self._kernel(step))}({', '.join(arguments)})"

    def _into(self, step: Step) -> str | None:
        """Where a step is to put its results, as source text; None if into new arrays."""
        places = [self._place(value) for value in step.outputs]
        if places.count(None) == len(places):
            return None
        names = ["None" if place is None else self.names[place] for place in places]
        return names[0] if step.op.single else f"({', '.join(names)},)"

    def _place(self, value: Value) -> Value | None:
        """The value in whose array a value is to be put; None if in a new one."""
        layout = self.layout
        own = value in layout.planned or value in layout.inside
        return layout.in_place.get(value, value if own else None)

    def _kernel(self, step: Step) -> Callable[..., Any]:
        """What computes a step: the op's own function, unless somebody watches, or the sizes that
        a run brings may be such that only infer knows that they do not fit."""
        op = step.op.compiled_by(self.compiler) if isinstance(step.op, BodyOp) else step.op
        if not any([isinstance(x, Value) for x in step.inputs]):
            op = self.device.making(op)
        if self.options.watched:
            return _watched(op, step.node)
        if op.check and any(isinstance(size, Dim) for value in step.values() for size in value.sizes):
            return _checked(op)
        return op.compute

    def _line(self, text: str, step: Step) -> None:
        self.lines.append("    " + text)
        self.step_at[len(self.lines)] = step
        specs = ", ".join(str(value.spec) for value in step.outputs)
        where = f"  {step.node.line}" if step.node.line is not None else ""
        comment = specs + where
        if not comment.isprintable():  # it must stay one line, whatever a size is called
            comment = "".join(c if c.isprintable() else " " for c in comment)
        self.lines[-1] += f"  # {comment}"

    def _drop(self, step: Step) -> None:
        """Let go of arrays whose last use this was. Those that were made beforehand stay."""
        used, resident = dict.fromkeys(step.values()), self.layout.resident
        gone = [v for v in used if self.last_use[v] is step and v in self.makers and v not in resident]
        if gone:
            self.lines.append(f"    del {', '.join(self.names[v] for v in gone)}")

    def _finish(self) -> None:
        given: set[Value] = set()
        results = [self._leaving(value, given) for value in self.block.results]
        saved = [
            f"{self._bind('key_' + self._name(variable.name), variable)}: {self._leaving(value, given)}"
            for variable, value in self.block.stores.items()
        ]
        fetched = f"({', '.join(results)}{',' if len(results) == 1 else ''})"
        self.lines.append(f"    return {fetched}, {{{', '.join(saved)}}}")

    def _leaving(self, value: Value, given: set[Value]) -> str:
        """A value that belongs to whoever gets it: copied if anything else may hold it."""
        name = self.names[value]
        if value not in self.layout.escaping or value in given:
            return f"copy({name})"
        given.add(value)
        return name if value in self.layout.contiguous else f"own({name})"


def _wrapped(names: Sequence[str]) -> list[str]:
    """Names with commas between them, in lines of about 100 characters."""
    lines: list[str] = []
    for name in names:
        if lines and len(lines[-1]) + len(name) < 98:
            lines[-1] += f", {name}"
        else:
            lines.append(name)
    return lines


@lru_cache(maxsize=256)
def _checked(op: Op) -> Callable[..., Any]:
    """The op's function behind a look at its arguments."""

    def run(*arrays: Any, out: Any = None, **settings: Any) -> Any:
        if out is None:
            return op.on_arrays(arrays, settings)
        op.infer(*[spec_of(array) for array in arrays], **settings)
        return op.compute(*arrays, **settings, out=out)

    return run


def _watched(op: Op, node: Node) -> Callable[..., Any]:
    """The op's function with the hooks of the running thread before and after it."""

    def run(*arrays: Any, **settings: Any) -> Any:
        event = hooks.Event("static", "forward", op, arrays, settings, node.line, node.name)
        with hooks.around(event):
            y = op.on_arrays(arrays, settings)
            event.outputs = (y,) if op.single else y
        return y

    return run
