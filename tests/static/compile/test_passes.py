"""What every pass promises: the same results, effects in their order, a checked block, a log.

Each pass has its own tests below or beside; what holds for all of them is tried over the table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import static
from shared import nn, ops
from shared.errors import RangeError, SettingError
from shared.op import TABLE, ZERO, Op
from shared.ops.matrices import linear_weight
from shared.slices import finished
from shared.spec import Spec
from static.compile.block import Block
from static.compile.lower import lower
from static.compile.passes import Log, Record
from static.compile.passes.rows import FEW, SHORT
from static.graph.select import select
from tests.static.checker import checked


@pytest.fixture(autouse=True)
def graph() -> Any:
    with static.Graph().as_default() as g:
        yield g


def test_a_level_or_pass_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingError, match="'slow' is not a level"):
        static.Session(optimize="slow")
    with pytest.raises(SettingError, match=r"'magic' is not a pass; there are .*prune"):
        static.Session(without=["magic"])


def test_what_is_computed_twice_is_computed_once() -> None:
    x = static.placeholder("float32", (3,), name="x")
    y = ops.exp(x) * 2 + ops.exp(x) * 2
    with static.Session(without=["fuse"]) as session:
        assert session.program(y).count(" = exp(") == 1
        assert "the same op on the same values" in session.explain(y)
    with static.Session(without=["cse", "fuse"]) as session:
        assert session.program(y).count(" = exp(") == 2


def test_numbers_that_only_look_the_same_are_kept_apart() -> None:
    x = static.placeholder("float32", (2,), name="x")
    ys = [1 / (x * zero) for zero in (0.0, -0.0)]
    with static.Session() as session, np.errstate(divide="ignore"):
        first, second = session.run(ys, {x: [1.0, 2.0]})
    assert (first == np.inf).all() and (second == -np.inf).all()


def test_slices_of_one_tensor_are_kept_apart() -> None:
    x, a = static.placeholder("float32", (6, 4)), np.arange(24, dtype=np.float32).reshape(6, 4)
    indices: list[Any] = [
        np.s_[:2],
        np.s_[2:4],
        np.s_[:4:2],
        np.s_[:4],
        np.s_[1:3],
        np.s_[:, :2],
        np.s_[:, 2:],
        np.s_[::-1],
    ]
    with static.Session() as session:
        found = session.run([x[index] for index in indices], {x: a})
    for got, index in zip(found, indices, strict=True):
        np.testing.assert_array_equal(got, a[index])


def test_the_order_of_arguments_keeps_steps_apart() -> None:
    x, y = static.placeholder("float32", (3,)), static.placeholder("float32", (3,))
    feeds = {x: np.array([1, 2, 3], np.float32), y: np.array([5, 7, 11], np.float32)}
    a, b = feeds.values()  # and not what exact gives, for it merges steps too
    with static.Session() as session:
        found = session.run([x - y, y - x, x / y, y / x, x**y, y**x], feeds)
    for got, want in zip(found, [a - b, b - a, a / b, b / a, a**b, b**a], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_prints_alike_are_all_printed(capfd: pytest.CaptureFixture[str]) -> None:
    x = static.placeholder("float32", (), name="x")
    y = static.Print(x, [x], "seen ") + static.Print(x, [x], "seen ")
    with static.Session() as session:
        session.run(y, {x: 1.0})
    assert capfd.readouterr().err.count("seen") == 2


def steps(fetches: Any, **options: Any) -> list[str]:
    """The ops of the program that a run at `fast` executes, in order."""
    with static.Session(optimize="fast", **options) as session:
        return [step.op.name for step in session.block(fetches).steps]


def agree(fetches: Any, feeds: Any, rtol: float = 1e-5) -> Any:
    """What `fast` gives, after a look at whether `exact` gives the same."""
    with static.Session(optimize="exact") as session, checked():
        session.run(static.global_variables_initializer())
        want = session.run(fetches, feeds)
    with static.Session(optimize="fast") as session, checked():
        session.run(static.global_variables_initializer())
        got = session.run(fetches, feeds)
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=rtol, atol=1e-6)
    return got


# --- fold ---


def test_constants_are_computed_once_and_large_ones_left_alone() -> None:
    x = static.placeholder("float32", (3,), name="x")
    small = x + ops.exp(static.constant(np.ones(3, np.float32))) * 2
    assert steps(small) == ["add"]
    large = ops.sum(ops.ones((400, 400), like=x)) + x
    assert "full" in steps(large)


def test_what_fails_when_folded_fails_at_run_with_the_users_line() -> None:
    bad = ops.gather(static.constant(np.ones(3)), static.constant(np.array([7])), 0)
    with static.Session() as session, pytest.raises(IndexError, match="test_passes"):
        session.run(bad)


# --- simplify ---


@pytest.mark.parametrize("dtypes", [("uint8", "float64"), ("int16", "uint8"), ("uint8", "uint8")], ids=str)
def test_signs_of_unsigned_numbers_stay_where_they_are(dtypes: Any) -> None:
    """-x of an unsigned number wraps around, which in a wider dtype is another number."""
    x, y = (static.placeholder(dtype, (3,)) for dtype in dtypes)
    feeds = {x: np.array([1, 2, 3], dtypes[0]), y: np.array([4, 5, 7], dtypes[1])}
    left, right = ops.neg(x), ops.neg(y)
    agree([x + right, x - right, y + left, y - left, left * right, left / right], feeds)


def test_numbers_of_complex_arrays_are_left_as_they_are() -> None:
    x = static.placeholder("complex128", (2,))
    ys = [x * static.constant(np.ones(2, complex)), x - static.constant(np.zeros(2, complex))]
    agree(ys, {x: [1 + 2j, -3j]})


def test_a_view_that_changes_nothing_is_no_step() -> None:
    x = static.placeholder("float32", ("N", 4), name="x")
    y = ops.transpose(ops.transpose(ops.reshape(x, (-1, 4)))).astype("float32") + 1
    assert steps(y) == ["add"]


def test_transposes_of_transposes_are_put_together_in_their_order() -> None:
    x = static.placeholder("float32", (3, 3, 3))
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    ys = [ops.transpose(ops.transpose(x, a), b) + 1 for a in orders for b in orders]
    agree(ys, {x: np.arange(27, dtype=np.float32).reshape(3, 3, 3)})


def test_what_has_an_effect_is_done_though_nothing_uses_what_it_gives(capfd: Any) -> None:
    x = static.placeholder("float32", (), name="x")
    with static.control_dependencies([static.Print(x * 2, [x], "seen ")]):
        y = x + 1
    agree([y], {x: 1.0})
    assert capfd.readouterr().err.count("seen") == 2


# --- stabilize ---


def test_losses_written_by_hand_are_finite_with_their_gradients() -> None:
    x = static.placeholder("float32", (2, 3), name="x")
    far = np.array([[1000, 0, -1000], [-500, 500, 3]], np.float32)
    soft = ops.exp(x) / ops.sum(ops.exp(x), axis=1, keepdims=True)
    total = ops.sum(ops.exp(x), axis=1), ops.sum(ops.exp(x), axis=1, keepdims=True)
    logs = map(ops.log, (ops.softmax(x), ops.sigmoid(x), 1 + ops.exp(x), *total))
    for y in (soft, *logs):
        fetches = [y, *static.gradients(ops.sum(y), [x])]
        with static.Session(optimize="fast") as session:
            assert all(np.isfinite(value).all() for value in session.run(fetches, {x: far}))
        with static.Session(optimize="exact") as session, np.errstate(all="ignore"):
            assert not all(np.isfinite(value).all() for value in session.run(fetches, {x: far}))
        with np.errstate(all="ignore"):
            agree(fetches, {x: far / 500})


# --- loops ---


def _recurrent(length: Any, cell: Any = nn.LSTM) -> Any:
    nn.manual_seed(3)
    layer = cell(4, 5)
    x = static.placeholder("float32", (length, 2, 4), name="x")
    y, _ = layer(x)
    loss = ops.sum(y * y)
    slopes = static.gradients(loss, [x, *layer.parameters()])
    data = np.random.default_rng(0).standard_normal((6, 2, 4)).astype(np.float32)
    return [loss, *slopes], {x: data}


def test_a_scan_multiplies_its_columns_and_gathers_its_weight_gradients_outside() -> None:
    nn.manual_seed(3)
    cell = nn.LSTMCell(4, 5)
    x = static.placeholder("float32", (None, 2, 4), name="x")
    start = (ops.zeros((2, 5), like=x), ops.zeros((2, 5), like=x))

    def step(states: Any, now: Any) -> Any:
        states = cell(now, states)
        return states, states[0]

    _, ys = static.scan(step, start, x)
    loss = ops.sum(ys * ys)
    fetches = [loss, *static.gradients(loss, [x, *cell.parameters()])]
    data = np.random.default_rng(0).standard_normal((6, 2, 4)).astype(np.float32)
    agree(fetches, {x: data})
    agree(fetches, {x: data[:1]})
    agree(fetches, {x: data[:0]})
    with static.Session(optimize="fast") as session:
        told = session.explain(fetches)
    assert "linear out of a loop: one product for all steps" in told
    assert "linear_weight in one behind its loop (2 times)" in told


@pytest.mark.parametrize("cell", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("length", [None, 6])
def test_layers_over_time_give_the_same_by_scan_and_unrolled(cell: Any, length: Any) -> None:
    agree(*_recurrent(length, cell))


def test_weight_gradients_of_unrolled_steps_are_one_product() -> None:
    fetches, _ = _recurrent(6)
    inputs, states, first_state = 1, 1, 1  # the first state lies with none of the others
    assert steps(fetches).count("linear_weight") == inputs + states + first_state
    assert steps(fetches, without=["gather"]).count("linear_weight") == 1 + 6


def test_weight_gradients_are_one_product_where_their_rows_lie_under_each_other() -> None:
    """However many rows: nothing has to be copied for it."""
    rows = 4 * FEW
    nn.manual_seed(0)
    layer = nn.RNN(8, 8)
    x = static.placeholder("float32", (6, rows, 8), name="x")
    loss = ops.sum(layer(x)[0] ** 2)
    fetches = [loss, *static.gradients(loss, list(layer.parameters()))]
    agree(fetches, {x: np.random.default_rng(0).standard_normal((6, rows, 8)).astype(np.float32)})
    assert steps(fetches).count("linear_weight") == 3
    with static.Session() as session:
        text = session.program(fetches)
    assert text.count("which are there already") == text.count("= concatenate(") == 4


SUMS = {
    "a product twice": ("xa xa yb", "xy ab"),
    "the same rows with two others": ("xa xb yc", "xy"),
    "two rows with the same others": ("xa ya zc", "ac"),
    "rows that lie there twice": ("xa yb zc", "xxy"),
    "both rows twice": ("xa yb", "xx aa"),
    "both rows twice, and others": ("xa yb", "xxy aab"),
}


@pytest.mark.parametrize(("terms", "joins"), SUMS.values(), ids=list(SUMS))
def test_a_sum_of_weight_gradients_has_each_as_often_as_it_was_added(terms: str, joins: str) -> None:
    """Whatever lies under each other already."""
    rng = np.random.default_rng(2)
    data = {name: rng.standard_normal((3, 8 if name in "xyz" else 5), np.float32) for name in "xyzabc"}
    p = {name: static.placeholder("float32", array.shape) for name, array in data.items()}
    first, *rest = [linear_weight(p[x], p[g]) for x, g in terms.split()]
    total = sum(rest, first)
    others = [ops.sum(ops.concatenate([p[name] for name in join], 0)) for join in joins.split()]
    agree([total, *others], {p[name]: array for name, array in data.items()})


def test_a_weight_gradient_that_something_else_needs_stays_a_term() -> None:
    rng = np.random.default_rng(2)
    p = [static.placeholder("float32", (3, size)) for size in (8, 8, 5, 5)]
    terms = [linear_weight(p[0], p[2]), linear_weight(p[1], p[3])]
    total = terms[0] + terms[1]
    feeds = {one: rng.standard_normal(one.shape, np.float32) for one in p}
    agree([total, ops.tanh(terms[0])], feeds)
    agree([total, ops.tanh(total) + terms[1]], feeds)


def test_products_of_independent_steps_are_one() -> None:
    w = static.Variable(np.ones((5, 4), np.float32))
    xs = [static.placeholder("float32", (2, 4), name=f"x{i}") for i in range(3)]
    hs = [ops.tanh(ops.linear(x, w)) for x in xs]
    last = ops.linear(ops.linear(hs[0], ops.transpose(w)), w)  # needs another's result
    data = {x: np.full((2, 4), i, np.float32) for i, x in enumerate(xs)}
    agree([*hs, last], data)
    assert steps([*hs, last]).count("linear") == 3


def _losses(
    reduction: Any, labels: Any, dtype: str = "float32", chained: bool = False, **settings: Any
) -> Any:
    """Losses of three batches, as a loop over time has them, with their slopes; and what to feed."""
    scores = np.random.default_rng(3).standard_normal((3, len(labels[0]), 5)).astype(dtype)
    x = static.placeholder(dtype, scores.shape, name="x")
    labels = np.array(labels)
    y = static.placeholder(labels.dtype, labels.shape, name="y")
    loss: Any = 0.0
    for t in range(3):
        logits = x[t] * loss if chained and t else x[t]
        how = reduction if isinstance(reduction, str) else reduction[t]
        loss = loss + ops.sum(ops.cross_entropy(logits, y[t], reduction=how, **settings) * (t + 1))
    return [loss, *static.gradients(loss, [x])], {x: scores, y: labels}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_losses_of_equal_batches_are_one(reduction: str, smoothing: float) -> None:
    """Each with the mean over its own labels that count, which are others in each."""
    labels = [[1, 4, 0, 2], [3, 0, -1, -1], [-1, 2, 2, -1]]
    fetches, feeds = _losses(reduction, labels, ignore_index=-1, label_smoothing=smoothing)
    found = steps(fetches)
    assert found.count("cross_entropies") == 1 and "cross_entropy" not in found
    assert steps(fetches, without=["rows"]).count("cross_entropy") == 3
    agree(fetches, feeds)


def test_a_batch_of_no_label_that_counts_has_no_mean_and_no_slope_among_others() -> None:
    fetches, feeds = _losses("mean", [[1, 4], [-1, -1], [2, 2]], ignore_index=-1)
    with static.Session() as session:
        assert "cross_entropies" in session.program(fetches)
        loss, slope = session.run(fetches, feeds)
    with static.Session(optimize="exact") as session:
        assert np.isnan(loss) and np.isnan(session.run(fetches[0], feeds))
        np.testing.assert_allclose(slope, session.run(fetches[1], feeds), rtol=1e-6)
    assert not slope[1].any() and slope[2].all()


def test_a_label_that_is_no_class_is_told_of_its_own_batch() -> None:
    fetches, feeds = _losses("mean", [[1, 4], [0, 1], [2, 7]])
    said = []
    for optimize in ("exact", "fast"):
        with static.Session(optimize=optimize) as session, pytest.raises(RangeError) as error:
            session.run(fetches, feeds)
        said.append(error.value.message.partition(" [while running")[0])
    assert said[0] == said[1] and "label 7 (at position 1)" in said[0]


def test_losses_stay_apart_where_one_needs_another_or_they_are_unlike_half_or_large() -> None:
    chained, feeds = _losses("mean", [[1, 4], [0, 1], [2, 3]], chained=True)
    assert steps(chained).count("cross_entropy") == 3
    agree(chained, feeds)
    apart, feeds = _losses(("mean", "sum", "sum"), [[1, 4], [0, 1], [2, 3]])
    assert steps(apart).count("cross_entropy") == 1
    agree(apart, feeds)
    half, _ = _losses("mean", [[1, 4], [0, 1], [2, 3]], "float16")
    assert steps(half).count("cross_entropy") == 3
    large, _ = _losses("mean", [[1] * (SHORT // 5 + 1)] * 3)
    assert steps(large).count("cross_entropy") == 3


# --- pack ---


@pytest.mark.parametrize("rows", [1, 5, 200])
def test_a_weight_of_dependent_products_is_laid_out_once(rows: int) -> None:
    """Forward, backward, and of more rows than the layout is for, which a run alone can know."""
    rng = np.random.default_rng(2)
    w = static.Variable(rng.standard_normal((7, 7)).astype(np.float32) / 3, name="w")
    b = static.Variable(rng.standard_normal(7).astype(np.float32), name="b")
    x = static.placeholder("float32", (None, 7), name="x")
    h = x
    for _ in range(4):
        h = ops.tanh(ops.linear(h, w, b)) @ w
    fetches = [h, *static.gradients(ops.sum(h * h), [x, w, b])]
    found = steps(fetches)
    assert found.count("pack") == 2  # of the weight and of its transpose
    assert {"packed_linear", "packed_matmul"} <= set(found) and "linear" not in found
    assert "pack" not in steps(fetches, without=["pack"])
    agree(fetches, {x: rng.standard_normal((rows, 7), np.float32)}, rtol=1e-4)


def test_one_product_or_two_lay_nothing_out() -> None:
    w = static.Variable(np.ones((7, 7), np.float32))
    x = static.placeholder("float32", (2, 7), name="x")
    assert "pack" not in steps(ops.linear(ops.tanh(ops.linear(x, w)), w))


# --- convolve ---


def _images(count: int = 3) -> tuple[Any, Any]:
    x = static.placeholder("float32", (None, 2, 12, 14), name="x")
    return x, {x: np.random.default_rng(5).standard_normal((count, 2, 12, 14), np.float32)}


LAYERS = {
    "conv, relu, pool": (nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
    "conv, pool, relu": (nn.Conv2d(2, 6, 3, bias=False), nn.MaxPool2d((2, 3)), nn.ReLU()),
    "in groups": (nn.Conv2d(2, 8, (3, 2), groups=2), nn.ReLU(), nn.MaxPool2d(3)),
    "strided": (nn.Conv2d(2, 6, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2)),
}


@pytest.mark.parametrize("kernels", ["kernels", "one by one"])
@pytest.mark.parametrize("layers", LAYERS.values(), ids=list(LAYERS))
def test_a_convolution_takes_its_relu_and_pooling_with_it(
    layers: Any, kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradients by the weights and by the image, and those of these gradients, are the same."""
    monkeypatch.setattr("shared.kernels.convolution.WORTH", 1 if kernels == "kernels" else 1 << 60)
    x, feeds = _images()
    y = nn.Sequential(*layers)(x)
    loss = ops.sum(y * y)
    parameters = [x, *static.trainable_variables()]
    first = static.gradients(loss, parameters)
    penalty = static.gradients(sum(ops.sum(g * g) for g in first), parameters)
    agree([y, loss, *first], feeds)
    agree([y, *first, *penalty], feeds, rtol=1e-4)
    found = steps([loss, *first])
    assert "conv2d_pool" in found and "conv2d_pool_weight" in found and "conv2d_pool_input" in found
    assert not {"conv2d", "relu", "max_pool2d", "max_pool2d_input"} & set(found) - {"relu"}


