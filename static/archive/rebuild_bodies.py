"""Loops and branches of an archive: their bodies are built as graphs of their own, checked as
their makers would check them, and handed to these makers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared.spec import Spec, sizes_match
from static.archive.encoding import DEPTH, damaged
from static.archive.ops import COND, SCAN, WHILE
from static.archive.rebuild import Keys, Kinds, Made, Site, applied, at, check_fits, fields, tensor_at
from static.control.body import Body, BodyOp, Part
from static.control.cond import check_alike, cond_op
from static.control.loop import Loop, check_invariant
from static.control.scan import scan_op
from static.control.while_loop import while_op
from static.graph.graph import PLACEHOLDER, Tensor

PART_KEYS: Keys = {
    "inputs": list, "arguments": list, "results": list, "hidden": list, "carried": int, "columns": int,
    "stacked": int, "nodes": list,
}  # fmt: skip


def _scan(site: Site) -> Made:
    (part,) = _parts(site, ["body"])
    inputs, settings = site.inputs, _settings(site, ["length", "reverse"])
    a, b, c = part.carried, part.carried + part.columns, part.carried + part.stacked
    if len(part.inputs) != len(inputs) or b > len(inputs) or c > len(part.results):
        raise damaged("its body does not take or give what the loop does")
    carry, columns = list(part.inputs[:a]), list(part.inputs[a:b])
    _check_each("a carried value", inputs[:a], carry)
    for column, step in zip(inputs[a:b], columns, strict=True):
        if not column.shape or not sizes_match(column.shape[0], settings["length"]):
            raise damaged(f"a column is {column.spec}, and not {settings['length']} long")
        check_fits("a column", Spec(column.shape[1:], column.dtype), step.spec)
    _capture(part.body, inputs[b:], part.inputs[b:])
    check_invariant("scan", carry, list(part.results[:a]))
    return _made(scan_op(Loop.of(part)), {"body": part}, site, settings)


def _while(site: Site) -> Made:
    test, trip = _parts(site, ["cond", "body"])
    inputs, width, tested = site.inputs, trip.carried, len(test.inputs)
    takes = tested + len(trip.inputs) - width
    gives = len(trip.results), len(test.results)
    if not 0 < width <= tested or takes != len(inputs) or gives != (width, 1):
        raise damaged("its bodies do not take or give what the loop does")
    seen, carry, results = list(test.inputs[:width]), list(trip.inputs[:width]), list(trip.results)
    _check_each("a loop variable", inputs[:width], seen)
    _check_each("a loop variable", inputs[:width], carry)
    _capture(test.body, inputs[width:tested], test.inputs[width:])
    _capture(trip.body, inputs[tested:], trip.inputs[width:])
    check_invariant("while_loop", carry, results)
    _check_bool(test.results[0])
    op = while_op(Loop(trip.body, carry, [], results, [], []), test.body, seen, test.results[0])
    return _made(op, {"cond": test, "body": trip}, site, _settings(site, ["maximum"]))


def _cond(site: Site) -> Made:
    yes, no = _parts(site, ["true", "false"])
    _check_bool(site.inputs[0])
    for part in (yes, no):
        _capture(part.body, [site.inputs[i] for i in part.arguments], part.inputs)
    results = [list(yes.results), list(no.results)]
    check_alike(*results)
    op = cond_op([yes.body, no.body], site.inputs[1:], results)
    return _made(op, {"true": yes, "false": no}, site, _settings(site, []))


BODIES: Kinds = {
    kind: (make, {"settings": dict, "bodies": dict})
    for kind, make in ((SCAN, _scan), (WHILE, _while), (COND, _cond))
}
"""The kinds of node that hold bodies."""


def _parts(site: Site, names: list[str]) -> list[Part]:
    """The bodies of a loop or branch, by these names."""
    if not site.inputs or not all(isinstance(x, Tensor) for x in site.inputs):
        raise damaged("it takes nothing, or what is no Tensor")
    if site.depth >= DEPTH:
        raise damaged(f"it stands more than {DEPTH} deep in loops and branches")
    bodies = site.entry.get("bodies", {})
    if list(bodies) != names:
        raise damaged(f"its bodies are {list(bodies)!r:.80}, and should be {names}")
    return [_part(site, name, fields(f"its body {name!r}", bodies[name], PART_KEYS)) for name in names]


def _part(site: Site, name: str, about: Any) -> Part:
    body = Body(site.graph)
    nodes = site.builder.block(body, about["nodes"], site.depth + 1)
    fed = [tensor_at(nodes, [place, 0]) for place in about["inputs"]]
    if len(set(fed)) != len(fed) or {t.node for t in fed} != {n for n in nodes if n.op is PLACEHOLDER}:
        raise damaged(f"the inputs of its body {name!r} are not its placeholders")
    for place in about["arguments"]:
        at(site.inputs, place, "argument")
    counts = {key: about[key] for key in ("carried", "columns", "stacked")}
    if len(about["arguments"]) != len(fed) or min(counts.values()) < 0:
        raise damaged(f"its body {name!r} does not take what is written")
    results, hidden = ([tensor_at(nodes, place) for place in about[key]] for key in ("results", "hidden"))
    return Part(body, fed, about["arguments"], results, hidden=hidden, **counts)


def _settings(site: Site, names: list[str]) -> dict[str, Any]:
    settings = site.settings()
    if sorted(settings) != names:
        raise damaged(f"its settings are {sorted(settings)!r:.80}, and should be {names}")
    return settings


def _capture(body: Body, outside: Sequence[Tensor], inside: Sequence[Tensor]) -> None:
    """The placeholders that stand in the body for Tensors around it."""
    _check_each("what a body captures", outside, inside)
    body.captures.update(zip(outside, inside, strict=True))
    if len(body.captures) != len(inside):
        raise damaged("a body captures one Tensor twice")


def _check_each(what: str, given: Sequence[Tensor], wanted: Sequence[Tensor]) -> None:
    for a, b in zip(given, wanted, strict=True):
        check_fits(what, a.spec, b.spec)


def _check_bool(tensor: Tensor) -> None:
    if tensor.shape != () or tensor.dtype != np.dtype(bool):
        raise damaged(f"its condition is {tensor.spec}, and should be one bool")


def _made(op: BodyOp, parts: dict[str, Part], site: Site, settings: dict[str, Any]) -> Made:
    """The finished op, if all is laid out as it is written."""
    for name, part in parts.items():
        made = op.parts[name]
        same = all(a is b for a, b in zip(made.inputs, part.inputs, strict=True))
        if list(made.arguments) != list(part.arguments) or not same:
            raise damaged(f"the arguments of its body {name!r} are out of order")
    if not op.outputs:
        raise damaged("it gives nothing")
    return applied(op, site.inputs, settings)
