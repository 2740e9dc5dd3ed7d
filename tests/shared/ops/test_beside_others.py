"""Promise: where other libraries surprise (each test names the finding), ours do what is said here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import dynamic
import static
from shared import nn, ops, optim
from shared.data import DataLoader
from shared.errors import DTypeError, GradientError, MatrixError

NAN, INF = np.nan, np.inf


def slopes(f: Any, at: Any) -> list[float]:
    x = dynamic.tensor(np.array(at, "f8"), requires_grad=True)
    ops.sum(f(x)).backward()
    found: list[float] = x.grad.numpy().tolist()
    return found


@pytest.mark.parametrize("dtype", ["float16", "float32", "complex64"])
def test_a_range_rounds_each_number(dtype: str) -> None:
    """findings/half-ranges.sh: NumPy's stands still where the step is below the spacing."""
    start = 2048 if dtype == "float16" else 2**24
    right = np.array(range(start, start + 8), dtype)
    assert np.array_equal(ops.arange(start, start + 8, dtype=dtype).numpy(), right)
    with static.Graph().as_default(), static.Session() as session:
        assert np.array_equal(session.run(ops.arange(start, start + 8, dtype=dtype)), right)


def test_a_long_range_of_floats_is_right_at_its_end() -> None:
    """findings/onnx-ranges-drift.sh."""
    right = (np.arange(10000) * 0.1).astype("f4")
    assert np.array_equal(ops.arange(0, 1000, 0.1).numpy(), right)


def test_bfloat16_is_refused_at_the_door() -> None:
    """findings/bfloat16-sums.sh: what its sums would be is nobody's guess."""
    dtype = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    with pytest.raises(DTypeError, match="bfloat16"):
        dynamic.tensor(np.ones(2, dtype))


def test_weights_in_bfloat16_are_read(tmp_path: Path) -> None:
    """findings/safetensors-one-way-dtypes.sh: and become what the model holds."""
    dtype = pytest.importorskip("ml_dtypes", reason="ml_dtypes is not installed").bfloat16
    layer = nn.Linear(3, 2)
    rounded = {name: value.astype(dtype) for name, value in layer.state_dict().items()}
    safetensors.numpy.save_file(rounded, tmp_path / "layer.safetensors")
    layer.load(tmp_path / "layer.safetensors")
    for name, value in layer.state_dict().items():
        assert value.dtype == np.float32 and np.array_equal(value, rounded[name].astype("f4"))


def test_what_nan_does_to_a_decomposition() -> None:
    """findings/decompositions-of-nan.sh: as in NumPy, but what raises asks for the NaN."""
    bad = dynamic.tensor(np.full((2, 2), NAN))
    with pytest.raises(MatrixError, match="NaN"):
        ops.linalg.svd(bad)
    for found in (ops.linalg.eigh(bad)[0], ops.linalg.inv(bad), ops.linalg.cholesky(bad)[1]):
        assert np.isnan(found.numpy()).all()


def test_quantiles_beside_infinity() -> None:
    """findings/quantile-beside-infinity.sh."""
    asked = [([1, 2, INF, INF], 0.75), ([1, 2, 3, INF], 1.0), ([1, 2, INF], 0.5), ([-INF, -INF, 1], 0.0)]
    with np.errstate(invalid="ignore"):
        found = [ops.quantile(dynamic.tensor(np.array(numbers)), share).item() for numbers, share in asked]
    assert found == [INF, INF, 2, -INF]


def test_clip_and_hardtanh_at_their_bound() -> None:
    """findings/clip-at-its-bound.sh: PyTorch's."""
    at = [0.0, 1.0, 2.0]
    assert slopes(lambda x: ops.clip(x, 0, 1), at) == [1, 1, 0]
    assert slopes(lambda x: ops.hardtanh(x, 0, 1), at) == [0, 0, 0]


def test_the_cosine_of_short_vectors_is_pytorchs() -> None:
    """findings/cosine-of-short-vectors.sh: the lengths are bounded from below, each by eps."""
    for length, right in ((1e-7, 1.0), (1e-9, 1e-2), (1e-12, 1e-8)):
        x = dynamic.tensor(np.array([[length, 0.0]]))
        assert ops.cosine_similarity(x, x).item() == pytest.approx(right, rel=1e-12)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_worse_loss_below_zero_is_no_improvement(mode: str) -> None:
    """findings/plateau-below-zero.sh: the threshold is relative to the size of the best."""
    sign = 1 if mode == "min" else -1
    opt = optim.SGD([nn.Parameter(np.ones(1))], lr=1.0)
    plateau = optim.lr_scheduler.ReduceLROnPlateau(opt, mode, threshold=0.1, patience=1)
    assert [plateau.step(sign * loss) for loss in (-100, -95, -105, -120)] == [False, False, True, False]
    assert plateau.best == sign * -120


