"""`nn.utils`: PyTorch's numbers and names, on both engines."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import AssignmentError, SettingError, ShapeError
from shared.nn.utils import parametrizations, parametrize, prune
from tests.shared.nn.engines import assert_same_bits, on_dynamic, on_static

RNG = np.random.default_rng(2)
X = RNG.standard_normal((5, 4)).astype(np.float32)
IMAGE = RNG.standard_normal((2, 4, 6, 6)).astype(np.float32)

PARAMETRIZED: list[tuple[str, Any, Any]] = [
    ("weight_norm", lambda u, n: u.weight_norm(n.Linear(4, 3)), X),
    ("weight_norm all", lambda u, n: u.weight_norm(n.Linear(4, 3), **{_axis(n): None}), X),
    ("weight_norm last", lambda u, n: u.weight_norm(n.Linear(4, 3), **{_axis(n): 1}), X),
    ("weight_norm conv", lambda u, n: u.weight_norm(n.Conv2d(4, 3, 3)), IMAGE),
    ("spectral_norm", lambda u, n: u.spectral_norm(n.Linear(4, 3)), X),
    ("spectral_norm often", lambda u, n: u.spectral_norm(n.Conv2d(4, 3, 3), n_power_iterations=3), IMAGE),
    ("spectral_norm turned", lambda u, n: u.spectral_norm(n.ConvTranspose2d(4, 3, 3)), IMAGE),
    ("spectral_norm of a vector", lambda u, n: u.spectral_norm(n.Linear(4, 3), "bias"), X),
]
each = pytest.mark.parametrize(("name", "make", "x"), PARAMETRIZED, ids=[p[0] for p in PARAMETRIZED])


def _axis(module: Any) -> str:
    return "axis" if module is nn else "dim"


def call(model: nn.Module, xs: Any) -> list[Any]:
    return [model(*xs)]


@each
def test_a_parametrized_layer_is_pytorchs(name: str, make: Any, x: Any) -> None:
    """Outputs, gradients and what three calls in training leave in the states, with PyTorch's state dict."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    theirs = make(torch.nn.utils.parametrizations, torch.nn).double()
    ours = make(parametrizations, nn).astype("float64")
    ours.load_state_dict(theirs.state_dict())
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        y, t = ours(dynamic.tensor(x.astype(np.float64))), theirs(torch.tensor(x).double())
        np.testing.assert_allclose(y.numpy(), t.detach().numpy(), rtol=1e-9, atol=1e-12)
        ours.zero_grad()
        theirs.zero_grad()
        ops.sum(ops.sin(y)).backward()
        t.sin().sum().backward()
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-8, atol=1e-11)
    state = ours.state_dict()
    assert set(state) == set(theirs.state_dict())
    for path, value in theirs.state_dict().items():
        np.testing.assert_allclose(state[path], value.numpy(), rtol=1e-9, atol=1e-12)


@each
def test_it_trains_to_the_same_bits_on_both_engines(name: str, make: Any, x: Any) -> None:
    def build() -> nn.Module:
        return make(parametrizations, nn)

    expected = on_dynamic(build, [x], call)
    assert_same_bits(expected, on_static(build, [x], call))
    assert_same_bits(expected, on_static(build, [x], call, [("N", *x.shape[1:])]))


def test_a_layer_that_was_parametrized_is_itself_again() -> None:
    layer = nn.Linear(4, 3)
    weight = layer.weight
    before = layer(dynamic.tensor(X)).numpy()
    parametrizations.weight_norm(layer)
    assert type(layer).__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    np.testing.assert_allclose(layer(dynamic.tensor(X)).numpy(), before, rtol=1e-5, atol=1e-6)
    assert layer.in_features == 4
    with pytest.raises(AssignmentError, match="weight: it is computed"):
        layer.weight = nn.Parameter(np.ones((3, 4)))
    copy = deepcopy(layer)
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear
    assert isinstance(layer.weight, nn.Parameter)
    assert list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(layer.weight.numpy(), weight.numpy(), rtol=1e-6)
    np.testing.assert_allclose(copy(dynamic.tensor(X)).numpy(), before, rtol=1e-5, atol=1e-6)


