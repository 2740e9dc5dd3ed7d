"""What a value is as a factor times an exponential, by the op that made it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shared.op import exact
from static.compile.block import Step, Value
from static.compile.passes.traits import MOVES, ORDERS, POWERS, UNBOUNDED, Terms, complement, power_of
from static.compile.passes.writer import Scaled, Unsaid, Writer, log_of


def scaled(w: Writer, value: Any, whole: bool = True) -> Scaled:
    """A value as a factor times an exponential, as far as that is known of it.

    whole: whether its logarithm is wanted, or its reciprocal: then no sum of exponentials may have
    gone to 0 before.
    """
    traits = w.known.of_value(value)
    if not (traits.above or traits.below):
        return Scaled(value)
    w.look()
    step = w.known.steps[value]
    say = _SAID.get(step.op.name)
    return Scaled(value) if say is None else say(w, step, value, whole)


_Say = Callable[[Writer, Step, Value, bool], Scaled]


def _pure(w: Writer, value: Any, whole: bool = True) -> Terms:
    """The terms of a value that has no factor but a number."""
    x = scaled(w, value, whole)
    if isinstance(x.factor, Value):
        raise Unsaid
    number = 0.0 if x.factor is None else log_of(x.factor)
    return {**x.terms, None: x.terms.get(None, 0.0) + number} if number else x.terms


def _exp(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    return Scaled(None, w.known.logs(step.inputs[0]))


def _seed(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    return Scaled(None, {w(f"log_{step.op.name}", *step.inputs, **step.settings): 1.0})


def _mul(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    a, b = step.inputs
    return w.times(scaled(w, a, whole), scaled(w, b, whole))


def _div(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    a, b = step.inputs
    return w.times(scaled(w, a, whole), scaled(w, b), -1)


def _neg(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    x = scaled(w, step.inputs[0], whole)
    factor = w("neg", x.factor) if isinstance(x.factor, Value) else -1.0 * (x.factor or 1.0)
    return Scaled(factor, x.terms, x.sparse)


def _power(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    power = power_of(step)
    assert power is not None
    return Scaled(None, {term: count * power for term, count in _pure(w, step.inputs[0]).items()})


def _add(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    a, b = step.inputs
    if not w.known.of_value(value).pure or complement(step, w.known):
        return _sub(w, step, value, whole)
    if w.known.is_one(a) or w.known.is_one(b):
        other = b if w.known.is_one(a) else a
        return Scaled(None, {w("softplus", w.at(w.total(_pure(w, other)), other)): 1.0})
    logs = [w.at(w.total(_pure(w, x)), x) for x in (a, b)]
    return Scaled(None, {w("logsumexp", w("stack", *logs, axis=0), axis=(0,), keepdims=False): 1.0})


def _sub(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    """1 - sigmoid(x) = sigmoid(-x); 1 - tanh(x) = 2 sigmoid(-2x); of the square the product of both."""
    found = complement(step, w.known)
    if found is None:
        return Scaled(value)
    name, x = found
    if name == "sigmoid":
        return Scaled(None, {w("log_sigmoid", w("neg", x)): 1.0})
    right = w("log_sigmoid", w("mul", x, -2.0))
    if name == "tanh":
        return Scaled(2.0, {right: 1.0})
    return Scaled(4.0, {w("log_sigmoid", w("mul", x, 2.0)): 1.0, right: 1.0})


def _slope(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    """sigmoid(x) sigmoid(-x)."""
    x = step.inputs[0]
    return Scaled(None, {w("log_sigmoid", x): 1.0, w("log_sigmoid", w("neg", x)): 1.0})


def _moved(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    x, *others = step.inputs
    inside = scaled(w, x, whole)
    if step.op.name == "broadcast_to":
        return inside
    place = step.outputs.index(value)
    others = [placed(w, other, inside) for other in others]

    def move(part: Any) -> Any:
        part = w.at(part, x)
        back = w.known.of(part, step.op.name) if step.op.name in _UNDONE else None
        if back is not None and back.inputs[0].spec == value.spec and _returns(step, back):
            return back.inputs[0]
        found = w(step.op.name, part, *others, **step.settings)
        return found if step.op.single else found[place]

    terms = {None if term is None else move(term): count for term, count in inside.terms.items()}
    factor = move(inside.factor) if isinstance(inside.factor, Value) else inside.factor
    return Scaled(factor, terms, inside.sparse)


def placed(w: Writer, index: Any, picked: Scaled) -> Any:
    """Places that were found by the order of what is picked by them: found by that of its logarithms, for
    what has gone to 0 has no order any more."""
    step = w.known.steps.get(index) if isinstance(index, Value) else None
    if step is None or index.dtype.kind not in "iu":
        return index
    w.look()
    if step.op.name not in ORDERS:
        inputs = [placed(w, x, picked) for x in step.inputs]
        if all([a is b for a, b in zip(inputs, step.inputs, strict=True)]):
            return index
        found = w(step.op.name, *inputs, **step.settings)
        return found if step.op.single else found[step.outputs.index(index)]
    x = step.inputs[0]
    terms = _pure(w, x) if w.known.of_value(x).pure else {}
    if not {*picked.terms} & {*terms} - {None}:
        return index
    return w(step.op.name, w.at(w.total(terms), x), **step.settings)


_UNDONE = ("reshape", "transpose", "flip", "roll")


def _returns(step: Step, before: Step) -> bool:
    """Whether a step gives elements the places that they had before another of its kind."""
    if step.op.name == "roll":
        back = tuple([-by for by in before.settings["shift"]]), before.settings["axis"]
        return exact(back) == exact((step.settings["shift"], step.settings["axis"]))
    if step.op.name == "transpose":
        axes = step.settings["axes"]
        return [before.settings["axes"][axis] for axis in axes] == list(range(len(axes)))
    return step.op.name == "reshape" or exact(step.settings["axis"]) == exact(before.settings["axis"])


def _scattered(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    """Where the terms were picked by the same index, those that they were picked from."""
    x, *others = step.inputs
    inside = scaled(w, x, whole)
    terms: Terms = {}
    for term, count in inside.terms.items():
        if term is None:
            terms[None] = count
            continue
        maker = w.known.steps.get(term)
        if maker is None:
            return Scaled(value)
        others = [placed(w, other, Scaled(None, {maker.inputs[0]: 1.0})) for other in step.inputs[1:]]
        if not _undoes(step, others, maker):
            return Scaled(value)
        wide = w.known.of(maker.inputs[0], "broadcast_to")
        terms[maker.inputs[0] if wide is None else wide.inputs[0]] = count
    if not isinstance(inside.factor, Value):
        return Scaled(value)
    return Scaled(w(step.op.name, w.at(inside.factor, x), *others, **step.settings), terms, sparse=True)


def _undoes(scatter: Step, places: list[Any], pick: Step) -> bool:
    """Whether one step puts back to some places what the other picked."""
    names = {"scatter_index": ("getitem", "index"), "scatter_sum": ("gather", "axis")}
    name, setting = names[scatter.op.name]
    same = pick.op.name == name and [*pick.inputs[1:]] == places
    return same and exact(pick.settings[setting]) == exact(scatter.settings[setting])


def _gate(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    x = scaled(w, step.inputs[0], whole)
    if not isinstance(x.factor, Value):
        return Scaled(value)
    mask = w.known.of(step.inputs[1], "not_equal")
    if mask is not None and mask.inputs[0] is x.factor and exact(mask.inputs[1]) == exact(0):
        return Scaled(x.factor, x.terms, sparse=True)
    return Scaled(w("gate", w.at(x.factor, step.inputs[0]), step.inputs[1]), x.terms, sparse=True)


def _where(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    mask, *parts = step.inputs
    said = [scaled(w, part, whole) for part in parts]
    if any([isinstance(x.factor, Value) for x in said]):
        logs = [w.total(x.terms) for x in said]
        factors = [1.0 if x.factor is None else x.factor for x in said]
        return Scaled(w("where", mask, *factors), {w("where", mask, *logs): 1.0}, sparse=True)
    if any([x.factor is not None and x.factor < 0 for x in said]):
        return Scaled(value)
    return Scaled(None, {w("where", mask, *[w.total(_pure(w, part, whole)) for part in parts]): 1.0})


def _joined(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    if w.known.of_value(value).pure:
        logs = [w.at(w.total(_pure(w, x)), x) for x in step.inputs]
        return Scaled(None, {w(step.op.name, *logs, **step.settings): 1.0})
    said = [scaled(w, x, whole) for x in step.inputs]
    sign = -1.0 if any([part.below for part in said]) else 1.0
    totals: list[Value] = []
    factors: list[Value] = []
    for part, x in zip(said, step.inputs, strict=True):
        total = w.total({term: sign * count for term, count in part.terms.items()})
        factor = 1.0 if part.factor is None else part.factor
        for values, found in ((totals, total), (factors, factor)):
            values.append(w.at(found, x) if isinstance(found, Value) else w.all_of(found, x))
    terms = {w(step.op.name, *totals, **step.settings): sign}
    return Scaled(w(step.op.name, *factors, **step.settings), terms, sparse=True)


def _extreme(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    x = step.inputs[0]
    return Scaled(None, {w(step.op.name, w.at(w.total(_pure(w, x)), x), **step.settings): 1.0})


def _bounded(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    logs: list[Any] = [w.at(w.total(_pure(w, step.inputs[0])), value)]
    for x in step.inputs[1:]:
        if isinstance(x, Value):
            logs.append(w.at(w.total(_pure(w, x)), x))
        else:
            logs.append(log_of(max(x, 0)))  # a bound below 0 bounds nothing
    return Scaled(None, {w(step.op.name, *logs): 1.0})


def _prod(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    x = step.inputs[0]
    return Scaled(None, {w("sum", w.at(w.total(_pure(w, x)), x), **step.settings): 1.0})


def _summed(w: Writer, step: Step, value: Value, whole: bool) -> Scaled:
    """The logarithm of a sum of exponentials. With factors, what those that have one add up to is taken out
    first; of a sum that is to be multiplied, and can not overflow, only what all of it shares, unless it is
    divided by that."""
    x = step.inputs[0]
    over = _axes(step, x)
    if over is None:
        return Scaled(value)
    axes, keepdims = over
    reduce = "mean" if step.op.name == "mean" else "sum"
    given: dict[str, Any] = {"axis": axes, "keepdims": keepdims}
    inside = scaled(w, x, whole)
    if not isinstance(inside.factor, Value) and reduce == "sum":
        return Scaled(inside.factor, {w("logsumexp", w.at(w.total(inside.terms), x), **given): 1.0})
    shared = {term: n for term, n in inside.terms.items() if _constant_over(term, axes, x)}
    own = {term: n for term, n in inside.terms.items() if term not in shared}
    kept = {
        term if term is None or keepdims else w("max", term, **given): n for term, n in shared.items()
    }  # fmt: skip
    if not own and not isinstance(inside.factor, Value):
        return Scaled(value)
    bounded = not w.known.of_value(x).above & UNBOUNDED and all([n > 0 for n in own.values()])
    divided = any([n < 0 for n in shared.values()])  # by what may be as small as the sum
    if not own or (bounded and not whole and not divided):
        each = w.product(Scaled(inside.factor, own, inside.sparse), x)
        return Scaled(w(reduce, each, **given), kept, inside.sparse)
    logs = w.at(w.total(own), x)
    if isinstance(inside.factor, Value):
        logs = w("where", w("not_equal", inside.factor, 0), logs, -math.inf)
    top = w("logsumexp", logs, axis=axes, keepdims=True)
    top = w("where", w("isfinite", top), top, 0.0)
    each = w("exp", w("sub", logs, top))
    if inside.factor is not None:
        each = w("mul", inside.factor, each)
    out = top if keepdims else w("max", top, **given)
    kept[out] = kept.get(out, 0.0) + 1
    return Scaled(w(reduce, each, **given), kept, sparse=True)


def _axes(step: Step, x: Value) -> tuple[tuple[int, ...], bool] | None:
    """The axes that a step sums over, and whether they stay; None if that is not as simple."""
    if step.op.name != "sum_to":
        return step.settings["axis"], step.settings["keepdims"]
    shape = step.settings["shape"]
    if len(shape) != len(x.shape):
        return None
    ones = [isinstance(size, int) and size == 1 for size in shape]
    return tuple([axis for axis, one in enumerate(ones) if one]), True


def _constant_over(term: Value | None, axes: tuple[int, ...], x: Value) -> bool:
    """Whether a term is the same all along these axes."""
    if term is None:
        return True
    ones = [isinstance(size, int) and size == 1 for size in term.shape]
    return len(ones) == len(x.shape) and all([ones[axis] for axis in axes])


_SAID: dict[str, _Say] = {
    "exp": _exp, "softmax": _seed, "sigmoid": _seed, "sigmoid_slope": _slope, "mul": _mul,
    "div": _div, "neg": _neg, "add": _add, "sub": _sub,
    "gate": _gate, "where": _where, "concatenate": _joined, "stack": _joined, "prod": _prod,
    "max": _extreme, "min": _extreme, **dict.fromkeys(("pow", *POWERS), _power),
    **dict.fromkeys(("scatter_index", "scatter_sum"), _scattered),
    **dict.fromkeys(("minimum", "maximum", "clip"), _bounded), **dict.fromkeys(MOVES, _moved),
    **dict.fromkeys(("sum", "mean", "sum_to"), _summed),
}  # fmt: skip
