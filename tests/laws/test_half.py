"""Law: float16 is a dtype like the others. Static gives the bits of dynamic, `infer` says what comes out, and
values and first derivatives are those of float64 within a few roundings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
from shared import ops
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, is_float, on_dynamic, on_static, run_static

HALF = np.dtype(np.float16)
EPS = float(np.finfo(HALF).eps)
LEFT = {
    "softmax-saturated, first axis": "its derivatives are 1e4 and 1e8 times others, and leave the range",
    "bce-certain": "its derivative is 1e12",
    "norm-cosine_similarity of zero": "its derivative is 1e8",
    "maximum-normalize of zero": "its derivative is 1e12",
    "normal-none": "numbers are drawn in single precision and cast, and the op says so",
}
"""Cases that float16 can not hold, and why."""
each_case = pytest.mark.parametrize("case", [c for c in all_cases() if str(c) not in LEFT], ids=str)


def test_what_is_left_out_exists() -> None:
    assert {str(case) for case in all_cases()} >= set(LEFT)


@each_case
def test_float16_is_under_the_laws(case: Case) -> None:
    arrays = case.arrays(HALF)
    cs, us, _ = draws(case, arrays)
    ours = on_dynamic(case, arrays, cs, us)
    built = on_static(case, arrays, cs, us, known=False)
    for (what, want), (_, got), (_, tensor) in zip(
        ours.flat(), run_static(built).flat(), built.outcome.flat(), strict=True
    ):
        if want is not None:
            assert want.shape == got.shape and want.dtype == got.dtype == tensor.dtype, what
            np.testing.assert_array_equal(want, got, err_msg=what)
    wide = [[None if v is None else widened(v) for v in values] for values in (arrays, cs, us)]
    exact = on_dynamic(case, *wide)
    for kind in ("ys", "first"):
        for got, wanted in zip(getattr(ours, kind), getattr(exact, kind), strict=True):
            if got is not None and got.dtype == HALF:
                close(got, wanted, kind)


def widened(array: Any) -> Any:
    return array.astype(np.float64) if array.dtype == HALF else array


def close(got: Any, wanted: Any, what: str) -> None:
    """Equal but for some roundings of the largest; what is finite in float16 is a number."""
    finite = np.isfinite(wanted)
    size = np.max(np.abs(wanted[finite]), initial=1.0)
    assert not np.isnan(got[finite]).any(), what
    if size < 30_000:
        np.testing.assert_allclose(got[finite], wanted[finite], rtol=0, atol=40 * EPS * size, err_msg=what)


# --- what once left its range --------------------------------------------------------------

LARGE = np.random.default_rng(0).uniform(-30_000, 30_000, (6, 40)).astype(HALF)
LONG = np.full(100_000, 0.25, HALF)


@pytest.mark.parametrize(
    ("name", "call", "x"),
    [
        ("norm", lambda x: ops.norm(x, axis=1), LARGE / HALF.type(4)),
        ("norm of 3", lambda x: ops.norm(x, 3, axis=1), LARGE / HALF.type(8)),
        ("std", lambda x: ops.std(x, axis=1), LARGE),
        ("std over the first axis", lambda x: ops.std(x, axis=0), LARGE),
        ("mean", ops.mean, LARGE + HALF.type(30_000)),
        ("layer_norm", lambda x: ops.layer_norm(x, 40), LARGE),
        ("batch_norm", lambda x: _batch_norm(x), LARGE),
        ("logsumexp", ops.logsumexp, LONG),
        ("softmax", lambda x: ops.softmax(x), (np.arange(100_000) % 3).astype(HALF)),
        ("sum", ops.sum, LONG),
        ("cosine_similarity", lambda x: ops.cosine_similarity(x, x[::-1]), LARGE),
        ("cross_entropy", lambda x: ops.cross_entropy(x, np.arange(6)), LARGE),
    ],
)
def test_sums_are_made_in_single_precision(name: str, call: Any, x: Any) -> None:
    """Values and gradients are finite and those of float64, where squares and sums leave float16's range."""
    found = []
    for dtype in (HALF, np.float64):
        leaf = dynamic.tensor(x.astype(dtype), requires_grad=True)
        y = call(leaf)
        weights = np.linspace(0.5, 1, max(y.size, 1)).reshape(y.shape).astype(dtype)
        found.append((y, dynamic.grad(ops.sum(y * weights), leaf)))
    for got, wanted in zip(*found, strict=True):
        assert got.dtype == HALF
        size = np.max(np.abs(wanted.numpy()))
        unit = max(EPS * size, 2.0**-24)
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=0, atol=4 * unit)


def _batch_norm(x: Any) -> Any:
    size = x.shape[1]
    return ops.batch_norm(x, None, None, np.zeros(size, np.float32), np.ones(size, np.float32))[0]


@pytest.mark.parametrize("dtype", [HALF, np.dtype(np.float32), np.dtype(np.float64)], ids=str)
def test_gelu_by_tanh_is_flat_far_out(dtype: Any) -> None:
    """Its cube overflows at 41 in float16: infinity by zero was no number."""
    limit = float(np.finfo(dtype).max)
    x = dynamic.tensor(np.array([130, 1000, limit, -130, -1000, -limit], dtype), requires_grad=True)
    y = ops.gelu(x, approximate="tanh")
    g = np.array([dynamic.grad(y[i], x, retain_graph=True).numpy()[i] for i in range(6)])
    np.testing.assert_array_equal(y.numpy(), np.array([130, 1000, limit, 0, 0, 0], dtype))
    np.testing.assert_array_equal(g, np.array([1, 1, 1, 0, 0, 0], dtype))


def test_float16_agrees_with_pytorch() -> None:
    """Which computes it in single precision as well, and rounds once."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: the oracle laws need it")
    functional = torch.nn.functional
    x = torch.tensor(LARGE)
    for got, wanted in (
        (ops.norm(LARGE[:, :4], axis=1), torch.linalg.vector_norm(x[:, :4], dim=1)),
        (ops.std(LARGE, axis=1), x.std(1)),
        (ops.layer_norm(LARGE, 40), functional.layer_norm(x, (40,))),
        (ops.sum(LONG), torch.tensor(LONG).sum()),
        (ops.gelu(LARGE, "tanh"), functional.gelu(x, approximate="tanh")),
    ):
        assert is_float(got)
        np.testing.assert_allclose(got, wanted.numpy(), rtol=2 * EPS, atol=2 * EPS)
