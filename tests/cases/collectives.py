"""Collectives, of a rank alone: `tests/ranks` has several."""

from __future__ import annotations

import numpy as np

from shared import ops, ranks
from shared.op import TABLE
from shared.ops.collectives import rows_before
from tests.cases.case import Case, distinct, normal, positive

ME = ranks.alone()
ROWS = np.array([1, 2, 5])

CASES = [
    Case("all_reduce", lambda x: ops.all_reduce(x, comm=ME), [normal(2, 3)], second=False),
    Case(
        "all_reduce", lambda x: ops.all_reduce(x, op="mean", comm=ME), [normal(4)], second=False, name="mean"
    ),
    Case(
        "all_reduce_weighted", lambda x, w: ops.all_reduce(x, w, op="mean", comm=ME),
        [normal(2, 3), positive()], unknown=[("n", 3), ()], second=False,
    ),
    Case(
        "all_reduce_weighted", lambda x: ops.all_reduce(x, x.shape[0], op="mean", comm=ME), [normal(2, 3)],
        second=False, name="by a size",
    ),
    Case(
        "all_reduce_extreme", lambda x: ops.all_reduce(x, op="max", comm=ME), [distinct(3, 2)], second=False
    ),
    Case(
        "all_reduce_extreme", lambda x: ops.all_reduce(x, op="min", comm=ME), [distinct(5)], second=False,
        name="min",
    ),
    Case("broadcast", lambda x: ops.broadcast(x, comm=ME), [normal(2, 3)], second=False),
    Case("reduce", lambda x: TABLE["reduce"](x, comm="alone", root=0, at=""), [normal(3)], second=False),
    Case("rows_before", lambda n: rows_before(n, like=n, comm=ME), [np.int64(3)]),
    Case("all_gather", lambda x: ops.all_gather(x, comm=ME), [normal(4, 3)], second=False),
    Case("reduce_scatter", lambda x: ops.reduce_scatter(x, comm=ME), [normal(4, 3)], second=False),
    Case(
        "cut_to_rows", lambda state, place: TABLE["cut_to_rows"](state, place, axis=0),
        [ops.generator_state(5), ROWS], unknown=[(2,), (3,)],
    ),
]  # fmt: skip
