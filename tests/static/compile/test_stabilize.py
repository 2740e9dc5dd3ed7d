"""What is written by hand keeps its numbers at `fast`, however far its logarithm has to be carried.

The oracle is the very formula in NumPy's long double, whose exponents reach from -16445 to 16384: there
nothing underflows that goes to 0 or to infinity in 32 and 64 bits. Gradients are differences of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import static
from shared import ops
from static.compile.log import Log, Record
from static.compile.lower import lower
from static.compile.passes.prune import without_unused
from static.compile.passes.stabilize import stabilize_numbers
from static.graph.select import select
from tests.static.checker import checked

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).maxexp < 16384, reason="long double is no wider than double here"
)
LABELS = np.array([2, 0])
HOT = np.eye(3)[LABELS]
FAR = np.array([[1000, 0, -1000], [-500, 500, 3]])
NEAR = np.array([[1.5, 0.25, -2], [-0.5, 0.75, 0]])
MIDDLE = np.array([[40, 1, -25], [-31, 18, 3]])


def like(x: Any, array: Any) -> Any:
    """An array of numbers in x's dtype."""
    return array.astype(x.dtype)


def turned(x: Any) -> Any:
    """Probabilities whose axes have all gone elsewhere, as their logarithm and that of their square."""
    y = ops.transpose(ops.reshape(ops.softmax(x), (1, 2, 3)), (1, 2, 0))
    return ops.log(y) + ops.log(ops.square(y))


def own_softmax(x: Any) -> Any:
    return ops.exp(x) / ops.sum(ops.exp(x), axis=1, keepdims=True)


def own_sigmoid(x: Any) -> Any:
    return 1 / (1 + ops.exp(-x))


