"""Reductions of large and of small numbers keep their digits, as mpmath says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

import dynamic
from shared import ops, optim

pytestmark = pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
M = mp.mpf
Real = Any
"""One of mpmath's numbers."""

Reals = list[Real]


def _mean(x: Reals) -> Real:
    return mp.fsum(x) / len(x)


def _spread(x: Reals, correction: int) -> Real:
    middle = _mean(x)
    return mp.fsum((v - middle) ** 2 for v in x) / (len(x) - correction)


def _normalised(x: Reals) -> Reals:
    middle, root = _mean(x), mp.sqrt(_spread(x, 0) + EPS)
    return [(v - middle) / root for v in x]


def _length(x: Reals) -> Real:
    return mp.sqrt(mp.fsum(v * v for v in x))


def _by_size(x: Reals) -> Reals:
    root = mp.sqrt(mp.fsum(v * v for v in x) / len(x) + EPS)
    return [v / root for v in x]


EPS = 1e-300
OTHER = [0.5, -1.5, 0.25, 2.0, -0.75, 1.0]


def _cosine(x: Reals) -> Real:
    root = mp.sqrt(mp.fsum(v * v for v in x) * mp.fsum(M(v) ** 2 for v in OTHER))
    return mp.fsum(v * w for v, w in zip(x, OTHER, strict=True)) / root


def _batch_norm(x: Any) -> Any:
    column = ops.reshape(x, (-1, 1))
    zero, one = np.zeros(1, x.dtype), np.ones(1, x.dtype)
    return ops.batch_norm(column, one, zero, zero, one, eps=EPS)[0][:, 0]


REDUCED: dict[str, tuple[Callable[[Any], Any], Callable[[Reals], Any]]] = {
    "norm": (ops.norm, lambda x: mp.sqrt(mp.fsum(v * v for v in x))),
    "norm of 3": (lambda x: ops.norm(x, 3), lambda x: mp.cbrt(mp.fsum(abs(v) ** 3 for v in x))),
    "norm of 1.5": (lambda x: ops.norm(x, 1.5), lambda x: mp.fsum(abs(v) ** M(1.5) for v in x) ** (M(2) / 3)),
    "std": (ops.std, lambda x: mp.sqrt(_spread(x, 1))),
    "mean": (ops.mean, _mean),
    "layer_norm": (lambda x: ops.layer_norm(x, len(OTHER), eps=EPS), _normalised),
    "group_norm": (lambda x: ops.group_norm(ops.reshape(x, (1, -1)), 1, eps=EPS)[0], _normalised),
    "rms_norm": (lambda x: ops.rms_norm(x, len(OTHER), eps=EPS), _by_size),
    "normalize": (lambda x: ops.normalize(x, axis=0, eps=0.0), lambda x: [v / _length(x) for v in x]),
    "pairwise_distance": (lambda x: ops.pairwise_distance(x, x * 0, eps=0.0), lambda x: _length(x)),
    "batch_norm": (_batch_norm, _normalised),
    "cosine_similarity": (
        lambda x: ops.cosine_similarity(x, np.array(OTHER, x.dtype), axis=0, eps=EPS), _cosine
    ),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("exponent", [0, 0.25, 0.79, -0.25, -0.79], ids=lambda e: f"scale {e}")
@pytest.mark.parametrize("name", REDUCED)
def test_reductions_keep_their_digits_whatever_the_size(name: str, exponent: float, dtype: Any) -> None:
    """Of numbers of about 1e-30 to 1e30 in float32, 1e-243 to 1e243 in float64: values and gradients, within
    16 units of the largest."""
    call, formula = REDUCED[name]
    size = 2.0 ** round(exponent * np.finfo(dtype).maxexp)
    values = (np.random.default_rng(1).standard_normal(len(OTHER)) * size).astype(dtype)
    x = dynamic.tensor(values, requires_grad=True)
    y = call(x)
    weights = np.random.default_rng(2).standard_normal(y.shape).astype(dtype)
    g = dynamic.grad(ops.sum(y * weights), x).numpy()
    with mpmath.workprec(700):

        def loss(point: Reals) -> Real:
            parts = formula(point)
            parts = parts if isinstance(parts, list) else [parts]
            return mp.fsum(part * M(w) for part, w in zip(parts, weights.reshape(-1).tolist(), strict=True))

        point = [M(v) for v in values.tolist()]
        made = formula(point)
        slopes = []
        for i, v in enumerate(point):
            step = abs(v) * M(10) ** -60
            ends = [loss([*point[:i], v + sign * step, *point[i + 1 :]]) for sign in (1, -1)]
            slopes.append((ends[0] - ends[1]) / (2 * step))
        for what, got, wanted in (("value", y.numpy(), made), ("gradient", g, slopes)):
            wanted = wanted if isinstance(wanted, list) else [wanted]
            one = max(map(abs, wanted)) * M(float(np.finfo(dtype).eps))
            off = [float(abs(M(a) - b) / one) for a, b in zip(got.reshape(-1).tolist(), wanted, strict=True)]
            assert max(off) <= 16, (what, off, got)


def test_a_layer_norm_of_large_and_of_usual_rows_keeps_the_bits_of_the_usual_ones() -> None:
    """Scaling is by powers of two, so that no neighbour in a batch shows in an example."""
    usual = np.random.default_rng(3).standard_normal((4, 8)).astype(np.float32)
    mixed = np.concatenate([usual, usual * np.float32(1e30), usual * np.float32(1e-30)])
    found = ops.layer_norm(mixed, 8)
    np.testing.assert_array_equal(found[:4], ops.layer_norm(usual, 8))
    alone = ops.layer_norm(usual.astype(np.float64), 8, eps=1e-60)  # beside 1e60 eps is nothing
    np.testing.assert_allclose(found[4:8], alone, rtol=1e-5)
    np.testing.assert_array_equal(ops.norm(mixed, axis=1)[:4], ops.norm(usual, axis=1))
    np.testing.assert_array_equal(ops.std(mixed, axis=1)[:4], ops.std(usual, axis=1))


@pytest.mark.parametrize(("dtype", "size"), [("float16", 3e4), ("float32", 1e30)])
def test_gradients_of_any_size_are_clipped_by_their_norm(dtype: str, size: float) -> None:
    """Squares that overflowed once made every gradient 0."""
    gradients = [np.full(100, size, dtype), np.full((3, 2), -size / 2, dtype), None]
    wide = np.concatenate([g.reshape(-1).astype(np.float64) for g in gradients if g is not None])
    clipped, norm = optim.clip_by_global_norm(gradients, np.linalg.norm(wide) / 2)
    np.testing.assert_allclose(norm, np.linalg.norm(wide), rtol=1e-6)
    assert [None if g is None else g.dtype for g in clipped] == [dtype, dtype, None]
    np.testing.assert_allclose(clipped[0], gradients[0] / 2, rtol=2e-3)
