"""The laws of the layers, over the table `tests/shared/nn/layers.py`: both engines are the same to the
bit, and both are PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn
from tests.shared.nn.engines import assert_same_bits, is_float, on_dynamic, on_static, weighted
from tests.shared.nn.entry import Entry
from tests.shared.nn.layers import LAYERS

each_layer = pytest.mark.parametrize("entry", LAYERS, ids=str)
CONTAINERS = {nn.Module, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict}
"""Not called themselves."""


def test_every_layer_has_an_entry() -> None:
    public = {getattr(nn, name) for name in nn.__all__}
    layers = {kind for kind in public if isinstance(kind, type) and issubclass(kind, nn.Module)}
    missing = layers - CONTAINERS - {entry.layer for entry in LAYERS}
    assert not missing, f"give {missing} an Entry in tests/shared/nn/layers.py"


def test_no_two_entries_have_one_name() -> None:
    names = [str(entry) for entry in LAYERS]
    assert len(names) == len(set(names))


@each_layer
def test_both_engines_give_the_same_bits(entry: Entry) -> None:
    """Outputs, gradients, and two steps of training with all they change."""
    expected = on_dynamic(entry.make, entry.inputs, entry.call)
    known = on_static(entry.make, entry.inputs, entry.call)
    assert_same_bits(expected, known)
    assert_same_bits(expected, on_static(entry.make, entry.inputs, entry.call, entry.placeholder_shapes()))


@each_layer
def test_evaluation_is_the_same_on_both_engines_and_changes_nothing(entry: Entry) -> None:
    def make() -> nn.Module:
        return entry.make().eval()

    run = on_dynamic(make, entry.inputs, entry.call, steps=1)
    assert_same_bits(run, on_static(make, entry.inputs, entry.call, steps=1))
    nn.manual_seed(3)
    model = make()
    entry.call(model, [dynamic.tensor(x) for x in entry.inputs])
    before = model.state_dict()
    with dynamic.no_grad():
        again = [y.numpy() for y in entry.call(model, [dynamic.tensor(x) for x in entry.inputs])]
    for y, z in zip(run.outputs, again, strict=True):
        np.testing.assert_array_equal(y, z)
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


TWINS = [(entry, training) for entry in LAYERS if entry.torch for training in (True, False)]
"""Where a layer draws random numbers, the two can agree in evaluation alone."""


@pytest.mark.parametrize(
    ("entry", "training"),
    [
        pytest.param(entry, training, id=f"{entry}-{'train' if training else 'eval'}")
        for entry, training in TWINS
        if not (entry.random and training)
    ],
)
def test_a_layer_is_pytorchs(entry: Entry, training: bool) -> None:
    """With PyTorch's state dict: outputs, gradients and what a call leaves in the buffers, in
    float64 to 1e-9."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    torch.manual_seed(0)
    theirs = entry.torch(torch.nn).double().train(training)
    ours = entry.make().astype("float64").train(training)
    ours.load_state_dict(theirs.state_dict())

    inputs = [x.astype(np.float64) if is_float(x) else x for x in entry.inputs]
    xs = [dynamic.tensor(x, requires_grad=is_float(x)) for x in inputs]
    ts = [torch.tensor(x, requires_grad=is_float(x)) for x in inputs]
    ys = entry.call(ours, xs)
    made = entry.call_twin(theirs, ts)
    for y, t in zip(ys, made, strict=True):
        close(y.numpy(), t)
    names = [name for name, _ in ours.named_parameters()]
    assert names == [name for name, _ in theirs.named_parameters()]

    leaves = [x for x in xs if is_float(x)] + list(ours.parameters())
    torch_leaves = [t for t in ts if t.requires_grad] + list(theirs.parameters())
    total = sum(torch.sum(torch.sin(t) + t * t) for t in made)
    found = dynamic.grad(weighted(ys), leaves, allow_unused=True)
    expected = torch.autograd.grad(total, torch_leaves, allow_unused=True)
    for g, t in zip(found, expected, strict=True):
        if g is None or t is None:
            assert g is None or not g.numpy().any()
            assert t is None or not t.any()
        else:
            close(g.numpy(), t)
    state = ours.state_dict()
    for name, t in theirs.state_dict().items():
        close(state[name], t)


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-9, atol=1e-9)
