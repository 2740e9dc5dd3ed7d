"""Rewrites for numbers that floating point would lose: `log(softmax(x))` becomes `log_softmax(x)`.

Op by op the left sides overflow, or cancel, or divide zero by zero where the right sides are
exact; so these change answers, always to better ones. A gradient is graph like any other here, so
the quotients that rules have left in it are among the patterns.
"""

from __future__ import annotations

from static.compile.block import Block
from static.compile.log import Log
from static.compile.passes.patterns import Pattern, Table, rewrite


def _stable(old: str, new: str, why: str, floats: bool = False) -> Pattern:
    return Pattern(old, new, why, changes=True, floats=floats)


PATTERNS = (
    _stable("log(softmax(x, axis=a))", "log_softmax(x, axis=a)", "log of a softmax that underflowed is -inf"),
    _stable("log(sigmoid(x))", "log_sigmoid(x)", "log of a sigmoid that underflowed is -inf"),
    _stable("log(1 + exp(x))", "softplus(x)", "exp overflows where the result is x itself"),
    _stable("log1p(exp(x))", "softplus(x)", "exp overflows where the result is x itself"),
    _stable("log(1 + x)", "log1p(x)", "1 + x loses a small x"),
    _stable("exp(x) - 1", "expm1(x)", "near 0 the difference loses all digits"),
    _stable(
        "log(sum(exp(x), axis=a, keepdims=k))", "logsumexp(x, axis=a, keepdims=k)",
        "exp overflows where the result is near the largest x",
    ),
    _stable(
        "exp(x) / sum(exp(x), axis=(a,), keepdims=True)", "softmax(x, axis=a)",
        "exp overflows where the quotient is at most 1",
    ),
    # what their gradients leave when each rule is applied by itself
    _stable("(g / softmax(x, axis=a)) * softmax(x, axis=a)", "g", "softmax may have underflowed to 0"),
    _stable(
        "softmax(x, axis=a) * (g / softmax(x, axis=a) - t)", "g - softmax(x, axis=a) * t",
        "softmax may have underflowed to 0",
    ),
    _stable(
        "(g / sigmoid(x)) * (sigmoid(x) * (1 - sigmoid(x)))", "g * sigmoid(-x)",
        "sigmoid may have underflowed to 0, or be 1 to the last place",
        floats=True,
    ),
    _stable("(g / (1 + exp(x))) * exp(x)", "g * sigmoid(x)", "infinity by infinity is no number"),
    _stable(
        "broadcast_to(reshape(g / sum(exp(x), axis=a, keepdims=False), shape=s), shape=t) * exp(x)",
        "broadcast_to(reshape(g, shape=s), shape=t)"
        " * exp(x - broadcast_to(reshape(logsumexp(x, axis=a, keepdims=False), shape=s), shape=t))",
        "infinity by infinity is no number",
    ),
    _stable(
        "broadcast_to(g / sum(exp(x), axis=a, keepdims=True), shape=t) * exp(x)",
        "broadcast_to(g, shape=t) * exp(x - logsumexp(x, axis=a, keepdims=True))",
        "infinity by infinity is no number",
    ),
    _stable(
        "broadcast_to(sum_to(-(g / sum(exp(x), axis=(a,), keepdims=True) * softmax(x, axis=a)), shape=s),"
        " shape=t) * exp(x) + g / sum(exp(x), axis=(a,), keepdims=True) * exp(x)",
        "softmax(x, axis=a) * (g - sum(g * softmax(x, axis=a), axis=(a,), keepdims=True))",
        "infinity by infinity is no number",
    ),
    _stable("(g / exp(x)) * exp(x)", "g", "exp may have underflowed to 0"),
)  # fmt: skip
"""Beside each other: what floating point loses, and what is exact."""

TABLE = Table(pattern.rule() for pattern in PATTERNS)


def stabilize_numbers(block: Block, log: Log) -> Block:
    """The block with every pattern of the table applied."""
    return rewrite(block, TABLE, log)