FORMS: dict[str, Callable[[Any], Any]] = {
    # a logarithm of one picked by a slice, labels, a product with one-hot rows
    "a column": lambda x: -ops.log(ops.softmax(x)[:, 0]),
    "a column from behind": lambda x: ops.log(ops.softmax(x)[:, -1:]),
    "labels in an index": lambda x: -ops.log(ops.softmax(x)[np.arange(2), LABELS]),
    "labels gathered": lambda x: -ops.log(ops.gather(ops.softmax(x), LABELS[:, None], 1)),
    "labels that come twice": lambda x: ops.log(ops.softmax(x)[[1, 0, 1], [2, 0, 2]]),
    "columns taken": lambda x: ops.log(ops.take(ops.softmax(x), np.array([0, 2, 0]), 1)),
    "one-hot rows": lambda x: ops.log(ops.sum(ops.softmax(x) * ops.one_hot(LABELS, 3, x.dtype), axis=1)),
    "one-hot rows that are fed": lambda x: ops.log(ops.sum(like(x, HOT) * ops.softmax(x), axis=-1)),
    "one-hot rows and a mean": lambda x: -ops.mean(ops.log(ops.sum(ops.softmax(x) * like(x, HOT), axis=1))),
    # through what moves elements
    "reshaped": lambda x: ops.log(ops.reshape(ops.softmax(x), (-1,))),
    "transposed": lambda x: ops.log(ops.transpose(ops.softmax(x))),
    "axes turned about": turned,
    "flipped": lambda x: ops.log(ops.flip(ops.softmax(x), 1)),
    "split": lambda x: ops.log(ops.split(ops.softmax(x), [1, 2], 1)[1]),
    "unbound": lambda x: ops.log(ops.unbind(ops.softmax(x), 1)[2]),
    "broadcast": lambda x: ops.log(ops.broadcast_to(ops.softmax(x), (2, 2, 3))),
    "concatenated": lambda x: ops.log(ops.concatenate([ops.softmax(x), ops.sigmoid(x)], 1)),
    "stacked": lambda x: ops.log(ops.stack([ops.sigmoid(x), 1 - ops.sigmoid(x)], 0)),
    "chosen": lambda x: ops.log(ops.where(HOT > 0, ops.sigmoid(x), 1 - ops.sigmoid(x))),
    "several moves": lambda x: ops.log(ops.reshape(ops.transpose(ops.softmax(x)), (-1,))[2:5]),
    "rolled": lambda x: ops.log(ops.roll(ops.softmax(x), 1, 1)),
    # by their order, which what has gone to 0 has lost
    "sorted": lambda x: ops.log(ops.sort(ops.softmax(x), axis=1)),
    "sorted from above": lambda x: ops.log(ops.sort(ops.softmax(x), axis=1, descending=True)),
    "the largest few": lambda x: ops.log(ops.topk(ops.softmax(x), 3, axis=1)[0]),
    "the second": lambda x: ops.log(ops.kthvalue(ops.softmax(x), 2, axis=1)[0]),
    "the median": lambda x: ops.log(ops.median(ops.softmax(x), axis=1)),
    "the smallest": lambda x: ops.log(ops.min(ops.softmax(x), axis=1)),
    "the smallest and its place": lambda x: ops.log(ops.min_with_indices(ops.softmax(x), 1)[0]),
    "the largest and its place": lambda x: ops.log(ops.max_with_indices(ops.softmax(x), 1)[0]),
    "by the smallest's place": lambda x: ops.log(
        ops.take_along_axis(ops.softmax(x), ops.argmin(ops.softmax(x), axis=1, keepdims=True), 1)
    ),
    "the smallest so far": lambda x: ops.log(ops.cummin(ops.softmax(x), 1)[0]),
    "the largest so far": lambda x: ops.log(ops.cummax(ops.softmax(x), 1)[0]),
    "the smaller of two": lambda x: ops.log(ops.minimum(ops.softmax(x), ops.flip(ops.softmax(x), 1))),
    "the larger of two": lambda x: ops.log(ops.maximum(ops.sigmoid(x), ops.softmax(x))),
    "by the order of others": lambda x: ops.log(
        ops.gather(ops.softmax(x), ops.argsort(ops.sigmoid(-x), axis=1), 1)
    ),
    # what changes nothing, or holds within bounds
    "relu": lambda x: ops.log(ops.relu(ops.softmax(x))),
    "held in 0 to 1": lambda x: ops.log(ops.clip(ops.softmax(x), 0, 1)),
    "held below a half": lambda x: ops.log(ops.minimum(ops.softmax(x), 0.5)),
    "by 10": lambda x: ops.log10(ops.softmax(x)[:, 1:]),
    # binary losses
    "sigmoid": lambda x: ops.log(ops.sigmoid(x)),
    "1 - sigmoid": lambda x: ops.log(1 - ops.sigmoid(x)),
    "binary loss": lambda x: like(x, HOT) * ops.log(ops.sigmoid(x))
    + like(x, 1 - HOT) * ops.log(1 - ops.sigmoid(x)),
    "binary loss by log1p": lambda x: ops.log1p(-ops.sigmoid(x)),
    "focal loss": lambda x: (1 - ops.sigmoid(x)) ** 2 * ops.log(ops.sigmoid(x)),
    "log-odds": lambda x: ops.log(ops.sigmoid(x) / (1 - ops.sigmoid(x))),
    # exponentials by hand
    "log of exp": lambda x: ops.log(ops.exp(x)),
    "own softmax": lambda x: ops.log(own_softmax(x)),
    "own softmax, alone": own_softmax,
    "own softmax and labels": lambda x: ops.log(own_softmax(x)[np.arange(2), LABELS]),
    "own softmax and a column": lambda x: ops.log(own_softmax(x)[:, 1]),
    "own sigmoid": lambda x: ops.log(own_sigmoid(x)),
    "own sigmoid, alone": lambda x: own_sigmoid(x),
    "own sigmoid, the other way": lambda x: ops.log(ops.exp(x) / (1 + ops.exp(x))),
    "1 - own sigmoid": lambda x: ops.log(1 - own_sigmoid(x)),
    "own cross-entropy": lambda x: ops.log(ops.sum(ops.exp(x), axis=1)) - x[np.arange(2), LABELS],
    "log of a mean of exp": lambda x: ops.log(ops.mean(ops.exp(x), axis=0)),
    "two exps": lambda x: ops.log(ops.exp(x) + ops.exp(-x)),
    "softplus": lambda x: ops.log(1 + ops.exp(x)),
    "softplus by log1p": lambda x: ops.log1p(ops.exp(x)),
    "softplus of a multiple": lambda x: ops.log1p(ops.exp(x) * 2),
    "a density": lambda x: ops.log(ops.exp(x * x * -0.01) / 2.5),
    # sums, products and powers of probabilities
    "a mean": lambda x: ops.log(ops.mean(ops.softmax(x), axis=0)),
    "a sum of two classes": lambda x: ops.log(ops.sum(ops.softmax(x)[:, 1:], axis=1)),
    "the largest": lambda x: ops.log(ops.max(ops.softmax(x), axis=1)),
    "a root": lambda x: ops.log(ops.sqrt(ops.softmax(x))),
    "a power": lambda x: ops.log(ops.sigmoid(x) ** 3),
    "a multiple": lambda x: ops.log(2 * ops.softmax(x)),
    "a product": lambda x: ops.log(ops.softmax(x) * ops.sigmoid(x)),
    "entropy": lambda x: ops.sum(ops.softmax(x) * ops.log(ops.softmax(x)), axis=1),
    "divergence": lambda x: ops.sum(
        ops.softmax(x) * (ops.log(ops.softmax(x)) - ops.log(ops.softmax(x * 0.5))), axis=1
    ),
    "1 - tanh": lambda x: ops.log(1 - ops.tanh(x)),
    "1 - tanh squared": lambda x: ops.log(1 - ops.tanh(x) ** 2),
    "1 - the square of tanh": lambda x: ops.log(1 - ops.square(ops.tanh(x))),
    "1 - tanh by tanh": lambda x: ops.log(1 - ops.tanh(x) * ops.tanh(x)),
}  # fmt: skip


