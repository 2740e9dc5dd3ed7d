"""Initialisers: their distributions, their places, and that a seed repeats them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared import nn
from shared.errors import SettingError, ShapeError
from shared.nn import init

BIG = (300, 200, 3)
"""A weight (out, in, kernel): fan in 600, fan out 900."""


@pytest.mark.parametrize(
    ("initialiser", "mean", "std", "limit"),
    [
        (init.uniform(-1, 3), 1, 4 / np.sqrt(12), 3),
        (init.normal(2, 0.5), 2, 0.5, None),
        (init.constant(4), 4, 0, 4),
        (init.zeros(), 0, 0, 0),
        (init.ones(), 1, 0, 1),
        (init.xavier_uniform(2), 0, 2 * np.sqrt(2 / 1500), 2 * np.sqrt(6 / 1500)),
        (init.xavier_normal(), 0, np.sqrt(2 / 1500), None),
        (init.kaiming_uniform(nonlinearity="relu"), 0, np.sqrt(2 / 600), np.sqrt(6 / 600)),
        (init.kaiming_normal(), 0, np.sqrt(2 / 600), None),
        (init.kaiming_normal(0.5, "fan_out"), 0, np.sqrt(2 / 1.25 / 900), None),
        (init.kaiming_normal(mode="fan_out", nonlinearity="tanh"), 0, 5 / 3 / np.sqrt(900), None),
    ],
)
def test_the_values_are_distributed_as_promised(
    initialiser: Any, mean: float, std: float, limit: Any
) -> None:
    values = init.parameter(BIG, initialiser).data.astype(np.float64)
    assert values.mean() == pytest.approx(mean, abs=6 * std / np.sqrt(values.size) + 1e-12)
    assert values.std() == pytest.approx(std, rel=0.02, abs=1e-12)
    if limit is not None:
        assert limit * 0.999 <= values.max() <= limit * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (4, 2, 3)])
def test_orthogonal_rows_or_columns_are_orthonormal_times_the_gain(shape: tuple[int, ...]) -> None:
    w = init.parameter(shape, init.orthogonal(3.0), np.float64).data.reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 9 * np.eye(len(small)), atol=1e-12)


def test_gains_and_bounds_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    for name in ("linear", "sigmoid", "tanh", "relu", "selu"):
        assert init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert init.calculate_gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    for ours, theirs in (
        (nn.Linear(30, 400), torch.nn.Linear(30, 400)),
        (nn.Conv2d(6, 400, 3, groups=2), torch.nn.Conv2d(6, 400, 3, groups=2)),
        (nn.ConvTranspose2d(6, 400, 3, groups=2), torch.nn.ConvTranspose2d(6, 400, 3, groups=2)),
        (nn.LSTM(20, 60, 2), torch.nn.LSTM(20, 60, 2)),
        (nn.GRUCell(20, 80), torch.nn.GRUCell(20, 80)),
        (nn.Embedding(200, 30), torch.nn.Embedding(200, 30)),
        (nn.BatchNorm2d(30), torch.nn.BatchNorm2d(30)),
        (nn.MultiheadAttention(32, 4), torch.nn.MultiheadAttention(32, 4)),
    ):
        for (name, p), t in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert p.data.std() == pytest.approx(t.detach().numpy().std(), rel=0.15, abs=1e-9), name
            assert p.data.mean() == pytest.approx(t.detach().numpy().mean(), abs=0.1), name
            if isinstance(ours, nn.Embedding) or name in ("in_proj_bias", "out_proj.bias"):
                continue
            limit = np.abs(t.detach().numpy()).max()
            assert np.abs(p.data).max() == pytest.approx(limit, rel=0.1), name


def test_a_seed_repeats_a_model_and_goes_on_after_it() -> None:
    def make() -> dict[str, Any]:
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.LSTM(4, 2, 2, dropout=0.1))
        return model.state_dict()

    nn.manual_seed(5)
    first, second = make(), make()
    nn.manual_seed(5)
    again = make()
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert (first[name] != second[name]).any()


def test_a_layer_takes_initialisers_also_where_its_size_is_yet_unknown() -> None:
    import dynamic

    layer = nn.Linear(None, 4, initialiser=init.constant(2), bias_initialiser=init.constant(3))
    y = layer(dynamic.tensor(np.ones((1, 5), np.float32)))
    np.testing.assert_array_equal(y.numpy(), np.full((1, 4), 13, np.float32))
    conv = nn.Conv2d(2, 3, 3, initialiser=init.orthogonal(), bias_initialiser=init.ones())
    w = conv.weight.data.reshape(3, -1)
    np.testing.assert_allclose(w @ w.T, np.eye(3), atol=1e-6)
    assert (conv.bias.data == 1).all()


def test_a_parameter_is_drawn_anew_in_its_dtype_now_or_once_it_has_a_shape() -> None:
    import dynamic

    layer = nn.Linear(5, 4).astype("float64")
    assert init.xavier_normal_(layer.weight, gain=2.0) is layer.weight
    assert layer.weight.dtype == np.float64 and layer.weight.shape == (4, 5)
    lazy = nn.Linear(4)
    init.constant_(lazy.weight, 2.5)
    lazy(dynamic.tensor(np.ones((1, 3), np.float32)))
    assert (lazy.weight.data == 2.5).all()


def test_undrawn_parameters_are_zeros_and_take_no_random_numbers() -> None:
    nn.manual_seed(2)
    with init.undrawn():
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assert not any(p.data.any() for p in model.parameters())
    drawn = nn.Linear(3, 4)
    nn.manual_seed(2)
    np.testing.assert_array_equal(drawn.weight.data, nn.Linear(3, 4).weight.data)


def test_the_row_of_padding_starts_as_zeros() -> None:
    layer = nn.Embedding(5, 3, padding_idx=-1)
    assert layer.padding_idx == 4 and not layer.weight.data[4].any() and layer.weight.data[:4].all()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: init.xavier_uniform_(nn.Linear(3, 4).bias), ShapeError, "at least 2 axes"),
        (lambda: init.kaiming_normal(mode="fan"), SettingError, "'fan_in' or 'fan_out', not 'fan'"),
        (lambda: init.kaiming_normal(nonlinearity="swish"), SettingError, "'swish' has no known gain"),
        (lambda: nn.Embedding(5, 3, padding_idx=5), SettingError, "padding_idx 5 is no row of 5"),
        (lambda: nn.Linear(3, 0), SettingError, "sizes must be at least 1"),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), SettingError, "in_channels 3 must be a multiple of groups, 2"),
        (lambda: nn.Conv2d(4, 4, 3, groups=0), SettingError, "groups must be at least 1"),
        (lambda: nn.Conv2d(4, 4, (1, 2, 3)), SettingError, "kernel_size must be an int or 2 of them"),
        (lambda: nn.Dropout(1.5), SettingError, "a probability from 0 to 1, not 1.5"),
        (lambda: nn.MultiheadAttention(10, 3), SettingError, "embed_dim 10 does not go into 3 heads"),
    ],
)
def test_settings_that_make_no_sense_are_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
