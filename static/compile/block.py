"""Block: one run as the compiler sees it. Passes read blocks and make new ones.

A graph says what a user described, and never changes. A block says what one run of it shall do:
steps on values, each made once. A variable is in it only as the value with which it starts and
the value that it is left with, so no step can see another's effect but through its inputs: what
is pure may be merged, moved and dropped, and what is not (`Op.pure`) keeps its order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import numpy as np

from shared.dims import UNKNOWN_RANK, Dim, dims_in
from shared.errors import UnknownSizeError
from shared.op import Op
from shared.sizes.atoms import Symbol
from shared.spec import Spec, spec_of

if TYPE_CHECKING:
    from static.graph.graph import Node
    from static.graph.variables import Variable


class Value:
    """What a step gives, or a block is given: a Spec, and a name to show."""

    __slots__ = ("spec", "name")

    def __init__(self, spec: Spec, name: str) -> None:
        self.spec, self.name = spec, name

    @property
    def shape(self) -> tuple[int | Dim, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.spec.dtype

    @property
    def sizes(self) -> tuple[int | Dim, ...]:
        """The sizes that are there to look at: none where even the number of axes is unknown."""
        return () if self.spec.shape is UNKNOWN_RANK else self.spec.shape

    def __repr__(self) -> str:
        return f"<{self.name} {self.spec}>"


class Step:
    """One application of an op. Never changed after it is made, so blocks share their steps.

    inputs   Values and weak numbers
    outputs  the Values that it makes
    nodes    the graph's nodes that it stands for; the first one's line and name are shown
    """

    __slots__ = ("op", "inputs", "settings", "outputs", "nodes")

    def __init__(
        self, op: Op, inputs: Sequence[Any], settings: dict[str, Any], outputs: Sequence[Value],
        nodes: tuple[Node, ...],
    ) -> None:  # fmt: skip
        self.op, self.inputs, self.settings = op, tuple(inputs), settings
        self.outputs, self.nodes = tuple(outputs), nodes

    @property
    def node(self) -> Node:
        """The node whose line a reader is shown."""
        return self.nodes[0]

    def values(self) -> Iterator[Value]:
        """The Values among the inputs."""
        return (x for x in self.inputs if isinstance(x, Value))

    def symbols(self) -> set[Symbol]:
        """The unknown sizes whose values the step needs at run."""
        if not self.settings and all([isinstance(x, (Value, float, int)) for x in self.inputs]):
            return set()
        return {s for dim in dims_in((self.inputs, self.settings)) for s in dim.symbols()}

    def instead(self, others: Mapping[Value, Any]) -> Step:
        """The same step on others of these inputs, where there are others."""
        if not any([x in others for x in self.inputs if isinstance(x, Value)]):
            return self
        return self.with_inputs([others.get(x, x) if isinstance(x, Value) else x for x in self.inputs])

    def with_inputs(self, inputs: Sequence[Any]) -> Step:
        """The same step on other inputs."""
        return Step(self.op, inputs, self.settings, self.outputs, self.nodes)

    def __repr__(self) -> str:
        made = ", ".join(v.name for v in self.outputs)
        given = ", ".join(x.name if isinstance(x, Value) else str(x) for x in self.inputs)
        return f"<{made} = {self.op.name}({given})>"


def applied(op: Op, inputs: Sequence[Any], settings: dict[str, Any], nodes: tuple[Node, ...]) -> Step:
    """A new step; what it gives is inferred."""
    inferred = op.infer(*[spec_of(x) for x in inputs], **settings)
    specs = (inferred,) if op.single else inferred
    return Step(op, inputs, settings, [Value(spec, op.name) for spec in specs], nodes)


@dataclass(frozen=True)
class Block:
    """One run.

    fed        the values that it is given, in order
    missing    placeholders that it needs and that are not fed: such a block can not run
    reads      the variables that it reads, with the values that they start from
    constants  the arrays of values that are always the same
    steps      what it does
    results    what was fetched
    stores     what each assigned variable is left with
    sizes      where each unknown size that a step needs is read off: a value and an axis
    """

    fed: tuple[Value, ...]
    missing: Mapping[Node, Value]
    reads: Mapping[Variable, Value]
    constants: Mapping[Value, Any]
    steps: Sequence[Step]
    results: tuple[Value, ...]
    stores: Mapping[Variable, Value]
    sizes: Mapping[Symbol, tuple[Value, int]] = field(default_factory=dict)

    def leaving(self) -> Iterator[Value]:
        """The values that outlive the run."""
        yield from self.results
        yield from self.stores.values()

    def makers(self) -> dict[Value, Step]:
        """The step that makes each value."""
        return {value: step for step in self.steps for value in step.outputs}

    def users(self) -> dict[Value, list[Step]]:
        """The steps that use each value, in order, each once."""
        found: dict[Value, list[Step]] = {}
        for step in self.steps:
            for value in dict.fromkeys([x for x in step.inputs if isinstance(x, Value)]):
                found.setdefault(value, []).append(step)
        return found

    def with_steps(
        self, steps: Iterable[Step], instead: Mapping[Value, Value] | None = None,
        constants: Mapping[Value, Any] | None = None,
    ) -> Block:  # fmt: skip
        """The same run by other steps.

        instead    values that are no longer made, and those that take their places; the steps must
                   have been given these already
        constants  all constants, if there are others now
        """
        block = replace(
            self, steps=list(steps), constants=self.constants if constants is None else constants
        )
        if not instead:
            return block
        return replace(
            block,
            results=tuple([instead.get(v, v) for v in self.results]),
            stores={variable: instead.get(v, v) for variable, v in self.stores.items()},
            sizes={s: (instead.get(v, v), axis) for s, (v, axis) in self.sizes.items()},
        )


def sizes_of(given: Sequence[Value], steps: Sequence[Step]) -> dict[Symbol, tuple[Value, int]]:
    """For each unknown size that a step needs, the first value that has it as an axis; UnknownSizeError
    where none has it by then."""
    found: dict[Symbol, tuple[Value, int]] = {}
    needed: dict[Symbol, tuple[Value, int]] = {}

    def meet(values: Sequence[Value]) -> None:
        for value in values:
            for axis, size in enumerate(value.sizes):
                symbol = size.symbol() if isinstance(size, Dim) else None
                if symbol is not None:
                    found.setdefault(symbol, (value, axis))

    meet(given)
    for step in steps:
        for symbol in step.symbols():
            if symbol not in found:
                raise UnknownSizeError(
                    f"run: node {step.node.name!r} needs the size {symbol}, but no Tensor has it by then; "
                    "take sizes from the shapes of Tensors",
                    step.node.line,
                )
            needed[symbol] = found[symbol]
        meet(step.outputs)
    return needed


def in_order(block: Block) -> Block:
    """The same steps, each behind what it needs, and otherwise as they stand: for a pass that has
    put some where it was convenient. Steps with effects stay in their order, and before what was made
    to wait for them; that something pure is done before, nobody can see."""
    makers = block.makers()
    effects = {node: step for step in block.steps if not step.op.pure for node in step.nodes}
    place = {step: at for at, step in enumerate(block.steps)}
    waits: list[set[int]] = []
    behind: list[list[int]] = [[] for _ in block.steps]
    effect: Step | None = None
    for at, step in enumerate(block.steps):
        needs = {makers.get(value) for value in step.values()}
        needs |= {makers.get(block.sizes[symbol][0]) for symbol in step.symbols()}
        needs |= {effects.get(node) for own in step.nodes for node in own.control}
        if not step.op.pure:
            needs.add(effect)
            effect = step
        waits.append({place[need] for need in needs if need is not None and need is not step})
        for need in waits[at]:
            behind[need].append(at)
    ready = [at for at, needs in enumerate(waits) if not needs]
    steps: list[Step] = []
    while ready:
        at = heappop(ready)
        steps.append(block.steps[at])
        for waiting in behind[at]:
            waits[waiting].discard(at)
            if not waits[waiting]:
                heappush(ready, waiting)
    assert len(steps) == len(block.steps), "a block whose steps wait for each other"
    return block.with_steps(steps)


def last_uses(block: Block) -> dict[Value, Step | None]:
    """The step after which each value is needed no more; None if it leaves the run. A value that
    nothing uses is not there."""
    uses: dict[Value, Step | None] = {}
    for step in block.steps:
        for value in step.values():
            uses[value] = step
    for value, _ in block.sizes.values():
        uses.setdefault(value, None)
    for value in block.leaving():
        uses[value] = None
    return uses
