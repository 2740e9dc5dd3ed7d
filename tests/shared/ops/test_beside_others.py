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
