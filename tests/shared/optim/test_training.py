"""Groups, freezing, clipping by hand, and state: what an optimiser does beside its rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import GradientError, SettingError, StateError
from shared.state import Parameter
from tests.shared.optim.harness import (
    assert_same_bits,
    batches,
    loss_of,
    on_dynamic,
    on_static,
    parameters,
    start,
)

GROUPS = [("SGD", {"lr": 0.1, "momentum": 0.9}, {"lr": 0.02, "weight_decay": 0.1}),
          ("Adam", {"lr": 0.05}, {"betas": (0.5, 0.9)}),
          ("AdamW", {"lr": 0.05}, {"lr": 0.0, "weight_decay": 0.5})]  # fmt: skip


def grouped(name: str, settings: dict[str, Any], own: dict[str, Any], module: Any = optim) -> Any:
    return lambda ps: getattr(module, name)([{"params": ps[:2]}, {"params": ps[2:], **own}], **settings)


# --- groups --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "settings", "own"), GROUPS)
def test_groups_have_settings_of_their_own_as_in_pytorch(name: str, settings: Any, own: Any) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    from tests.shared.optim.test_rules import assert_close, in_torch

    make = grouped(name, settings, own)
    ours = on_dynamic(make)
    assert_close(ours, in_torch(torch, grouped(name, settings, own, torch.optim)))
    assert_same_bits(ours, on_static(make))


def test_groups_without_a_rate_of_their_own_follow_the_optimisers() -> None:
    w, b, v = parameters()
    opt = optim.SGD([{"params": [w]}, {"params": b, "lr": 0.5}], lr=0.1)
    opt.add_param_group({"params": v})
    opt.lr.assign(0.2)
    for p in (w, b, v):
        p.grad = np.ones(p.shape)
    opt.step()
    for p, value, lr in zip((w, b, v), start(), (0.2, 0.5, 0.2), strict=True):
        assert (p.data == value - lr).all()


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ([], "no parameters to train; pass model.parameters"),
        ([1.0], "1.0 is not a Parameter"),
        ([{"lr": 0.1}], "parameter group 0 must be a dict with the key 'params'"),
        ({"params": []}, r"in a list, \[\{'params': ...\}, ...\]"),
        ([{"params": [Parameter(np.ones(2))], "momentun": 0.9}], "'momentun'; it can have params, lr, mom"),
        ([Parameter(np.ones(2), "p")] * 2, "stands in the parameters twice"),
        (Parameter(np.ones(2)), "in a list"),
    ],
)  # fmt: skip
def test_parameters_that_can_not_be_trained_are_refused(parameters: Any, words: str) -> None:
    if isinstance(parameters, list) and len(parameters) == 2:
        parameters[1] = parameters[0]
    with pytest.raises(SettingError, match=words):
        optim.SGD(parameters)


def test_names_come_from_the_model_from_pairs_or_from_the_place_and_differ() -> None:
    a, b = nn.Linear(2, 3), nn.Linear(3, 1)
    list(a.parameters()), list(b.parameters())
    opt = optim.SGD(
        [*a.parameters(), *b.parameters(), ("head", Parameter(np.ones(1))), Parameter(np.ones(1))], 0.1, 0.9
    )
    names = [name for name, _ in opt.named_states()]
    assert names == ["lr", "steps", *(f"{name}/momentum_buffer" for name in (
        "weight", "bias", "weight~2", "bias~2", "head", "parameters.5"))]  # fmt: skip


# --- freezing ------------------------------------------------------------------------------


def thawing(make: Any, steps: int, torch: Any = None) -> list[list[Any]]:
    """The first parameter is frozen for the first half of the steps; on `dynamic`, or in PyTorch."""
    ps = parameters() if torch is None else [torch.tensor(value, requires_grad=True) for value in start()]
    opt = make(ps)
    found = []
    for step, (x, y) in enumerate(batches(steps)):
        ps[0].requires_grad = step >= steps // 2
        opt.zero_grad()
        if torch is None:
            loss_of(*ps, dynamic.tensor(x), dynamic.tensor(y)).backward()
        else:
            ((torch.tanh(torch.tensor(x) @ ps[0] + ps[1]) @ ps[2] - torch.tensor(y)) ** 2).mean().backward()
        opt.step()
        found.append([np.array(p.data if torch is None else p.detach().numpy()) for p in ps])
    return found


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
        ("Adam", {"lr": 0.05}),
        ("Adagrad", {"lr": 0.1, "lr_decay": 0.2}),
    ],
)
def test_a_parameter_unfrozen_late_starts_as_a_new_one_as_in_pytorch(name: str, settings: Any) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    from tests.shared.optim.test_rules import assert_close

    ours = thawing(lambda ps: getattr(optim, name)(ps, **settings), 20)
    assert_close(ours, thawing(lambda ps: getattr(torch.optim, name)(ps, **settings), 20, torch))
    assert (ours[9][0] == start()[0]).all()


def test_a_frozen_parameter_stays_on_both_engines() -> None:
    def make(ps: list[Parameter]) -> optim.Optimizer:
        ps[1].requires_grad = False
        return optim.AdamW(ps, lr=0.1)

    ours = on_dynamic(make, steps=5)
    assert_same_bits(ours, on_static(make, steps=5))
    assert (ours[-1][1] == start()[1]).all()
    assert (ours[-1][0] != start()[0]).all()


def test_a_gradient_left_on_a_frozen_parameter_moves_nothing() -> None:
    p = Parameter(np.ones(3), "p")
    p.grad, p.requires_grad = np.ones(3), False
    with pytest.raises(GradientError, match="no parameter has a gradient"):
        optim.SGD([p], lr=0.1).step()
    assert (p.data == 1).all()


# --- clipping by hand ----------------------------------------------------------------------


def gradients() -> list[Any]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal(shape).astype(np.float32) for shape in ((3, 4), (5,), ())]


def test_clipping_by_hand_is_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    for limit in (0.5, 100.0):
        ours = [Parameter(np.zeros_like(g)) for g in gradients()]
        theirs = [torch.zeros(g.shape, requires_grad=True) for g in gradients()]
        for p, q, g in zip(ours, theirs, gradients(), strict=True):
            p.grad, q.grad = dynamic.tensor(g), torch.tensor(g)
        idle = Parameter(np.ones(2))
        norm = optim.clip_grad_norm_([*ours, idle], limit)
        np.testing.assert_allclose(
            norm.item(), torch.nn.utils.clip_grad_norm_(theirs, limit).item(), rtol=1e-6
        )
        optim.clip_grad_value_(ours, 0.05)
        torch.nn.utils.clip_grad_value_(theirs, 0.05)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-6)
            assert p.grad.dtype == np.float32
        assert idle.grad is None


def test_clipping_gives_the_same_bits_on_arrays_on_dynamic_and_in_a_graph() -> None:
    gs = gradients()
    raw, norm = optim.clip_by_global_norm([*gs, None], 0.5)
    raw = optim.clip_by_value(raw, 0.1)
    eager, eager_norm = optim.clip_by_global_norm([*map(dynamic.tensor, gs), None], 0.5)
    eager = optim.clip_by_value(eager, 0.1)
    with static.Graph().as_default() as graph:
        feeds = {static.placeholder("float32", g.shape): g for g in gs}
        built, built_norm = optim.clip_by_global_norm([*feeds, None], 0.5)
        built = optim.clip_by_value(built, 0.1)
    with static.Session(graph=graph, optimize="exact") as session:
        *ran, ran_norm = session.run([*built[:3], built_norm], feeds)
    assert raw[3] is eager[3] is built[3] is None
    for a, b, c in zip(raw, eager, ran, strict=False):
        assert a.tobytes() == b.numpy().tobytes() == c.tobytes()
    assert norm.dtype == np.float64
    assert norm.tobytes() == eager_norm.numpy().tobytes() == ran_norm.tobytes()


def test_the_common_norm_is_that_of_all_gradients_as_one_vector() -> None:
    gs = gradients()
    clipped, norm = optim.clip_by_global_norm(gs, 0.5)
    np.testing.assert_allclose(norm, np.linalg.norm(np.concatenate([g.ravel() for g in gs])), rtol=1e-6)
    np.testing.assert_allclose(optim.global_norm(clipped), 0.5, rtol=1e-5)
    with pytest.raises(GradientError, match="no gradients"):
        optim.global_norm([None])


# --- state ---------------------------------------------------------------------------------


def one_step(opt: optim.Optimizer, ps: list[Parameter], x: Any, y: Any) -> None:
    opt.zero_grad()
    loss_of(*ps, dynamic.tensor(x), dynamic.tensor(y)).backward()
    opt.step()


def test_a_saved_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def make(ps: list[Parameter]) -> optim.Optimizer:
        groups = [{"params": ps[:1]}, {"params": ps[1:], "lr": optim.CosineAnnealingLR(0.1, 20)}]
        return optim.Adam(groups, lr=0.03, amsgrad=True)

    whole = on_dynamic(make, steps=10)
    ps = parameters()
    opt = make(ps)
    for x, y in list(batches(10))[:4]:
        one_step(opt, ps, x, y)
    opt.save(tmp_path / "opt.safetensors")
    again = [Parameter(p.data, p.name) for p in ps]
    opt = make(again)
    opt.load(tmp_path / "opt.safetensors")
    assert float(opt.steps.data) == 4
    for x, y in list(batches(10))[4:]:
        one_step(opt, again, x, y)
    assert_same_bits([whole[-1]], [[p.data for p in again]])


def test_a_state_dict_is_a_copy_with_a_name_for_everything() -> None:
    w, b, v = parameters()
    opt = optim.Adam([{"params": [w, b]}, {"params": [v], "lr": 0.5}], lr=0.1)
    saved = opt.state_dict()
    assert list(saved) == ["lr", "groups.1.lr", "steps", *(
        f"{p}/{slot}" for p in "wbv" for slot in ("step", "exp_avg", "exp_avg_sq"))]  # fmt: skip
    saved["w/exp_avg"] += 1
    assert (opt.slots(w)["exp_avg"].data == 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("b/momentum_buffer"), "Missing in the checkpoint: b/momentum_buffer"),
        (lambda d: d.update(extra=np.ones(1)), "Unexpected in it: extra"),
        (lambda d: d.update({"w/momentum_buffer": np.ones((2, 2))}), r"w/momentum_buffer is \(2, 2\) in the"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_nothing_changes(change: Any, words: str) -> None:
    opt = optim.SGD(parameters(), lr=0.1, momentum=0.9)
    saved = {name: value + 1 for name, value in opt.state_dict().items()}
    change(saved)
    with pytest.raises(StateError, match=words):
        opt.load_state_dict(saved)
    assert float(opt.lr.data) == 0.1
    assert float(opt.steps.data) == 0


@pytest.mark.parametrize("name", ["Adam", "SGD", "Adadelta"])
def test_training_moves_between_the_engines_and_back_to_the_same_bits(name: str) -> None:
    """Four steps on dynamic, four on static, four on dynamic, under a schedule."""

    def make(ps: list[Parameter]) -> optim.Optimizer:
        return getattr(optim, name)(ps, lr=optim.StepLR(0.1, 3, 0.5))

    whole = on_dynamic(make, steps=12)
    ps = parameters()
    opt = make(ps)
    data = list(batches(12))
    for x, y in data[:4]:
        one_step(opt, ps, x, y)
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder("float64", (6, 4)), static.placeholder("float64", (6, 2))
        train = opt.minimize(loss_of(*ps, x_in, y_in))
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(opt, *ps)
        for x, y in data[4:8]:
            session.run(train, {x_in: x, y_in: y})
        session.store(opt, *ps)
    for x, y in data[8:]:
        one_step(opt, ps, x, y)
    assert_same_bits([whole[-1]], [[p.data for p in ps]])


def test_one_optimiser_trains_two_losses_in_one_graph_as_it_does_step_by_step() -> None:
    """Each loss moves its own parameters, and each parameter's steps are counted apart."""
    data = list(batches(6))

    def losses(ps: Any, x: Any) -> list[Any]:
        return [ops.mean(ops.square(x @ ps[0] + ps[1])), ops.mean(ops.square(x @ ps[0]))]

    ps = parameters()
    opt = optim.Adam(ps, lr=0.1)
    for step, (x, _) in enumerate(data):
        opt.zero_grad()
        losses(ps, dynamic.tensor(x))[step % 2].backward()
        opt.step()
    qs = parameters()
    opt = optim.Adam(qs, lr=0.1)
    with static.Graph().as_default() as graph:
        x_in = static.placeholder("float64", (6, 4))
        trains = [opt.minimize(loss) for loss in losses(qs, x_in)]
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(opt, *qs)
        for step, (x, _) in enumerate(data):
            session.run(trains[step % 2], {x_in: x})
        assert session.run(opt.steps) == 6
        assert session.run(opt.slots(qs[1])["step"]) == 3
        session.store(opt, *qs)
    assert_same_bits([[p.data for p in ps[:2]]], [[q.data for q in qs[:2]]])


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_a_single_number_trains_too_and_stays_an_array(name: str) -> None:
    value = np.float32(3)
    p, q = Parameter(value, "p"), Parameter(value, "q")
    eager, built = (getattr(optim, name)([state], lr=0.1, clip_norm=1.0) for state in (p, q))
    with static.Graph().as_default() as graph:
        train = built.minimize(ops.square(q * 1.0))
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(built, q)
        for _ in range(3):
            eager.zero_grad()
            ops.square(p * dynamic.tensor(1.0)).backward()
            eager.step()
            session.run(train)
        session.store(built, q)
    for (_, a), (_, b) in zip(eager.named_states(), built.named_states(), strict=True):
        assert isinstance(a.data, np.ndarray)
        assert a.data.tobytes() == b.data.tobytes()
    assert isinstance(p.data, np.ndarray)
    assert p.data.tobytes() == q.data.tobytes()
    assert p.data < 3


