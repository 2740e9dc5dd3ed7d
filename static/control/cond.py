"""Branches as nodes: `cond` and `case`. A run computes the branch that is chosen, and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from shared import nest, ops
from shared.dims import UNKNOWN_RANK, Dim, same_size
from shared.errors import SettingError, ShapeError
from shared.op import Joint
from shared.ops.complexes import conj
from shared.ops.creation import zeros
from shared.spec import Spec, sizes_match
from static.control.body import Body, BodyOp, Compiler, Part
from static.control.loop import graph_of
from static.control.reach import arguments
from static.control.replay import replay
from static.differentiate import gradients
from static.graph.create import group, identity
from static.graph.effects import Assert, control_dependencies
from static.graph.graph import Node, Tensor, building, edge_of
from static.graph.operands import as_tensor, constant


def cond(
    pred: Any, true_fn: Callable[..., Any], false_fn: Callable[..., Any], args: Sequence[Any] = ()
) -> Any:
    """`true_fn(*args)` or `false_fn(*args)`, by `pred`, one bool, when the graph runs.

    Both functions are called now, once, to build their graphs. They give Tensors of the same
    structure, shapes and dtypes, operations, or nothing at all; what they assign is assigned only if the
    branch is taken.
    """
    graph = graph_of([pred, *nest.flatten(list(args))[0]])
    with building(graph):
        pred = _without_axes(pred)
        if pred.shape != () or pred.dtype != np.dtype(bool):
            raise SettingError(f"cond: pred must be one bool, not {pred.spec}; compare, or reduce it")
        bodies, results, builds = [], [], []
        operations: set[int] = set()
        for fn in (true_fn, false_fn):
            body = Body(graph)
            with body.as_default():
                values, build = nest.flatten(fn(*args))
                operations |= {i for i, v in enumerate(values) if isinstance(v, Node)}
                results.append([body.operand(_done(v) if isinstance(v, Node) else v) for v in values])
            bodies.append(body)
            builds.append(build)
        check_alike(*results)
        shown = len(results[0])
        variables = dict.fromkeys([*bodies[0].assigned, *bodies[1].assigned])
        for body, values in zip(bodies, results, strict=True):
            with body.as_default():
                values.extend(body.read(variable) for variable in variables)
        outputs = _add(pred, bodies, results)
        for variable, value in zip(variables, outputs[shown:], strict=True):
            update = not any(variable in body.asked for body in bodies)
            graph.assign(variable, value, value.node, update)
        given = [group(y) if i in operations else y for i, y in enumerate(outputs[:shown])]
    return builds[0](given)


def _without_axes(pred: Any) -> Tensor:
    """A bool as a Tensor; a placeholder that was given no shape is one, here."""
    tensor = as_tensor(pred)
    return ops.reshape(tensor, ()) if tensor.shape is UNKNOWN_RANK else tensor


def _done(operation: Node) -> Tensor:
    """A Tensor that a run makes once it has run an operation, in whose place it is a branch's result."""
    with control_dependencies([operation]):
        return identity(constant(True))


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = None,
) -> Any:
    """What the function of the first true `pred` gives, else `default()`.

    pred_fn_pairs  (pred, function) pairs, or a dict of them, in its order
    default        if None, one pred has to be true: CheckFailedError in a run in which none is
    exclusive      whether not more than one may be: CheckFailedError where two are
    strict, name   change nothing: structures are always kept
    """
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, Mapping) else pred_fn_pairs)
    if not pairs and default is not None:
        return default()
    if not pairs:
        raise SettingError("case: there is nothing to choose from; give (pred, function) pairs, or a default")
    preds = [_without_axes(pred) for pred, _ in pairs]
    checks = []
    if exclusive:
        true = ops.sum(ops.stack(preds))
        checks.append(Assert(ops.less_equal(true, 1), preds, "case: more than one pred is true"))
    if default is None:
        some = ops.any(ops.stack(preds))
        checks.append(Assert(some, preds, "case: no pred is true, and there is no default"))
        default = pairs.pop()[1]
    with control_dependencies(checks):
        return _chosen(pairs, default)


def _chosen(pairs: Sequence[tuple[Any, Callable[[], Any]]], default: Callable[[], Any]) -> Any:
    if not pairs:
        return default()
    (pred, fn), *rest = pairs
    return cond(pred, fn, lambda: _chosen(rest, default))


def check_alike(yes: list[Tensor], no: list[Tensor]) -> None:
    """ShapeError unless two branches give the same shapes and dtypes."""
    same = len(yes) == len(no)
    for a, b in zip(yes, no, strict=False):
        same = same and len(a.shape) == len(b.shape) and all(map(sizes_match, a.shape, b.shape))
        same = same and a.dtype == b.dtype
    if not same:
        listed = " and ".join("(" + ", ".join(str(t.spec) for t in part) + ")" for part in (yes, no))
        raise ShapeError(
            f"cond: the two branches must give the same shapes and dtypes, but they give {listed}; "
            "cast or reshape what one of them returns"
        )


