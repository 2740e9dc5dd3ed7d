"""Every case of every op with all of its sizes unknown, and no two known to be the same.

Nothing then tells an op's rules which of its arguments stretches. What comes out has the bits that it has
with known sizes, derivatives of the first order too. Those of the second are sums in another order: a
cotangent that might have been stretched is summed for each argument apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import DiptychError, ShapeError, UnknownSizeError
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


def test_an_axis_that_is_squeezed_out_has_one_element() -> None:
    """Nothing of 3 rows became nothing without rows; sizes that do not broadcast were cut."""
    calls: list[tuple[Any, tuple[int, ...]]] = [
        (lambda x: ops.squeeze(x, 0), (3, 0)), (lambda x: ops.squeeze(x, 0), (0, 3)),
        (lambda x: ops.squeeze(x, -1), (0, 2)), (lambda x: ops.narrow(x, 0, 1, 2), (2, 3)),
        (lambda x: ops.linalg.cross(x, x[:1]), (2, 4)),
        (lambda x: ops.grid_sample(np.ones((1, 1, 2, 2)), x[None, None]), (2, 3)),
        (lambda x: ops.affine_grid(x[None], (1, 1, 2, 2)), (2, 4)),
        (lambda x: ops.roi_align(np.ones((1, 1, 2, 2)), x, 2), (2, 6)),
    ]  # fmt: skip
    for call, shape in calls:
        x = static.placeholder("float64", (None, None))
        y = call(x)
        for level in ("exact", "fast"):
            with static.Session(optimize=level) as session, pytest.raises(ShapeError, match="must have the"):
                session.run(y, {x: np.ones(shape)})
    x = static.placeholder("float64", (None, None))
    with static.Session() as session:
        assert session.run(ops.squeeze(x, 0), {x: np.ones((1, 0))}).shape == (0,)
        assert session.run(ops.squeeze(x, (0, 1)), {x: [[5.0]]}) == 5


several = [case for case in all_cases() if len(case.args) > 1 and str(case) not in REFUSED]


@pytest.mark.parametrize("case", several, ids=str)
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


@pytest.mark.parametrize("case", several, ids=str)
def test_a_size_that_is_refused_is_refused_at_run(case: Case) -> None:
    """Of two arguments one is cut, or stretched, to a size of 1 (or 2): it must not broadcast where it would
    not if sizes were known. cdist took rows of 1 beside rows of 4, prelu made an x of 1 channel one of 4."""
    arrays = case.arrays(np.float32)
    with static.Graph().as_default():
        xs = [static.placeholder(a.dtype, (None,) * a.ndim) for a in arrays]
        made = case.call(*xs)
        with static.Session(optimize="exact") as session, np.errstate(all="ignore"):
            for k, array in enumerate(arrays):
                for axis, size in enumerate(array.shape):
                    if not size:
                        continue
                    changed = np.repeat(np.take(array, [0], axis), 1 if size != 1 else 2, axis)
                    given = [changed if i == k else a for i, a in enumerate(arrays)]
                    try:
                        case.call(*map(dynamic.tensor, given))
                    except DiptychError:
                        with pytest.raises(DiptychError):
                            session.run(made, dict(zip(xs, given, strict=True)))