def _log_sigmoid(x: Any) -> Any:
    return -np.logaddexp(0, -x)


def _log_cosh_squared(x: Any) -> Any:
    """1 - tanh(x)^2 = 1 / cosh(x)^2."""
    return -2 * (np.logaddexp(x, -x) - np.log(np.longdouble(2)))


SAID_BETTER: dict[str, Callable[[Any], Any]] = {
    "stacked": lambda x: np.stack([_log_sigmoid(x), _log_sigmoid(-x)]),
    "chosen": lambda x: np.where(HOT > 0, _log_sigmoid(x), _log_sigmoid(-x)),
    "1 - sigmoid": lambda x: _log_sigmoid(-x),
    "binary loss": lambda x: HOT * _log_sigmoid(x) + (1 - HOT) * _log_sigmoid(-x),
    "binary loss by log1p": lambda x: _log_sigmoid(-x),
    "focal loss": lambda x: np.exp(2 * _log_sigmoid(-x)) * _log_sigmoid(x),
    "log-odds": lambda x: x,
    "1 - own sigmoid": lambda x: _log_sigmoid(-x),
    "1 - tanh": lambda x: np.log(np.longdouble(2)) + _log_sigmoid(-2 * x),
    **dict.fromkeys(("1 - tanh squared", "1 - the square of tanh", "1 - tanh by tanh"), _log_cosh_squared),
}
"""For the oracle: forms that long double would lose too, by cancelling."""


def test_a_logarithm_goes_through_what_only_gradients_tell() -> None:
    x = static.placeholder("float64", (2, 3))
    known = static.Variable(np.zeros((2, 3)))

    def step(carry: Any, part: Any) -> Any:
        known.assign(ops.softmax(part))
        return carry, ops.log(known.value())

    y = ops.log(ops.stop_gradient(static.identity(ops.softmax(x)))), ops.scan(step, (), x[None])[1][0]
    want = ops.log(ops.softmax(FAR.astype(np.longdouble))).astype(float)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for found in session.run(y, {x: FAR}):
            np.testing.assert_allclose(found, want, atol=1e-200)


VALUES: dict[str, Callable[[Any], Any]] = {
    "by 2": lambda x: ops.log2(ops.softmax(x)),
    "a sign below": lambda x: ops.exp(x) / -ops.sum(ops.exp(x), axis=1, keepdims=True),
    "a chosen quotient": lambda x: ops.sigmoid(x)
    * ops.where(HOT > 0, ops.sigmoid(x * 0.5) / ops.sigmoid(x), x * 0),
    "a sum over all of it": lambda x: ops.log(
        ops.sum(like(x, HOT) * ops.exp(x) / (2 * ops.sum(ops.exp(x), 1, keepdims=True)), axis=(0, 1))
    ),
}  # fmt: skip
"""Forms of whose values alone something is promised."""


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_right_near_and_far(name: str) -> None:
    x = static.placeholder("float32", (2, 3))
    y = VALUES[name](x)
    for data in (NEAR, FAR):
        with static.Session(optimize="fast") as session, np.errstate(all="ignore"):
            want = VALUES[name](data.astype(np.longdouble))
            np.testing.assert_allclose(session.run(y, {x: data}), want.astype(float), 1e-5, 1e-6)


def oracle(name: str, x: Any, weights: Any) -> tuple[Any, Any]:
    """Values, and the gradient of their sum with weights, in long double."""
    form = SAID_BETTER.get(name, FORMS[name])
    x = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        y, slope, eps = form(x), np.zeros_like(x), np.longdouble(2) ** -20
        for place in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[place] = eps
            ends = form(x + step), form(x - step)
            slope[place] = np.sum((ends[0] - ends[1]) * weights(y.shape)) / (2 * eps)
    return y, slope


def weights(shape: Any) -> Any:
    return np.resize([1.5, -0.5, 2.0, 0.25], shape)


