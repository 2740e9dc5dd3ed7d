"""How a case is run on raw arrays, on `dynamic` and on `static`, and what comes out.

For a call f with outputs y_k the laws look at
    L  = sum_k Re <c_k, y_k>       with a random cotangent c_k on every floating output,
    g1 = dL/dx                     for every floating argument x,
    S  = sum Re <u, g1>            with a random u for each x,
    g2 = dS/dx and dS/dc           so the second derivative, and that of the rule by g.
Complex arguments and outputs are floating ones too, of two directions each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import dynamic
import static
from shared import ops
from shared.op import Op
from static.graph.graph import CONSTANT, Tensor
from tests.cases.case import Case

Arrays = list[Any]


@dataclass
class Outcome:
    """What a case gives: outputs, first and second derivatives (None where there is none)."""

    ys: Arrays
    first: Arrays
    second: Arrays

    def flat(self) -> list[tuple[str, Any]]:
        """Every array with the name of what it is."""
        return [
            (f"{kind} {i}", value)
            for kind, values in (("output", self.ys), ("first derivative", self.first),
                                 ("second derivative", self.second))
            for i, value in enumerate(values)
        ]  # fmt: skip


def outputs(result: Any) -> list[Any]:
    """A result as a list of outputs."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def draws(case: Case, arrays: Sequence[Any]) -> tuple[Arrays, Arrays, Arrays]:
    """A random cotangent for each output that carries a gradient, and two random directions
    for the floating arguments; None for the others."""
    rng = case.rng()

    def like(a: Any) -> Any:
        drawn = rng.standard_normal(a.shape)
        return (drawn + 1j * rng.standard_normal(a.shape) if a.dtype.kind == "c" else drawn).astype(a.dtype)

    ys = outputs(case.call(*(dynamic.tensor(a, requires_grad=is_float(a)) for a in arrays)))
    cotangents = [like(y) if y.requires_grad else None for y in ys]
    along = [[like(a) if is_float(a) else None for a in arrays] for _ in range(2)]
    return cotangents, along[0], along[1]


def is_float(array: Any) -> bool:
    return array.dtype.kind in "fc"


def total(values: Sequence[Any], weights: Sequence[Any]) -> Any:
    """sum_i Re <weights_i, values_i> over the pairs that exist; None if there are none."""
    result = None
    for value, weight in zip(values, weights, strict=True):
        if value is not None and weight is not None:
            term = ops.sum(ops.real(value * ops.conj(weight)))
            result = term if result is None else result + term
    return result


def differentiate(
    grad: Any, ys: Arrays, xs: Arrays, cs: Arrays, us: Arrays, second: bool, total: Any = total
) -> tuple[Any, Any]:
    """g1 and g2, in the words of either engine; `grad(y, xs)` gives None for what y lacks."""
    floats = [x for x, u in zip(xs, us, strict=True) if u is not None]
    kept = [c for c in cs if c is not None]
    loss = total(ys, cs)
    if loss is None or not floats:
        return [], []
    first = grad(loss, floats)
    if not second:
        return first, []
    scalar = total(first, [u for u in us if u is not None])
    if scalar is None:
        return first, []
    return first, grad(scalar, [*floats, *kept])


def on_dynamic(case: Case, arrays: Arrays, cs: Arrays, us: Arrays) -> Outcome:
    """The case on the define-by-run engine."""
    xs = [dynamic.tensor(a, requires_grad=is_float(a)) for a in arrays]
    made = outputs(case.call(*xs))
    kept = [None if c is None else dynamic.tensor(c, requires_grad=True) for c in cs]

    def grad(y: Any, xs: Arrays) -> Arrays:
        if not y.requires_grad:
            return [None] * len(xs)
        return dynamic.grad(y, xs, create_graph=True, allow_unused=True)

    first, second = differentiate(grad, made, xs, kept, us, case.second)
    return Outcome(*([v if v is None else v.numpy() for v in part] for part in (made, first, second)))


@dataclass
class Built:
    """A case as a static graph: what to feed, and the Tensors of its outcome."""

    graph: static.Graph
    feeds: dict[Any, Any]
    outcome: Outcome

    def run(self, fetches: Any, level: str = "exact") -> Any:
        with static.Session(graph=self.graph, optimize=level) as session:
            return session.run(fetches, feed_dict=self.feeds)

    def every_value(self) -> dict[Tensor, Any]:
        """What is fed, and what every op of the graph and every constant in it gives, in program order."""
        of_ops = [node for node in self.graph.nodes if isinstance(node.op, Op) or node.op is CONSTANT]
        tensors = [*self.feeds, *(tensor for node in of_ops for tensor in node.outputs)]
        return dict(zip(tensors, self.run(tensors), strict=True))


def on_static(case: Case, arrays: Arrays, cs: Arrays, us: Arrays, known: bool) -> Built:
    """The case as a graph, with known or unknown sizes; nothing has run yet."""
    graph = static.Graph()
    with graph.as_default():
        shapes = case.placeholder_shapes(arrays, known)
        xs = [static.placeholder(a.dtype, s) for a, s in zip(arrays, shapes, strict=True)]
        made = outputs(case.call(*xs))
        kept, sides = beside(made, cs), beside(xs, us)
        first, second = differentiate(static.gradients, made, xs, kept, sides, case.second)
    feeds = {p: a for p, a in [*zip(xs, arrays, strict=True), *zip(kept, cs, strict=True),
                               *zip(sides, us, strict=True)] if p is not None}  # fmt: skip
    return Built(graph, feeds, Outcome(made, first, second))


def beside(tensors: Arrays, arrays: Arrays) -> Arrays:
    """A placeholder of each Tensor's shape for each array that there is."""
    pairs = zip(tensors, arrays, strict=True)
    return [None if a is None else static.placeholder(a.dtype, t.shape) for t, a in pairs]


def run_static(built: Built, level: str = "exact") -> Outcome:
    """The outcome's arrays."""
    present = [t for _, t in built.outcome.flat() if t is not None]
    values = iter(built.run(present, level))
    parts = (built.outcome.ys, built.outcome.first, built.outcome.second)
    return Outcome(*([t if t is None else next(values) for t in part] for part in parts))


def raw_loss(case: Case, arrays: Arrays, cs: Arrays) -> float:
    """L, on raw arrays."""
    ys = outputs(case.call(*arrays))
    return float(np.sum([np.vdot(c, y).real for y, c in zip(ys, cs, strict=True) if c is not None]))


def stepped(arrays: Arrays, along: Arrays, eps: float) -> Arrays:
    """The arguments moved a little along a direction."""
    return [a if v is None else a + eps * v for a, v in zip(arrays, along, strict=True)]


def inner(values: Sequence[Any], along: Sequence[Any]) -> float:
    """sum Re <along, values> over what exists."""
    return float(np.sum([np.vdot(u, v).real for v, u in zip(values, along, strict=True)
                         if v is not None and u is not None]))  # fmt: skip