def test_plain_variables_of_a_graph_can_be_trained_without_a_layer() -> None:
    with static.Graph().as_default() as graph:
        x = static.Variable(np.array([3.0, -4.0]), name="x")
        train = optim.SGD([x], lr=0.25, momentum=0.5).minimize(ops.sum(ops.square(x)))
    with static.Session(graph=graph, optimize="exact") as session:
        with graph.as_default():
            session.run(static.global_variables_initializer())
        session.run(train)
        assert session.run(x).tolist() == [1.5, -2.0]
        session.run(train)
        assert session.run(x).tolist() == [0.0, 0.0]


def test_a_rule_of_ones_own_runs_on_both_engines() -> None:
    class Sign(optim.Optimizer):
        """p - lr sign(m), m an average of gradients."""

        def starts(self, h: Any) -> dict[str, float]:
            return {"m": 0.0}

        def rule(self, p: Any, g: Any, slots: Any, rates: Any, h: Any) -> Any:
            m = slots["m"] * h.beta + g * (1 - h.beta)
            return p - rates[0] * ops.sign(m), {"m": m}

    def make(ps: list[Parameter]) -> optim.Optimizer:
        return Sign(ps, lr=lambda step: 0.1 / (1 + step), beta=0.5)

    ours = on_dynamic(make, steps=5)
    assert_same_bits(ours, on_static(make, steps=5))
    np.testing.assert_allclose(np.abs(ours[0][0] - start()[0]), 0.1)
    np.testing.assert_allclose(np.abs(ours[1][0] - ours[0][0]), 0.05)