def test_a_parametrization_of_ones_own_chains() -> None:
    class Symmetric(nn.Module):
        def forward(self, w: Any) -> Any:
            return ops.triu(w) + ops.transpose(ops.triu(w, 1), (1, 0))

    class Doubled(nn.Module):
        def forward(self, w: Any) -> Any:
            return w * 2.0

    layer = nn.Linear(3, 3, bias=False)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    parametrize.register_parametrization(layer, "weight", Doubled())
    w = layer.weight.numpy()
    np.testing.assert_array_equal(w, w.T)
    assert layer.parametrizations["weight"].original is weight
    assert list(layer.state_dict()) == ["parametrizations.weight.original"]
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
    assert layer.weight is weight


def test_what_can_not_be_parametrized_is_said() -> None:
    with pytest.raises(SettingError, match="Linear has no Parameter 'wieght'; it has weight, bias"):
        parametrizations.weight_norm(nn.Linear(2, 2), "wieght")
    layer = parametrizations.weight_norm(nn.Linear(3, 2), dim=1)  # as PyTorch calls the axis
    assert layer.parametrizations["weight"].original0.shape == (1, 3)
    with pytest.raises(SettingError, match="takes a layer"):
        parametrizations.spectral_norm(3)
    layer = parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(SettingError, match="computed already"):
        prune.l1_unstructured(layer, "weight", 0.5)
    with pytest.raises(SettingError, match="no single original"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)


# --- pruning -------------------------------------------------------------------------------


