"""A program as a list: what `show` prints and what the networkx graph is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from shared.spec import Spec, dtype_name, is_weak

PARAMETER = "parameter"  # what training changes
VARIABLE = "variable"  # what is kept but not trained: running statistics, generator state, slots
INPUT = "input"  # fed, or a leaf that gradients reach
CONSTANT = "constant"  # an array that no gradient reaches
LEAVES = (PARAMETER, VARIABLE, INPUT, CONSTANT)

_WIDEST = 60  # characters of one setting's value
_COLUMN = 72  # where the users' lines stand, unless a line of the program is longer


class Ref(NamedTuple):
    """An argument that another entry gives.

    entry     its place in the list
    output    which of its outputs
    gradient  whether a cotangent can flow back over this edge
    """

    entry: int
    output: int
    gradient: bool


@dataclass(slots=True)
class Entry:
    """One line of a program: a leaf, or one application of an op.

    kind       "op", a leaf's kind (`LEAVES`), or the name of what only one engine has
               ("assign", "initial", "group")
    op         the op's name; the kind again for what is no op
    outputs    the Spec of each output
    arguments  for each argument a Ref, a weak number, or None where nothing is known of it
    name       the leaf's or the node's name, "" if it has none
    scope      the path of module calls and name scopes that made it, "" where not known
    line       the user's line that made it, "" where not known
    value      of a constant, its array
    names      the outputs' names, where there are several
    bodies     the programs inside a loop or branch, by name
    """

    kind: str
    op: str
    outputs: tuple[Spec, ...]
    arguments: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    scope: str = ""
    line: str = ""
    value: Any = None
    names: tuple[str, ...] = ()
    bodies: dict[str, Listing] = field(default_factory=dict)

    def is_leaf(self) -> bool:
        return self.kind in LEAVES and not any(isinstance(a, Ref) for a in self.arguments)


class Listing:
    """A program: the leaves first (parameters, variables, inputs, constants), then the rest in
    program order, numbered from 0.

    engine   the name of the engine that holds the program
    entries  in any order that is program order for those that are no leaves; Refs count in it
    results  what is asked of the program, as Refs
    inputs   of the body of a loop or branch: pairs of an entry and the position of the argument,
             of the entry that has the body, that it stands for
    carried  of a loop's body, how many of the first results are the first inputs of the next step
    """

    def __init__(
        self,
        engine: str,
        entries: Sequence[Entry],
        results: Sequence[Ref] = (),
        inputs: Sequence[tuple[int, int]] = (),
        carried: int = 0,
    ) -> None:
        def place(index: int) -> tuple[int, int]:
            entry = entries[index]
            return LEAVES.index(entry.kind) if entry.is_leaf() else len(LEAVES), index

        order = sorted(range(len(entries)), key=place)
        number = {old: new for new, old in enumerate(order)}

        def moved(argument: Any) -> Any:
            return argument._replace(entry=number[argument.entry]) if isinstance(argument, Ref) else argument

        self.engine = engine
        self.entries = [entries[old] for old in order]
        for entry in self.entries:
            entry.arguments = [moved(argument) for argument in entry.arguments]
        self.results = [moved(result) for result in results]
        self.inputs = [(number[entry], argument) for entry, argument in inputs]
        self.carried = carried

    def text(self) -> str:
        """One line for each entry, `%3: f32[32,10] = matmul %1 %2`, and what it returns.

        An output other than the only one is `%4.1`; an argument of which nothing is known any
        more is `_`. The users' lines, where known, stand behind; the bodies of a loop or branch,
        each numbered by itself, below it, with what it is given as `input x <- %2`.
        """
        return "\n".join(map(printable, self._lines({})))

    def _lines(self, given: dict[int, str]) -> list[str]:
        lines = []
        for number, entry in enumerate(self.entries):
            line = f"%{number}{_type(entry.outputs)} = {self._right_side(entry)}"
            line += f" <- {given[number]}" if number in given else ""
            lines.append(f"{line:<{_COLUMN}}  # {entry.line}" if entry.line else line)
            for name, body in entry.bodies.items():
                lines.append(f"    {name}:")
                outside = {inner: self._refer(entry.arguments[at]) for inner, at in body.inputs}
                lines += [f"        {line}" for line in body._lines(outside)]
        if self.results:
            lines.append("return " + " ".join(self._refer(result) for result in self.results))
        return lines

    def _right_side(self, entry: Entry) -> str:
        words = [entry.op]
        if entry.name and entry.kind != "op":
            words.append(entry.name)
        words += [self._refer(argument) for argument in entry.arguments]
        if (value := value_text(entry.value)):
            words.append(value)
        words += [f"{name}={setting_text(value)}" for name, value in entry.settings.items()]
        return " ".join(words)

    def _refer(self, argument: Any) -> str:
        if not isinstance(argument, Ref):
            return "_" if argument is None else setting_text(argument)
        several = len(self.entries[argument.entry].outputs) > 1
        return f"%{argument.entry}.{argument.output}" if several else f"%{argument.entry}"

    def to_networkx(self) -> Any:
        """The program as a `networkx.MultiDiGraph`; its nodes are the numbers that `text` prints.

        Of a node: `kind op name scope line settings` as in Entry; `numbers`, its weak arguments
        by position; `outputs`, a Spec for each output; `shape` and `dtype`, those of the first
        (None if there is no output); `names` of several outputs; `value`, a constant's array;
        `bodies`, the networkx graphs inside a loop or branch, by name. Of an edge: `output` (of
        the node that it comes from), `argument` (position in the node that it goes to) and
        `gradient`, whether a cotangent can flow back over it. Of the graph: `engine`; `results`,
        pairs of node and output; `inputs` and `carried`, as in Listing.
        """
        import networkx

        graph = networkx.MultiDiGraph(
            engine=self.engine,
            results=[(result.entry, result.output) for result in self.results],
            inputs=self.inputs,
            carried=self.carried,
        )
        for number, entry in enumerate(self.entries):
            first = entry.outputs[0] if entry.outputs else None
            graph.add_node(
                number,
                kind=entry.kind, op=entry.op, name=entry.name, scope=entry.scope, line=entry.line,
                settings=entry.settings,
                numbers={i: a for i, a in enumerate(entry.arguments) if is_weak(a)},
                outputs=entry.outputs,
                shape=first and first.shape, dtype=first and first.dtype,
                names=entry.names, value=entry.value,
                bodies={name: body.to_networkx() for name, body in entry.bodies.items()},
            )  # fmt: skip
        for number, entry in enumerate(self.entries):
            for position, argument in enumerate(entry.arguments):
                if isinstance(argument, Ref):
                    graph.add_edge(
                        argument.entry, number,
                        output=argument.output, argument=position, gradient=argument.gradient,
                    )  # fmt: skip
        return graph


def _type(outputs: tuple[Spec, ...]) -> str:
    if not outputs:
        return ""
    if len(outputs) == 1:
        return f": {outputs[0]}"
    return f": ({', '.join(str(spec) for spec in outputs)})"


def value_text(value: Any) -> str:
    """The numbers of a small constant; "" of others, and of what is not in main memory."""
    if not isinstance(value, np.ndarray) or value.size > 4:
        return ""
    return repr(value.tolist())


def printable(text: str) -> str:
    """Text that stays one line, and that every format of text takes: spaces for what shows nothing."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def setting_text(value: Any) -> str:
    """A setting or weak number in short: dtypes as `f32`, slices as `1:5`, the rest as Python
    writes it, cut where it is very long."""
    if isinstance(value, np.dtype):
        return dtype_name(value)
    if isinstance(value, slice):
        ends = [value.start, value.stop] + ([value.step] if value.step is not None else [])
        return ":".join("" if end is None else setting_text(end) for end in ends)
    if value is Ellipsis:
        return "..."
    if isinstance(value, tuple):
        text = f"({', '.join(map(setting_text, value))}{',' if len(value) == 1 else ''})"
    elif callable(value) and hasattr(value, "__name__"):
        text = value.__name__
    else:
        text = repr(value)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
