"""What the elementwise ops and reductions promise at the edges: far out, at zero, for NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.op import TABLE

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])


def slopes(call: Any, x: Any, cotangent: Any = None) -> np.ndarray:
    """The derivative of the sum (or of <y, cotangent>) by x."""
    leaf = dynamic.tensor(x, requires_grad=True)
    y = call(leaf)
    return dynamic.grad(y, leaf, np.ones(y.shape, y.dtype) if cotangent is None else cotangent).numpy()


# --- the error function --------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "units"), [(np.float64, 1), (np.float32, 2)], ids=["f64", "f32"])
def test_erf_is_right_to_the_last_place(dtype: Any, units: int) -> None:
    """In units of the last place of Python's own, close to 0, around 0.84375 and out to where it is 1."""
    x = np.concatenate([np.linspace(-7, 7, 40001), np.linspace(0.84, 0.85, 2001), np.logspace(-30, 0, 2001)])
    x = x.astype(dtype)
    expected = np.array([math.erf(float(value)) for value in x])
    off = np.abs(ops.erf(x).astype(np.float64) - expected) / np.spacing(np.abs(expected.astype(dtype)))
    assert off.max() <= units


@each_dtype
def test_erf_of_what_is_no_ordinary_number(dtype: Any) -> None:
    y = ops.erf(np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype))
    np.testing.assert_array_equal(y, [0, 0, 1, -1, np.nan])
    assert np.signbit(y).tolist()[:2] == [False, True]


def test_erf_in_half_precision_is_the_rounded_one() -> None:
    x = np.linspace(-3, 3, 101).astype(np.float16)
    np.testing.assert_array_equal(ops.erf(x), ops.erf(x.astype(np.float32)).astype(np.float16))


def test_erf_of_a_long_array_is_that_of_its_parts() -> None:
    """It is worked through in chunks, whatever the memory order."""
    x = np.random.default_rng(0).normal(0, 2, (257, 129))
    np.testing.assert_array_equal(ops.erf(x.T), np.stack([ops.erf(row) for row in x], axis=1))


# --- far out -------------------------------------------------------------------------------

FAR = {
    "sigmoid": ([0.0, 1.0], [0.0, 0.0]),
    "log_sigmoid": ([-1000.0, 0.0], [1.0, 0.0]),
    "softplus": ([0.0, 1000.0], [0.0, 1.0]),
    "silu": ([0.0, 1000.0], [0.0, 1.0]),
    "gelu": ([0.0, 1000.0], [0.0, 1.0]),
    "normal_cdf": ([0.0, 1.0], [0.0, 0.0]),
    "gelu_tanh": ([0.0, 1000.0], [0.0, 1.0]),
    "tanh": ([-1.0, 1.0], [0.0, 0.0]),
    "erf": ([-1.0, 1.0], [0.0, 0.0]),
    "relu": ([0.0, 1000.0], [0.0, 1.0]),
}


@each_dtype
@pytest.mark.parametrize("name", FAR)
def test_saturated_activations_and_gradients_are_exact_without_a_warning(name: str, dtype: Any) -> None:
    x, (values, gradients) = np.array([-1000.0, 1000.0], dtype), FAR[name]
    op = getattr(ops, name, None) or TABLE[name]
    np.testing.assert_array_equal(op(x), np.array(values, dtype))
    np.testing.assert_array_equal(slopes(op, x), np.array(gradients, dtype))


@each_dtype
def test_elu_saturates_at_minus_alpha(dtype: Any) -> None:
    x = np.array([-1000.0, 1000.0], dtype)
    np.testing.assert_array_equal(ops.elu(x, 0.5), np.array([-0.5, 1000.0], dtype))
    np.testing.assert_array_equal(slopes(lambda x: ops.elu(x, 0.5), x), np.array([0.0, 1.0], dtype))


@each_dtype
def test_small_probabilities_keep_all_their_digits(dtype: Any) -> None:
    """sigmoid(x) is exp(x) for very negative x; a detour by tanh would give 0."""
    x = np.array([-20.0, -40.0, -80.0], dtype)
    for y in (ops.sigmoid(x), ops.softplus(x), slopes(ops.softplus, x)):
        np.testing.assert_allclose(y, np.exp(x), rtol=1e-5 if dtype == np.float32 else 1e-8)


