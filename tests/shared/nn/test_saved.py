"""State dicts and safetensors files: what loads, what is refused, and PyTorch's checkpoints."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import models, nn
from shared.errors import StateError
from tests.shared.nn.entry import normal


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))


def test_a_state_dict_holds_copies() -> None:
    model = small()
    state = model.state_dict()
    state["0.weight"][:] = 7
    assert not (model[0].weight.data == 7).any()
    model.load_state_dict(state)
    state["0.weight"][:] = 8
    assert (model[0].weight.data == 7).all()


def test_a_saved_model_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """The random numbers of its dropout included."""
    model, x = small(), dynamic.tensor(normal(5, 3))
    model(x)
    model.save(tmp_path / "model.safetensors", {"epoch": "3"})
    expected = [model(x).numpy(), model(x).numpy()]
    other = small()
    loaded = other.load(tmp_path / "model.safetensors")
    assert loaded == ([], [], {"model": "Sequential", "epoch": "3"})
    for y in expected:
        np.testing.assert_array_equal(y, other(x).numpy())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, other.state_dict()[name])


def test_what_does_not_fit_is_listed_and_nothing_is_loaded() -> None:
    model = small()
    before = model.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    del state["1.running_mean"]
    state["extra"] = np.zeros(3)
    with pytest.raises(StateError) as caught:
        model.load_state_dict(state)
    assert "Missing in the checkpoint: 1.running_mean." in str(caught.value)
    assert "Unexpected in it: extra." in str(caught.value)
    assert "strict=False" in str(caught.value)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])

    assert model.load_state_dict(state, strict=False) == (["1.running_mean"], ["extra"], {})
    np.testing.assert_array_equal(model[0].weight.data, before["0.weight"] + 1)
    np.testing.assert_array_equal(model[1].running_mean.data, before["1.running_mean"])


@pytest.mark.parametrize("strict", [True, False])
def test_a_wrong_shape_or_dtype_is_refused_even_where_names_may_differ(strict: bool) -> None:
    model = small()
    state = model.state_dict()
    state["0.weight"] = np.zeros((4, 5))
    state["1.num_batches_tracked"] = np.float32(2)
    with pytest.raises(StateError) as caught:
        model.load_state_dict(state, strict)
    assert "0.weight is (4, 5) in the checkpoint, (4, 3) in the model" in str(caught.value)
    assert "1.num_batches_tracked is float32 in the checkpoint, int64 in the model" in str(caught.value)


def test_a_lazy_layer_takes_its_sizes_from_a_checkpoint() -> None:
    model = nn.Sequential(nn.Conv2d(None, 4, 3), nn.Flatten(), nn.Linear(2))
    full = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(16, 2))
    model.load_state_dict(full.state_dict())
    assert (model[0].in_channels, model[2].in_features) == (3, 16)
    x = dynamic.tensor(normal(2, 3, 4, 4))
    np.testing.assert_array_equal(model(x).numpy(), full(x).numpy())
    other = nn.Sequential(nn.Conv2d(None, 5, 3), nn.Flatten(), nn.Linear(2))
    with pytest.raises(StateError, match=r"0\.weight is \(4, 3, 3, 3\).*\(5, None, 3, 3\) in the model"):
        other.load_state_dict(full.state_dict())


def test_a_lazy_layer_that_was_never_called_can_not_be_saved() -> None:
    with pytest.raises(StateError, match=r"0\.weight has no value yet.*call the model once"):
        nn.Sequential(nn.Linear(3)).state_dict()


def test_values_are_cast_to_what_the_model_holds() -> None:
    model = nn.Linear(3, 2)
    model.load_state_dict({"weight": np.ones((2, 3), np.float16), "bias": np.ones(2)})
    assert {v.dtype.name for v in model.state_dict().values()} == {"float32"}


def test_saving_replaces_the_file_in_one_move_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    model = small()
    model.save(path)
    before = path.read_bytes()

    def crash(source: Any, target: Any) -> None:
        assert Path(target).read_bytes() == before
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="disk full"):
        model.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("harm", [lambda b: b[:-5], lambda b: b"", lambda b: b"not a checkpoint"])
def test_a_broken_file_is_named(tmp_path: Path, harm: Any) -> None:
    path = tmp_path / "model.safetensors"
    small().save(path)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(StateError, match=r"model\.safetensors is not a whole safetensors file"):
        small().load(path)


def test_a_file_of_another_model_is_named(tmp_path: Path) -> None:
    nn.Linear(3, 2).save(tmp_path / "line.safetensors")
    with pytest.raises(StateError, match=r"load .*line\.safetensors: the checkpoint does not fit"):
        small().load(tmp_path / "line.safetensors")


# --- PyTorch's checkpoints -----------------------------------------------------------------


def torch_resnet18(torch: Any, classes: int, width: int) -> Any:
    """torchvision's ResNet-18, for the names and the arithmetic."""
    tn = torch.nn

    class Block(tn.Module):
        def __init__(self, channels: int, size: int, stride: int) -> None:
            super().__init__()
            self.conv1 = tn.Conv2d(channels, size, 3, stride, 1, bias=False)
            self.bn1 = tn.BatchNorm2d(size)
            self.conv2 = tn.Conv2d(size, size, 3, 1, 1, bias=False)
            self.bn2 = tn.BatchNorm2d(size)
            self.downsample = None
            if stride != 1 or channels != size:
                conv = tn.Conv2d(channels, size, 1, stride, bias=False)
                self.downsample = tn.Sequential(conv, tn.BatchNorm2d(size))

        def forward(self, x: Any) -> Any:
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + (x if self.downsample is None else self.downsample(x)))

    class ResNet(tn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = tn.Conv2d(3, width, 7, 2, 3, bias=False)
            self.bn1 = tn.BatchNorm2d(width)
            self.maxpool = tn.MaxPool2d(3, 2, 1)
            before = width
            for stage in range(4):
                size = width * 2**stage
                first = Block(before, size, 2 if stage else 1)
                setattr(self, f"layer{stage + 1}", tn.Sequential(first, Block(size, size, 1)))
                before = size
            self.avgpool = tn.AdaptiveAvgPool2d(1)
            self.fc = tn.Linear(before, classes)

        def forward(self, x: Any) -> Any:
            x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
            for stage in range(4):
                x = getattr(self, f"layer{stage + 1}")(x)
            return self.fc(torch.flatten(self.avgpool(x), 1))

    return ResNet()


class Tagger(nn.Module):
    """An LSTM and what reads it."""

    def __init__(self) -> None:
        self.lstm = nn.LSTM(5, 7, num_layers=2, bidirectional=True)
        self.head = nn.Linear(14, 3)

    def forward(self, x: Any) -> Any:
        return self.head(self.lstm(x)[0])


def torch_tagger(torch: Any) -> Any:
    class TorchTagger(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(5, 7, num_layers=2, bidirectional=True)
            self.head = torch.nn.Linear(14, 3)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0])

    return TorchTagger()


