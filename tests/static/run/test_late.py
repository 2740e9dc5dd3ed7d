"""Settings that change after a graph was built: sessions follow rates, and warn, once, of what they can not
follow, with the user's line and the cure."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from static.run.late import LateSettingWarning

X = np.float32([[1, 2, 3], [4, 5, 7]])


class Training:
    """A model and what trains it; `begin` makes a session that does."""

    def __init__(self, opt: Callable[..., Any] = optim.SGD, **settings: Any) -> None:
        self.x = static.placeholder("float32", (None, 3))
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        self.opt = opt(self.model.parameters(), lr=0.5, **settings)
        self.y = self.model(self.x)
        self.loss = ops.sum(self.y)
        self.step = self.opt.minimize(self.loss)

    def begin(self) -> Training:
        self.session = static.Session()
        self.session.run(static.global_variables_initializer())
        self.run()
        return self

    def run(self) -> None:
        self.session.run(self.step, {self.x: X})


def moved(training: Training) -> float:
    """By how much the last bias, whose gradient is 2, is changed in a step."""
    bias = training.model[2].bias
    before = float(training.session.run(bias)[0])
    training.run()
    return before - float(training.session.run(bias)[0])


CHANGES: dict[str, Callable[[Any], Any]] = {
    "lr.assign": lambda opt: opt.lr.assign(0.125), "lr =": lambda opt: setattr(opt, "lr", 0.125),
    "the array": lambda opt: opt.lr.data.fill(0.125),
    "the group": lambda opt: setattr(opt.groups[0], "lr", 0.125),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_rate_that_is_set_is_the_rate_of_the_next_step(change: Callable[[Any], Any]) -> None:
    t = Training().begin()
    assert moved(t) == pytest.approx(1)
    change(t.opt)
    assert moved(t) == pytest.approx(0.25)


def test_whoever_sets_a_rate_last_has_set_it(tmp_path: Path) -> None:
    t = Training().begin()
    rate = t.session.graph.lifted[id(t.opt.lr)]
    saver = static.Saver()
    path = saver.save(t.session, tmp_path / "saved")
    t.opt.lr = 0.25
    assert moved(t) == pytest.approx(0.5)
    saver.restore(t.session, path)  # with the rate of then
    assert moved(t) == pytest.approx(1)
    t.session.hold({rate: np.float64(2)})
    assert moved(t) == pytest.approx(4)
    t.session.store(t.opt)
    assert float(t.opt.lr.data) == 2 and moved(t) == pytest.approx(4)
    t.session.load(t.opt)
    assert moved(t) == pytest.approx(4)
    with static.Session() as other:  # which has a rate of its own
        other.run(static.global_variables_initializer())
        assert float(other.run(t.opt.lr)) == 2
        other.hold({rate: np.float64(3)})
    assert moved(t) == pytest.approx(4)


def eval_(t: Training) -> None:
    t.model.eval()


def drop(t: Training) -> None:
    t.model[1].p = 0.1


def freeze(t: Training) -> None:
    t.model[0].requires_grad_(False)


def freeze_one(t: Training) -> None:
    t.model[0].bias.requires_grad = False


def momentum(t: Training) -> None:
    t.opt.groups[0].settings.momentum = 0.5


def by_word(t: Training) -> None:
    t.opt.param_groups[0]["nesterov"] = True


def clip(t: Training) -> None:
    t.opt.clip_norm = 1.0


def schedule(t: Training) -> None:
    t.opt.groups[0].schedule = optim.StepLR(0.1, 2, 0.5)


def more(t: Training) -> None:
    t.opt.add_param_group({"params": [nn.Parameter(np.float32([1]), "more")]})


def loaded(t: Training) -> None:
    t.model.load_state_dict(t.model.state_dict())


def an_array(t: Training) -> None:
    t.model[0].weight.data = np.zeros((4, 3), np.float32)


def copied(t: Training) -> None:
    with dynamic.no_grad():
        t.model[0].weight.copy_(dynamic.zeros(4, 3))


def subtracted(t: Training) -> None:
    with dynamic.no_grad():
        t.model[0].weight -= 1


def one_item(t: Training) -> None:
    with dynamic.no_grad():
        t.model[0].weight[0, 0] = 1.0


def drawn(t: Training) -> None:
    nn.init.zeros_(t.model[0].weight)


def trained_eagerly(t: Training) -> None:
    ops.sum(t.model(dynamic.tensor(X))).backward()
    t.opt.step()


def trained_by_a_function(t: Training) -> None:
    dynamic.function(trained_eagerly, at_once=True)(t)


def assigned_by_a_function(t: Training) -> None:
    weight = t.model[0].weight
    static.function(lambda: weight.assign(weight * 2))()


def another_layer(t: Training) -> None:
    t.model[2] = nn.Linear(4, 2)


def no_layer(t: Training) -> None:
    del t.model[1]


def one_more_layer(t: Training) -> None:
    t.model.append(nn.ReLU())


def another_weight(t: Training) -> None:
    t.model[0].weight = nn.Parameter(np.ones((4, 3), np.float32))


def no_bias(t: Training) -> None:
    t.model[0].bias = None


def wider(t: Training) -> None:
    t.model.astype("float64")


AGAIN = r"call opt.minimize\(loss\) once more"
LATE = {
    eval_: ("Dropout.training = False", "built with True", "call the model once more in that mode"),
    drop: ("Dropout.p = 0.1", "built with 0.5", "call the model once more"),
    freeze: ("requires_grad = False of 0.weight", "do as before", AGAIN),
    freeze_one: ("requires_grad = False of 0.bias", "do as before", AGAIN),
    momentum: ("momentum = 0.5", "made with 0.9", AGAIN),
    by_word: ("nesterov = True", "made with False", AGAIN),
    clip: ("clip_norm = 1.0", "made with None", AGAIN),
    schedule: ("schedule = ", "made with None", AGAIN),
    more: ("groups = .*of 4 Parameters>, <.*of 1 Parameters", "made with .*of 4 Parameters", AGAIN),
    another_layer: ("what a Sequential holds", "built before", "call the model once more"),
    no_layer: ("what a Sequential holds", "built before", "call the model once more"),
    one_more_layer: ("what a Sequential holds", "built before", "call the model once more"),
    another_weight: ("Linear.weight = ", r"built with .*\(4, 3\)", "call the model once more"),
    no_bias: ("Linear.bias = None", r"built with .*\(4,\)", "call the model once more"),
    wider: ("float64 for 0.weight", "built with float32", "build another graph"),
}  # fmt: skip
VALUES = (
    loaded, an_array, copied, subtracted, one_item, drawn, trained_eagerly, trained_by_a_function,
    assigned_by_a_function,
)  # fmt: skip
LATE.update(dict.fromkeys(VALUES, ("a new value of 0.weight", "one of its own", r"session.load\(model\)")))


WHEN = [(change, begun) for change in LATE for begun in (True, False) if begun or change not in VALUES]


@pytest.mark.parametrize(("change", "begun"), WHEN, ids=lambda given: getattr(given, "__name__", given))
def test_what_a_graph_can_not_follow_is_said_once(change: Callable[[Training], None], begun: bool) -> None:
    t = Training(optim.SGD, momentum=0.9)
    if begun:
        t.begin()
    change(t)
    with pytest.warns(LateSettingWarning) as told:
        t.run() if begun else t.begin()
    assert len(told) == 1 and Path(told[0].filename).name == "test_late.py"
    for words in (*LATE[change], r"your line: test_late\.py:\d+"):
        assert re.search(words, str(told[0].message)), words
    t.run()  # no more of it


CURES: dict[Callable[[Training], None], Callable[[Training], Any]] = {
    eval_: lambda t: t.model(t.x),
    drop: lambda t: t.model(t.x),
    freeze: lambda t: t.opt.minimize(t.loss),
    momentum: lambda t: t.opt.minimize(t.loss),
    clip: lambda t: t.opt.minimize(t.loss),
    more: lambda t: t.opt.minimize(t.loss),
    loaded: lambda t: t.session.load(t.model),
    drawn: lambda t: t.session.load(t.model),
    another_layer: lambda t: t.model(t.x),
}


@pytest.mark.parametrize("change", CURES, ids=lambda change: change.__name__)
def test_a_change_that_is_followed_by_its_cure_is_no_matter(change: Callable[[Training], None]) -> None:
    t = Training(optim.SGD, momentum=0.9).begin()
    change(t)
    CURES[change](t)
    t.run()


def test_a_value_that_the_session_takes_later_or_gives_is_no_matter() -> None:
    t = Training()
    an_array(t)
    t.begin()  # which takes it
    t.session.store(t.model, t.opt)  # and gives it
    t.run()


def test_a_call_that_counts_itself_has_changed_nothing_too_late() -> None:
    class Counted(nn.Module):
        count, last = 0, None

        def forward(self, x: Any) -> Any:
            self.count, self.last = self.count + 1, nn.ReLU()
            return self.last(x) * self.count

    model = Counted()
    y = model(static.constant(X))
    with static.Session() as session:
        np.testing.assert_array_equal(session.run(y), X)
        model.count = 5
        with pytest.warns(LateSettingWarning, match=r"Counted.count = 5 .* built with 0 and 1"):
            session.run(y)


def test_layers_in_a_list_of_a_models_are_looked_after_too() -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            self.layers = nn.ModuleList([nn.ModuleList([nn.ReLU()])])

        def forward(self, x: Any) -> Any:
            for layer in self.layers[0]:
                x = layer(x)
            return x

    model = Rows()
    y = model(static.constant(X))
    model.layers[0].append(nn.Tanh())
    with static.Session() as session, pytest.warns(LateSettingWarning, match="what a ModuleList holds"):
        session.run(y)


def test_properties_that_a_model_reads_run_when_it_reads_them_and_never_else() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            self.weight = nn.Parameter(np.ones(3, np.float32))
            self.calls = nn.Buffer(np.float32(0))
            self.read = 0

        @property
        def noisy(self) -> Any:
            self.read += 1
            self.calls.assign(self.calls + 1)
            return self.weight * 2

        def forward(self, x: Any) -> Any:
            return x * self.noisy

    model = Noisy()
    y = model(static.constant(X))
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        for _ in range(3):
            session.run([y, static.get_collection(static.UPDATE_OPS)])
        assert session.run(model.calls) == 3
    assert model.read == 1 and float(model.calls.data) == 0
    model = Noisy()
    called = static.function(lambda x: model(x))
    for _ in range(4):
        called(X)
    assert float(model.calls.data) == 4


def test_what_changes_nothing_or_goes_back_is_no_matter() -> None:
    t = Training().begin()
    with nn.evaluating(t.model):
        pass
    t.model[0].eval()  # a Linear is the same in either mode
    t.opt.clip_norm = None
    t.run()


def both(t: Training) -> Any:
    """What the model gives without dropout, beside what it is trained on."""
    with nn.evaluating(t.model):
        return t.model(t.x)


def test_who_builds_a_graph_in_both_modes_may_run_either() -> None:
    t = Training()
    plain = both(t)
    t.begin()
    for _ in range(2):
        t.session.run(plain, {t.x: X})
        t.run()
    later = both(t)  # of the same graph, while the session is on
    t.session.run([later, plain], {t.x: X})
    for mode in (False, True):  # as in an epoch: each run in the mode of what it runs
        t.model.train(mode)
        t.run() if mode else t.session.run(later, {t.x: X})
    t.model.eval()
    last = t.model(t.x)  # for which the mode was set
    t.run()
    t.session.run(last, {t.x: X})


def test_a_mode_that_another_output_has_is_too_late_for_this_one() -> None:
    t = Training()
    plain = both(t)
    t.begin()
    t.session.run(plain, {t.x: X})
    t.model.eval()
    with pytest.warns(LateSettingWarning, match="Dropout.training = False.*built with True"):
        t.run()
    t.session.run(plain, {t.x: X})
    t.model.train()
    with pytest.warns(LateSettingWarning, match="Dropout.training = True.*built with False"):
        t.session.run(plain, {t.x: X})
    t.run()
    with nn.evaluating(t.model), pytest.warns(LateSettingWarning, match="training = False"):
        t.run()


def test_a_model_that_is_called_in_a_loop_is_looked_after_too() -> None:
    drop = nn.Dropout(0.5)
    y = ops.scan(lambda c, q: (c, drop(q)), np.float32(0), static.constant(X))[1]
    drop.eval()
    with static.Session() as session:
        with pytest.warns(LateSettingWarning, match="training = False"):
            session.run(static.global_variables_initializer())
        session.run(y)


def test_a_part_that_left_nothing_in_the_graph_is_looked_after_too() -> None:
    drop = nn.Dropout(0.5).eval()
    y = drop(static.constant(X)) * 2
    drop.train()
    with static.Session() as session, pytest.warns(LateSettingWarning, match="training = True.*with False"):
        session.run(y)


def test_parts_of_a_model_that_are_frozen_for_one_step_only_are_no_matter() -> None:
    """As the two of a GAN: each is trained while the other is held."""
    x = static.placeholder("float32", (None, 3))
    one, other = nn.Linear(3, 3), nn.Linear(3, 1)
    optimisers = optim.SGD(one.parameters(), lr=0.1), optim.SGD(other.parameters(), lr=0.1)
    loss = ops.sum(other(one(x)))
    one.requires_grad_(False)
    second = optimisers[1].minimize(loss)
    one.requires_grad_(True)
    other.requires_grad_(False)
    first = optimisers[0].minimize(loss)
    with static.Session() as session:
        session.run(static.global_variables_initializer())
        session.run([first, second], {x: X})
        session.run(second, {x: X})
        other.requires_grad_(True)
        session.run(second, {x: X})
        one.requires_grad_(False)
        with pytest.warns(LateSettingWarning, match="requires_grad = False of weight"):
            session.run(first, {x: X})
