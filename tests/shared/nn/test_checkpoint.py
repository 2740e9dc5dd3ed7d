"""One file for model, optimiser and loader: on either engine, whole, by paths. (Older ones: tests/before.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.data import DataLoader, TensorDataset
from shared.errors import SettingError, StateError
from shared.nn.saved import read_file
from tests.shared.nn.entry import normal

X = np.random.RandomState(1).randn(6, 3).astype("float32")


def made() -> tuple[nn.Module, optim.Optimizer]:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 3))
    return model, optim.Adam(model.parameters(), lr=0.01)


def trained(model: nn.Module, opt: optim.Optimizer, steps: int) -> list[float]:
    """The losses of some steps on dynamic."""
    losses = []
    for _ in range(steps):
        loss = ops.mean(ops.square(model(dynamic.tensor(X))))
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses


class Run:
    """The same in a graph."""

    def __init__(self, model: nn.Module, opt: optim.Optimizer) -> None:
        self.graph = static.Graph()
        with self.graph.as_default():
            self.x = static.placeholder("float32", (None, 3))
            self.loss = ops.mean(ops.square(model(self.x)))
            self.train = opt.minimize(self.loss)
            self.saver = static.Saver()
            self.session = static.Session(self.graph, optimize="exact")
            self.session.run(static.global_variables_initializer())

    def steps(self, count: int) -> list[float]:
        return [self.session.run([self.loss, self.train], {self.x: X})[0].item() for _ in range(count)]


WHOLE = trained(*made(), 6)
"""The losses of a run that nothing stops."""


@pytest.mark.parametrize("first", ["dynamic", "static"])
@pytest.mark.parametrize("then", ["dynamic", "static"])
def test_training_goes_on_bit_for_bit_on_either_engine_from_the_others_file(
    tmp_path: Path, first: str, then: str
) -> None:
    path = tmp_path / "run"
    model, opt = made()
    if first == "dynamic":
        losses = trained(model, opt, 3)
        nn.save_checkpoint(path, model, opt, step=3)
    else:
        run = Run(model, opt)
        losses = run.steps(3)
        path = Path(run.saver.save(run.session, path, global_step=3))
    model, opt = made()
    model[0].weight.assign(normal(3, 3))
    if then == "dynamic":
        assert nn.load_checkpoint(path, model, opt) == (3, {})
        losses += trained(model, opt, 3)
    else:
        run = Run(model, opt)
        run.saver.restore(run.session, path)
        losses += run.steps(3)
    assert losses == WHOLE


def test_a_checkpoint_holds_the_loader_the_step_and_what_else_is_wanted(tmp_path: Path) -> None:
    def loader(seed: int = 0) -> DataLoader:
        return DataLoader(TensorDataset(np.arange(12)), 2, shuffle=True, seed=seed)

    data = loader()
    taken = iter(data)
    seen = [next(taken)[0].tolist() for _ in range(2)]
    best = np.arange(4, dtype=np.float64).reshape(2, 2).T
    extra = {"losses": [1.5, float("inf")], "best": best, "note": "é"}
    nn.save_checkpoint(tmp_path / "run", loader=data, step=np.int64(7), extra=extra)
    other = loader()
    found = nn.load_checkpoint(tmp_path / "run", loader=other)
    assert found.step == 7 and found.extra["losses"] == [1.5, float("inf")] and found.extra["note"] == "é"
    np.testing.assert_array_equal(found.extra["best"], best)
    assert seen + [b[0].tolist() for b in other] == [b[0].tolist() for b in loader()]
    with pytest.raises(StateError, match="seed was 0 and is 1"):
        nn.load_checkpoint(tmp_path / "run", loader=loader(1))


def test_the_state_of_an_optimiser_goes_by_the_places_in_the_model_not_by_order(tmp_path: Path) -> None:
    """Of two layers of one shape, each gets its own moments."""

    def apart(order: tuple[int, int]) -> tuple[nn.Module, optim.Optimizer]:
        nn.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        return model, optim.Adam([p for i in order for p in model[i].parameters()], lr=0.01)

    model, opt = apart((0, 1))
    trained(model, opt, 3)
    nn.save_checkpoint(tmp_path / "run", model, opt)
    other, its = apart((1, 0))
    nn.load_checkpoint(tmp_path / "run", other, its)
    for layer, same in zip(model.modules(), other.modules(), strict=True):
        for name in ("weight", "bias"):
            if hasattr(layer, name):
                for slot, state in opt.slots(getattr(layer, name)).items():
                    found = its.slots(getattr(same, name))[slot].data
                    np.testing.assert_array_equal(found, state.data)
    for load in (lambda: its.load_state_dict(opt.state_dict()), lambda: its.load(tmp_path / "adam")):
        opt.save(tmp_path / "adam")
        with pytest.raises(StateError, match="nothing but their order tells weight and weight~2 apart"):
            load()
    named = optim.Adam([("a", model[0].weight), ("b", model[1].weight)], lr=0.01)
    turned = optim.Adam([("b", other[1].weight), ("a", other[0].weight)], lr=0.01)
    trained(model, named, 1)
    turned.load_state_dict(named.state_dict())
    np.testing.assert_array_equal(
        turned.slots(other[1].weight)["exp_avg"].data, named.slots(model[1].weight)["exp_avg"].data
    )


def test_several_optimisers_stand_in_one_file_by_name(tmp_path: Path) -> None:
    def pair() -> tuple[nn.Module, dict[str, optim.Optimizer]]:
        model = nn.ModuleDict({"g": nn.Linear(3, 3), "d": nn.Linear(3, 3)})
        return model, {n: optim.SGD(model[n].parameters(), 0.1, momentum=0.9) for n in ("g", "d")}

    model, opts = pair()
    trained(model["g"], opts["g"], 2)
    trained(model["d"], opts["d"], 3)
    nn.save_checkpoint(tmp_path / "run", model, opts)
    other, its = pair()
    nn.load_checkpoint(tmp_path / "run", other, its)
    assert (its["g"].steps.data, its["d"].steps.data) == (2, 3)
    assert trained(model["d"], opts["d"], 2) == trained(other["d"], its["d"], 2)
    with pytest.raises(StateError, match=r"holds no optimizer; leave it out"):
        nn.load_checkpoint(tmp_path / "run", other, its["g"])


def test_what_does_not_fit_is_refused_and_nothing_has_changed(tmp_path: Path) -> None:
    model, opt = made()
    trained(model, opt, 2)
    nn.save_checkpoint(tmp_path / "run", model, opt, step=2)
    other, its = made()
    before = {**other.state_dict(), **its.state_dict()}
    wide = nn.Sequential(nn.Linear(3, 4))
    for words, load in {
        r"holds the optimizer of Adam, not of SGD": lambda: nn.load_checkpoint(
            tmp_path / "run", other, optim.SGD(other.parameters(), 0.1)
        ),
        r"0.weight is \(3, 3\) in the checkpoint, \(4, 3\)": lambda: nn.load_checkpoint(
            tmp_path / "run", wide
        ),
        r"the optimiser trains weight, which is not in the model": lambda: nn.load_checkpoint(
            tmp_path / "run", other, optim.Adam(wide[0].parameters())
        ),
        r"holds no loader": lambda: nn.load_checkpoint(tmp_path / "run", other, its, loader=1),
        r"optimizer.*Unexpected in it: 1.bias/exp_avg": lambda: nn.load_checkpoint(
            tmp_path / "run", other, optim.Adam(other[0].parameters())
        ),
    }.items():
        with pytest.raises(StateError, match=words):
            load()
        after = {**other.state_dict(), **its.state_dict()}
        assert all((before[name] == after[name]).all() for name in before)
    assert nn.load_checkpoint(tmp_path / "run", other).step == 2  # to ask a model, it is enough
    assert trained(other.eval(), its, 1) == trained(model.eval(), opt, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"step": 1.5}, "step is a whole number, not 1.5"),
        ({"extra": {"f": open}}, r"extra\['f'\] can not be kept"),
        ({"extra": {1: 2}}, "the names in extra are text, not 1"),
        ({"model": 3}, "model must be a Module, not int"),
        ({"optimizer": 3}, "optimizer must be an Optimizer, not int"),
    ],
)
def test_what_a_checkpoint_can_not_hold_is_refused(tmp_path: Path, arguments: Any, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        nn.save_checkpoint(tmp_path / "run", **arguments)
    assert not any(tmp_path.iterdir())


def test_a_file_that_is_no_checkpoint_or_a_later_one_is_named(tmp_path: Path) -> None:
    model, opt = made()
    model.save(tmp_path / "model")
    with pytest.raises(StateError, match=r"is no checkpoint of save_checkpoint or a Saver; what model\.save"):
        nn.load_checkpoint(tmp_path / "model", model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shared.nn.checkpoint.VERSION", 2)
        nn.save_checkpoint(tmp_path / "later", model, opt)
    with pytest.raises(StateError, match="of version 2, and this Diptych reads 1"):
        nn.load_checkpoint(tmp_path / "later", model)
    nn.save_checkpoint(tmp_path / "run", model, opt)
    for load in (model.load, opt.load):
        with pytest.raises(StateError, match=r"is a checkpoint; nn.load_checkpoint\(path, model"):
            load(tmp_path / "run")


def test_what_is_not_in_c_order_is_saved_as_it_reads(tmp_path: Path) -> None:
    """safetensors alone would write it as it lies."""
    model = nn.Linear(2, 3)
    model.weight.data = np.asfortranarray(np.arange(6, dtype=np.float32).reshape(3, 2))
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(read_file(tmp_path / "model")[0]["weight"], [[0, 1], [2, 3], [4, 5]])