def on_static(model: nn.Module, x: Any) -> Any:
    with static.Graph().as_default() as graph:
        shape = ("N", *x.shape[1:]) if x.ndim == 4 else (x.shape[0], "N", x.shape[2])
        fed = static.placeholder("float32", shape)
        y = model(fed)
        start = static.global_variables_initializer()
    with static.Session(graph=graph, optimize="exact") as session:
        session.run(start)
        return session.run(y, feed_dict={fed: x})


CHECKPOINTS = {
    "ResNet18": (
        lambda: models.ResNet18(10, width=16),
        lambda torch: torch_resnet18(torch, 10, 16),
        normal(2, 3, 64, 64),
    ),
    "LSTM": (Tagger, torch_tagger, normal(6, 3, 5)),
    "TransformerEncoderLayer": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16),
        lambda torch: torch.nn.TransformerEncoderLayer(8, 2, 16),
        normal(5, 3, 8),
    ),
    "TransformerEncoderLayer, norm first": (
        lambda: nn.TransformerEncoderLayer(8, 2, 16, norm_first=True, batch_first=True),
        lambda torch: torch.nn.TransformerEncoderLayer(8, 2, 16, norm_first=True, batch_first=True),
        normal(5, 3, 8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHECKPOINTS)
@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
def test_a_pytorch_checkpoint_loads_and_gives_pytorchs_outputs(name: str, tmp_path: Path) -> None:
    """On both engines, to 1e-5; with running statistics that training has moved. And back."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it makes the checkpoint")
    from safetensors.torch import load_file, save_file

    make, make_theirs, x = CHECKPOINTS[name]
    torch.manual_seed(0)
    theirs = make_theirs(torch)
    for _ in range(3):
        theirs(torch.tensor(x) + 1)
    theirs.eval()
    expected = theirs(torch.tensor(x)).detach().numpy()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")

    ours = make().eval()
    ours.load(tmp_path / "theirs.safetensors")
    np.testing.assert_allclose(ours(dynamic.tensor(x)).numpy(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(on_static(ours, x), expected, rtol=1e-5, atol=1e-5)

    ours.save(tmp_path / "ours.safetensors")
    saved = load_file(tmp_path / "ours.safetensors")
    generators = [name for name in saved if name.endswith("generator")]
    back = {name: value for name, value in saved.items() if name not in generators}
    other = make_theirs(torch)
    other.load_state_dict(back)
    other.eval()
    np.testing.assert_array_equal(other(torch.tensor(x)).detach().numpy(), expected)


def test_running_statistics_follow_pytorchs_over_training_on_both_engines() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    from shared import ops, optim

    theirs = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.BatchNorm2d(4))
    start = {name: value.clone().numpy() for name, value in theirs.state_dict().items()}
    torch_opt = torch.optim.SGD(theirs.parameters(), lr=0.1)
    batches = [normal(5, 2, 6, 6) for _ in range(3)]
    for x in batches:
        torch_opt.zero_grad()
        theirs(torch.tensor(x)).square().sum().mul(0.01).backward()
        torch_opt.step()

    def ours() -> nn.Module:
        model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4))
        model.load_state_dict(start)
        return model

    eager = ours()
    opt = optim.SGD(eager.parameters(), lr=0.1)
    for x in batches:
        opt.zero_grad()
        (ops.sum(ops.square(eager(dynamic.tensor(x)))) * 0.01).backward()
        opt.step()
    built = ours()
    with static.Graph().as_default() as graph:
        fed = static.placeholder("float32", ("N", 2, 6, 6))
        loss = ops.sum(ops.square(built(fed))) * 0.01
        train = optim.SGD(built.parameters(), lr=0.1).minimize(loss)
        init = static.global_variables_initializer()
    with static.Session(graph=graph, optimize="exact") as session:
        session.run(init)
        for x in batches:
            session.run(train, feed_dict={fed: x})
        session.store(built)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(eager.state_dict()[name], value.numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(eager.state_dict()[name], built.state_dict()[name])