@pytest.mark.parametrize("kernels", ["kernels", "one by one"])
def test_a_window_of_one_element_is_left_to_the_pooling(
    kernels: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.kernels.convolution.WORTH", 1 if kernels == "kernels" else 1 << 60)
    x, feeds = _images()
    y = ops.max_pool2d(ops.relu(nn.Conv2d(2, 6, 3)(x)), 1)
    assert steps(y) == ["conv2d_relu", "max_pool2d"]
    agree([y, *static.gradients(ops.sum(y * y), [x, *static.trainable_variables()])], feeds)


def test_a_convolution_takes_a_relu_alone_and_leaves_what_others_need() -> None:
    x, feeds = _images()
    whole = nn.Conv2d(2, 6, 3)(x)
    seen = ops.relu(whole)
    overlapping = ops.max_pool2d(seen, 3, stride=2)
    apart = ops.max_pool2d(seen, 2)
    assert steps(seen) == ["conv2d_relu"]
    assert steps([overlapping]) == ["conv2d_relu", "max_pool2d"]
    assert steps([apart, seen]) == ["conv2d_relu", "max_pool2d"]
    assert steps([apart, whole]) == ["conv2d", "relu", "max_pool2d"]
    assert steps([apart, overlapping]) == ["conv2d_relu", "max_pool2d", "max_pool2d"]
    gradient = static.gradients(ops.sum(apart) + ops.sum(ops.exp(whole)), [x])
    assert "conv2d_pool" not in steps(gradient)
    agree([apart, whole, *gradient], feeds)


def _gates(width: int, rows: int) -> tuple[list[Any], dict[Any, Any]]:
    """A recurrent network whose gates have a weight each."""
    draw, times, shape = np.random.default_rng(0), 8, (width, width)
    x = static.placeholder("float32", (times, rows, width), name="x")
    ws = [static.Variable(draw.standard_normal(shape).astype(np.float32) * 0.3) for _ in range(4)]
    bias = static.Variable(np.zeros(width, np.float32))
    h = x[0]
    for t in range(1, times):
        gate = ops.sigmoid(ops.linear(x[t], ws[0], bias) + h @ ws[2])
        h = gate * h + (1 - gate) * ops.tanh(ops.linear(x[t], ws[1], bias) + h @ ws[3])
    loss = ops.sum(h * h)
    data = {x: draw.standard_normal((times, rows, width)).astype(np.float32)}
    return [loss, h, *static.gradients(loss, [x, *ws])], data


def test_small_products_of_one_input_are_one() -> None:
    fetches, data = _gates(4, 2)
    agree(fetches, data)
    with static.Session() as session:
        told = session.explain(fetches)
    assert "products with 2 weights in one, for 7 inputs (2 times): each multiplies the same" in told
    few, many = steps(fetches, without=["pack"]), steps(fetches, without=["pack", "columns"])
    assert many.count("matmul") - few.count("matmul") == 7
    assert many.count("linear") == 2  # rows of all times by each weight, then by both
    assert few.count("linear") == 1


@pytest.mark.parametrize(("width", "rows"), [(64, 8), (128, 2)])
def test_larger_products_of_one_input_stay_apart(width: int, rows: int) -> None:
    fetches, _ = _gates(width, rows)
    with static.Session() as session:
        assert "columns: " in (told := session.explain(fetches))
        assert "each multiplies the same" not in told


def test_products_stay_apart_where_a_weight_comes_from_another_or_a_part_is_needed_whole() -> None:
    w = static.Variable(np.ones((4, 4), np.float32))
    v = static.Variable(np.ones((4, 4), np.float32))
    x = static.placeholder("float32", (4, 4), name="x")
    y = x @ w
    depends = ops.tanh(y) + ops.tanh(x @ (y * 2))
    whole = ops.sum(x @ v) + ops.sum(ops.transpose(x @ w) @ v)
    data = {x: np.arange(16, dtype=np.float32).reshape(4, 4) / 16}
    fetched = [ops.tanh(x) @ w, ops.tanh(x) @ v]
    agree([depends, whole, *fetched], data)
    with static.Session() as session:
        assert "each multiplies the same" not in session.explain([depends, whole])
        assert "each multiplies the same" not in session.explain(fetched)


def test_effects_stay_in_order_when_steps_move(capfd: pytest.CaptureFixture[str]) -> None:
    w = static.Variable(np.ones((5, 4), np.float32))
    xs = [static.placeholder("float32", (1, 4), name=f"x{i}") for i in range(3)]
    hs = [static.Print(ops.linear(x, w), [ops.sum(x)], f"{i}: ") for i, x in enumerate(xs)]
    data = {x: np.full((1, 4), i, np.float32) for i, x in enumerate(xs)}
    with static.Session() as session, checked():
        session.run(static.global_variables_initializer())
        session.run(hs, data)
    assert [line[0] for line in capfd.readouterr().err.splitlines()] == ["0", "1", "2"]


def _waiting_for_a_product(x: Any, y: Any, w: Any) -> list[Any]:
    first = ops.linear(x, w)
    with static.control_dependencies([first]):
        later = ops.tanh(y)
    return [first, ops.linear(later, w)]


def _waiting_for_a_gradient(x: Any, y: Any, w: Any) -> list[Any]:
    first = linear_weight(x, ops.tanh(x))
    with static.control_dependencies([first]):
        later = ops.tanh(y)
    return [first + linear_weight(later, y)]


def _waiting_for_a_print(x: Any, y: Any, w: Any) -> list[Any]:
    first = ops.linear(x, w)
    with static.control_dependencies([static.Print(first, [])]):
        return [first, ops.linear(y, w)]


def _prints_after_each_other(x: Any, y: Any, w: Any) -> list[Any]:
    first = ops.linear(x, w)
    return [static.Print(first, []), ops.linear(static.Print(y, []), w)]


def _as_many_as_are_above_zero(x: Any, y: Any, w: Any) -> list[Any]:
    first = ops.linear(x, w)
    count = first[first > 0].shape[0]
    return [first, ops.linear(y * ops.sum(ops.full((count,), 2.0)), w)]


def _gates_with_a_print_between(x: Any, y: Any, w: Any) -> list[Any]:
    first, other = ops.linear(x, w), static.Variable(np.ones((8, 8), np.float32), name="other")
    gate = ops.tanh(first)
    with static.control_dependencies([static.Print(gate, [])]):
        second = ops.linear(x, other)
    return [gate * ops.tanh(second)]


def _a_pooling_that_waits(x: Any, y: Any, w: Any) -> list[Any]:
    seen = ops.relu(ops.conv2d(ops.reshape(x, (1, 1, 4, 4)), ops.reshape(w, (16, 1, 2, 2))))
    with static.control_dependencies([seen]):
        later = ops.tanh(y)
    with static.control_dependencies([later]):
        return [ops.max_pool2d(seen, 2), later]


@pytest.mark.parametrize("build", [
    _waiting_for_a_product, _waiting_for_a_gradient, _waiting_for_a_print, _prints_after_each_other,
    _as_many_as_are_above_zero, _gates_with_a_print_between, _a_pooling_that_waits,
], ids=lambda build: build.__name__.strip("_"))  # fmt: skip
def test_what_waits_for_part_of_what_becomes_one_does_not_wait_for_itself(build: Any) -> None:
    x, y = static.placeholder("float32", (2, 8)), static.placeholder("float32", (2, 8))
    w = static.Variable(np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8), name="w")
    rng = np.random.default_rng(4)
    agree(build(x, y, w), {x: rng.standard_normal((2, 8)), y: rng.standard_normal((2, 8))})