@each_dtype
def test_logsumexp_neither_overflows_nor_stumbles_over_minus_infinity(dtype: Any) -> None:
    x = np.array([[1000.0, 1000.0], [-1000.0, -1000.0], [-np.inf, 3.0], [-np.inf, -np.inf]], dtype)
    expected = np.array([1000 + math.log(2), -1000 + math.log(2), 3.0, -np.inf], dtype)
    np.testing.assert_array_equal(ops.logsumexp(x, axis=1), expected)
    gradients = slopes(lambda x: ops.logsumexp(x, axis=1), x)
    np.testing.assert_allclose(gradients, [[0.5, 0.5], [0.5, 0.5], [0, 1], [0, 0]], atol=1e-4)
    assert ops.logsumexp(np.zeros((0, 3), dtype), axis=0).tolist() == [-np.inf] * 3


def test_the_variance_beside_a_large_mean_is_right() -> None:
    """Two passes: the mean of squares less the square of the mean would lose all digits."""
    x = np.array([1e8 + 1, 1e8 + 2, 1e8 + 3])
    assert ops.var(x) == 1.0
    assert ops.std(x, correction=0) == pytest.approx(math.sqrt(2 / 3), rel=1e-15)


# --- at zero and at ties -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "x"),
    [
        (lambda x: ops.norm(x), [0.0, 0.0]),
        (lambda x: ops.norm(x, 3), [0.0, 0.0]),
        (lambda x: ops.norm(x, math.inf), [0.0, 0.0]),
        (lambda x: ops.std(x), [2.0, 2.0]),
        (lambda x: ops.abs(x), [0.0, -0.0]),
        (lambda x: ops.relu(x), [0.0, -0.0]),
        (lambda x: x**0, [0.0, 3.0]),
    ],
)
def test_where_a_derivative_is_a_matter_of_choice_it_is_0(call: Any, x: Any) -> None:
    np.testing.assert_array_equal(slopes(call, np.array(x)), np.zeros(2))


