"""Products with sums, slices and views of quotients, taken inside: where log sends a cotangent back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from static.compile.block import Step, Value
from static.compile.passes.scaled import placed, scaled
from static.compile.passes.traits import meets
from static.compile.passes.writer import Writer


def through(w: Writer, h: Any, u: Value) -> Value:
    """h * u, where h is a sum, a slice, ... of quotients: the product is taken inside, as far as it goes."""
    if not meets(w.known.of_value(u).above, w.known.of_value(h).below):
        return w("mul", h, u)
    x = scaled(w, h, whole=False)
    if x.below:
        return w.product(w.times(x, scaled(w, u, whole=False)), w("mul", h, u))
    w.look()
    step = w.known.steps[h]
    inside = _THROUGH.get(step.op.name)
    found = None if inside is None else inside(w, step, h, u)
    return w("mul", h, u) if found is None else found


_Through = Callable[[Writer, Step, Value, Value], Value | None]


def _each(w: Writer, step: Step, h: Value, u: Value) -> Value:
    return w(step.op.name, *[through(w, x, u) for x in step.inputs])


def _one_of_two(w: Writer, step: Step, h: Value, u: Value) -> Value:
    a, b = step.inputs
    if w.known.of_value(a).below:
        return w(step.op.name, through(w, a, u), b)
    return w("mul", a, through(w, b, u))


def _inside(back: Callable[[Writer, Step, Value], Value]) -> _Through:
    """Of an op that moves the elements of its first argument: `back` gives u in their places."""

    def taken(w: Writer, step: Step, h: Value, u: Value) -> Value | None:
        if u.spec != h.spec:
            return None
        x, *others = step.inputs
        if others:
            told = scaled(w, u, whole=False)
            others = [placed(w, other, told) for other in others]
        given = Step(step.op, (x, *others), step.settings, step.outputs, step.nodes)
        return w(step.op.name, through(w, x, back(w, given, u)), *others, **step.settings)

    return taken


def _parts(w: Writer, step: Step, h: Value, u: Value) -> Value | None:
    if u.spec != h.spec:
        return None
    axis = step.settings["axis"]
    if step.op.name == "stack":
        parts = w("unbind", u, axis=axis, count=len(step.inputs))
    else:
        parts = w("split", u, sizes=tuple([x.shape[axis] for x in step.inputs]), axis=axis)
    return w(step.op.name, *[through(w, x, part) for x, part in zip(step.inputs, parts, strict=True)],
             **step.settings)  # fmt: skip


def _one_part(w: Writer, step: Step, h: Value, u: Value) -> Value | None:
    """Of one of the parts that a value is split into: with zeros in the places of the others."""
    if u.spec != h.spec:
        return None
    place = step.outputs.index(h)
    parts = [u if i == place else w.all_of(0.0, part) for i, part in enumerate(step.outputs)]
    wide = w("concatenate", *parts, axis=step.settings["axis"])
    return w("split", through(w, step.inputs[0], wide), **step.settings)[place]


def _slice(w: Writer, step: Step, h: Value, u: Value) -> Value | None:
    """Of a slice, in the same way; what is picked by arrays may be there twice."""
    x, *arrays = step.inputs
    if arrays or u.spec != h.spec:
        return None
    index = step.settings["index"]
    wide = w("scatter_index", u, shape=x.shape, index=index)
    return w("getitem", through(w, x, wide), index=index)


def _turned(w: Writer, step: Step, u: Value) -> Value:
    axes = step.settings["axes"]
    return w("transpose", u, axes=tuple([axes.index(i) for i in range(len(axes))]))


def _rolled_back(w: Writer, step: Step, u: Value) -> Value:
    shift = tuple([-by for by in step.settings["shift"]])
    return w("roll", u, shift=shift, axis=step.settings["axis"])


def _chosen(w: Writer, step: Step, h: Value, u: Value) -> Value:
    if step.op.name == "gate":
        return w("gate", through(w, step.inputs[0], u), step.inputs[1])
    mask, a, b = step.inputs
    return w("where", mask, through(w, a, u), through(w, b, u))


_THROUGH: dict[str, _Through] = {
    "add": _each, "sub": _each, "neg": _each, "mul": _one_of_two, "div": _one_of_two,
    "split": _one_part, "getitem": _slice, "concatenate": _parts, "stack": _parts, "gate": _chosen,
    "where": _chosen,
    "broadcast_to": lambda w, step, h, u: through(w, step.inputs[0], u),
    "sum_to": _inside(lambda w, step, u: u),
    "reshape": _inside(lambda w, step, u: w("reshape", u, shape=step.inputs[0].shape)),
    "transpose": _inside(_turned),
    "flip": _inside(lambda w, step, u: w("flip", u, **step.settings)),
    "roll": _inside(_rolled_back),
    "scatter_index": _inside(
        lambda w, step, u: w("getitem", u, *step.inputs[1:], index=step.settings["index"])
    ),
    "scatter_sum": _inside(lambda w, step, u: w("gather", u, step.inputs[1], axis=step.settings["axis"])),
}  # fmt: skip