def test_every_pass_says_what_it_did_and_where() -> None:
    fetches, _ = _recurrent(6)
    with static.Session() as session:
        told = session.explain(fetches)
    for one in static.PASSES:
        assert f"{one.name}: " in told
    assert "test_passes.py" in told and "in one product" in told


@pytest.mark.parametrize("kind", ["gates", "lstm", "scan", "cnn"])
def test_a_pass_finds_nothing_to_do_in_what_it_has_done(kind: str) -> None:
    if kind == "cnn":
        nn.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3))
        x = static.placeholder("float32", (2, 1, 8, 8))
        loss = ops.sum(ops.log(ops.softmax(model(x))))
        fetches = [loss, *static.gradients(loss, list(model.parameters()))]
    else:
        fetches = _gates(4, 2)[0] if kind == "gates" else _recurrent(6 if kind == "lstm" else None)[0]
    block = lower(select(static.get_default_graph(), fetches), (), fetches)

    def whole(given: Any) -> Any:
        return given if isinstance(given, Block) else finished(given)

    for one in static.PASSES:
        block = whole(one.run(block, Log([Record(one.name, 0, 0)])))
        again = Log([Record(one.name, 0, 0)])
        steps_again = whole(one.run(block, again)).steps
        assert not again.records[0].changes, one.name
        assert len(steps_again) == len(block.steps), one.name