def test_transposed_weights_come_back(tmp_path: Path) -> None:
    """findings/safetensors-forgets-a-transpose.sh."""
    layer = nn.Linear(3, 2)
    layer.weight.data = np.arange(6, dtype="f4").reshape(layer.weight.shape[::-1]).T
    kept = layer.weight.data.copy()
    layer.save(tmp_path / "layer.safetensors")
    layer.weight.data = np.zeros_like(kept)
    layer.load(tmp_path / "layer.safetensors")
    assert np.array_equal(layer.weight.data, kept)


def test_read_only_memory_stays_as_it_is() -> None:
    """findings/read-only-through-dlpack.sh, columns-that-are-read-only.sh."""
    x = np.ones(3)
    x.flags.writeable = False
    for share in (dynamic.from_dlpack, dynamic.from_numpy):
        shared = share(x)
        with pytest.raises(GradientError, match="read-only"):
            shared[0] = 5.0
    copied = dynamic.tensor(x)
    copied[0] = 5.0
    assert x.tolist() == [1, 1, 1] and copied.numpy().tolist() == [5, 1, 1]


def test_einsum_sums_dots_that_are_left_out() -> None:
    """findings/einsum-without-its-dots.sh: as PyTorch and JAX; NumPy refuses."""
    assert ops.einsum("i...->i", dynamic.tensor(np.ones((2, 3)))).numpy().tolist() == [3, 3]


def test_einsum_of_masks_is_a_mask() -> None:
    """findings/einsum-of-truth.sh: NumPy's."""
    mask = dynamic.tensor(np.ones(3, bool))
    for found in (ops.einsum("i->", mask), ops.einsum("i,i->", mask, mask)):
        assert found.dtype == bool and found.item() is True


@pytest.mark.parametrize("weights", [True, False])
def test_attention_to_nothing(weights: bool) -> None:
    """findings/attention-of-nothing.sh: zeros, whether the weights are asked for or not."""
    layer = nn.MultiheadAttention(4, 1, bias=False, batch_first=True)
    x, nowhere = dynamic.tensor(np.ones((1, 3, 4), "f4")), dynamic.tensor(np.ones((1, 3), bool))
    assert (layer(x, x, x, key_padding_mask=nowhere, need_weights=weights)[0].numpy() == 0).all()


def test_a_python_integer_beside_floats_is_one_of_them() -> None:
    """findings/integers-equal-to-others.sh: NumPy's."""
    assert (dynamic.tensor(np.array([2**24], "f4")) == 2**24 + 1).item() is True
    assert (dynamic.tensor(np.array([2**24 + 1])) == 2.0**24).item() is False


def test_the_slope_of_hardsigmoid_is_a_sixth() -> None:
    """findings/hardsigmoid-in-float64.sh."""
    assert slopes(ops.hardsigmoid, [0.0]) == [1 / 6]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_zeros_stay_zeros_when_normalized(dtype: str) -> None:
    """findings/normalized-zeros-in-half.sh."""
    assert ops.normalize(dynamic.tensor(np.zeros(2, dtype)), axis=0).numpy().tolist() == [0, 0]


def test_factors_read_the_lower_triangle() -> None:
    """findings/both-triangles.sh: as NumPy and PyTorch."""
    a = dynamic.tensor(np.array([[4.0, 2.0], [0.0, 4.0]]))
    assert ops.linalg.eigh(a)[0].numpy().tolist() == [4, 4]
    assert ops.linalg.cholesky(a).numpy().tolist() == [[2, 0], [0, 2]]


def test_a_loader_that_does_not_shuffle_draws_nothing() -> None:
    """findings/loaders-that-draw.sh."""

    def drawn(walks: int) -> Any:
        dynamic.manual_seed(0)
        loader = DataLoader(np.arange(6), batch_size=2)
        for _ in range(walks):
            assert len(list(loader)) == 3
        return dynamic.rand(1).item()

    assert drawn(0) == drawn(2)


def test_a_point_is_at_itself() -> None:
    """findings/distances-to-oneself.sh: however many there are, and however far from 0."""
    x = dynamic.tensor((1000 + np.random.default_rng(0).random((40, 3))).astype("f4"))
    assert (np.diagonal(ops.cdist(x, x).numpy()) == 0).all()


def test_class_weights_divide_where_labels_are_indices() -> None:
    """findings/weights-of-classes.sh: PyTorch's, which divides by the rows where labels are probabilities."""
    logits, labels = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]), np.array([0, 2])
    weight = np.array([1.0, 2.0, 5.0])
    by_index = ops.cross_entropy(logits, labels, weight=weight)
    by_rows = ops.cross_entropy(logits, np.eye(3)[labels], weight=weight)
    assert by_rows / by_index == pytest.approx(weight[labels].sum() / len(labels))


def test_a_pair_of_equals_has_pytorchs_distance() -> None:
    """findings/distances-that-are-not-zero.sh: eps is added to each difference."""
    ones = np.ones((1, 4))
    assert ops.pairwise_distance(ones, ones).item() == pytest.approx(2e-6)
    assert slopes(lambda x: ops.pairwise_distance(x, ones), ones) == [[pytest.approx(0.5)] * 4]


