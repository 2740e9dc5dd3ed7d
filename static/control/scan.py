"""`scan` as a node: a loop over a first axis. See `while_loops` for the other kind.

A loop is one node whose op holds the body as a graph. Its gradient is one more loop, which runs
the other way; so every order of derivative exists, and loops may stand inside loops.

A scan exposes what its body's rules will read as hidden outputs, stacked over the steps. They
are there from the beginning, so that asking for a gradient changes no built node; a run computes
those that somebody uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import nest
from shared.dims import Dim, Size, Symbol, evaluate
from shared.errors import ShapeError
from shared.op import Joint, Op, PlannerHints
from shared.ops.control import scan_length
from shared.ops.creation import zeros
from shared.reverse import ReverseVisitor, reverse
from shared.spec import Spec, sizes_match
from static.control.body import Body, BodyOp, Compiler, Part
from static.control.loop import Loop, check_invariant, check_step, graph_of
from static.graph.graph import CONSTANT, Graph, Node, Tensor, building, edge_of, get_default_graph
from static.graph.operands import apply, as_tensor, constant

Triple = tuple[Any, Any, Any]


def scan(
    fn: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    """See `shared.ops.scan`."""
    last, ys, _ = scan_and_sum(lambda c, x: (*fn(c, x), ()), carry, xs, length, reverse)
    return last, ys


def map_fn(fn: Callable[[Any], Any], elems: Any) -> Any:
    """`fn` of each part of `elems` along the first axis, stacked."""
    return scan(lambda carry, x: (carry, fn(x)), (), elems)[1]


def scan_and_sum(
    fn: Callable[[Any, Any], Triple], carry: Any, xs: Any, length: Any, reverse: bool
) -> Triple:
    """A scan whose `fn` gives (carry, y, z); the zs are added up over the steps."""
    firsts, build_carry = nest.flatten(carry)
    columns, build_x = nest.flatten(xs)
    graph = graph_of([*firsts, *columns])
    with building(graph):
        firsts, columns = [as_tensor(v) for v in firsts], [as_tensor(v) for v in columns]
        steps = scan_length(columns, length)
        for column in columns[1:]:
            if not sizes_match(column.shape[0], steps):
                raise ShapeError(f"scan: xs of {steps} and of {column.shape[0]} steps; they must agree")
        body = Body(graph)
        with body.as_default():
            inner = [body.placeholder(t.spec, "carry") for t in firsts]
            parts = [body.placeholder(Spec(t.shape[1:], t.dtype), "x") for t in columns]
            made = fn(build_carry(inner), build_x(parts))
            nexts = [body.operand(v) for v in nest.flatten(made[0])[0]]
            ys, build_y = nest.flatten(made[1])
            sums, build_sums = nest.flatten(made[2])
            check_invariant("scan", inner, nexts)
            loop = Loop(body, inner, parts, nexts, *[[body.operand(v) for v in part] for part in (ys, sums)])
        variables = carry_assigned(loop, firsts)
        outputs = _add(graph, loop, firsts, columns, steps, reverse)
        last, stacked, added, _ = loop.parts(outputs)
        for variable, value in zip(variables, last[len(last) - len(variables) :], strict=True):
            graph.assign(variable, value, body.owner_of(variable, outputs))
    return build_carry(list(last)), build_y(list(stacked)), build_sums(list(added))


def carry_assigned(loop: Loop, firsts: list[Tensor]) -> list[Any]:
    """A variable that the body assigns is carried from step to step, and stored once after."""
    body = loop.body
    for variable, value in body.assigned.items():
        outside = body.outer.read(variable)
        loop.carry.append(body.captures.pop(outside))
        loop.next.append(value)
        firsts.append(outside)
    return list(body.assigned)


def _add(
    graph: Graph, loop: Loop, firsts: Sequence[Tensor], columns: Sequence[Tensor], steps: Size, reverse: bool
) -> Sequence[Tensor]:
    """The node of a finished loop; gives its outputs."""
    loop.body.close()
    loop.hidden = _read_by_rules(loop)
    op = scan_op(loop)
    if not op.outputs:
        return ()
    arguments = [*firsts, *columns, *loop.body.captures]
    made = apply(op, arguments, {"length": steps, "reverse": reverse})
    return [made] if op.single else made


def scan_op(loop: Loop) -> BodyOp:
    """The op that repeats a finished loop, on (first carry, columns, captured Tensors)."""
    names = [f"{kind}{i}" for kind, part in
             (("carry", loop.next), ("y", loop.ys), ("sum", loop.sums), ("hidden", loop.hidden))
             for i in range(len(part))]  # fmt: skip
    inputs = loop.inputs()
    count, results = len(inputs), [*loop.next, *loop.ys, *loop.sums]
    return BodyOp(
        "scan",
        lambda *arrays, compiler, **settings: _run(loop, arrays, compiler, **settings),
        lambda *specs, length, reverse: loop.specs(length),
        Joint(
            lambda g, y, *args, wanted, length, reverse: _gradient(loop, g, y, args, wanted, length, reverse),
            reads=lambda wanted: {*map(str, range(count)), *loop.parts(names)[3]},
        ),
        outputs=tuple(names),
        hints=PlannerHints(selective=True),
        parts={
            "body": Part(
                loop.body, inputs, range(count), results,
                carried=len(loop.next), columns=len(loop.xs), stacked=len(loop.ys), hidden=loop.hidden,
            )
        },
    )  # fmt: skip


def _read_by_rules(loop: Loop) -> list[Tensor]:
    """The values inside the body that the rules of its ops may read."""
    given = {*loop.xs, *loop.body.captures.values()}
    found: dict[Tensor, None] = {}
    for node in loop.body.nodes:
        if isinstance(node.op, Op) and any(edge is not None for edge in node.edges):
            pullback = node.pullback
            read = [x for x, is_read in zip(node.inputs, pullback.reads_inputs, strict=True) if is_read]
            read += [y for y, is_read in zip(node.outputs, pullback.reads_outputs, strict=False) if is_read]
            for tensor in read:
                if isinstance(tensor, Tensor) and tensor not in given and tensor.node.op is not CONSTANT:
                    found[tensor] = None
    return list(found)


def _run(
    loop: Loop, arrays: Sequence[Any], compiler: Compiler, length: int, reverse: bool,
    needed: Sequence[int] | None = None,
) -> Any:
    """The loop itself, on arrays."""
    width, xp = len(loop.carry), compiler.module
    carry, xs, fixed = arrays[:width], arrays[width : width + len(loop.xs)], arrays[width + len(loop.xs) :]
    for x in xs:
        if len(x) != length:
            raise ShapeError(f"scan: xs of {length} and of {len(x)} steps; they must agree")
    results = [*loop.next, *loop.ys, *loop.sums, *loop.hidden]
    asked = range(len(results)) if needed is None else sorted({*range(width), *needed})
    stacked_from, sums = width, range(width + len(loop.ys), width + len(loop.ys) + len(loop.sums))
    step_of = compiler.body(loop.body, loop.inputs(), [results[i] for i in asked], arrays)
    kept: dict[int, Any] = {}
    unsure = loop.unsure()
    order = range(length - 1, -1, -1) if reverse else range(length)
    for t in order:
        step = [x[t, ...] for x in xs]
        values = step_of([*carry, *step, *fixed])
        for i, value in zip(asked, values, strict=True):
            if i < stacked_from:
                continue
            if i in kept and value.shape != (kept[i].shape if i in sums else kept[i].shape[1:]):
                before = kept[i].shape if i in sums else kept[i].shape[1:]
                raise ShapeError(
                    f"scan: step {t} gives {value.shape} where the steps before gave {before}; all steps "
                    "must agree (pad what varies, or reduce it inside the body)"
                )
            if i in sums:
                kept[i] = value if i not in kept else np.add(kept[i], value, out=kept[i])
            else:
                if i not in kept:
                    kept[i] = xp.empty((length, *value.shape), value.dtype)
                kept[i][t] = value
        check_step("scan", unsure, carry, values)
        carry = values[:width]
    if not length:  # no step at all: what it would have given is known from the shapes alone
        sizes = _sizes_of(loop.inputs(), [*carry, *[x[:0].sum(0) for x in xs], *fixed])
        for i in (i for i in asked if i >= width):
            shape = tuple(_size(n, sizes) for n in results[i].shape)
            kept[i] = xp.zeros(shape if i in sums else (0, *shape), results[i].dtype)
        carry = [compiler.copy(value) for value in carry]
    given = [*carry, *(kept.get(i) for i in range(width, len(results)))]
    return given[0] if len(given) == 1 else tuple(given)


def _sizes_of(tensors: Sequence[Tensor], arrays: Sequence[Any]) -> dict[Symbol, int]:
    """The unknown sizes of Tensors, read off their arrays."""
    return {
        symbol: given
        for tensor, array in zip(tensors, arrays, strict=True)
        for size, given in zip(tensor.sizes, array.shape, strict=False)
        if isinstance(size, Dim) and (symbol := size.symbol()) is not None
    }


def _size(size: Size, sizes: dict[Symbol, int]) -> int:
    """A size as an integer; 0 for one that only a step could have measured."""
    known = not isinstance(size, Dim) or all(symbol in sizes for symbol in size.symbols())
    return evaluate(size, sizes) if known else 0


def _gradient(
    loop: Loop, g: Any, y: Any, args: Sequence[Tensor], wanted: Sequence[bool], length: Size, backwards: bool
) -> list[Any]:
    """The gradient: a scan the other way, over the cotangents of one step after the other."""
    y, g = ((y,), (g,)) if isinstance(y, (Tensor, Spec)) else (y, g)
    width = len(loop.carry)
    g_last, g_ys, g_sums, g_hidden = loop.parts(g)
    hidden = dict(zip(loop.hidden, loop.parts(y)[3], strict=True))
    columns = dict(zip(loop.xs, args[width : width + len(loop.xs)], strict=True))
    outside = dict(zip(loop.body.captures.values(), args[width + len(loop.xs) :], strict=True))
    graph = get_default_graph()
    back = Body(graph)
    stacked: list[Tensor] = []
    parts: list[Tensor] = []
    imported: dict[Tensor, Tensor] = {}

    def slice_of(column: Tensor) -> Tensor:
        """What one step sees of a stacked Tensor."""
        stacked.append(column)
        parts.append(back.placeholder(Spec(column.shape[1:], column.dtype), "x"))
        return parts[-1]

    def bring(tensor: Tensor) -> Tensor:
        """A value of the forward body, in the backward one."""
        if tensor not in imported:
            if tensor in outside:
                imported[tensor] = back.capture(outside[tensor])
            elif tensor.node.op is CONSTANT:
                imported[tensor] = constant(tensor.node.settings["value"])
            else:
                imported[tensor] = slice_of(columns[tensor] if tensor in columns else hidden[tensor])
        return imported[tensor]

    floats = [i for i, t in enumerate(loop.carry) if edge_of(t) is not None]
    with back.as_default():
        inner = [back.placeholder(loop.carry[i].spec, "g") for i in floats]
        seeds = [
            (edge_of(t), slice_of(cotangent))
            for t, cotangent in (*zip(loop.ys, g_ys, strict=True), *zip(loop.hidden, g_hidden, strict=True))
            if cotangent is not None
        ]
        added = zip(loop.sums, g_sums, strict=True)
        seeds += [(edge_of(t), back.capture(c)) for t, c in added if c is not None]
        seeds += [(edge_of(loop.next[i]), c) for i, c in zip(floats, inner, strict=True)]
        targets = [t for t, want in zip(loop.inputs(), wanted, strict=True) if want]
        leaves = {t: edge for t in (*targets, *(loop.carry[i] for i in floats)) if (edge := edge_of(t))}
        live = [(edge, c) for edge, c in seeds if edge is not None]
        reached = reverse(live, set(leaves.values()), _Importing(bring))
        found = {t: reached[edge] for t, edge in leaves.items() if edge in reached}
        nexts = [
            found[t] if t in found else zeros(t.shape, t.dtype, like=inner[0])
            for t in (loop.carry[i] for i in floats)
        ]
        g_xs = {t: found[t] for t in loop.xs if t in found}
        g_fixed = {t: found[t] for t in outside if t in found}
        turned = Loop(back, inner, parts, nexts, list(g_xs.values()), list(g_fixed.values()))
    starts = [
        zeros(args[i].shape, args[i].dtype, like=args[i]) if g_last[i] is None else g_last[i] for i in floats
    ]
    made = _add(graph, turned, starts, stacked, length, not backwards)
    g_carry, g_columns, g_captured, _ = turned.parts(made)
    result: dict[Tensor, Tensor] = {
        **dict(zip([loop.carry[i] for i in floats], g_carry, strict=True)),
        **dict(zip(g_xs, g_columns, strict=True)),
        **dict(zip(g_fixed, g_captured, strict=True)),
    }
    return [result.get(t) for t in loop.inputs()]


class _Importing(ReverseVisitor):
    """Back over a body, adding to another one; values cross over when a rule reads them."""

    def __init__(self, bring: Callable[[Tensor], Tensor]) -> None:
        self.bring = bring

    def residuals(self, node: Node) -> tuple[list[Any], list[Any]]:
        pullback = node.pullback
        kept = pullback.reads_outputs or (False,) * len(node.outputs)
        inputs = [
            x if not isinstance(x, Tensor) else self.bring(x) if keep else x.spec
            for x, keep in zip(node.inputs, pullback.reads_inputs, strict=True)
        ]
        outputs = [self.bring(y) if keep else y.spec for y, keep in zip(node.outputs, kept, strict=True)]
        return inputs, outputs
