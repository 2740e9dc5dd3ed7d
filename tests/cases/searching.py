"""Finding and counting: argwhere and nonzero, unique, searchsorted, bincount, histogram."""

from __future__ import annotations

import numpy as np

from shared import ops
from tests.cases.case import Case, between, booleans, integers, normal, positive
from tests.cases.oracle import torch_op

_AB = [("a", "b")]
_repeats = np.array([[2.0, 0.5, 2.0], [-1.0, 0.5, 3.0]])
_sorted = np.array([-1.0, 0.0, 0.0, 0.5, 2.0])
_looked_for = np.array([[0.0, 3.0, -2.0], [0.5, np.nan, -0.0]])

CASES = [
    Case("argwhere", ops.argwhere, [booleans(3, 4)], torch=torch_op("argwhere"), smooth=False, unknown=_AB),
    Case("argwhere", lambda x: ops.argwhere(ops.transpose(x)), [integers(0, 2, 2, 3, 2)], smooth=False,
         torch=lambda x: x.permute(2, 1, 0).argwhere(), unknown=[("a", "b", "c")], name="transposed"),
    Case("argwhere", ops.argwhere, [np.array(2)], smooth=False, unknown=[()], name="of a number"),
    Case("argwhere", lambda x: x[ops.nonzero(x > 0)], [normal(3, 4)], torch=lambda x: x[x > 0], unknown=_AB,
         name="nonzero"),
    Case("not_equal", lambda x: ops.count_nonzero(x, axis=1), [integers(0, 2, 3, 4)], unknown=_AB,
         torch=torch_op("count_nonzero", dim=1), smooth=False, name="count_nonzero"),
    Case("unique_rows", ops.unique, [_repeats], torch=lambda x: x.flatten()[[3, 1, 0, 5]], smooth=False,
         unknown=_AB),
    Case("unique_rows", lambda x: ops.unique_all(x), [_repeats], smooth=False, unknown=_AB, name="all"),
    Case("unique_rows", lambda x: (*ops.unique_counts(x), *ops.unique_inverse(x)), [integers(0, 4, 3, 4)],
         torch=lambda x: (*x.unique(return_counts=True), *x.unique(return_inverse=True)), smooth=False,
         unknown=_AB, name="counts and inverse"),
    Case("unique_rows", lambda x: ops.unique(x, 1, return_inverse=True, return_counts=True),
         [integers(0, 2, 2, 8)], torch=lambda x: x.unique(dim=1, return_inverse=True, return_counts=True),
         smooth=False, unknown=_AB, name="along an axis"),
    Case("unique_rows", lambda x: ops.unique(x, return_index=True), [normal(2, 3)], unknown=_AB,
         name="none twice"),
    Case("unique_rows", lambda x: ops.unique(x, 0), [np.zeros((0, 2))], smooth=False, unknown=_AB,
         name="of nothing"),
    Case("searchsorted", ops.searchsorted, [_sorted, _looked_for], torch=torch_op("searchsorted"),
         smooth=False, unknown=[("n",), ("a", "b")]),
    Case("searchsorted", lambda x: ops.bucketize(x, [0, 1], right=True), [integers(-2, 4, 3, 2)], unknown=_AB,
         torch=lambda x: torch_op("bucketize", right=True)(x, torch_op("tensor")([0, 1])), smooth=False,
         name="bucketize"),
    Case("searchsorted", lambda e, x: ops.searchsorted(ops.sort(e), x, side="right"),
         [integers(0, 5, 2, 4), normal(2, 3) + 2], torch=lambda e, x: torch_op("searchsorted", right=True)(
             e.sort().values.double(), x), smooth=False, unknown=[("a", "n"), ("a", "m")], name="lines"),
    Case("searchsorted", lambda e, x: ops.searchsorted(e, x, sorter=ops.argsort(e)), [normal(5), normal(4)],
         torch=lambda e, x: torch_op("searchsorted")(e.sort().values, x), smooth=False,
         unknown=[("n",), ("m",)], name="by a sorter"),
    Case("bincount", ops.bincount, [integers(0, 4, 9)], torch=torch_op("bincount"), smooth=False),
    Case("bincount", lambda x, w: ops.bincount(x, w, minlength=7), [np.array([1, 4, 1, 0]), normal(4)],
         torch=lambda x, w: w.new_zeros(7).index_add(0, x, w), unknown=[("n",), ("n",)], name="weights"),
    Case("bincount", lambda x: ops.bincount(x, minlength=3), [np.zeros(0, np.int32)], smooth=False,
         name="of nothing"),
    Case("searchsorted", lambda x: ops.histogram(x, 4)[0], [between(0, 1, 30)], smooth=False,
         torch=lambda x: x.detach().histogram(4).hist.long(), name="histogram"),
    Case("searchsorted", lambda x, w: ops.histogram(x, [0.0, 0.25, 0.5, 1.0], weights=w, density=True)[0],
         [np.array([0.1, 1.0, 0.3, 0.5, -1.0, 0.26]), positive(6)], unknown=[("n",), ("n",)], smooth=False,
         name="histogram of weights"),
    Case("searchsorted", lambda x: ops.histogram(x, 2, range=(0, 2)), [np.full(3, 1)], smooth=False,
         name="histogram in a range"),
]  # fmt: skip
