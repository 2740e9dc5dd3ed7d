"""Averages of weights: PyTorch's numbers, the same on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import SettingError

RNG = np.random.default_rng(3)
BATCHES = [RNG.standard_normal((6, 3)).astype(np.float32) for _ in range(4)]
AVERAGES: list[tuple[Any, Any]] = [
    (None, lambda u: None),
    (optim.get_swa_avg_fn(), lambda u: u.get_swa_avg_fn()),
    (optim.get_ema_avg_fn(0.9), lambda u: u.get_ema_avg_fn(0.9)),
]


def model() -> nn.Module:
    nn.manual_seed(5)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def trained(average: Any, use_buffers: bool = False) -> optim.AveragedModel:
    """The average after some steps of define-by-run."""
    net = model()
    averaged = optim.AveragedModel(net, average, use_buffers)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for x in BATCHES:
        opt.zero_grad()
        ops.mean(ops.square(net(dynamic.tensor(x)))).backward()
        opt.step()
        assert averaged.update_parameters(net) is None
    return averaged


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize(("average", "theirs"), AVERAGES, ids=["default", "swa", "ema"])
def test_averages_are_pytorchs(average: Any, theirs: Any, use_buffers: bool) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    from torch.optim import swa_utils

    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    net.load_state_dict({name: torch.tensor(value) for name, value in model().state_dict().items()})
    averaged = swa_utils.AveragedModel(net, avg_fn=theirs(swa_utils), use_buffers=use_buffers)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    for x in BATCHES:
        opt.zero_grad()
        net(torch.tensor(x)).square().mean().backward()
        opt.step()
        averaged.update_parameters(net)
    ours = trained(average, use_buffers).state_dict()
    for name, value in averaged.state_dict().items():
        if use_buffers and name.endswith("num_batches_tracked"):
            continue  # a mean of counts there, a count here
        np.testing.assert_allclose(ours[name], value.numpy(), rtol=2e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("average", [average for average, _ in AVERAGES])
def test_a_graph_averages_to_the_same_bits(average: Any, use_buffers: bool) -> None:
    net = model()
    averaged = optim.AveragedModel(net, average, use_buffers)
    opt = optim.SGD(net.parameters(), lr=0.1)
    with static.Graph().as_default() as graph:
        x_in = static.placeholder("float32", (None, 3))
        train = opt.minimize(ops.mean(ops.square(net(x_in))))
        update = averaged.update_parameters(net)
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(net, opt, averaged)
        for x in BATCHES:
            session.run(train, {x_in: x})
            session.run(update)
        session.store(averaged)
    expected = trained(average, use_buffers).state_dict()
    for name, value in averaged.state_dict().items():
        assert value.tobytes() == expected[name].tobytes(), name


def test_an_average_is_called_as_the_model_is_and_saved_with_its_count() -> None:
    averaged = trained(None)
    x = dynamic.tensor(BATCHES[0])
    np.testing.assert_array_equal(averaged.eval()(x).numpy(), averaged.module(x).numpy())
    assert averaged.state_dict()["n_averaged"] == len(BATCHES)
    assert all(parameter.grad is None for parameter in averaged.parameters())
    with pytest.raises(SettingError, match="not like the one"):
        averaged.update_parameters(nn.Linear(2, 2))


def test_update_bn_takes_the_plain_mean_over_all_batches() -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    net = model().eval()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).eval()
    theirs.load_state_dict({name: torch.tensor(value) for name, value in net.state_dict().items()})
    optim.update_bn([(dynamic.tensor(x), None) for x in BATCHES], net)
    torch.optim.swa_utils.update_bn([torch.tensor(x) for x in BATCHES], theirs)
    assert not net.training
    assert net[1].momentum == 0.1
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(net.state_dict()[name], value.numpy(), rtol=1e-5, atol=1e-6)
