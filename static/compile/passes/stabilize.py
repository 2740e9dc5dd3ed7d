"""Rewrites for numbers that floating point would lose: `log(softmax(x))` becomes `log_softmax(x)`.

Op by op the left sides overflow, or cancel, or divide zero by zero where the right sides are
exact; so these change answers, always to better ones. What stands side by side is a pattern. What
has come further, through slices, picked labels, sums and products, is found by what its values are
made of (`traits`) and written anew by their logarithms (`scaled`). A gradient is graph like any other
here: the quotient that `log` leaves in it is taken together with what it is multiplied by later.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shared.op import TABLE as OPS
from static.compile.block import Block, Step, Value
from static.compile.log import Log
from static.compile.passes.inside import through
from static.compile.passes.patterns import Makers, Pattern, Rewrite, RewriteTable, rewrite
from static.compile.passes.scaled import scaled
from static.compile.passes.traits import Known, key_of, meets
from static.compile.passes.writer import Unsaid, Writer
from static.graph.create import ASSIGNED, IDENTITY


def _stable(old: str, new: str, why: str) -> Pattern:
    return Pattern(old, new, why, changes=True, kinds="f")


PATTERNS = (
    _stable("log(softmax(x, axis=a))", "log_softmax(x, axis=a)", "log of a softmax that underflowed is -inf"),
    _stable("log(sigmoid(x))", "log_sigmoid(x)", "log of a sigmoid that underflowed is -inf"),
    _stable("log(1 - sigmoid(x))", "log_sigmoid(-x)", "1 less a sigmoid that is 1 is 0"),
    _stable("log1p(-sigmoid(x))", "log_sigmoid(-x)", "1 less a sigmoid that is 1 is 0"),
    _stable("log(1 + exp(x))", "softplus(x)", "exp overflows where the result is x itself"),
    _stable("log1p(exp(x))", "softplus(x)", "exp overflows where the result is x itself"),
    _stable(
        "log(sum(exp(x), axis=a, keepdims=k))", "logsumexp(x, axis=a, keepdims=k)",
        "exp overflows where the result is near the largest x",
    ),
    _stable(
        "exp(x) / sum(exp(x), axis=(a,), keepdims=True)", "softmax(x, axis=a)",
        "exp overflows where the quotient is at most 1",
    ),
    _stable("1 / (1 + exp(-x))", "sigmoid(x)", "exp overflows where the quotient is at most 1"),
    _stable("reciprocal(1 + exp(-x))", "sigmoid(x)", "exp overflows where the quotient is at most 1"),
    _stable("exp(x) / (1 + exp(x))", "sigmoid(x)", "exp overflows where the quotient is at most 1"),
    _stable("exp(x) - 1", "expm1(x)", "near 0 the difference loses all digits"),
    _stable("sqrt(square(x))", "abs(x)", "a square overflows where its root does not"),
    _stable("sqrt(x * x)", "abs(x)", "a square overflows where its root does not"),
    _stable("sqrt(x ** 2)", "abs(x)", "a square overflows where its root does not"),
)  # fmt: skip
"""Beside each other: what floating point loses, and what is exact."""

LAST = (_stable("log(1 + x)", "log1p(x)", "1 + x loses a small x"),)
"""Where nothing better is known of x."""


def _log(w: Writer, step: Step) -> Value | None:
    value = step.inputs[0]
    traits = w.known.of_value(value)
    if not (traits.above or traits.below):
        return None
    found = scaled(w, value)
    return w.log(found, step.outputs[0]) if found.terms else None


def _log_of(base: float) -> Callable[[Writer, Step], Value | None]:
    def log(w: Writer, step: Step) -> Value | None:
        found = _log(w, step)
        return None if found is None else w("mul", found, 1 / math.log(base))

    return log


def _positive(w: Writer, step: Step) -> Value | None:
    """relu(x) and abs(x) of x that is positive."""
    return step.inputs[0] if w.known.of_value(step.inputs[0]).pure else None


def _sign(w: Writer, step: Step) -> Value | None:
    """1 where the logarithm is finite, also of what went to 0; of 0 itself 0, and of NaN NaN."""
    x = step.inputs[0]
    if not w.known.of_value(x).pure:
        return None
    exponent = w.log(scaled(w, x), x)
    found = w("where", w("equal", exponent, -math.inf), w.all_of(0.0, x), w.all_of(1.0, x))
    return w("where", w("equal", exponent, exponent), found, exponent)


def _share(w: Writer, step: Step) -> Value | None:
    """Which of the elements were the smallest or largest, by their logarithms, as these are."""
    a, b = step.inputs
    if not (w.known.of_value(a).pure and w.known.of_value(b).pure and isinstance(b, Value)):
        return None
    maker = w.known.moved_from(b)
    extreme = maker is not None and maker.op.name in ("max", "min") and maker.inputs[0] is a
    if not extreme and not any([key_of(n, step.inputs, {}) in w.known.same for n in ("minimum", "maximum")]):
        return None
    return w(step.op.name, *[w.log(scaled(w, x), x) for x in step.inputs])


def _let_through(w: Writer, step: Step) -> Value | None:
    """The cotangent of such a relu."""
    return step.inputs[0] if w.known.of_value(step.inputs[1]).pure else None


def _given(w: Writer, step: Step) -> Value | None:
    """What only gradients have told from its argument, and these are written by now."""
    return step.inputs[0] if step.op in (OPS["stop_gradient"], IDENTITY, ASSIGNED) else None


def _log1p(w: Writer, step: Step) -> Value | None:
    """log(1 + exp(L)) = softplus(L)."""
    value = step.inputs[0]
    traits = w.known.of_value(value)
    if not (traits.pure and traits.above) or traits.below:
        return None
    found = scaled(w, value)
    return w("softplus", w.log(found, value)) if found.terms else None


def _div(w: Writer, step: Step) -> Value | None:
    a, b = step.inputs
    above, below = w.known.of_value(a), w.known.of_value(b)
    if not (meets(above.above, below.above) or meets(below.below, above.below)):
        return None
    found = w.times(scaled(w, a), scaled(w, b), -1)
    return w.product(found, step.outputs[0])


def _mul(w: Writer, step: Step) -> Value | None:
    for h, u in (step.inputs, step.inputs[::-1]):
        if isinstance(u, Value) and meets(w.known.of_value(u).above, w.known.of_value(h).below):
            found = through(w, h, u)
            maker = w.known.of(found, "mul")
            plain = maker is not None and maker.inputs in (step.inputs, step.inputs[::-1])
            return None if plain else found
    return None


def _carried(op: str, what: str, why: str, find: Callable[[Writer, Step], Value | None]) -> Rewrite:
    def attempt(step: Step, makers: Makers) -> Any:
        assert isinstance(makers, Known)
        writer = Writer(makers, step.nodes)
        try:
            value = find(writer, step)
        except Unsaid:
            value = None
        same = value is not None and value.spec == step.outputs[0].spec
        return writer.done(value if same else None)

    return Rewrite(op, what, why, attempt)


_NO_NUMBERS = "0 by 0 and infinity by infinity are no numbers"

TABLE = RewriteTable(
    [
        *(pattern.rule() for pattern in PATTERNS),
        _carried("log", "log of what is made of exponentials", "they may go to 0 or infinity before", _log),
        _carried("log2", "log2 of what is made of exponentials", "they may go to 0 before", _log_of(2)),
        _carried("log10", "log10 of what is made of exponentials", "they may go to 0 before", _log_of(10)),
        _carried("relu", "relu of what is positive", "it changes nothing", _positive),
        _carried("abs", "abs of what is positive", "it changes nothing", _positive),
        _carried("sign", "the sign of what is positive", "it is 1, also of what went to 0", _sign),
        *[
            _carried(name, "which element was the smallest or largest", "what went to 0 is all alike", _share)
            for name in ("equal", "greater", "less")
        ],
        _carried("relu_grad", "the gradient of relu of what is positive", "it changes nothing", _let_through),
        *[
            _carried(name, f"{name} of a value", "it is that value, once gradients are written", _given)
            for name in ("stop_gradient", "identity", "assigned")
        ],
        _carried("log1p", "log1p of an exponential of x", "exp overflows where the result is near x", _log1p),
        _carried("div", "a quotient of exponentials", _NO_NUMBERS, _div),
        _carried("mul", "a quotient of exponentials, in a product", _NO_NUMBERS, _mul),
        *(pattern.rule() for pattern in LAST),
    ]
)  # fmt: skip


def stabilize_numbers(block: Block, log: Log) -> Block:
    """The block with every rule of the table applied."""
    return rewrite(block, TABLE, log, Known(block))
