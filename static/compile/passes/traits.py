"""What is known of values as steps are written: which exponentials they are made of, and where those stand.

A pass that mends quotients and logarithms asks it of every step, so it has to be known at once: each
step adds what follows from its inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.dims import UNKNOWN_RANK
from shared.op import TABLE, exact, settings_key
from static.compile.block import Block, Step, Value
from static.compile.passes.patterns import Makers

BOUNDED, UNBOUNDED = 1, 2
"""Kinds of exponentials: softmax and sigmoid and its slope, which go to 0 alone; exp, which goes to
infinity too."""
MOVES = ("reshape", "transpose", "broadcast_to", "getitem", "gather", "flip", "roll", "split", "unbind")
"""Ops that give elements of their first argument another place."""
ORDERS = ("argsort", "argmax", "argmin", "top_index", "cummax_index", "cummin_index")
"""Ops that find places by the order of what stands there."""
LOGS = {"log_softmax": BOUNDED, "log_sigmoid": BOUNDED, "softplus": UNBOUNDED, "logsumexp": UNBOUNDED}
"""Ops whose result is a logarithm, and the kind of what it is the logarithm of."""
POWERS = {"sqrt": 0.5, "square": 2, "reciprocal": -1, "rsqrt": -0.5}

Terms = dict[Value | None, float]
"""A sum: Values with how often each is in it; None stands for the number one."""


@dataclass(frozen=True)
class Traits:
    """above, below  the kinds of exponentials in a value, and under a fraction line in it
    pure          whether it is an exponential alone, with no factor but a positive number"""

    above: int = 0
    below: int = 0
    pure: bool = False


OTHER = Traits()


class Known(Makers):
    """The steps of a block that is being rewritten, the traits of their values, and the steps again by
    what they do."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.traits: dict[Value, Traits] = {}
        self.same: dict[Any, Step] = {}

    def add(self, step: Step) -> None:
        """One more step has been written."""
        super().add(step)
        find = _TRAITS.get(step.op.name)
        places = step.outputs[0].dtype.kind in "iu"
        if step.op is not TABLE.get(step.op.name) or not (find or places):
            return
        self.same[key_of(step.op.name, step.inputs, step.settings)] = step
        if find and _of_one_dtype(step) and all([v.shape is not UNKNOWN_RANK for v in step.values()]):
            traits = find(step, self)
            if traits.above or traits.below:
                self.traits.update(dict.fromkeys(step.outputs, traits))

    def forget(self, step: Step) -> None:
        """A step is not written after all."""
        for value in step.outputs:
            del self.steps[value]
            self.traits.pop(value, None)
        self.same.pop(key_of(step.op.name, step.inputs, step.settings), None)

    def of_value(self, value: Any) -> Traits:
        """The traits of a value; a number is pure if it is positive."""
        if isinstance(value, Value):
            return self.traits.get(value, OTHER)
        return Traits(pure=isinstance(value, (int, float)) and 0 < value < math.inf)

    def is_one(self, value: Any) -> bool:
        """Whether a value is the number one everywhere."""
        number = self.number(value)
        return isinstance(number, (int, float)) and number == 1

    def logs(self, value: Value) -> Terms:
        """An exponent as a sum of logarithms and others, if there are logarithms in it."""
        found: Terms = {}
        self._collect(value, 1.0, found, 4)
        known = any([self.log_kind(term) for term in found])
        return found if known else {value: 1.0}

    def moved_from(self, value: Value) -> Step | None:
        """The step that made a value, before its elements were given other places."""
        step = self.steps.get(value)
        while step is not None and step.op.name in MOVES and isinstance(step.inputs[0], Value):
            step = self.steps.get(step.inputs[0])
        return step

    def log_kind(self, term: Any, depth: int = 12) -> int:
        """The kind of what a term is the logarithm of; 0 if it is none, or none is known."""
        step = self.steps.get(term) if isinstance(term, Value) else None
        if step is None or not depth:
            return 0
        name = step.op.name
        if name in ("concatenate", "stack"):
            return max([self.log_kind(x, depth - 1) for x in step.inputs])
        if name in (*MOVES, *_EXTREMES) or _shifts(step):
            return self.log_kind(step.inputs[0], depth - 1)
        return LOGS.get(name, 0)

    def _collect(self, value: Any, times: float, found: Terms, depth: int) -> None:
        step = self.steps.get(value) if isinstance(value, Value) else None
        name = step.op.name if step is not None and depth else ""
        if step is not None and name in ("add", "sub"):
            self._collect(step.inputs[0], times, found, depth - 1)
            self._collect(step.inputs[1], times if name == "add" else -times, found, depth - 1)
        elif step is not None and name == "neg":
            self._collect(step.inputs[0], -times, found, depth - 1)
        elif step is not None and name == "mul" and isinstance(step.inputs[1], (int, float)):
            self._collect(step.inputs[0], times * step.inputs[1], found, depth - 1)
        elif isinstance(value, Value):
            found[value] = found.get(value, 0.0) + times
        else:
            found[None] = found.get(None, 0.0) + times * value


