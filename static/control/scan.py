"""`scan` as a node: a loop over a first axis. See `while_loop` for the other kind.

A loop is one node whose op holds the body as a graph. Its gradient is one more loop, which runs
the other way; so every order of derivative exists, and loops may stand inside loops.

A scan exposes what its gradient will read as hidden outputs, stacked over the steps: what its body's
rules read, or, where sizes inside may differ from step to step and can not be stacked, the carry
before each step alone, from which the gradient makes the step again. They are there from the
beginning, so that asking for a gradient changes no built node; a run computes those that somebody
uses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared import nest
from shared.dims import Size
from shared.errors import ShapeError
from shared.op import Joint, PlannerHints
from shared.ops.control import scan_length
from shared.ops.creation import zeros
from shared.reverse import ReverseVisitor, reverse
from shared.spec import Spec, sizes_match
from static.control.body import Body, BodyOp, Part
from static.control.loop import Loop, check_invariant, differentiable, graph_of
from static.control.reach import carried
from static.control.repeat import run_scan
from static.control.replay import replay
from static.differentiate import shaped_like
from static.graph.graph import CONSTANT, Graph, Node, Tensor, building, edge_of, get_default_graph, symbols_of
from static.graph.operands import as_tensor, constant
from static.graph.select import defining, select


def scan(
    fn: Callable[[Any, Any], tuple[Any, Any]], carry: Any, xs: Any, length: Any = None, reverse: bool = False
) -> tuple[Any, Any]:
    """See `shared.ops.scan`."""
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
            check_invariant("scan", inner, nexts)
            loop = Loop(body, inner, parts, nexts, [body.operand(v) for v in ys], [])
        variables = carry_assigned(loop, firsts)
        outputs = _add(graph, loop, firsts, columns, steps, reverse)
        last, stacked, _, _ = loop.parts(outputs)
        for variable, value in zip(variables, last[len(last) - len(variables) :], strict=True):
            graph.assign(variable, value, value.node, variable not in body.asked)
    return build_carry(list(last)), build_y(list(stacked))


def map_fn(fn: Callable[[Any], Any], elems: Any) -> Any:
    """`fn` of each part of `elems` along the first axis, stacked."""
    return scan(lambda carry, x: (carry, fn(x)), (), elems)[1]


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
    loop.hidden = list(loop.carry) if loop.varies() else _read_by_rules(loop)
    op = scan_op(loop)
    if not op.outputs:
        return ()
    return op.made([*firsts, *columns, *loop.body.captures], {"length": steps, "reverse": reverse})


def scan_op(loop: Loop) -> BodyOp:
    """The op that repeats a finished loop, on (first carry, columns, captured Tensors)."""
    names = [f"{kind}{i}" for kind, part in
             (("carry", loop.next), ("y", loop.ys), ("sum", loop.sums), ("hidden", loop.hidden))
             for i in range(len(part))]  # fmt: skip
    inputs = loop.inputs()
    count, results = len(inputs), [*loop.next, *loop.ys, *loop.sums]
    always = len(loop.next) if loop.body.pure else len(results)
    return BodyOp(
        "scan",
        lambda *arrays, compiler, **settings: run_scan(loop, always, arrays, compiler, **settings),
        lambda *specs, length, reverse: loop.specs(length),
        Joint(
            lambda g, y, *args, wanted, length, reverse: gradient(
                loop, g, y, args, wanted, length, reverse, loop.again()
            ),
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
        remake=_remake,
    )  # fmt: skip


def _remake(parts: dict[str, Part], inputs: Sequence[Tensor]) -> tuple[BodyOp, list[Tensor]]:
    loop = Loop.of(parts["body"])
    return scan_op(loop), [*inputs[: len(loop.carry) + len(loop.xs)], *loop.body.captures]


def _read_by_rules(loop: Loop) -> list[Tensor]:
    """The values inside the body that the rules of its ops may read."""
    given = {*loop.xs, *loop.body.captures.values()}
    found: dict[Tensor, None] = {}
    for node in differentiable(loop.body):
        pullback = node.pullback
        read = [x for x, is_read in zip(node.inputs, pullback.reads_inputs, strict=True) if is_read]
        read += [y for y, is_read in zip(node.outputs, pullback.reads_outputs, strict=False) if is_read]
        for tensor in read:
            if isinstance(tensor, Tensor) and tensor not in given and tensor.node.op is not CONSTANT:
                found[tensor] = None
    return list(found)


def gradient(
    loop: Loop, g: Any, y: Any, args: Sequence[Tensor], wanted: Sequence[bool], length: Size, backwards: bool,
    again: bool,
) -> list[Any]:  # fmt: skip
    """The gradient: a scan the other way, over the cotangents of one step after the other.

    again: whether each step is made again from what it was given, instead of having left behind what
    the rules read.
    """
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

    others = zip((*loop.ys, *loop.sums, *loop.hidden), (*g_ys, *g_sums, *g_hidden), strict=True)
    last = {i for i, cotangent in enumerate(g_last) if cotangent is not None}
    floats, _ = carried(loop.carry, loop.next, last, [t for t, cotangent in others if cotangent is not None])
    with back.as_default():
        inner = [back.placeholder(loop.carry[i].spec, "g") for i in floats]
        seeds = [
            (t, slice_of(cotangent))
            for t, cotangent in (*zip(loop.ys, g_ys, strict=True), *zip(loop.hidden, g_hidden, strict=True))
            if cotangent is not None
        ]
        added = zip(loop.sums, g_sums, strict=True)
        seeds += [(t, back.capture(c)) for t, c in added if c is not None]
        seeds += [(loop.next[i], c) for i, c in zip(floats, inner, strict=True)]
        here = _made_again(loop, bring, [t for t, _ in seeds]) if again else {}
        seeds = [(here.get(t, t), c) for t, c in seeds]
        targets = [t for t, want in zip(loop.inputs(), wanted, strict=True) if want]
        leaves = {
            t: edge for t in (*targets, *(loop.carry[i] for i in floats))
            if (edge := edge_of(here.get(t, t)))
        }
        live = [(edge, shaped_like(c, t)) for t, c in seeds if (edge := edge_of(t)) is not None]
        reached = reverse(live, set(leaves.values()), _Importing((lambda x: x) if again else bring))
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


def _made_again(
    loop: Loop, bring: Callable[[Tensor], Tensor], results: Sequence[Tensor]
) -> dict[Tensor, Tensor]:
    """What a step makes on the way to some of its results, made once more of what it is given."""
    given = loop.inputs()
    needed = select(loop.body, results, given).nodes
    sizes = {symbol for node in needed for symbol in symbols_of(node)}
    used = {*results, *(x for node in needed for x in node.inputs if isinstance(x, Tensor))}
    used.update(x for symbol in sizes if (x := defining(loop.body, symbol, set(given))) is not None)
    return replay(loop.body, {t: bring(t) for t in given if t in used}, results)


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
