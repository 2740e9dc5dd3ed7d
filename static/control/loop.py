"""What a loop repeats, and what holds for loops of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.dims import Dim, Size, dims_in, same_shape
from shared.errors import ShapeError
from shared.op import Op
from shared.spec import Spec, spec_of
from static.control.body import Body, Part
from static.graph.graph import Graph, Node, Tensor, get_default_graph, innermost


@dataclass(eq=False)
class Loop:
    """What a loop repeats. All are Tensors of the body: what each step is given (carry, xs), and
    what it gives: the next carry, ys to be stacked, sums to be added up, and hidden values, which are
    stacked for the loop's gradient. What stands in `xs` or `extra` and is no placeholder, the optimiser
    computes outside of the loop."""

    body: Body
    carry: list[Tensor]
    xs: list[Tensor]
    next: list[Tensor]
    ys: list[Tensor]
    sums: list[Tensor]
    hidden: list[Tensor] = field(default_factory=list)
    extra: list[Tensor] = field(default_factory=list)

    @staticmethod
    def of(part: Part) -> Loop:
        """The loop that a scan repeats, from what the scan's op says of itself."""
        a, b, c = part.carried, part.carried + part.columns, part.carried + part.stacked
        given, results = list(part.inputs), list(part.results)
        return Loop(
            part.body, given[:a], given[a:b], results[:a], results[a:c], results[c:], list(part.hidden),
            given[b + len(part.body.captures) :],
        )  # fmt: skip

    def again(self) -> bool:
        """Whether the gradient makes each step again, from the carried values before it, which are what
        is hidden then: for a loop of whose values some have a size that a step brings about, so that
        those of several steps can not be stacked."""
        return {*self.hidden} <= {*self.carry} and self.varies()

    def varies(self) -> bool:
        """Whether a value that the rules have to do with has a size that a step brings about."""
        given = {symbol for t in self.inputs() for dim in dims_in(t.sizes) for symbol in dim.symbols()}
        for node in differentiable(self.body):
            values = [x for x in (*node.inputs, *node.outputs) if isinstance(x, Tensor)]
            sizes = dims_in([*(t.sizes for t in values), node.inputs, node.settings])
            if not given.issuperset([symbol for dim in sizes for symbol in dim.symbols()]):
                return True
        return False

    def fixed(self) -> list[Tensor]:
        """What is the same in all steps."""
        return [*self.body.captures.values(), *self.extra]

    def inputs(self) -> list[Tensor]:
        """What each step is given."""
        return [*self.carry, *self.xs, *self.fixed()]

    def results(self) -> list[Tensor]:
        """What each step gives."""
        return [*self.next, *self.ys, *self.sums, *self.hidden]

    def unsure(self) -> list[int]:
        """The carried values whose shape only a run can know to stay."""
        pairs = zip(self.carry, self.next, strict=True)
        return [i for i, (before, after) in enumerate(pairs) if not same_shape(before.shape, after.shape)]

    def parts(self, values: Sequence[Any]) -> tuple[Sequence[Any], ...]:
        """The node's outputs as (carry, ys, sums, hidden)."""
        a = len(self.next)
        b = a + len(self.ys)
        c = b + len(self.sums)
        return values[:a], values[a:b], values[b:c], values[c:]

    def specs(self, length: Size) -> Spec | tuple[Spec, ...]:
        """What the node gives."""
        stacked = [Spec((length, *t.shape), t.dtype) for t in (*self.ys, *self.hidden)]
        ys, hidden = stacked[: len(self.ys)], stacked[len(self.ys) :]
        specs = (*(t.spec for t in self.carry), *ys, *(t.spec for t in self.sums), *hidden)
        return specs[0] if len(specs) == 1 else specs


def differentiable(body: Body) -> list[Node]:
    """The nodes of a body through which a cotangent may go."""
    return [
        node for node in body.nodes
        if isinstance(node.op, Op) and any(edge is not None for edge in node.edges)
    ]  # fmt: skip


def graph_of(values: Sequence[Any]) -> Graph:
    """The graph that a node with these inputs goes to."""
    for value in values:
        if isinstance(value, Tensor):
            return innermost(value.graph)
    return get_default_graph()


def check_invariant(call: str, before: Sequence[Tensor], after: list[Tensor]) -> None:
    """What goes round must come round with the same shape and dtype."""
    if len(before) != len(after):
        raise ShapeError(
            f"{call}: {len(before)} values go into the body and {len(after)} come out; return one for each, "
            "in the same order"
        )
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        drifts = len(a.shape) != len(b.shape) or any(map(_surely_differ, a.shape, b.shape))
        if drifts or a.dtype != b.dtype:
            raise ShapeError(_not_invariant(call, i, a.spec, b.spec))


def _not_invariant(call: str, place: int, before: Any, after: Any) -> str:
    return (
        f"{call}: value {place} is not an invariant for the loop. It enters the loop with shape and dtype "
        f"{before} and leaves the body with {after}; cast or reshape it to stay the same"
    )


def _surely_differ(a: Size, b: Size) -> bool:
    """Whether two sizes differ whatever the unknown ones in them are: `n` and `n + 1`; and `n` and `2 n`,
    which are the same for nothing at all alone. (A size that is known to be 0 may be `n` again.)"""
    difference = b - a
    if not isinstance(difference, Dim):
        return difference != 0
    grows = [count > 0 for count in difference.terms.values()]
    unknown = isinstance(a, Dim) and isinstance(b, Dim)
    return len(set(grows)) == 1 and (unknown or () in difference.terms)


def check_step(call: str, unsure: Sequence[int], before: Sequence[Any], after: Sequence[Any]) -> None:
    """The same at run, for the values of which only a run knows."""
    for i in unsure:
        if before[i].shape != after[i].shape:
            raise ShapeError(_not_invariant(call, i, spec_of(before[i]), spec_of(after[i])))