def test_ties_share_the_gradient_evenly() -> None:
    x = np.array([[3.0, 1.0, 3.0, 3.0], [2.0, 2.0, 5.0, 2.0]])
    np.testing.assert_array_equal(
        slopes(lambda x: ops.max(x, axis=1), x), [[1 / 3, 0, 1 / 3, 1 / 3], [0, 0, 1, 0]]
    )
    np.testing.assert_array_equal(slopes(ops.min, x), [[0, 1, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(slopes(lambda x: ops.maximum(x, 3.0), x)[0], [0.5, 0, 0.5, 0.5])


def test_powers_of_zero_have_their_derivatives() -> None:
    """x^2 at 0: 0 and then 2; x^1: 1 and then 0; also where the exponent is an array."""
    for two, one in ((2, 1), (2.0, 1.0), (np.array([2.0]), np.array([1.0]))):
        assert slopes(lambda x, p=two: x**p, np.zeros(1)) == 0
        assert slopes(lambda x, p=one: x**p, np.zeros(1)) == 1
        x = dynamic.tensor(np.zeros(1), requires_grad=True)
        (first,) = dynamic.grad(x**two, [x], np.ones(1), create_graph=True)
        assert dynamic.grad(first, x, np.ones(1)).item() == 2


def test_a_product_has_its_third_derivative_where_three_factors_are_0() -> None:
    """Of a b c d at a = b = c = 0, all lower derivatives vanish, and d3/da db dc is d."""
    x = dynamic.tensor(np.array([0.0, 0.0, 0.0, 7.0]), requires_grad=True)
    g: Any = ops.prod(x)
    for place in range(3):
        (g,) = dynamic.grad(g, [x], create_graph=True)
        assert place == 2 or not g.numpy().any()
        g = g[place]
    assert g.item() == 7.0


# --- NaN and infinities --------------------------------------------------------------------


def test_nan_is_never_lost_on_the_way() -> None:
    x = np.array([1.0, np.nan, -2.0])
    for y in (ops.relu(x), ops.clip(x, -1, 1), ops.maximum(x, 0), ops.minimum(0, x), ops.elu(x)):
        assert np.isnan(y).tolist() == [False, True, False]
    for op in (ops.max, ops.min, ops.sum, ops.logsumexp, ops.norm, ops.prod):
        assert np.isnan(op(x))
    assert ops.argmax(x) == 1


def test_an_infinite_cotangent_of_what_was_not_chosen_does_no_harm() -> None:
    """Choosing is not multiplying by 0, which would make it NaN."""
    x, g = np.array([-1.0, 2.0]), np.array([np.inf, 1.0])
    for call in (ops.relu, lambda x: ops.where(x > 0, x, 0.0), lambda x: ops.maximum(x, 0.0),
                 lambda x: ops.clip(x, low=0.0)):  # fmt: skip
        np.testing.assert_array_equal(slopes(call, x, g), [0.0, 1.0])


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "int32", "float32", "float64", "complex128"])
def test_where_on_long_arrays_is_numpys_to_the_bit(dtype: str) -> None:
    """It chooses by bits there."""
    rng = np.random.default_rng(0)
    mask = rng.random((40, 60)) < 0.5
    a, b = rng.normal(0, 3, (40, 1)).astype(dtype), rng.normal(0, 3, (1, 60)).astype(dtype)
    np.testing.assert_array_equal(ops.where(mask, a, b), np.where(mask, a, b))
    assert ops.where(mask, a, b).dtype == dtype
    np.testing.assert_array_equal(TABLE["gate"](a, mask), np.where(mask, a, np.zeros((), dtype)))


# --- dtypes --------------------------------------------------------------------------------

BINARY = ["add", "sub", "mul", "div", "pow", "maximum", "minimum"]


@pytest.mark.parametrize("name", BINARY)
def test_a_python_number_takes_the_dtype_of_the_array(name: str) -> None:
    x = np.array([1.0, 2.0], np.float32)
    for number in (2, 0.5, True):
        assert TABLE[name](x, number).dtype == TABLE[name](number, x).dtype == np.float32


@pytest.mark.parametrize(
    "name", ["exp", "log1p", "sqrt", "rsqrt", "reciprocal", "sigmoid", "softplus", "silu", "erf"]
)
def test_integers_become_floats_as_in_numpy(name: str) -> None:
    for given, got in (
        ("int32", "float64"),
        ("int64", "float64"),
        ("float32", "float32"),
    ):
        assert TABLE[name](np.array([1, 2], given)).dtype == got


def test_integers_are_summed_in_64_bits() -> None:
    x = np.full(3, 2**30, np.int32)
    assert ops.sum(x) == 3 * 2**30
    assert ops.prod(np.full(3, 2**20, np.int32)) == 2**60
    assert ops.cumsum(x)[-1] == 3 * 2**30
    assert ops.sum(np.ones(300, bool)) == 300
    assert ops.mean(x).dtype == ops.var(x).dtype == np.float64


def test_numbers_that_tie_share_the_gradient_evenly() -> None:
    for op in (ops.maximum, ops.minimum):
        a, b = (dynamic.tensor(np.full(3, 2.0), requires_grad=True) for _ in range(2))
        for half in dynamic.grad(ops.sum(op(a, b)), [a, b]):
            np.testing.assert_array_equal(half.numpy(), 0.5)


# --- axes ----------------------------------------------------------------------------------

AXES: dict[str, tuple[Any, tuple[int, ...]]] = {
    "sum": (ops.sum, (0, 2)),
    "mean": (ops.mean, (1, -1)),
    "max": (ops.max, (0, 1)),
    "std": (ops.std, (0, 2)),
    "logsumexp": (ops.logsumexp, (0, 2)),
    "flip": (ops.flip, (0, 2)),
    "expand_dims": (ops.expand_dims, (0, 3)),
    "squeeze": (lambda x, axis: ops.squeeze(ops.expand_dims(x, (0, 3)), axis), (0, 3)),
}


@pytest.mark.parametrize("name", AXES)
def test_axes_may_be_said_in_any_order(name: str) -> None:
    """The same bits, and in a graph the same settings, so that it is computed once."""
    call, axes = AXES[name]
    a = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(call(a, axes[::-1]), call(a, axes))
    x = static.placeholder("float32", a.shape)
    pair = [call(x, axes), call(x, axes[::-1])]
    with static.Session() as session:
        one, other = session.run(pair, {x: a})
        assert len(session.block(pair, [x]).steps) == len(session.block(pair[0], [x]).steps)
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "any", "all", "var", "std"])
def test_a_reduction_fills_what_it_is_given_in_any_order_of_memory(name: str) -> None:
    """Of an array that lies transposed, too."""
    op, a = TABLE[name], np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3)
    settings: dict[str, Any] = {"axis": (0,), "keepdims": False}
    if name in ("var", "std"):
        settings["correction"] = 0
    expected = op.compute(np.ascontiguousarray(a.T), **settings)
    out = np.zeros_like(expected)
    assert op.compute(a.T, **settings, out=out) is out
    np.testing.assert_array_equal(out, expected)
