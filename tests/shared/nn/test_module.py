"""Module: what it finds inside, and what is done to all of it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops
from shared.errors import DTypeError, SettingError, StateError
from shared.state import Buffer, Parameter
from tests.shared.nn.entry import normal


class Mixed(nn.Module):
    """States and layers as attributes, in lists, dicts and tuples."""

    def __init__(self) -> None:
        self.first = nn.Linear(3, 3, bias=False)
        self.many = [nn.Linear(3, 3, bias=False), (nn.Linear(3, 2), nn.BatchNorm1d(2))]
        self.named = {"a": nn.Linear(3, 3, bias=False), "b": Parameter(np.zeros(2, np.float32))}
        self.last = Parameter(np.ones(2, np.float32))
        self.steps = Buffer(np.int64(3))
        self.first_again = self.first
        self.note = ["no", 1, None]


def test_states_are_found_in_lists_and_dicts_in_definition_order() -> None:
    own = ["named.b", "last", "steps"]
    inside = [
        "first.weight", "many.0.weight", "many.1.0.weight", "many.1.0.bias", "many.1.1.weight",
        "many.1.1.bias", "many.1.1.running_mean", "many.1.1.running_var", "many.1.1.num_batches_tracked",
        "named.a.weight",
    ]  # fmt: skip
    model = Mixed()
    assert [name for name, _ in model.named_states()] == own + inside
    assert list(model.state_dict()) == own + inside
    assert [name for name, _ in model.named_buffers()] == [
        "steps", "many.1.1.running_mean", "many.1.1.running_var", "many.1.1.num_batches_tracked",
    ]  # fmt: skip
    assert model.num_parameters() == 2 + 2 + 9 + 9 + 8 + 4 + 9


def test_a_layer_added_to_a_list_later_is_seen() -> None:
    model = Mixed()
    model.many.append(nn.Linear(2, 2, bias=False))
    assert "many.2.weight" in model.state_dict()


def test_a_shared_layer_counts_once() -> None:
    model = Mixed()
    assert "first_again.weight" not in model.state_dict()
    assert len(list(model.parameters())) == len({id(p) for p in model.parameters()})


def tied() -> nn.Module:
    """An output layer that is the embedding's table."""
    model = nn.Module()
    model.embedding = nn.Embedding(5, 3)
    model.head = nn.Linear(3, 5, bias=False)
    model.head.weight = model.embedding.weight
    return model


def test_tied_weights_load_under_either_name() -> None:
    table = normal(5, 3)
    for names in (["embedding.weight"], ["head.weight"], ["embedding.weight", "head.weight"]):
        model = tied()
        assert list(model.state_dict()) == ["embedding.weight"]
        model.load_state_dict(dict.fromkeys(names, table))
        np.testing.assert_array_equal(model.head.weight.data, table)
    with pytest.raises(StateError, match=r"head\.weight and embedding\.weight are one State"):
        tied().load_state_dict({"embedding.weight": table, "head.weight": table + 1})


def test_tied_weights_get_both_gradients() -> None:
    model = tied()
    rows = model.embedding(dynamic.tensor([1, 1, 3]))
    model.head(rows).sum().backward()
    table = model.embedding.weight.data
    by_head = np.broadcast_to(table[[1, 1, 3]].sum(0), (5, 3))
    by_rows = np.zeros((5, 3))
    by_rows[1], by_rows[3] = 2 * table.sum(0), table.sum(0)
    np.testing.assert_allclose(model.embedding.weight.grad.numpy(), by_head + by_rows, rtol=1e-5)


def test_apply_reaches_the_inside_first() -> None:
    seen: list[str] = []
    model = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Tanh())
    assert model.apply(lambda m: seen.append(type(m).__name__)) is model
    assert seen == ["ReLU", "Sequential", "Tanh", "Sequential"]


def test_frozen_parameters_get_no_gradient_and_are_not_counted_as_trainable() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    model[0].requires_grad_(False)
    model(dynamic.tensor(normal(2, 3))).sum().backward()
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]
    assert (model.num_parameters(), model.num_parameters(trainable=True)) == (26, 10)
    assert not model[0](dynamic.tensor(normal(2, 3))).requires_grad
    assert all(p.requires_grad for p in model.requires_grad_().parameters())


def test_astype_changes_floats_alone_and_what_is_yet_to_be_drawn() -> None:
    model = nn.Sequential(nn.Linear(4), nn.BatchNorm1d(4), nn.Dropout(0.2)).astype("float64")
    y = model(dynamic.tensor(normal(3, 5).astype(np.float64)))
    assert y.dtype == np.float64
    kinds = {name: value.dtype.name for name, value in model.state_dict().items()}
    assert kinds.pop("1.num_batches_tracked") == "int64"
    assert kinds.pop("2.generator") == "uint64"
    assert set(kinds.values()) == {"float64"}
    with pytest.raises(DTypeError, match="must be floating point, not int32"):
        model.astype("int32")


