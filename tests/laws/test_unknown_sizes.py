"""Every case of every op with all of its sizes unknown, and no two known to be the same.

Nothing then tells an op's rules which of its arguments stretches. What comes out has the bits that it has
with known sizes, derivatives of the first order too. Those of the second are sums in another order: a
cotangent that might have been stretched is summed for each argument apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import static
from shared.errors import UnknownSizeError
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import Built, Outcome, beside, differentiate, draws, on_dynamic, outputs, run_static

REFUSED = {
    "reshape-squeeze all", "unbind", "unbind-one slice used", "split-chunk", "getitem-tensor_split at places",
    "getitem-gather_nd", "getitem-gather_nd of batches", "index_put-scatter_nd",
    "scatter_index-scatter_nd, add",
}  # fmt: skip
"""How many results there are, or axes, hangs on a size."""
NEAR = {"rtol": 1e-12, "atol": 1e-14}


def on_nothing_known(case: Case, arrays: Any, cs: Any, us: Any) -> Built:
    """The case as a graph of which only numbers of axes are known."""
    graph = static.Graph()
    with graph.as_default():
        xs = [static.placeholder(a.dtype, (None,) * a.ndim) for a in arrays]
        made = outputs(case.call(*xs))
        kept, sides = beside(made, cs), beside(xs, us)
        first, second = differentiate(static.gradients, made, xs, kept, sides, case.second)
    fed = [*zip(xs, arrays, strict=True), *zip(kept, cs, strict=True), *zip(sides, us, strict=True)]
    return Built(graph, {p: a for p, a in fed if p is not None}, Outcome(made, first, second))


@pytest.mark.parametrize("case", all_cases(), ids=str)
def test_what_no_size_is_known_of_gives_the_bits_that_known_sizes_give(case: Case) -> None:
    arrays = case.arrays(np.float64)
    cs, us, _ = draws(case, arrays)
    if str(case) in REFUSED:
        with pytest.raises(UnknownSizeError):
            on_nothing_known(case, arrays, cs, us)
        return
    expected = on_dynamic(case, arrays, cs, us).flat()
    built = on_nothing_known(case, arrays, cs, us)
    for (what, want), (_, got) in zip(expected, run_static(built).flat(), strict=True):
        assert (want is None) == (got is None), what
        if want is not None:
            assert (want.shape, want.dtype) == (got.shape, got.dtype), what
            if what.startswith("second"):
                np.testing.assert_allclose(got, want, err_msg=what, **NEAR)
            else:
                np.testing.assert_array_equal(got, want, err_msg=what)


@pytest.mark.parametrize(
    "case", [case for case in all_cases() if len(case.args) > 1 and str(case) not in REFUSED], ids=str
)
def test_the_passes_keep_to_it(case: Case) -> None:
    """`fast` gives what `exact` gives, within rounding; derivatives of the first order too."""
    arrays = case.arrays(np.float64)
    cs, us, _ = draws(case, arrays)
    built = on_nothing_known(case, arrays, cs, us)
    built.outcome.second.clear()
    exact, fast = run_static(built).flat(), run_static(built, "fast").flat()
    for (what, want), (_, got) in zip(exact, fast, strict=True):
        if want is not None:
            assert (want.shape, want.dtype) == (got.shape, got.dtype), what
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12, err_msg=what)