@pytest.mark.parametrize("rows", [0, 2])
def test_what_a_step_has_of_its_own_is_not_gathered(rows: int) -> None:
    """A bias, and a weight, for each step: what the steps give for them stays apart."""
    x = static.placeholder("float64", (rows, 3))
    w = static.placeholder("float64", (3, 3))
    own = static.placeholder("float64", (4, 3, 3))

    def step(carry: Any, now: Any) -> Any:
        weight, bias = now
        y = ops.linear(ops.linear(carry, w, bias), weight)
        return y, y

    _, ys = static.scan(step, x, (own, own[:, 0]))
    loss = ops.sum(ops.sin(ys))
    fetches = [loss, *static.gradients(loss, [x, w, own])]
    rng = np.random.default_rng(0)
    agree(fetches, {y: rng.standard_normal(tuple(y.shape)) for y in (x, w, own)})


def test_what_does_more_than_compute_stays_in_its_loop() -> None:
    """Though it reads nothing that changes there."""
    calls: list[int] = []

    def compute(x: Any, out: Any = None) -> Any:
        calls.append(1)
        return np.multiply(x, 2, out=out)

    try:
        op = Op("seen", compute, lambda x: Spec(x.shape, x.dtype), [ZERO], pure=False)
        x, rows = static.placeholder("float32", (3,)), static.placeholder("float32", (4, 3))
        _, y = ops.scan(lambda carry, row: (carry, op(x) + row), x, rows)
        with static.Session() as session:
            session.run(y, {x: np.ones(3, np.float32), rows: np.ones((4, 3), np.float32)})
    finally:
        del TABLE["seen"]
    assert len(calls) == 4
