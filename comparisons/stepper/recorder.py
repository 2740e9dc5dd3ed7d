"""Recorder: runs a script statement by statement and writes down what stands and what is held.

Arrays are known by weak references, so watching them keeps none alive. How many bytes all arrays
hold is not added up from them: NumPy's own allocations are counted, by tracemalloc, at every
moment. What the two leave between them is said, as `unnamed`.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import io
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from shared.spec import spec_of
from shared.state import State
from shared.watch import hooks

Json = dict[str, Any]

NUMPY = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
DATA = "pixels"
"""The script's name for its data set, which is not counted: counting begins where it stands."""


class Value:
    """An array that was met.

    number  tells it from all others of this recording
    node    the box of the picture that it belongs to, "" if to none
    part    which of the node's outputs, or "gradient": what has arrived for it
    """

    def __init__(self, number: int, array: Any, name: str, node: str, part: str = "") -> None:
        self.number, self.array = number, weakref.ref(array)
        self.name, self.node, self.part = name, node, part
        self.spec = str(spec_of(array))

    def json(self, counted: set[int]) -> Json:
        """As JSON; the bytes of a view are its owner's, and are counted with one value only."""
        owner: Any = self.array()
        while isinstance(owner.base, np.ndarray):
            owner = owner.base
        size = 0 if id(owner) in counted else int(owner.nbytes)
        counted.add(id(owner))
        return {"id": self.number, "name": self.name, "node": self.node, "part": self.part,
                "spec": self.spec, "bytes": size}  # fmt: skip


def parts_of(event: hooks.Event) -> Iterator[tuple[str, str, Any]]:
    """What an op gave: (name, part, array); the only output is no part."""
    if event.op.single:
        yield event.op.name, "", event.outputs[0]
    else:
        for part, array in zip(event.op.outputs or (), event.outputs, strict=True):
            yield f"{event.op.name}.{part}", part, array


class Recorder(hooks.Hook):
    """Runs one script and gathers its moments. Subclasses say what their engine's events mean.

    Of a moment, as JSON:

    phase     "prepare", "describe", "compile", "forward", "backward" or "update"
    what      "statement", "node" (one was added to the graph), "op" (one ran) or "rule" (an op's
              gradient ran)
    line      of the script, from 1
    program   the line of static's generated program at which it stands, from 1; None elsewhere
    node      the box that this is about, or None
    gave      Specs of what came out
    bits      a digest of each of these arrays: the same digest is the same bits
    standing  the boxes that stand
    count     how many nodes the engine's own graph has
    values    the arrays that are held
    bytes     what all arrays hold, as NumPy's allocator has it, without the data set
    unnamed   how much of that is in no entry of `values`
    """

    engine = ""

    def __init__(self, script: Path) -> None:
        self.script = script
        self.phase, self.line = "prepare", 1
        self.moments: list[Json] = []
        self.values: list[Value] = []
        self.met = 0
        self.changed: list[Any] = []  # what the last statement put in the place of a parameter's array
        self.namespace: dict[str, Any] = {"__name__": f"stepper.{script.stem}"}
        self.printed = io.StringIO()

    # --- what an engine says of itself ---

    def standing(self) -> list[str]:
        """The boxes that stand now."""
        raise NotImplementedError

    def count(self) -> int:
        """The nodes of the engine's own graph."""
        return len(self.standing())

    def settle(self) -> None:
        """Called after each statement, before its moment is written down."""

    def named(self) -> Iterator[tuple[str, str, str, Any]]:
        """The arrays that the script can reach by name: (name, box, part, array)."""
        for name, value in list(self.namespace.items()):
            if isinstance(value, np.ndarray) and name != DATA:
                yield name, "", "", value
            for state in states_of(value):
                yield self.calls(state), "", "", state.data

    def calls(self, state: State) -> str:
        """What a Parameter's or an optimiser's own array is called."""
        return state.name

    # --- running ---

    def record(self) -> Json:
        """Run the script; gives its text, what it printed, and the moments."""
        if tracemalloc.is_tracing():
            raise RuntimeError("tracemalloc counts for somebody else already, and the stepper needs it")
        source = self.script.read_text(encoding="utf-8")
        with ExitStack() as stack:
            stack.enter_context(redirect_stdout(self.printed))
            for statement in _statements(source):
                self.line = statement.lineno
                exec(compile(ast.Module([statement], []), str(self.script), "exec"), self.namespace)
                self.settle()
                if tracemalloc.is_tracing():
                    self.moment("statement", gave=self.changed)
                elif DATA in self.namespace:
                    stack.enter_context(_counting_memory())
                    stack.enter_context(hooks.watching(self))
                    self.moment("statement")
        return {"script": source, "printed": self.printed.getvalue(), "moments": self.moments}

    # --- writing down ---

    def note(self, array: Any, name: str, node: str, part: str = "") -> None:
        """An array was met; one that is known already takes the new name."""
        if not isinstance(array, np.ndarray):
            return
        for value in self.values:
            if value.array() is array:
                value.name, value.node, value.part = name, node or value.node, part
                return
        self.met += 1
        self.values.append(Value(self.met, array, name, node, part))

    def moment(
        self, what: str, node: str | None = None, gave: Any = (), line: int | None = None,
        program: int | None = None,
    ) -> None:  # fmt: skip
        """Write down how things stand."""
        for name, box, part, array in self.named():
            self.note(array, name, box, part)
        arrays = [array for array in gave if isinstance(array, np.ndarray)]
        self.values = [value for value in self.values if value.array() is not None]
        counted: set[int] = set()
        values = [value.json(counted) for value in self.values]
        held = _held_by_arrays()
        self.moments.append(
            {
                "phase": self.phase,
                "what": what,
                "line": self.line if line is None else line,
                "program": program,
                "node": node,
                "gave": [str(spec_of(array)) for array in arrays],
                "bits": [_digest(array) for array in arrays],
                "standing": self.standing(),
                "count": self.count(),
                "values": values,
                "bytes": held,
                "unnamed": held - sum(value["bytes"] for value in values),
            }
        )

    def line_of(self, where: Any) -> int:
        """The line of the script that an event or node names; the statement's own if it is none."""
        return where.number if where is not None and where.file == str(self.script) else self.line


def states_of(value: Any) -> list[State]:
    """What a Parameter is, or an optimiser holds, that has an array."""
    if isinstance(value, State):
        return [value]
    return [state for _, state in value.named_states()] if hasattr(value, "named_states") else []


def boxes_of(graph: Any, names: dict[int, str]) -> Json:
    """The nodes and edges of a networkx graph as JSON; `names` gives the boxes that are drawn."""
    return {
        "nodes": [
            {
                "id": names[n],
                "kind": data["kind"],
                "op": data["op"],
                "name": data["name"],
                "spec": str(data["outputs"][0]) if data["outputs"] else "",
            }
            for n, data in graph.nodes(data=True)
            if n in names
        ],
        "edges": [
            [names[a], names[b], data["gradient"]]
            for a, b, data in graph.edges(data=True)
            if a in names and b in names
        ],
    }


def _statements(source: str) -> list[ast.stmt]:
    """All but the docstring."""
    return ast.parse(source).body[1:]


def _digest(array: Any) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def _held_by_arrays() -> int:
    traces = tracemalloc.take_snapshot().filter_traces([NUMPY]).traces
    return sum(trace.size for trace in traces)


@contextmanager
def _counting_memory() -> Iterator[None]:
    """Have tracemalloc count, from nothing."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