def test_a_longer_draw_begins_with_the_shorter() -> None:
    """findings/beginnings-of-draws.sh."""
    for draw in (dynamic.randn, dynamic.rand):
        dynamic.manual_seed(0)
        long = draw(24).numpy()
        for n in (1, 15, 16, 17, 20):
            dynamic.manual_seed(0)
            assert np.array_equal(draw(n).numpy(), long[:n])


def test_complex_gradients_point_upwards() -> None:
    """findings/gradients-that-go-up.sh: PyTorch's; a step against them goes down."""
    z = dynamic.tensor(np.array(1 + 2j), requires_grad=True)
    (ops.abs(z) ** 2).backward()
    assert z.grad.item() == pytest.approx(2 + 4j)


def test_the_sign_of_a_zero_tells_the_side_of_the_cut() -> None:
    """findings/below-the-cut.sh."""
    z = dynamic.tensor(np.full(8, complex(-1.0, -0.0), "c8"))
    assert (ops.sqrt(z).numpy() == -1j).all()
    assert (ops.log(z).numpy().imag < -3).all()


def test_integers_that_do_not_fit_are_refused_or_compared_by_value() -> None:
    """findings/integers-that-wrap.sh: NumPy's."""
    x = dynamic.tensor(np.array([200], "u1"))
    assert not (x > 300).item() and not (x == -56).item()
    with pytest.raises(DTypeError, match="300 out of bounds"):
        x + 300


def test_the_gradient_of_ctc_is_that_of_the_loss() -> None:
    """findings/gradients-of-ctc.sh: by whatever it is asked for."""
    at = np.linspace(-2, 1, 15).reshape(5, 1, 3)

    def loss(x: Any) -> Any:
        return ops.ctc_loss(x, np.array([[1, 2]]), np.array([5]), np.array([2]), reduction="sum")

    steps = 1e-6 * np.eye(15).reshape(15, 5, 1, 3)
    differences = [(loss(at + step) - loss(at - step)) / 2e-6 for step in steps]
    np.testing.assert_allclose(np.ravel(slopes(loss, at)), differences, atol=1e-8)


def test_the_layers_of_a_slice_are_counted_anew() -> None:
    """findings/names-of-slices.sh: PyTorch's keep the numbers of the whole."""
    cut = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))[1:]
    built = nn.Sequential(nn.ReLU(), nn.Linear(1, 1))
    built.load_state_dict(cut.state_dict())
    assert list(cut.state_dict()) == list(built.state_dict()) == ["1.weight", "1.bias"]


def test_a_median_of_equals_has_one_gradient() -> None:
    """findings/medians-of-ties.sh: of the one that is picked."""
    for median in (ops.median, dynamic.median, lambda x: ops.quantile(x, 0.5)):
        assert sorted(slopes(median, np.ones(3))) == [0, 0, 1]


@pytest.mark.parametrize("value", [1j, np.complex64(1j), np.array(1j), np.array([1j, 1j])])
def test_a_complex_number_is_not_written_into_a_real_array(value: Any) -> None:
    """findings/complex-into-real.sh: NumPy drops the imaginary part of its own."""
    x = dynamic.tensor(np.ones(2))
    with pytest.raises(DTypeError, match="stays so"):
        x[:] = value
    with pytest.raises(DTypeError, match="stays so"):
        x[np.array([0, 1])] = value
    assert x.numpy().tolist() == [1, 1]
    z = dynamic.tensor(np.ones(2, "c16"))
    z[:] = value
    assert z.numpy().tolist() == [1j, 1j]


# --- what a compiler may not do, at either level ---------------------------------------------------

at_each_level = pytest.mark.parametrize("optimize", ["exact", "fast"])


def compiled(f: Any, at: float, optimize: Any) -> Any:
    with static.Graph().as_default():
        x = static.placeholder("float32", ())
        with static.Session(optimize=optimize) as session:
            return session.run(f(x), {x: np.float32(at)})


@at_each_level
def test_nan_is_not_simplified_away(optimize: str) -> None:
    """findings/simplified-nan.sh."""
    with np.errstate(invalid="ignore"):
        assert np.isnan(compiled(lambda x: x / x, 0.0, optimize))
        assert np.isnan(compiled(lambda x: x - x, INF, optimize))
        assert np.isnan(compiled(lambda x: x * 0, NAN, optimize))
    assert compiled(lambda x: x != x, NAN, optimize)


@at_each_level
def test_constants_are_not_put_together(optimize: str) -> None:
    """findings/sums-put-together.sh."""
    assert compiled(lambda x: (x + 1e8) - 1e8, 1.0, optimize) == 0


@at_each_level
def test_subnormal_numbers_are_numbers(optimize: str) -> None:
    """findings/flushed-subnormals.sh."""
    assert compiled(lambda x: x * 2, 1e-39, optimize) == np.float32(1e-39) * np.float32(2) > 0