_EXTREMES = ("min", "max", "minimum", "maximum", "clip")


def _shifts(step: Step) -> bool:
    """Whether a step gives its argument plus a number, or times one above 0: of a logarithm, that of a
    multiple or a power."""
    number = step.inputs[1] if step.op.name in ("add", "sub", "mul") else None
    return isinstance(number, (int, float)) and (step.op.name != "mul" or number > 0)


def _of_one_dtype(step: Step) -> bool:
    """Whether all that is computed with is of the same real dtype; indices and masks are not."""
    dtype, name = step.outputs[0].dtype, step.op.name
    inputs = step.inputs[1:] if name == "where" else step.inputs[:1] if name in _INDEXED else step.inputs
    return dtype.kind == "f" and all([x.dtype == dtype for x in inputs if isinstance(x, Value)])


_INDEXED = ("getitem", "gather", "scatter_index", "scatter_sum", "gate")


def meets(above: int, below: int) -> bool:
    """Whether what stands above and below a fraction line may lose what the quotient is: all pairs but
    a number from 0 to 1 over one that overflowed, which is 0."""
    return bool(above & UNBOUNDED and below) or bool(above & below & BOUNDED)


def key_of(name: str, inputs: Any, settings: dict[str, Any]) -> Any:
    """What tells a step from others that do something else."""
    given = tuple([id(x) if isinstance(x, Value) else exact(x) for x in inputs])
    return name, given, settings_key(settings)


def power_of(step: Step) -> float | None:
    """The exponent to which a step raises its argument, if it is a number other than 0."""
    power = step.inputs[1] if step.op.name == "pow" else POWERS[step.op.name]
    usable = type(power) in (int, float) and power != 0 and math.isfinite(power)
    return float(power) if usable else None


def complement(step: Step, known: Known) -> tuple[str, Value] | None:
    """Of 1 less a saturating function its name and argument; None if a step is no such thing."""
    one, value = step.inputs
    if step.op.name == "add":
        one, negative = (one, value) if known.is_one(one) else (value, one)
        less = known.of(negative, "neg")
        value = None if less is None else less.inputs[0]
    if not isinstance(value, Value) or not known.is_one(one):
        return None
    maker = known.steps.get(value)
    if maker is not None and maker.op.name in ("sigmoid", "tanh"):
        name, x = maker.op.name, maker.inputs[0]
    else:
        name, x = "tanh squared", _squared_tanh(value, known)
    return (name, x) if x is not None and x.dtype == value.dtype else None


def _squared_tanh(value: Value, known: Known) -> Value | None:
    """x, of a value that is tanh(x) squared, in any way of writing that."""
    maker = known.steps.get(value)
    if maker is None or maker.op.name not in ("mul", "square", "pow"):
        return None
    if maker.op.name != "mul" and power_of(maker) != 2:
        return None
    factors = maker.inputs if maker.op.name == "mul" else maker.inputs[:1]
    made = [known.of(factor, "tanh") for factor in factors]
    inside = [step.inputs[0] for step in made if step is not None]
    return inside[0] if len(inside) == len(factors) and inside[0] is inside[-1] else None


# --- by op ---------------------------------------------------------------------------------


def _mul(step: Step, known: Known) -> Traits:
    a, b = [known.of_value(x) for x in step.inputs]
    return Traits(a.above | b.above, a.below | b.below, a.pure and b.pure)


def _div(step: Step, known: Known) -> Traits:
    a, b = [known.of_value(x) for x in step.inputs]
    return Traits(a.above | b.below, a.below | b.above, a.pure and b.pure)