@pytest.mark.parametrize("known", [True, False], ids=["known sizes", "unknown sizes"])
@pytest.mark.parametrize("name", FORMS)
def test_a_form_and_its_gradient_are_right_near_and_far(name: str, known: bool) -> None:
    form = FORMS[name]
    for dtype in (np.float32, np.float64):
        with static.Graph().as_default():
            x = static.placeholder(dtype, (2, 3) if known else ("N", 3))
            y = form(x)
            c = static.placeholder(dtype, y.shape)
            (slope,) = static.gradients(ops.sum(y * c), [x])
            with static.Session(optimize="fast") as session, checked():
                for data in (NEAR, MIDDLE, FAR):
                    want, want_slope = oracle(name, data, weights)
                    got = session.run([y, slope], {x: data, c: weights(want.shape)})
                    error = 30 * float(np.finfo(dtype).eps) * max(1.0, float(np.abs(data).max()))
                    for found, wanted in zip(got, (want, want_slope), strict=True):
                        wanted = wanted.astype(np.float64)
                        np.testing.assert_allclose(found, wanted, error, max(error, 2e-11))


@pytest.mark.parametrize("name", FORMS)
def test_second_derivatives_are_those_of_exact_where_nothing_is_lost(name: str) -> None:
    x = static.placeholder("float64", (2, 3))
    y = FORMS[name](x)
    (slope,) = static.gradients(ops.sum(y * y + y), [x])
    (curve,) = static.gradients(ops.sum(ops.sin(slope)), [x])
    fetches = [slope] if curve is None else [slope, curve]
    found = []
    for level, without in (("exact", ()), ("fast", ("fuse",))):
        with static.Session(optimize=level, without=without) as session, checked():
            found.append(session.run(fetches, {x: NEAR}))
    for want, got in zip(*found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_constants_is_as_good(name: str) -> None:
    """Nothing is folded before it is stable."""
    want, _ = oracle(name, FAR, weights)
    with static.Graph().as_default():
        y = FORMS[name](static.constant(FAR.astype(np.float32)))
        with static.Session(optimize="fast") as session:
            np.testing.assert_allclose(session.run(y), want.astype(np.float64), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", FORMS)
def test_what_is_stable_is_left_as_it_is(name: str) -> None:
    """A second walk finds nothing to do."""
    x = static.placeholder("float32", (2, 3))
    y = FORMS[name](x)
    fetches = [y, *static.gradients(ops.sum(y), [x])]
    block = lower(select(static.get_default_graph(), fetches), (), fetches)
    block = without_unused(stabilize_numbers(block, Log([Record("stabilize", 0, 0)])))
    log = Log([Record("stabilize", 0, 0)])
    stabilize_numbers(block, log)
    assert not log.records[0].changes


ORDINARY: dict[str, Callable[[Any], Any]] = {
    "gates": lambda x: ops.sigmoid(x) * ops.tanh(x) + (1 - ops.sigmoid(x)) * x,
    "attention": lambda x: ops.softmax(x @ ops.transpose(x)) @ x,
    "activations": lambda x: ops.silu(x) + ops.gelu(x) + ops.elu(x) + ops.softplus(x),
    "samples": lambda x: x + ops.exp(x * 0.5) * 0.25 - ops.exp(x) / 3,
    "losses": lambda x: ops.cross_entropy(x, LABELS) + ops.mean(ops.log_softmax(x)),
    "a square of what is negative": lambda x: ops.log(ops.square(-ops.softmax(x))),
    "relus": lambda x: ops.relu(x) * ops.relu(x - 1) + ops.log(2 + ops.relu(ops.softmax(x) - 0.25)),
    "two tanhs": lambda x: ops.log(1 - ops.tanh(x) * ops.tanh(x * 0.5)),
    "a floor": lambda x: ops.log(ops.softmax(x) + 1e-9) + ops.log(ops.clip(ops.sigmoid(x), 1e-6, 1)),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_what_loses_nothing_is_left_as_it_is(name: str) -> None:
    x = static.placeholder("float32", (2, 3))
    y = ORDINARY[name](x)
    with static.Session(optimize="fast") as session:
        told = session.explain([y, *static.gradients(ops.sum(y), [x])])
    assert "stabilize: " in told
    assert re.search(r"stabilize: \d+ steps, nothing to do", told), told


def test_a_choice_between_scaled_exponentials_keeps_its_sides() -> None:
    """log(where(m, x e^a, e^b)): the factor and the exponent of one side stay together."""
    m, x = np.array([True, False, True, False]), np.array([0.5, 2.0, 3.0, 4.0], np.float32)
    a, b = np.array([100.0, -90.0, 3.0, 50.0], np.float32), np.array([-80.0, 95.0, 7.0, 1.0], np.float32)
    feeds = {static.placeholder(array.dtype, array.shape): array for array in (m, x, a, b)}
    mask, factor, one, other = feeds
    y = ops.log(ops.where(mask, factor * ops.exp(one), ops.exp(other)))
    with static.Session() as session:
        found = session.run(y, feeds)
    np.testing.assert_allclose(found, np.where(m, np.log(np.float64(x)) + a, b), rtol=1e-6)
