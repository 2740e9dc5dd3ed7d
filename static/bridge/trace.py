"""A trace: a function's Python run once, on stand-ins for its arguments, and the program of what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared.device.memory import uncollected
from shared.errors import DiptychError, GraphError, SymbolicValueError
from shared.nest import flatten
from shared.state import State, forms
from shared.touched import touch, touching
from shared.usage import late
from static.bridge.guards import FunctionGraph, Guards
from static.bridge.outside import Outside
from static.bridge.programs import ProgramOp
from static.bridge.reads import Reads
from static.compile.options import Options
from static.graph.create import placeholder
from static.graph.graph import Node, Tensor
from static.graph.operands import as_tensor
from static.graph.variables import Variable


class Trace:
    """A function, traced for one signature.

    op       what it computes
    states   the States that it reads; `stored`, those that it changes
    plain    gives what the States hold, by variable, where they fit and no more is to be asked; else None
    guards   what it has frozen
    why      why it was made
    error    what the function raised, once it had changed States: that is done, and then it is raised
    fresh    the places of arrays that the function makes anew in each call
    views    by place, those results that are the memory of an argument: which one's, and what is done to it
    """

    def __init__(self, fn: Callable[..., Any], args: Any, settings: Any, level: str, why: str) -> None:
        self.why = why
        values, build = flatten((args, settings))
        graph = FunctionGraph()
        reads = Reads(fn, (args, settings))
        self.guards = Guards(reads)
        self.error: Exception | None = None
        # What the collector calls is not the function's: it waits.
        with uncollected(), graph.as_default(), Outside(name_of(fn), reads).watched():
            traced: list[Any] = []
            fed: list[Tensor] = []
            for x in values:
                if is_array(x):
                    fed.append(placeholder(x.dtype, tuple(x.shape), name=f"x{len(fed)}"))
                    traced.append(fed[-1])
                else:
                    traced.append(x)
            args, settings = build(traced)
            try:
                made, self._build = flatten(fn(*args, **settings))
            except Exception as error:
                if isinstance(error, DiptychError) or not graph.assigns:
                    raise
                made, self.error = [], error
            _check_unchanged(name_of(fn), traced, (args, settings))
            _check_no_iterators(name_of(fn), made)
            self.views = {i: view for i, y in enumerate(made) if (view := _view(y, fed)) is not None}
            is_value = [isinstance(y, (Tensor, Variable, State)) for y in made]
            self.fresh = [i for i, y in enumerate(made) if type(y) is np.ndarray and not reads.knows(y)]
            self.fixed = [
                None if v or isinstance(y, Node) else y for v, y in zip(is_value, made, strict=True)
            ]
            self.places = [i for i, v in enumerate(is_value) if v and i not in self.views]
            fetched = [as_tensor(made[i]) for i in self.places]
        for variable in graph.variables:
            if variable.state is None:
                raise GraphError(
                    f"function: {variable.name!r} is a static.Variable, whose value a Session has, and there "
                    "is none here; keep it in an nn.Parameter or nn.Buffer"
                )
        effects = [n for n in graph.nodes if n in graph.assigns or getattr(n.op, "pure", True) is False]
        self.graph = graph
        self.op = ProgramOp(name_of(fn), graph, fed, fetched, Options(level), effects)
        self.states: list[Any] = [variable.state for variable in self.op.variables]
        self.stored: list[Any] = [variable.state for variable in self.op.stored]
        self.shapes = [state.shape for state in self.states]
        self.dtypes = [state.dtype for state in self.states]
        self.plain = _written(self.op.variables, self.states, self._all_plain)
        self.guards.traced(reads, graph)

    def fits(self) -> bool:
        """Whether the States are of the shapes and dtypes that they had."""
        held = [state._data for state in self.states]
        return [x.shape for x in held] == self.shapes and [x.dtype for x in held] == self.dtypes

    def _all_plain(self) -> bool:
        """The same, and that they are NumPy's."""
        return all([type(state._data) is np.ndarray for state in self.states]) and self.fits()

    def run(self, values: Sequence[Any], tensors: bool, held: dict[Any, Any] | None = None) -> Any:
        """Run the program, and give what the function gave; on Tensors of another engine, as one op of it.
        held: what `plain` has just given."""
        op = self.op
        if tensors:
            results = op(*values, *self.states)
            count = len(op.fetched)
            for state, y in zip(self.stored, results[count:], strict=True):
                state.data = y.data
        else:
            results, stores = op.program(values, self._held() if held is None else held)
            for variable, state in zip(op.stored, self.stored, strict=True):
                if touching:
                    touch(state)
                state._data = stores[variable]
                if late.MARK in state.__dict__:
                    late.note(state, "data")
        if self.error is not None:
            raise self.error
        made = list(self.fixed)
        for i, y in zip(self.places, results, strict=False):
            made[i] = y
        for i in self.fresh:
            made[i] = np.array(made[i])
        for i, (number, steps) in self.views.items():
            made[i] = values[number]
            for op, settings in steps:
                made[i] = op(made[i], **settings)
        return self._build(made)

    def _held(self) -> dict[Any, Any]:
        """What the States hold, by variable."""
        return dict(zip(self.op.variables, [state.value() for state in self.states], strict=True))


