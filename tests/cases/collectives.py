"""Collectives, of a rank alone: `tests/ranks` has several."""

from __future__ import annotations

from shared import ops, ranks
from shared.op import TABLE
from tests.cases.case import Case, distinct, normal, positive

ME = ranks.alone()

CASES = [
    Case("all_reduce", lambda x: ops.all_reduce(x, comm=ME), [normal(2, 3)], second=False),
    Case("all_reduce", lambda x: ops.all_reduce(x, op="mean", comm=ME), [normal(4)], second=False,
    name="mean"), Case(
        "all_reduce_weighted", lambda x, w: ops.all_reduce(x, w, op="mean", comm=ME),
        [normal(2, 3), positive()], unknown=[("n", 3), ()], second=False,
    ),
    Case(
        "all_reduce_weighted", lambda x: ops.all_reduce(x, x.shape[0], op="mean", comm=ME), [normal(2, 3)],
        second=False, name="by a size",
    ),
    Case("all_reduce_extreme", lambda x: ops.all_reduce(x, op="max", comm=ME), [distinct(3, 2)],
    second=False), Case("all_reduce_extreme", lambda x: ops.all_reduce(x, op="min", comm=ME), [distinct(5)],
    second=False, name="min"), Case("broadcast", lambda x: ops.broadcast(x, comm=ME), [normal(2, 3)],
    second=False), Case("reduce", lambda x: TABLE["reduce"](x, comm="alone", root=0, at=""), [normal(3)],
    second=False), Case("all_gather", lambda x: ops.all_gather(x, comm=ME), [normal(4, 3)], second=False),
    Case("reduce_scatter", lambda x: ops.reduce_scatter(x, comm=ME), [normal(4, 3)], second=False),
]  # fmt: skip