def pruned_alike(how: Any, amounts: Any = (0.3, 0.5)) -> None:
    """The masks are PyTorch's, of one pruning after the other."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    from torch.nn.utils import prune as torch_prune

    ours, theirs = nn.Conv2d(4, 6, 3), torch.nn.Conv2d(4, 6, 3)
    ours.load_state_dict(theirs.state_dict())
    for amount in amounts:
        how(prune, ours, amount, "axis")
        how(torch_prune, theirs, amount, "dim")
        assert set(ours.state_dict()) == set(theirs.state_dict())
        for name, value in theirs.state_dict().items():
            np.testing.assert_array_equal(ours.state_dict()[name], value.numpy(), err_msg=name)
    y, t = ours(dynamic.tensor(IMAGE)), theirs(torch.tensor(IMAGE))
    np.testing.assert_allclose(y.numpy(), t.detach().numpy(), rtol=1e-4, atol=1e-5)
    ops.sum(y).backward()
    t.sum().backward()
    gradients = ours.weight_orig.grad.numpy(), theirs.weight_orig.grad.numpy()
    np.testing.assert_allclose(*gradients, rtol=1e-4, atol=1e-4)
    prune.remove(ours, "weight")
    torch_prune.remove(theirs, "weight")
    np.testing.assert_array_equal(ours.weight.numpy(), theirs.weight.detach().numpy())


def test_pruning_goes_by_pytorchs_masks() -> None:
    pruned_alike(lambda p, layer, amount, _: p.l1_unstructured(layer, "weight", amount))
    pruned_alike(lambda p, layer, amount, _: p.l1_unstructured(layer, "weight", amount), (7, 20))
    pruned_alike(lambda p, layer, amount, dim: p.ln_structured(layer, "weight", amount, n=2, **{dim: 0}))
    pruned_alike(lambda p, layer, amount, dim: p.ln_structured(layer, "weight", amount, 1, **{dim: 1}), (1,))


def test_random_pruning_takes_as_many_as_were_asked_for() -> None:
    layer = prune.random_unstructured(nn.Linear(4, 5), "weight", 0.25)
    assert layer.weight_mask.numpy().sum() == 15
    prune.random_unstructured(layer, "weight", 5)
    assert layer.weight_mask.numpy().sum() == 10
    rows = prune.random_structured(nn.Linear(4, 5), "weight", 2, axis=0).weight_mask.numpy()
    assert sorted(rows.sum(1).tolist()) == [0, 0, 4, 4, 4]
    nn.manual_seed(3)
    first = prune.random_unstructured(nn.Linear(4, 5), "weight", 0.5).weight_mask.numpy()
    nn.manual_seed(3)
    np.testing.assert_array_equal(
        first, prune.random_unstructured(nn.Linear(4, 5), "weight", 0.5).weight_mask.numpy()
    )


def test_pruned_weights_stay_zero_in_training_on_both_engines() -> None:
    mask = RNG.random((3, 4)) < 0.5

    def build() -> nn.Module:
        return prune.custom_from_mask(nn.Linear(4, 3), "weight", mask)

    run = on_dynamic(build, [X], call)
    assert_same_bits(run, on_static(build, [X], call))
    assert (run.states["weight_mask"] == mask).all()


def test_pruning_is_known_and_undone() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    trained = model[0].weight
    assert not prune.is_pruned(model)
    prune.l1_unstructured(model[0], "weight", 0.5)
    assert prune.is_pruned(model)
    assert model[0].weight_orig is trained
    assert (model[0].weight.numpy() == 0).sum() == 6
    prune.remove(model[0], "weight")
    assert not prune.is_pruned(model)
    assert model[0].weight is trained
    assert list(model[0].state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 1.5), SettingError, "from 0.0 to 1.0"),
        (lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 5), SettingError, "whole number of the 4"),
        (lambda: prune.ln_structured(nn.Linear(2, 2), "bias", 1, 2, 0), ShapeError, "has no channels"),
        (lambda: prune.custom_from_mask(nn.Linear(2, 2), "weight", [1, 0]), ShapeError, "mask has shape"),
        (lambda: prune.remove(nn.Linear(2, 2), "weight"), SettingError, "is not pruned"),
        (
            lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 1, np.ones(3)), ShapeError,
            "importance_scores has shape",
        ),
    ],
)  # fmt: skip
def test_pruning_that_makes_no_sense_is_refused(make: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        make()


# --- fusing, vectors -----------------------------------------------------------------------


def warmed(layer: nn.Module, bn: nn.Module, x: Any) -> nn.Sequential:
    """Both in evaluation, with statistics and weights that are not the ones of the start."""
    model = nn.Sequential(layer, bn)
    for _ in range(3):
        model(dynamic.tensor(x))
    for state in (bn.weight, bn.bias):
        state.data = RNG.standard_normal(state.shape).astype(np.float32)
    return model.eval()


@pytest.mark.parametrize(
    ("make", "x"),
    [
        (lambda: (nn.Conv2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), IMAGE),
        (lambda: (nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6, eps=1e-2)), IMAGE),
        (lambda: (nn.ConvTranspose2d(4, 6, 3, groups=2), nn.BatchNorm2d(6)), IMAGE),
        (lambda: (nn.Linear(4, 6), nn.BatchNorm1d(6)), X),
    ],
)
def test_a_fused_layer_gives_what_both_gave(make: Any, x: Any) -> None:
    layer, bn = make()
    model = warmed(layer, bn, x)
    linear = isinstance(layer, nn.Linear)
    fused = (nn.utils.fuse_linear_bn_eval if linear else nn.utils.fuse_conv_bn_eval)(layer, bn)
    assert type(fused) is type(layer)
    expected = model(dynamic.tensor(x)).numpy()
    np.testing.assert_allclose(fused(dynamic.tensor(x)).numpy(), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(SettingError, match="call eval"):
        nn.utils.fuse_conv_bn_eval(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))


def test_parameters_go_into_one_vector_and_back_on_both_engines() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    vector = nn.utils.parameters_to_vector(model.parameters())
    assert vector.shape == (model.num_parameters(),)
    ops.sum(vector * vector).backward()
    np.testing.assert_allclose(model[0].bias.grad.numpy(), 2 * model[0].bias.numpy())
    assert nn.utils.vector_to_parameters(vector * 2, model.parameters()) is None
    doubled = nn.utils.parameters_to_vector(model.parameters()).numpy()
    np.testing.assert_array_equal(doubled, 2 * vector.numpy())
    nn.utils.vector_to_parameters(np.zeros(vector.shape, np.float32), model.parameters())
    assert not model[1].weight.numpy().any()
    with static.Graph().as_default() as graph:
        given = static.placeholder("float32", vector.shape)
        done = nn.utils.vector_to_parameters(given, model.parameters())
    with static.Session(graph=graph) as session:
        session.load(model)
        session.run(done, {given: vector.numpy()})
        session.store(model)
    np.testing.assert_array_equal(
        nn.utils.parameters_to_vector(model.parameters()).numpy(), vector.numpy()
    )
    with pytest.raises(ShapeError, match="the parameters have 23 elements"):
        nn.utils.vector_to_parameters(np.zeros(3, np.float32), model.parameters())


def test_clipping_has_both_names() -> None:
    for name in ("clip_grad_norm_", "clip_grad_value_"):
        assert getattr(nn.utils, name).__wrapped__ is getattr(optim, name).__wrapped__
