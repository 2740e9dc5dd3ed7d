"""Learning-rate schedules: PyTorch's numbers, the same on both engines, nothing built twice."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import optim
from shared.errors import SettingError, StateError
from shared.state import Parameter
from tests.shared.optim.harness import assert_same_bits, batches, loss_of, on_dynamic, on_static, parameters

STEPS = 100
PAIRS: list[tuple[Any, Callable[[Any, Any], Any]]] = [
    (optim.ConstantLR(0.1, 0.5, 4), lambda s, o: s.ConstantLR(o, 0.5, 4)),
    (optim.LinearLR(0.1, 0.25, 0.75, 8), lambda s, o: s.LinearLR(o, 0.25, 0.75, 8)),
    (optim.StepLR(0.1, 7, 0.5), lambda s, o: s.StepLR(o, 7, 0.5)),
    (optim.MultiStepLR(0.1, [3, 11, 12], 0.5), lambda s, o: s.MultiStepLR(o, [3, 11, 12], 0.5)),
    (optim.ExponentialLR(0.1, 0.9), lambda s, o: s.ExponentialLR(o, 0.9)),
    (optim.PolynomialLR(0.1, 20, 2.0), lambda s, o: s.PolynomialLR(o, 20, 2.0)),
    (optim.CosineAnnealingLR(0.1, 12, 0.01), lambda s, o: s.CosineAnnealingLR(o, 12, 0.01)),
    (optim.LambdaLR(0.1, lambda k: 1 / (1 + k)), lambda s, o: s.LambdaLR(o, lambda k: 1 / (1 + k))),
    (
        optim.MultiplicativeLR(0.1, lambda k: 1 - 1 / (2 + k)),
        lambda s, o: s.MultiplicativeLR(o, lambda k: 1 - 1 / (2 + k)),
    ),
    (optim.OneCycleLR(0.1, STEPS), lambda s, o: s.OneCycleLR(o, 0.1, STEPS, cycle_momentum=False)),
    (
        optim.OneCycleLR(
            0.1, epochs=4, steps_per_epoch=STEPS // 4, pct_start=0.4, anneal_strategy="linear",
            div_factor=10.0, final_div_factor=100.0, three_phase=True,
        ),
        lambda s, o: s.OneCycleLR(
            o, 0.1, STEPS, pct_start=0.4, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0,
            three_phase=True, cycle_momentum=False,
        ),
    ),
    (optim.CyclicLR(0.1, 0.3, 7), lambda s, o: s.CyclicLR(o, 0.1, 0.3, 7, cycle_momentum=False)),
    (
        optim.CyclicLR(0.1, 0.3, 7, 4, "triangular2"),
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 7, 4, "triangular2", cycle_momentum=False),
    ),
    (
        optim.CyclicLR(0.1, 0.3, 3, 4, "exp_range", 0.97),
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 3, 4, "exp_range", 0.97, cycle_momentum=False),
    ),
    (
        optim.CyclicLR(0.1, 0.3, 7, scale_fn=lambda c: 1 / c),
        lambda s, o: s.CyclicLR(o, 0.1, 0.3, 7, scale_fn=lambda c: 1 / c, cycle_momentum=False),
    ),
    (optim.CosineAnnealingWarmRestarts(0.1, 6), lambda s, o: s.CosineAnnealingWarmRestarts(o, 6)),
    (
        optim.CosineAnnealingWarmRestarts(0.1, 3, 3, 0.01),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 3, 0.01),
    ),
    (
        optim.CosineAnnealingWarmRestarts(0.1, 1, 2),
        lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 2),
    ),
    (
        optim.SequentialLR([optim.LinearLR(0.1, 0.1, total_iters=5), optim.CosineAnnealingLR(0.1, 20)], [5]),
        lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20)], [5]),
    ),
    (
        optim.ChainedScheduler([optim.ExponentialLR(0.1, 0.9), optim.LinearLR(1.0, 0.1, total_iters=5)]),
        lambda s, o: s.ChainedScheduler([s.ExponentialLR(o, 0.9), s.LinearLR(o, 0.1, total_iters=5)]),
    ),
]
SCHEDULES = [ours for ours, _ in PAIRS]
IDS = [f"{i}-{type(s).__name__}" for i, s in enumerate(SCHEDULES)]
each = pytest.mark.parametrize("schedule", SCHEDULES, ids=IDS)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=IDS)
def test_rates_are_pytorchs(ours: Any, theirs: Any) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    expected = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own SequentialLR, on how it calls step()
        scheduler = theirs(torch.optim.lr_scheduler, opt)
        for _ in range(STEPS):
            expected.append(opt.param_groups[0]["lr"])
            opt.step()
            scheduler.step()
    found = [float(ours(np.float64(step))) for step in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-15)


@each
def test_training_under_a_schedule_gives_the_same_bits_on_both_engines(schedule: Any) -> None:
    def make(ps: list[Parameter]) -> optim.Optimizer:
        return optim.SGD(ps, lr=schedule, momentum=0.5)

    assert_same_bits(on_dynamic(make, 30), on_static(make, 30))


@each
def test_the_rate_of_the_last_step_can_be_read_on_both_engines(schedule: Any) -> None:
    ps, qs = parameters(), parameters()
    eager, built = optim.SGD(ps, lr=schedule), optim.SGD(qs, lr=schedule)
    assert float(eager.lr.data) == float(schedule(np.float64(0)))
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder("float64", (6, 4)), static.placeholder("float64", (6, 2))
        train = built.minimize(loss_of(*qs, x_in, y_in))
        count = len(graph.nodes)
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(built, *qs)
        for step, (x, y) in enumerate(batches(8)):
            eager.zero_grad()
            loss_of(*ps, dynamic.tensor(x), dynamic.tensor(y)).backward()
            eager.step()
            _, rate = session.run([train, built.lr], {x_in: x, y_in: y})
            assert rate == eager.lr.data == schedule(np.float64(step))
    assert len(graph.nodes) == count


def test_a_schedule_is_any_callable_that_gives_a_number() -> None:
    for schedule in (lambda step: 0.25, lambda step: np.float32(0.25), lambda step: step * 0 + 0.25):

        def make(ps: list[Parameter], schedule: Any = schedule) -> optim.Optimizer:
            return optim.SGD(ps, lr=schedule)

        ours = on_dynamic(make, 3)
        assert_same_bits(ours, on_dynamic(lambda ps: optim.SGD(ps, lr=0.25), 3))
        assert_same_bits(ours, on_static(make, 3))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: optim.SGD([Parameter(np.ones(1))], lr=lambda step: np.ones(2)),
            "a schedule gives one number",
        ),
        (lambda: optim.SGD([Parameter(np.ones(1))], lr=lambda step: "fast"), "a schedule gives one number"),
        (
            lambda: optim.SGD([Parameter(np.ones(1))], lr=lambda step: -1.0),
            r"lr\(0\) must be a finite number",
        ),
        (lambda: optim.StepLR(0.1, 0), "StepLR: step_size must be a finite number, 1 or more, not 0"),
        (lambda: optim.CosineAnnealingLR(0.1, 10, eta_min=-1), "CosineAnnealingLR: eta_min"),
        (lambda: optim.SequentialLR([optim.StepLR(0.1, 2)] * 2, [5, 6]), "2 schedules need 1 milestones"),
        (lambda: optim.SequentialLR([optim.StepLR(0.1, 2)] * 3, [6, 5]), "each larger than the one before"),
        (lambda: optim.ChainedScheduler([]), "one schedule or more"),
        (lambda: optim.OneCycleLR(0.1, 10, anneal_strategy="sin"), "anneal_strategy must be 'cos'"),
        (lambda: optim.OneCycleLR(0.1, 10, pct_start=2.0), "pct_start must be from 0 to 1"),
        (lambda: optim.CyclicLR(0.1, 0.2, 5, mode="square"), "mode must be 'triangular'"),
        (lambda: optim.CosineAnnealingWarmRestarts(0.1, 5, 1.5), "T_mult is a whole number"),
        (lambda: optim.LambdaLR(0.1, 0.9), "lr_lambda must be a function, not 0.9"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(make: Any, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        make()


STEPPED: dict[str, dict[str, Any]] = {
    "StepLR": {"step_size": 3},
    "OneCycleLR": {"max_lr": 0.2, "total_steps": 20},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 4},
    "CosineAnnealingWarmRestarts": {"T_0": 3, "T_mult": 2},
    "MultiplicativeLR": {"lr_lambda": lambda step: 0.9},
    "LambdaLR": {"lr_lambda": lambda step: 1 / (1 + step)},
}


@pytest.mark.parametrize("name", STEPPED)
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_stepped_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    settings = STEPPED[name]
    momentum = {"cycle_momentum": False} if name in ("OneCycleLR", "CyclicLR") else {}
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    ours = optim.SGD([Parameter(np.zeros(1), "p")], lr=0.1)
    schedulers = [
        getattr(torch.optim.lr_scheduler, name)(theirs, **settings, **momentum),
        getattr(optim.lr_scheduler, name)(ours, **settings),
    ]
    for _ in range(15):
        np.testing.assert_allclose(ours.lr.data, theirs.param_groups[0]["lr"], rtol=1e-9)
        theirs.step()
        for scheduler in schedulers:
            scheduler.step()


# --- plateau -------------------------------------------------------------------------------

METRICS = [5, 4, 4, 4, 3.9999, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2.0]


@pytest.mark.parametrize(
    "settings",
    [
        {"patience": 2},
        {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": 0.01},
        {"patience": 2, "mode": "max", "threshold_mode": "abs", "threshold": 0.5},
        {"patience": 0, "factor": 0.5, "eps": 0.01},
        {"patience": 1, "mode": "max"},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.001},
    ],
)
def test_rates_go_down_on_a_plateau_as_in_pytorch(settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **settings)
    ours = optim.SGD([Parameter(np.zeros(1), "p")], lr=0.1)
    plateau = optim.ReduceLROnPlateau(ours, **settings)
    for metric in METRICS:
        before = float(ours.lr.data)
        assert plateau.step(metric) == (float(ours.lr.data) < before)
        scheduler.step(metric)
        np.testing.assert_allclose(ours.lr.data, theirs.param_groups[0]["lr"], rtol=1e-12)


def test_a_plateau_lowers_the_rate_in_the_session_that_trains() -> None:
    ps = parameters()
    opt = optim.SGD(ps, lr=0.1)
    plateau = optim.ReduceLROnPlateau(opt, patience=0, factor=0.5)
    with static.Graph().as_default() as graph:
        x_in, y_in = static.placeholder("float64", (6, 4)), static.placeholder("float64", (6, 2))
        train = opt.minimize(loss_of(*ps, x_in, y_in))
    ((x, y),) = batches(1)
    with static.Session(graph=graph, optimize="exact") as session:
        session.load(opt, *ps)
        plateau.step(1.0, session=session)
        plateau.step(1.0, session=session)
        assert session.run(opt.lr) == 0.05
        before = session.run(ps[0])
        session.run(train, {x_in: x, y_in: y})
        moved = session.run(ps[0]) - before
        with pytest.raises(SettingError, match="pass session=session"):
            plateau.step(1.0)
    eager = parameters()
    other = optim.SGD(eager, lr=0.05)
    loss_of(*eager, dynamic.tensor(x), dynamic.tensor(y)).backward()
    other.step()
    assert (eager[0].data - before == moved).all()


def test_what_a_plateau_remembers_saves_and_loads() -> None:
    def run(cut: int) -> list[float]:
        opt = optim.SGD([Parameter(np.zeros(1), "p")], lr=0.1)
        plateau = optim.ReduceLROnPlateau(opt, patience=2, cooldown=1)
        rates = []
        for step, metric in enumerate(METRICS):
            if step == cut:
                kept = plateau.state_dict(), opt.state_dict()
                opt = optim.SGD([Parameter(np.zeros(1), "p")], lr=0.7)
                plateau = optim.ReduceLROnPlateau(opt, patience=2, cooldown=1)
                plateau.load_state_dict(kept[0])
                opt.load_state_dict(kept[1])
            plateau.step(metric)
            rates.append(float(opt.lr.data))
        return rates

    assert all(run(cut) == run(-1) for cut in range(1, len(METRICS), 3))
    with pytest.raises(StateError, match="best"):
        optim.ReduceLROnPlateau(optim.SGD(parameters(), lr=0.1)).load_state_dict({})


def test_a_plateau_refuses_a_rate_that_a_schedule_decides() -> None:
    with pytest.raises(SettingError, match="a schedule decides"):
        optim.ReduceLROnPlateau(optim.SGD(parameters(), lr=optim.StepLR(0.1, 3)))


def _groups(*rates: float | None) -> Any:
    groups: list[dict[str, Any]] = [{"params": [Parameter(np.ones(1, np.float32))]} for _ in rates]
    for group, rate in zip(groups, rates, strict=True):
        group.update({} if rate is None else {"lr": rate})
    return optim.SGD(groups, lr=0.5)


def test_a_scheduler_that_is_taken_up_has_the_rates_that_it_began_with() -> None:
    """After five of ten epochs of a cosine, with an optimiser whose rate is as it was left."""
    whole = optim.lr_scheduler.CosineAnnealingLR(_groups(0.1), T_max=10)
    for _ in range(5):
        whole.step()
    again = optim.lr_scheduler.CosineAnnealingLR(_groups(whole.get_last_lr()[0]), T_max=10)
    again.load_state_dict(whole.state_dict())
    again.step()
    whole.step()
    assert again.get_last_lr() == whole.get_last_lr()
    assert again.get_last_lr()[0] == pytest.approx(0.05 * (1 + np.cos(0.6 * np.pi)))


def test_each_group_has_its_own_function_and_none_has_two() -> None:
    functions = [lambda epoch: 0.1**epoch, lambda epoch: 1.0]
    scheduler = optim.lr_scheduler.LambdaLR(_groups(0.7, 0.2), functions)
    scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([0.07, 0.2])
    with pytest.raises(SettingError, match="can not have two functions"):
        optim.lr_scheduler.LambdaLR(_groups(None, None), functions)
    with pytest.raises(SettingError, match="last_epoch=5"):
        optim.lr_scheduler.StepLR(_groups(0.1), 2, last_epoch=5)
