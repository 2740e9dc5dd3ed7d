"""Integers and bools: no sum, no difference and no filling of them wraps without a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from dynamic import array_api
from shared import ops
from shared.errors import DTypeError

KINDS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"]


def ends(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays whose differences leave their dtype, and float64 holds."""
    if kind == "bool":
        return np.array([[True, False], [True, True]]), np.array([[False, True], [True, False]])
    part, limits = 2**24 if kind == "int64" else 1, np.iinfo(kind)
    low, high = int(limits.min) // part, int(limits.max) // part
    return np.array([[low, high], [high, 7]], kind), np.array([[high, low], [3, 5]], kind)


def on_all(call: Callable[..., Any], *arrays: np.ndarray) -> tuple[Any, Any]:
    """What dynamic gives, which is to the bit what static's level exact gives, and what level fast gives."""
    given = call(*map(dynamic.tensor, arrays)).numpy()
    found = given
    for level in ("exact", "fast"):
        with static.Graph().as_default():
            shapes = [a.shape if level == "exact" else (None,) * a.ndim for a in arrays]
            xs = [static.placeholder(a.dtype, shape) for a, shape in zip(arrays, shapes, strict=True)]
            y = call(*xs)
            with static.Session(optimize=level) as session:
                found = session.run(y, dict(zip(xs, arrays, strict=True)))
        assert y.dtype == found.dtype == given.dtype
        assert level == "fast" or found.tobytes() == given.tobytes()
    return given, found


# --- sums and differences ------------------------------------------------------------------


@pytest.mark.parametrize("kind", [*KINDS, "uint64", "float16", "float64"])
def test_a_trace_is_summed_as_numpy_does(kind: str) -> None:
    """Of int8 100, 100 and 100 it was 44."""
    x = np.full((2, 3, 4), 1 if kind == "bool" else 100, kind)
    right = np.trace(x, axis1=-2, axis2=-1)
    for y in (*on_all(ops.trace, x), ops.linalg.trace(x)):
        assert y.dtype == right.dtype
        np.testing.assert_array_equal(y, right)


def huber(x: Any, t: Any) -> Any:
    d = np.abs(x - t)
    return np.where(d <= 1, d * d / 2, d - 0.5)


LOSSES: dict[str, tuple[Callable[[Any, Any, str], Any], Callable[[Any, Any], Any]]] = {
    "l1": (ops.l1_loss, lambda x, t: np.abs(x - t)),
    "mse": (ops.mse_loss, lambda x, t: (x - t) ** 2),
    "mse to a number": (lambda x, t, r: ops.mse_loss(x, -100, r), lambda x, t: (x + 100) ** 2),
    "huber": (ops.huber_loss, huber),
    "smooth_l1": (ops.smooth_l1_loss, huber),
    "smooth_l1, 0": (lambda x, t, r: ops.smooth_l1_loss(x, t, r, 0.0), lambda x, t: np.abs(x - t)),
    "gaussian": (
        lambda x, t, r: ops.gaussian_nll_loss(x, t, ops.equal(t, t), reduction=r),
        lambda x, t: (x - t) ** 2 / 2,
    ),
    "poisson": (
        lambda x, t, r: ops.poisson_nll_loss(ops.clip(ops.cast(x, "int8"), 1, 100), t, reduction=r),
        lambda x, t: np.exp(clipped(x)) - t * clipped(x),
    ),
    "kl": (lambda x, t, r: ops.kl_div(x, ops.equal(t, t), r), lambda x, t: -x),
    "hinge": (
        lambda x, t, r: ops.hinge_embedding_loss(x, t, reduction=r),
        lambda x, t: np.where(t != 1, np.maximum(1 - x, 0), 0) + np.where(t != -1, x, 0),
    ),
    "soft margin": (ops.soft_margin_loss, lambda x, t: np.logaddexp(0, -t * x)),
    "ranking": (
        lambda x, t, r: ops.margin_ranking_loss(x, t, 1, reduction=r), lambda x, t: np.maximum(t - x, 0)
    ),
}  # fmt: skip
"""Losses of (x, target, reduction), and what they are of each element in float64."""


def clipped(x: Any) -> Any:
    """`x` cast to int8 and held from 1 to 100."""
    return np.clip(x.astype(np.int64).astype(np.int8).astype(np.float64), 1, 100)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_loss_of_integers_is_that_of_the_numbers(kind: str, name: str) -> None:
    """1 was 254 away from 3 in uint8, and squares were those of int8."""
    loss, formula = LOSSES[name]
    x, t = ends(kind)
    each = formula(x.astype(np.float64), t.astype(np.float64))
    single = name == "ranking"
    for reduction, right in (("none", each), ("sum", each.sum()), ("mean", each.mean())):
        for y in on_all(lambda a, b, r=reduction: loss(a, b, r), x, t):
            assert y.dtype == (np.float32 if single else np.float64)
            np.testing.assert_allclose(y, right, rtol=1e-6 if single else 1e-12)