def _written(variables: Sequence[Any], states: Sequence[Any], fits: Callable[[], bool]) -> Callable[[], Any]:
    """What the States hold, by variable, where each holds an array of NumPy's of its shape and dtype and
    nobody wants to know who reads it; None else. Without a loop, which would take twice as long."""
    space: dict[str, Any] = {"touching": touching, "forms": forms, "fits": fits, "seen": [None]}
    parts = []
    for i, (variable, state) in enumerate(zip(variables, states, strict=True)):
        space |= {f"v{i}": variable, f"s{i}": state}
        parts.append(f"v{i}: s{i}._data")
    body = (
        "    if touching: return None\n"
        "    if forms[0] != seen[0]:\n"
        "        now = forms[0]\n"
        "        if not fits(): return None\n"
        "        seen[0] = now\n"
        f"    return {{{', '.join(parts)}}}"
    )
    exec(f"def plain():\n{body}", space)
    return space.pop("plain")


def _check_unchanged(name: str, given: Sequence[Any], arguments: Any) -> None:
    """A function that changes a list or dict among its arguments changes a copy."""
    now, _ = flatten(arguments)
    if len(now) != len(given) or any(a is not b for a, b in zip(now, given, strict=True)):
        raise SymbolicValueError(
            f"function: {name} changes a list or dict that is an argument, which would be done while tracing "
            "alone; return what it is to hold"
        )


def _check_no_iterators(name: str, made: Sequence[Any]) -> None:
    for y in made:
        if hasattr(type(y), "__next__"):
            raise SymbolicValueError(
                f"function: {name} gives back a {type(y).__name__}, of which a trace has one for all calls; "
                "return a list"
            )


def _view(y: Any, fed: Sequence[Tensor]) -> tuple[int, list[Any]] | None:
    """Of a result that is an argument, or the same memory seen in another way: which argument, and the ops
    that lead from there to it."""
    numbers = {id(x): number for number, x in enumerate(fed)}
    steps: list[tuple[Any, dict[str, Any]]] = []
    while isinstance(y, Tensor) and id(y) not in numbers:
        op, inputs = y.node.op, y.node.inputs
        if getattr(op, "alias", ()) != (0,) or len(inputs) != 1:
            return None
        steps.insert(0, (op, y.node.settings))
        y = inputs[0]
    return (numbers[id(y)], steps) if isinstance(y, Tensor) else None


def is_array(x: Any) -> bool:
    """Whether a value is fed to a trace: an array or Tensor, and no State."""
    return isinstance(x, np.ndarray) or (
        hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, (State, np.generic))
    )


def name_of(fn: Any) -> str:
    """What a function is called."""
    return getattr(fn, "__name__", type(fn).__name__)
