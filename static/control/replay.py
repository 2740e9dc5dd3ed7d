"""What a body does, built once more in the graph at hand on other inputs: for gradients that compute
it again.

An unknown size of the body is then another one, that of what is given or what is made again: it is
read off there (`Sizes`). A loop or branch inside that would be given other sizes than it was made for
is made again for these. Nothing that only looks at values (Print, Assert) is done a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.dims import UNKNOWN_RANK, Dim, Shape, Size, same_shape
from shared.op import Op
from shared.sizes.atoms import Symbol
from shared.spec import Spec
from static.control.body import Body, BodyOp, Part
from static.graph.effects import LOOKING
from static.graph.graph import Node, Tensor, get_default_graph
from static.graph.operands import apply, constant
from static.graph.select import select


class Sizes(dict[Symbol, Size]):
    """What the unknown sizes of a body are where it is built again."""

    def learn(self, inside: Shape, outside: Shape) -> None:
        """Sizes of a body's value, and those of what stands for it."""
        if inside is UNKNOWN_RANK or outside is UNKNOWN_RANK:
            return
        for size, given in zip(inside, outside, strict=True):
            symbol = size.symbol() if isinstance(size, Dim) else None
            if symbol is not None and (symbol not in self or isinstance(given, int)):
                self[symbol] = given

    def of(self, value: Any) -> Any:
        """A setting, shape or number with these sizes in it."""
        if isinstance(value, Dim):
            return value.replaced(self)
        if isinstance(value, (tuple, list)):
            return type(value)([self.of(part) for part in value])
        if isinstance(value, slice):
            return slice(*[self.of(part) for part in (value.start, value.stop, value.step)])
        if isinstance(value, dict):
            return {key: self.of(part) for key, part in value.items()}
        return value


def replay(body: Body, given: Mapping[Tensor, Any], results: Sequence[Tensor]) -> dict[Tensor, Any]:
    """What stands for the values of a body that its results need, if `given` stands for its placeholders."""
    made: dict[Tensor, Any] = dict(given)
    sizes = Sizes()
    for inside, outside in given.items():
        sizes.learn(inside.shape, outside.shape)
    for node in select(body, results, list(given)).nodes:
        if not node.outputs or node.outputs[0] in made:
            continue
        for old, new in zip(node.outputs, _again(node, made, sizes), strict=True):
            sizes.learn(old.shape, new.shape)
            made[old] = new
    return made


def _again(node: Node, made: Mapping[Tensor, Any], sizes: Sizes) -> Sequence[Any]:
    op, settings = node.op, sizes.of(node.settings)
    if not isinstance(op, Op):
        return [constant(node.settings["value"])]
    inputs = [made[x] if isinstance(x, Tensor) else sizes.of(x) for x in node.inputs]
    if op in LOOKING:
        return inputs[:1]
    if isinstance(op, BodyOp):
        if not op.pure or not _fits(op, inputs):
            op, inputs = _remade(op, inputs)
        return op.made(inputs, settings)
    y = apply(op, inputs, settings)
    again = [y] if op.single else y
    for old, new in zip(node.outputs, again, strict=True):
        _tell(old, new)
    return again


def _tell(old: Tensor, new: Tensor) -> None:
    """What `set_shape` has said of a Tensor holds of what stands for it."""
    known = [size if isinstance(size, int) else None for size in old.sizes]
    if old.shape is not UNKNOWN_RANK and (
        new.shape is UNKNOWN_RANK
        or any(a is not None and isinstance(b, Dim) for a, b in zip(known, new.shape, strict=True))
    ):
        new.set_shape(known)


def _fits(op: BodyOp, inputs: Sequence[Tensor]) -> bool:
    """Whether what a loop or branch would be given has the sizes for which it was made."""
    return all(
        same_shape(tensor.shape, shape)
        for part in op.parts.values()
        for tensor, shape in _given(part, inputs)
    )


def _given(part: Part, inputs: Sequence[Tensor]) -> list[tuple[Tensor, Shape]]:
    """The inputs of a part, and the shapes of what they would be given."""
    columns = range(part.carried, part.carried + part.columns)
    shapes = [inputs[place].shape for place in part.arguments]
    shapes = [shape[1:] if i in columns else shape for i, shape in enumerate(shapes)]
    return list(zip(part.inputs, shapes, strict=True))


def _remade(op: BodyOp, inputs: Sequence[Tensor]) -> tuple[BodyOp, list[Tensor]]:
    """A loop or branch with bodies for other inputs, and these."""
    return op.remake({name: _remade_part(part, inputs) for name, part in op.parts.items()}, inputs)


def _remade_part(part: Part, inputs: Sequence[Tensor]) -> Part:
    body = Body(get_default_graph())
    with body.as_default():
        own = [body.placeholder(Spec(shape, t.dtype), t.node.name) for t, shape in _given(part, inputs)]
        made = replay(part.body, dict(zip(part.inputs, own, strict=True)), [*part.results, *part.hidden])
    captured = set(part.body.captures.values())
    for old, new, place in zip(part.inputs, own, part.arguments, strict=True):
        if old in captured:
            body.captures[inputs[place]] = new
    body.close()
    results, hidden = ([made[t] for t in tensors] for tensors in (part.results, part.hidden))
    return replace(part, body=body, inputs=own, results=results, hidden=hidden)