DISTANCES: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any, Any], Any]]] = {
    "pairwise": (
        lambda a, b: ops.pairwise_distance(a, b, eps=0.0), lambda a, b: np.sqrt(((a - b) ** 2).sum(-1)),
    ),
    "cdist": (ops.cdist, lambda a, b: np.sqrt(((a[:, None] - b) ** 2).sum(-1))),
    "cdist, 1": (lambda a, b: ops.cdist(a, b, 1.0), lambda a, b: np.abs(a[:, None] - b).sum(-1)),
    "pdist": (lambda a, b: ops.pdist(a), lambda a, b: np.sqrt(((a[0] - a[1]) ** 2).sum(keepdims=True))),
    "cosine": (
        ops.cosine_similarity,
        lambda a, b: (a * b).sum(1) / np.sqrt((a**2).sum(1)) / np.sqrt((b**2).sum(1)),
    ),
    "triplet": (
        lambda a, b: ops.triplet_margin_loss(a, b, a, eps=0.0, reduction="none"),
        lambda a, b: np.sqrt(((a - b) ** 2).sum(-1)) + 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_distance_of_integers_is_that_of_the_numbers(kind: str, name: str) -> None:
    distance, formula = DISTANCES[name]
    x, t = ends(kind)
    right = formula(x.astype(np.float64), t.astype(np.float64))
    for y in on_all(distance, x, t):
        eps = float(np.finfo(y.dtype).eps)
        np.testing.assert_allclose(y, right, rtol=2 * eps, atol=2 * eps if name == "cosine" else 0)


# --- numbers that do not fit ---------------------------------------------------------------

MASK = np.array([True, False, True])
FILLS: dict[str, Callable[[Any, Any], Any]] = {
    "masked_fill": lambda x, v: ops.masked_fill(x, MASK, v),
    "where": lambda x, v: ops.where(MASK, x, v),
    "where of many": lambda x, v: ops.where(np.ones((1000, 3), bool), v, x),
    "full_like": ops.full_like,
    "index_fill": lambda x, v: ops.index_fill(x, np.array([0]), v, 0),
    "maximum": ops.maximum,
    "arange": lambda x, v: ops.arange(v, v + 2, dtype=x.dtype, like=x),
    "arange from inside": lambda x, v: ops.arange(0, 2 * v, v, dtype=x.dtype, like=x),
    "linspace": lambda x, v: ops.linspace(0, v, 3, dtype=x.dtype, like=x),
}


@pytest.mark.parametrize("call", FILLS)
@pytest.mark.parametrize(
    ("kind", "number"), [("int8", 128), ("int8", -129), ("uint8", -1), ("uint16", 2**16)]
)
def test_a_number_that_the_dtype_does_not_hold_is_refused(call: str, kind: str, number: int) -> None:
    """300 was 44 in int8."""
    x = np.array([1, 2, 3], kind)
    with pytest.raises(DTypeError, match=str(number)):
        FILLS[call](dynamic.tensor(x), number)
    for level in ("exact", "fast"):
        with static.Graph().as_default(), static.Session(optimize=level) as session:
            y = static.placeholder(kind, (None,))
            with pytest.raises(DTypeError, match=str(number)):
                session.run(FILLS[call](y, number), {y: x})


def test_what_is_written_in_place_is_refused_as_well() -> None:
    """fill_ and masked_fill_ gave 44; NumPy's integers are as Python's, since the dtype stays."""
    x = dynamic.tensor(np.array([1, 2, 3], np.int8))
    for number in (300, np.int64(300), np.int16(-129)):
        changes = (x.fill_, x.copy_, lambda v: x.masked_fill_(MASK, v), lambda v: x.__setitem__(0, v), x.add_)
        for write in changes:
            with pytest.raises(DTypeError, match=str(int(number))):
                write(number)
    np.testing.assert_array_equal(x.numpy(), [1, 2, 3])
    x.masked_fill_(MASK, np.int64(-128))
    np.testing.assert_array_equal(x.numpy(), [-128, 2, -128])
    np.testing.assert_array_equal(x.fill_(127).numpy(), [127] * 3)


def test_draws_that_the_dtype_does_not_hold_are_refused() -> None:
    """0 to 299 in uint8 drew 0 to 43 twice as often as the others."""
    for low, high, kind in ((0, 257, "uint8"), (-1, 3, "uint8"), (0, 3, "bool"), (0, 70000, "float16")):
        with pytest.raises(DTypeError, match="does not hold"):
            dynamic.randint(low, high, (3,), dtype=kind)
    with pytest.raises(DTypeError, match="does not hold 299"):
        static.random_uniform((3,), 0, 300, "uint8")
    with pytest.raises(DTypeError, match="does not hold 256"):
        dynamic.randperm(257, dtype="uint8")
    for call, bounds in (
        (dynamic.arange, (129,)), (dynamic.linspace, (0, 300, 3)), (array_api.arange, (129,)),
        (array_api.linspace, (0, 300, 3)), (static.one_hot, ([0], 2, 300)),
        (static.constant_initializer(300), ((2,),)),
    ):  # fmt: skip
        with pytest.raises(DTypeError, match="does not hold"):
            call(*bounds, dtype="int8")
    assert set(dynamic.randint(0, 256, (10000,), dtype="uint8").tolist()) == set(range(256))


def test_a_logarithm_of_a_number_beside_integers() -> None:
    """Of 300 beside int8 it was that of 44, of -1 beside uint8 that of 255."""
    for y in on_all(lambda x: ops.xlogy(x, 300), np.array([0, 2, -3], np.int8)):
        np.testing.assert_allclose(y, np.array([0, 2, -3]) * np.log(300), rtol=2e-3)
    with np.errstate(invalid="ignore"):
        assert np.isnan(ops.xlogy(np.array([1], np.uint8), -1)).all()


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
@pytest.mark.parametrize("kind", [*KINDS, "uint64", "float16", "float32"])
def test_softsign_of_the_ends(kind: str) -> None:
    """It was declared as float16 of 8 bits and ran in float64; 1 + |-128| is 129."""
    x = ends("int64" if kind in ("uint64", "float16", "float32") else kind)[0]
    x = np.minimum(np.abs(x), 30000).astype(kind) if kind.startswith("float") else x.astype(kind)
    wide = np.asarray(x, np.longdouble)
    for y in on_all(ops.softsign, x):
        assert y.dtype == np.exp(x[:0]).dtype
        np.testing.assert_allclose(y, wide / (1 + np.abs(wide)), rtol=2 * float(np.finfo(y.dtype).eps))