def test_modes_reach_every_layer_and_evaluating_restores_each() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm1d(2)))
    model[0].eval()
    with nn.evaluating(model):
        assert not any(m.training for m in model.modules())
    assert [m.training for m in model.modules()] == [True, False, True, True]
    assert model.eval().train() is model and all(m.training for m in model.modules())


def test_a_forward_hook_sees_and_may_change_what_a_layer_gives() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    seen: list[Any] = []
    with model[0].register_forward_hook(lambda m, args, y: seen.append((m, args[0].shape, y.shape))):
        model(dynamic.tensor(normal(2, 3)))
    assert seen == [(model[0], (2, 3), (2, 4))]
    handle = model.register_forward_hook(lambda m, args, y: y * 0 + 7)
    assert (model(dynamic.tensor(normal(2, 3))).numpy() == 7).all()
    handle.remove()
    assert (model(dynamic.tensor(normal(2, 3))).numpy() != 7).all()
    assert len(seen) == 1


def test_a_model_can_be_copied_and_the_copy_is_its_own() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    twin = copy.deepcopy(model)
    twin[0].weight.data[:] = 7
    assert not (model[0].weight.data == 7).any()
    assert list(twin.state_dict()) == list(model.state_dict())


def test_containers_are_indexed_sliced_and_named() -> None:
    layers = nn.Sequential({"in": nn.Linear(3, 4), "out": nn.Linear(4, 2)})
    assert list(layers.state_dict()) == ["in.weight", "in.bias", "out.weight", "out.bias"]
    rows = nn.ModuleList([nn.Linear(3, 3), nn.ReLU()]).append(nn.Tanh())
    assert len(rows) == 3 and isinstance(rows[-1], nn.Tanh) and len(rows[1:]) == 2
    assert [type(m) for m in rows] == [nn.Linear, nn.ReLU, nn.Tanh]
    assert list(rows.state_dict()) == ["0.weight", "0.bias"]
    named = nn.ModuleDict({"keys": nn.Linear(3, 3, bias=False)})
    named["train"] = nn.ReLU()
    assert list(named) == ["keys", "train"] and "keys" in named
    assert list(named.state_dict()) == ["keys.weight"]
    assert len(nn.Sequential(nn.ReLU(), nn.Tanh())[:1]) == 1


def test_a_class_in_the_place_of_a_layer_is_refused() -> None:
    with pytest.raises(SettingError, match=r"is no Module.*ReLU\(\)"):
        nn.Sequential(nn.Linear(3, 4), nn.ReLU)


def test_the_repr_shows_the_layers_and_their_settings() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Sequential(nn.Dropout(0.2), nn.Linear(5)))
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Conv2d(1, 4, kernel_size=(3, 3), padding=(1, 1))\n"
        "  (1): Sequential(\n"
        "    (0): Dropout(p=0.2)\n"
        "    (1): Linear(None, 5)\n"
        "  )\n"
        ")"
    )


def test_a_model_called_on_plain_arrays_inside_a_graph_trains_its_statistics() -> None:
    """No Tensor says which engine is meant, so the graph in charge is, updates and all."""
    from shared import optim

    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    with static.Graph().as_default() as graph:
        loss = ops.sum(model(normal(6, 3)))
        train = optim.SGD(model.parameters(), lr=0.1).minimize(loss)
    assert {v.name for v in graph.variables} >= {"0/weight", "1/running_mean"}
    with static.Session(graph=graph, optimize="exact") as session:
        session.run(static.global_variables_initializer())
        session.run(train)
        session.store(model)
    assert model[1].num_batches_tracked.data == 1
    assert model[1].running_mean.data.any()


def test_layers_take_a_dtype_and_a_device() -> None:
    layer = nn.Linear(3, 4, dtype="float64", device="cpu")
    assert {p.dtype for p in layer.parameters()} == {np.dtype(np.float64)}
    lazy = nn.Linear(4, dtype="float64")
    assert lazy(dynamic.tensor(np.ones((2, 3)))).dtype == np.float64
    assert nn.BatchNorm2d(3, dtype="float64").running_mean.dtype == np.float64
    model = nn.Transformer(4, 2, 1, 1, 6, dtype="float64")
    assert {p.dtype for p in model.parameters()} == {np.dtype(np.float64)}
    with pytest.raises(TypeError, match="LSTM: 'tpu' is no device"):
        nn.LSTM(3, 4, device="tpu")
    with pytest.raises(DTypeError, match="must be floating point"):
        nn.Conv2d(3, 4, 3, dtype="int64")