def _linear(step: Step, known: Known) -> Traits:
    """Of what is no product only that counts which stands under a fraction line somewhere in it."""
    below = 0
    for x in step.inputs:
        below |= known.of_value(x).below
    return Traits(0, below)


def _together(step: Step, known: Known, parts: Any) -> Traits:
    """Of what is made of elements of several."""
    traits = [known.of_value(x) for x in parts]
    if not all([part.pure for part in traits]):
        return _linear(step, known)
    above = below = 0
    for part in traits:
        above, below = above | part.above, below | part.below
    return Traits(above, below, True)


def _where(step: Step, known: Known) -> Traits:
    """What was not chosen may be anything."""
    a, b = [known.of_value(x) for x in step.inputs[1:]]
    return Traits(a.above | b.above, a.below | b.below, a.pure and b.pure)


def _add(step: Step, known: Known) -> Traits:
    a, b = step.inputs
    for one, value in ((a, b), (b, a)):
        if known.is_one(one) and known.of_value(value) == Traits(UNBOUNDED, 0, True):
            return Traits(UNBOUNDED, 0, True)
    if isinstance(a, Value) and isinstance(b, Value) and a.spec == b.spec:
        both = _together(step, known, (a, b))
        if both.above and both.pure and not both.below:
            return both
    return _sub(step, known)


def _sub(step: Step, known: Known) -> Traits:
    return _linear(step, known) if complement(step, known) is None else Traits(BOUNDED, 0, True)


def _exp(step: Step, known: Known) -> Traits:
    x = step.inputs[0]
    less = known.of(x, "sub")
    guard = None if less is None else known.of(less.inputs[1], "where")
    if guard is not None and known.of(guard.inputs[0], "isfinite") is not None:
        return OTHER  # the largest has been taken off already
    above = below = 0
    for term, count in known.logs(x).items() if isinstance(x, Value) else ():
        if count < 0:
            below |= known.log_kind(term)
        elif term is not None:
            above |= known.log_kind(term) or UNBOUNDED
    return Traits(above or UNBOUNDED, below, True)


def _power(step: Step, known: Known) -> Traits:
    """Of a power: that of a factor would need to know its sign."""
    x, power = known.of_value(step.inputs[0]), power_of(step)
    if not x.pure or power is None:
        return OTHER
    return x if power > 0 else Traits(x.below, x.above, True)


def _bounded(step: Step, known: Known) -> Traits:
    """Of the smaller or larger of two, and of what is held between bounds, if that may be as small as 0."""
    x, *others = step.inputs
    if step.op.name == "clip":
        low, high = others
        free = isinstance(low, (int, float)) and low <= 0 and known.of_value(high).pure
        return _pure(step, known) if free else OTHER
    if step.op.name == "maximum" and not all([isinstance(x, Value) for x in step.inputs]):
        return OTHER
    both = _together(step, known, (x, *others))
    return both if both.pure else OTHER


def _first(step: Step, known: Known) -> Traits:
    return known.of_value(step.inputs[0])


def _pure(step: Step, known: Known) -> Traits:
    x = known.of_value(step.inputs[0])
    return x if x.pure else OTHER


def _seed(step: Step, known: Known) -> Traits:
    return Traits(BOUNDED, 0, True)


def _nothing(step: Step, known: Known) -> Traits:
    """Of ops that are only to be found again."""
    return OTHER


def _signed(step: Step, known: Known) -> Traits:
    x = known.of_value(step.inputs[0])
    return Traits(x.above, x.below)


_TRAITS: dict[str, Callable[[Step, Known], Traits]] = {
    "exp": _exp, **dict.fromkeys(("softmax", "sigmoid", "sigmoid_slope"), _seed), "add": _add,
    "sub": _sub, "mul": _mul, "div": _div, "neg": _signed, "where": _where, "gate": _first,
    "concatenate": lambda step, known: _together(step, known, step.inputs),
    "stack": lambda step, known: _together(step, known, step.inputs),
    **dict.fromkeys(("pow", *POWERS), _power), **dict.fromkeys(("prod", "max", "min"), _pure),
    **dict.fromkeys(("minimum", "maximum", "clip"), _bounded),
    **dict.fromkeys((*MOVES, "sum", "mean", "sum_to"), _first),
    **dict.fromkeys(("scatter_index", "scatter_sum"), _signed),
    **dict.fromkeys(("tanh", "log", "not_equal", "isfinite", *LOGS), _nothing),
}  # fmt: skip
