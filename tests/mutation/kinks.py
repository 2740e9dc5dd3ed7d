"""Other choices at the corners where formulas do not say."""

from __future__ import annotations

from tests.mutation.mutation import Mutation, rows

MUTATIONS: list[Mutation] = [
    *rows("kink", "shared/ops/choosing.py", [
        ("def _share", "gate(g * 0.5, ties)", "gate(g, ties)", "maximum-tie"),
        ("def _inside", "greater_equal(x, low)", "greater(x, low)", "clip-bounds"),
    ]),
    *rows("kink", "shared/ops/angles.py", [
        ("def _hypot_rule", "gate(g, not_equal(y, 0))", "g", "hypot"),
        ("def _by_side", "gate(g, not_equal(h, 0))", "g", "atan2"),
    ]),
    *rows("kink", "shared/ops/norms.py", [
        ("def _logsumexp_rule", "where(equal(y, -math.inf), 0, y)", "y", "logsumexp-masked"),
        ("def _logsumexp_rule", "where(equal(x, math.inf), 0, x - restore(top, x.shape, axis))",
         "x - restore(top, x.shape, axis)", "logsumexp"),
        ("def _norm_rule", "gate(g, not_equal(y, 0))", "g", "norm-2-zero-second"),
    ]),
    *rows("kink", "shared/ops/logarithms.py", [
        ("def _share", "where(equal(maximum(a, b), -math.inf), 0.0, share)", "share", "logaddexp"),
        ("def _share", "where(equal(a, b), 0.0, (a - b) * base)", "(a - b) * base", "logaddexp"),
    ]),
    *rows("kink", "shared/ops/cumulative.py", [
        ("def _logcumsumexp_rule", "cumsum(cast(boundless, g.dtype), axis)", "2", "logcumsumexp"),
        ("def _logcumsumexp_rule", "gate(g, some)", "g", "logcumsumexp"),
    ]),
    *rows("kink", "shared/ops/averaging.py", [
        ("def _power", "where(none, 0, pow(where(none, 1, sums), 1 / p))", "pow(sums, 1 / p)", "lp_pool"),
    ]),
]  # fmt: skip
