"""The rule of effects, as a program that does nothing else: nodes in the order in which they were made.

A run needs what its fetches need: inputs, and what was to run before (control dependencies). It executes
these in the order of making. A read is made where a variable is used.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np


class Value:
    """A node. `block` is the branch or body in which it was made, None for the program itself."""

    def __init__(
        self, model: Model, compute: Callable[..., Any], inputs: Sequence[Any], blocks: Any = ()
    ) -> None:
        self.model, self.compute, self.inputs = model, compute, [model.value(i) for i in inputs]
        self.controls, self.blocks = tuple(model.controls), tuple(blocks)
        self.order, self.block, self.name = next(model.serial), model.block, ""
        if model.block is not None:
            model.block.nodes.append(self)

    def needs(self) -> list[Value]:
        """What must run before it: for a branch also what its nodes take from outside."""
        own = [*self.inputs, *self.controls]
        for block in self.blocks:
            own += [n for node in block.nodes for n in node.needs() if n.block is not block]
        return own

    def __add__(self, other: Any) -> Value:
        return Value(self.model, lambda a, b: a + b, [self, other])

    def __sub__(self, other: Any) -> Value:
        return Value(self.model, lambda a, b: a - b, [self, other])

    def __mul__(self, other: Any) -> Value:
        return Value(self.model, lambda a, b: a * b, [self, other])

    def __gt__(self, other: Any) -> Value:
        return Value(self.model, lambda a, b: a > b, [self, other])


class Held:
    """A variable."""

    def __init__(self, model: Model, value: Any, name: str) -> None:
        self.model, self.name = model, name
        self.held: Any = np.int32(value) if isinstance(value, int) else np.float32(value)
        model.variables.append(self)

    def read(self) -> Value:
        return Value(self.model, lambda: self.held, [])

    __add__, __sub__, __mul__ = (
        lambda self, other, op=op: getattr(self.read(), op)(other) for op in ("__add__", "__sub__", "__mul__")
    )


class Block:
    """A branch or a body: its nodes, and what it gives."""

    def __init__(self) -> None:
        self.nodes: list[Value] = []
        self.carries: list[Value] = []
        self.result: Any = None


class Model:
    """The words of a program, and the run."""

    AUTO_REUSE = "auto"

    def __init__(self) -> None:
        self.serial = itertools.count()
        self.controls: list[Value] = []
        self.block: Block | None = None
        self.log: list[str] = []
        self.variables: list[Held] = []
        self.scope, self.names = "", {"x": 1}
        self.values: dict[Value, Any] = {}
        self.x = Value(self, lambda: self.fed, [])
        self.fed: Any = None

    def value(self, what: Any) -> Value:
        if isinstance(what, Held):
            return what.read()
        return what if isinstance(what, Value) else Value(self, lambda: np.float32(what), [])

    # --- words

    def variable(self, value: Any, name: str) -> Held:
        return Held(self, value, self.unique(name))

    def put(self, variable: Held, value: Any) -> Value:
        if variable.held.dtype.kind == "i" and not (isinstance(value, int)):
            raise TypeError("an integer variable takes integers")

        def compute(new: Any) -> Any:
            variable.held = variable.held.dtype.type(new)
            return variable.held

        return Value(self, compute, [value])

    def add(self, variable: Held, value: Any) -> Value:
        if variable.held.dtype.kind == "i" and not (isinstance(value, int)):
            raise TypeError("an integer variable takes integers")

        def compute(old: Any, new: Any) -> Any:
            variable.held = variable.held.dtype.type(old + new)
            return variable.held

        return Value(self, compute, [variable, value])

    def identity(self, x: Any, name: str = "") -> Value:
        made = Value(self, lambda a: a, [x])
        made.name = self.unique(name) if name else ""
        return made

    def group(self, *values: Any) -> Value:
        return Value(self, lambda *_: None, values)

    def say(self, x: Any, word: str) -> Value:
        def compute(a: Any) -> Any:
            self.log.append(word)
            return a

        return Value(self, compute, [x])

    def check(self, x: Any) -> Value:
        def compute(a: Any) -> None:
            if not a > -100.0:
                raise AssertionError

        return Value(self, compute, [x])

    @contextmanager
    def control_dependencies(self, values: Sequence[Value]) -> Iterator[None]:
        before, self.controls = self.controls, [*self.controls, *values]
        try:
            yield
        finally:
            self.controls = before

    # Names as TensorFlow 1 gives them: a scope that is opened again is numbered, unless its name ends in a
    # slash; a variable scope that is entered as an object is a name scope of its last part.

    def unique(self, name: str) -> str:
        name = free = f"{self.scope}/{name}" if self.scope else name
        count = self.names.get(name, 0)
        while free in self.names:
            free, count = f"{name}_{count}", count + 1
        self.names[name], self.names[free] = max(count, 1), self.names.get(free, 1)
        return free

    @contextmanager
    def name_scope(self, name: str) -> Iterator[str]:
        before, self.scope = self.scope, name[:-1] if name.endswith("/") else self.unique(name)
        try:
            yield self.scope
        finally:
            self.scope = before

    @contextmanager
    def variable_scope(self, name: str) -> Iterator[str]:
        with self.name_scope(name.split("/")[-1]):
            yield name

    def name(self, what: Any) -> str:
        return what.name

    def _body(self, fn: Callable[..., Any], *carries: Callable[[], Any]) -> Block:
        outer, self.block = self.block, Block()
        try:
            self.block.carries = [Value(self, carry, []) for carry in carries]
            self.block.result = self.value(fn(*self.block.carries))
            return self.block
        finally:
            self.block = outer

    def cond(self, pred: Value, yes: Callable[[], Any], no: Callable[[], Any]) -> Value:
        blocks = [self._body(yes), self._body(no)]
        return Value(self, lambda p: self._execute(blocks[0 if p else 1]), [pred], blocks)

    def loop(self, trips: int, body: Callable[[Any], Any], start: Any) -> Value:
        now: list[Any] = [None]
        block = self._body(body, lambda: now[0])

        def compute(first: Any) -> Any:
            now[0] = first
            for _ in range(trips):
                now[0] = self._execute(block)
            return now[0]

        return Value(self, compute, [start], [block])

    # --- the run

    def run(self, fetches: Sequence[Value], fed: Any) -> list[Any]:
        """The values of the fetches. A run that fails changes no variable."""
        self.fed, self.values = fed, {}
        before = [v.held for v in self.variables]
        try:
            self._do(list(fetches))
        except AssertionError:
            for variable, held in zip(self.variables, before, strict=True):
                variable.held = held
            raise
        return [self.values[f] for f in fetches]

    def _do(self, wanted: list[Value], block: Block | None = None) -> None:
        needed: set[Value] = set()
        while wanted:
            node = wanted.pop()
            if node not in needed and node.block is block:
                needed.add(node)
                wanted += node.needs()
        for node in sorted(needed, key=lambda n: n.order):
            self.values[node] = node.compute(*(self.values[i] for i in node.inputs))

    def _execute(self, block: Block) -> Any:
        self._do([block.result], block)
        return self.values[block.result]