def _joined(a: Spec, b: Spec) -> Spec:
    """A Spec that holds for both: a size that differs is measured at run."""
    sizes = zip(a.shape, b.shape, strict=True)
    return Spec(tuple(m if same_size(m, n) else Dim() for m, n in sizes), a.dtype)


def _add(pred: Tensor, bodies: list[Body], results: list[list[Tensor]]) -> Sequence[Tensor]:
    """The node; its inputs are pred and all that either branch captures."""
    for body in bodies:
        body.close()
    if not results[0]:
        return ()
    outside = _captured(bodies)
    return cond_op(bodies, outside, results).made([pred, *outside], {})


def _captured(bodies: Sequence[Body]) -> list[Tensor]:
    """What any of the bodies takes from around."""
    return list(dict.fromkeys(tensor for body in bodies for tensor in body.captures))


def cond_op(bodies: list[Body], outside: Sequence[Tensor], results: list[list[Tensor]]) -> BodyOp:
    """The op that does one of two finished bodies, true and false, on (pred, *outside), where all
    that either of them captured is in `outside`."""
    places = [[i for i, t in enumerate(outside) if t in body.captures] for body in bodies]
    fed = [[body.captures[outside[i]] for i in at] for body, at in zip(bodies, places, strict=True)]
    single = len(results[0]) == 1
    parts = {
        name: Part(bodies[k], fed[k], [1 + i for i in places[k]], results[k])
        for k, name in enumerate(("true", "false"))
    }

    def infer(*_: Any) -> Any:
        specs = tuple(_joined(a.spec, b.spec) for a, b in zip(*results, strict=True))
        return specs[0] if single else specs

    def run(chosen: Any, *arrays: Any, compiler: Compiler) -> Any:
        branch = 0 if bool(chosen) else 1
        given = [arrays[i] for i in places[branch]]
        values = compiler.body(bodies[branch], fed[branch], results[branch], given)(given)
        return values[0] if len(values) == 1 else tuple(values)

    def pull(g: Any, y: Any, chosen: Tensor, *args: Tensor, wanted: Any) -> list[Any]:
        gs = (g,) if single else g
        reached = arguments(parts, [k for k, cotangent in enumerate(gs) if cotangent is not None])
        by = [i for i, want in enumerate(wanted[1:]) if want and 1 + i in reached]
        if not by:
            return [None] * len(wanted)
        yes, no = (_backward(bodies[k], fed[k], places[k], results[k], gs, args, by) for k in (0, 1))
        found = dict(zip(by, cond(chosen, yes, no), strict=True))
        return [None, *(found.get(i) for i in range(len(args)))]

    return BodyOp(
        "cond",
        run,
        infer,
        Joint(pull, reads=lambda wanted: set(map(str, range(len(wanted)))) | {"chosen"}),
        outputs=tuple(f"y{i}" for i in range(len(results[0]))),
        parts=parts,
        remake=_remake,
    )


def _remake(parts: dict[str, Part], inputs: Sequence[Tensor]) -> tuple[BodyOp, list[Tensor]]:
    bodies = [part.body for part in parts.values()]
    outside = _captured(bodies)
    op = cond_op(bodies, outside, [list(part.results) for part in parts.values()])
    return op, [inputs[0], *outside]


def _backward(
    body: Body, fed: list[Tensor], places: list[int], results: list[Tensor], gs: Sequence[Any],
    args: Sequence[Tensor], by: list[int],
) -> Callable[[], list[Tensor]]:  # fmt: skip
    """The gradient of one branch: computed again and walked back, where it is chosen."""
    def branch() -> list[Tensor]:
        values = [as_tensor(arg) for arg in args]
        made = replay(body, {p: values[i] for p, i in zip(fed, places, strict=True)}, results)
        pairs = [(made[y], None if g is None else as_tensor(g)) for y, g in zip(results, gs, strict=True)]
        return _full_gradients(pairs, [values[i] for i in by])

    return branch


def _full_gradients(pairs: Sequence[tuple[Tensor, Any]], xs: Sequence[Tensor]) -> list[Tensor]:
    """The derivatives of the ys of (y, cotangent) pairs by each x, with zeros where there is none; as rules
    know both, which of complex values are the conjugates of gradients."""
    live = [(y, conj(g)) for y, g in pairs if g is not None and edge_of(y) is not None]
    found = gradients([y for y, _ in live], list(xs), [g for _, g in live]) if live else [None] * len(xs)
    return [zeros(x.shape, x.dtype, like=x) if g is None else conj(g) for x, g in zip(xs, found, strict=True)]
