"""Containers are changed as lists and dicts are, and count what they hold as PyTorch does."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops
from shared.errors import RangeError, SettingError


def rows() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))


def names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_children()]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_a_row_is_changed_as_a_list_is(kind: Any) -> None:
    a, b, c, d = (nn.Linear(2, 2) for _ in range(4))
    row = kind().extend([a, b])
    expected = [a, b]

    def check() -> None:
        assert list(row) == expected
        assert names(row) == [str(i) for i in range(len(expected))]
        assert len(row) == len(expected)

    for change in (
        lambda x: x.insert(0, c), lambda x: x.insert(-1, d), lambda x: x.append(nn.ReLU()),
        lambda x: x.pop(-1), lambda x: x.pop(0), lambda x: x.__delitem__(slice(1, 2)),
        lambda x: x.__setitem__(-1, c), lambda x: x.extend([d]), lambda x: x.__iadd__([a]),
    ):  # fmt: skip
        if "append" not in change.__code__.co_names:
            change(row)
            change(expected)
        else:
            last = nn.ReLU()
            row.append(last)
            expected.append(last)
        check()
    assert list(row[1:]) == expected[1:]
    assert type(row[1:]) is kind
    assert row[-2] is expected[-2]
    assert list(row + rows()[:1])[:-1] == expected
    check()


def test_a_place_that_is_not_there_is_said() -> None:
    with pytest.raises(RangeError, match=r"there is no \[3\] among 3"):
        rows()[3]
    with pytest.raises(SettingError, match=r"is no Module; nn\.Lambda makes a layer of a function"):
        rows().insert(0, ops.relu)


def test_names_that_were_given_stay() -> None:
    model = nn.Sequential(OrderedDict(first=nn.Linear(2, 3), act=nn.ReLU()))
    model.append(nn.Linear(3, 1)).insert(0, nn.Identity())
    assert names(model) == ["0", "first", "act", "3"]
    assert names(model[1:]) == ["first", "act", "2"]
    model[1] = nn.Linear(2, 3, bias=False)
    assert "first.weight" in model.state_dict()


def test_a_slice_of_a_class_of_ones_own_is_a_sequential() -> None:
    class Block(nn.Sequential):
        def __init__(self, width: int) -> None:
            super().__init__(nn.Linear(width, width), nn.Tanh())

    assert type(Block(3)[:1]) is nn.Sequential
    assert names(Block(3)) == ["0", "1"]


def test_a_dict_of_modules_is_changed_as_a_dict_is() -> None:
    held = nn.ModuleDict({"a": nn.ReLU(), "items": nn.Linear(2, 2)})
    held.update([("b", nn.Tanh())])
    del held["a"]
    assert list(held) == list(held.keys()) == names(held) == ["items", "b"]
    assert isinstance(held.pop("b"), nn.Tanh)
    assert "items" in held
    assert list(held.state_dict()) == ["items.weight", "items.bias"]
    held.clear()
    assert len(held) == 0


def test_parameters_in_lists_and_dicts_are_trained_and_saved() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            self.rows = nn.ParameterList([np.ones(2, np.float32), nn.Parameter(np.zeros(3, np.float32))])
            self.named = nn.ParameterDict({"w": np.ones((2, 2), np.float32)})
            self.named["items"] = nn.Parameter(np.float32(1))

        def forward(self, x: Any) -> Any:
            return ops.sum(x * self.rows[0]) * self.named["items"] + ops.sum(self.named["w"])

    model = Model()
    paths = ["rows.0", "rows.1", "named.w", "named.items"]
    assert [path for path, _ in model.named_parameters()] == paths
    assert list(model.state_dict()) == paths
    model(dynamic.tensor([1.0, 2.0])).backward()
    assert model.rows[0].grad.numpy().tolist() == [1.0, 2.0]
    model.rows.append(np.ones(1)).insert(0, np.zeros(1))
    assert [p.shape for p in model.rows] == [(1,), (2,), (3,), (1,)]
    assert [name for name, _ in model.rows.named_parameters()] == ["0", "1", "2", "3"]
    model.astype("float64")
    assert model.named["w"].dtype == np.float64
    with pytest.raises(SettingError, match="no Parameter, nor an array of floats"):
        model.rows.append(np.arange(3))
    assert nn.summary(model, (2,)).parameters == 12


def test_pytorch_has_the_same_names() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: it is the oracle here")
    theirs = torch.nn.ParameterList([torch.ones(2), torch.zeros(3)])
    assert list(theirs.state_dict()) == list(nn.ParameterList([np.ones(2), np.zeros(3)]).state_dict())
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    model.insert(1, torch.nn.Linear(3, 3))
    del model[0]
    ours = rows()
    ours.insert(1, nn.Linear(3, 3))
    del ours[0]
    assert list(model.state_dict()) == list(ours.state_dict())
