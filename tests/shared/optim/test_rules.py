"""Every optimiser is PyTorch's, and the same on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shared import ops, optim
from shared.kernels import machine
from shared.kernels.fused import kernel_of
from shared.optim import sweeps
from shared.state import Parameter
from tests.shared.optim.harness import assert_same_bits, batches, on_dynamic, on_static, start

CONFIGURATIONS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.02}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.02}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.02, "initial_accumulator_value": 0.3}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.02}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "momentum": 0.9, "weight_decay": 0.02}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.02, "amsgrad": True}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    ("Adam", {"lr": 0.05, "maximize": True, "weight_decay": 0.02}),
    ("Adamax", {"lr": 0.05}),
    ("Adamax", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.02}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05, "betas": (0.8, 0.9), "weight_decay": 0.02, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.02}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.2, "decoupled_weight_decay": True}),
    ("Rprop", {"lr": 0.01}),
    ("Rprop", {"lr": 0.05, "etas": (0.4, 1.5), "step_sizes": (1e-3, 0.1)}),
    ("ASGD", {"lr": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 10, "weight_decay": 0.02}),
]
each = pytest.mark.parametrize(
    ("name", "settings"), CONFIGURATIONS, ids=[f"{name}-{'-'.join(s)}" for name, s in CONFIGURATIONS]
)


def made(name: str, settings: dict[str, Any]) -> Any:
    return lambda parameters: getattr(optim, name)(parameters, **settings)


def in_torch(torch: Any, make: Any, steps: int = 50, clip: Any = None) -> list[list[Any]]:
    """The same problem with PyTorch's optimiser; `clip` changes the gradients before a step."""
    ps = [torch.tensor(value, requires_grad=True) for value in start()]
    w, b, v = ps
    opt = make(ps)
    found = []
    for x, y in batches(steps):
        opt.zero_grad()
        ((torch.tanh(torch.tensor(x) @ w + b) @ v - torch.tensor(y)) ** 2).mean().backward()
        if clip is not None:
            clip(ps)
        opt.step()
        found.append([p.detach().numpy().copy() for p in ps])
    return found


def assert_close(ours: list[list[Any]], theirs: list[list[Any]]) -> None:
    for these, those in zip(ours, theirs, strict=True):
        for this, that in zip(these, those, strict=True):
            np.testing.assert_allclose(this, that, rtol=1e-9, atol=1e-11)


@each
def test_fifty_steps_agree_with_pytorch(name: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # in which NAdam keeps a number of its own
    try:
        theirs = in_torch(torch, lambda ps: getattr(torch.optim, name)(ps, **settings))
    finally:
        torch.set_default_dtype(before)
    assert_close(on_dynamic(made(name, settings)), theirs)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_static_equals_dynamic_bit_for_bit(name: str, settings: dict[str, Any], dtype: str) -> None:
    make = made(name, settings)
    assert_same_bits(on_dynamic(make, dtype=dtype), on_static(make, dtype=dtype))


@each
@pytest.mark.parametrize("how", ["in one sweep", "in blocks"])
def test_large_arrays_go_to_the_same_bits(
    name: str, settings: dict[str, Any], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a kernel, and in blocks, of which the last is not full."""
    kernels: list[Any] = []
    monkeypatch.setattr(sweeps, "kernel_of", lambda *said: kernels.append(said) or kernel_of(*said))
    if how == "in blocks":
        monkeypatch.setattr(sweeps, "worth_a_kernel", lambda array: False)
    rng = np.random.default_rng(0)
    shape = (301, 307)
    value, *gs = (rng.standard_normal(shape).astype(np.float32) for _ in range(4))
    whole, cut = Parameter(value, "p"), Parameter(value, "p")
    opts = [getattr(optim, name)([p], **settings) for p in (whole, cut)]
    opts[0].elementwise = False
    for g in gs:
        for p, opt in zip((whole, cut), opts, strict=True):
            p.grad = g
            opt.step()
    for (_, a), (_, b) in zip(opts[0].named_states(), opts[1].named_states(), strict=True):
        assert a.data.tobytes() == b.data.tobytes()
    assert whole.data.tobytes() == cut.data.tobytes()
    assert bool(kernels) == (how == "in one sweep" and not machine.available())


class Exponential(optim.SGD):
    """A rule with an op that kernels approximate, or one that asks what no symbol knows."""

    asks: Any = None

    def rule(self, p: Any, g: Any, slots: Any, rates: Any, h: Any) -> Any:
        more = np.float32(1) if self.asks is None or self.asks(rates[0]) else np.float32(0)
        g = ops.exp(g) if self.asks is None else g * 0.5
        return p * g + float(more), {"momentum_buffer": slots["momentum_buffer"] + g}


ASKED = {
    "nothing": None, "a value": lambda rate: bool(rate), "a number": float,
    "a shape": lambda rate: rate.shape == (), "an array": lambda rate: np.asarray(rate).size == 1,
}  # fmt: skip


@pytest.mark.parametrize("asks", ASKED.values(), ids=list(ASKED))
def test_a_rule_that_is_no_kernel_gives_the_bits_of_its_ops(
    asks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Exponential, "asks", None if asks is None else staticmethod(asks))
    monkeypatch.setattr(sweeps, "kernel_of", None)
    rng = np.random.default_rng(0)
    value, g = rng.standard_normal((2, 301, 307)).astype(np.float32)
    found = []
    for elementwise in (True, False):
        monkeypatch.setattr(Exponential, "elementwise", elementwise)
        p = Parameter(value, "p")
        p.grad = g
        Exponential([p], lr=0.1, momentum=0.9).step()
        found.append(p.data.tobytes())
    wanted = value * (np.exp(g) if asks is None else g * np.float32(0.5)) + np.float32(1)
    assert found[0] == found[1] == wanted.tobytes()


def test_float32_parameters_stay_float32() -> None:
    for name, settings in CONFIGURATIONS:
        final = on_dynamic(made(name, settings), steps=2, dtype="float32")[-1]
        assert {value.dtype.name for value in final} == {"float32"}


def test_step_writes_to_no_array_that_someone_may_hold() -> None:
    for name, settings in CONFIGURATIONS:
        p = Parameter(np.ones((300, 300), np.float32), "p")
        g = np.full((300, 300), 0.5, np.float32)
        held, p.grad = p.data, g
        getattr(optim, name)([p], **settings).step()
        assert (held == 1).all()
        assert (g == 0.5).all()
        assert (p.data != held).all()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("SGD", {"lr": -1.0}, "lr must be a finite number, 0 or more, not -1.0"),
        ("SGD", {"lr": "fast"}, "lr must be a finite number"),
        ("SGD", {"momentum": float("nan")}, "momentum must be"),
        ("SGD", {"nesterov": True}, "nesterov needs a momentum above 0"),
        ("SGD", {"clip_norm": 0}, "clip_norm must be a finite number, above 0, not 0"),
        (
            "Adam",
            {"betas": (0.9, 1.0)},
            r"betas\[1\] must be a finite number, 0 or more and below 1, not 1.0",
        ),
        ("Adam", {"betas": 0.9}, "betas must be two numbers"),
        ("AdamW", {"eps": -1e-8}, "AdamW: eps must be"),
        ("RMSprop", {"alpha": 1}, "alpha must be"),
        ("Adadelta", {"eps": 0}, "eps must be a finite number, above 0"),
        ("Rprop", {"etas": (1.5, 1.2)}, r"etas\[0\] must be a finite number, above 0 and below 1"),
        ("Rprop", {"step_sizes": 3}, "step_sizes must be two numbers"),
        ("LBFGS", {"line_search_fn": "armijo"}, "line_search_fn is 'strong_wolfe' or None"),
        ("LBFGS", {"max_iter": 0}, "max_iter must be a finite number, 1 or more"),
    ],
)
def test_a_setting_out_of_range_is_refused_with_its_range(name: str, settings: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        getattr(optim, name)([Parameter(np.ones(2))], **settings)


def test_lion_is_its_paper() -> None:
    """Algorithm 2 of Chen et al. 2023, in NumPy; the gradients are those of the same problem."""
    lr, (b1, b2), decay = 0.01, (0.9, 0.95), 0.1
    gradients: list[list[Any]] = []

    class Watching(optim.Lion):
        def rule(self, p: Any, g: Any, slots: Any, rates: Any, h: Any) -> Any:
            gradients[-1].append(g) if len(gradients[-1]) < 3 else gradients.append([g])
            return super().rule(p, g, slots, rates, h)

    gradients.append([])
    settings = {"lr": lr, "betas": (b1, b2), "weight_decay": decay}
    ours = on_dynamic(lambda ps: Watching(ps, **settings))
    ps, ms = start(), [np.zeros_like(p) for p in start()]
    expected = []
    for step in gradients:
        for i, g in enumerate(step):
            c = b1 * ms[i] + (1 - b1) * g
            ps[i] = ps[i] - lr * (np.sign(c) + decay * ps[i])
            ms[i] = b2 * ms[i] + (1 - b2) * g
        expected.append([p.copy() for p in ps])
    assert_close(ours, expected)
    make = made("Lion", settings)
    assert_same_bits(on_dynamic(make), on_static(make))


def test_a_group_may_go_up_while_another_goes_down() -> None:
    up, down = Parameter(np.ones(2), "up"), Parameter(np.ones(2), "down")
    opt = optim.SGD([{"params": [up], "maximize": True}, {"params": [down]}], lr=0.5)
    up.grad = down.grad = np.ones(2)
    opt.step()
    assert (up.data == 1.5).all()
    assert (down.data == 0.5).all()


def test_step_calls_a_closure_and_gives_its_loss() -> None:
    p = Parameter(np.ones(2), "p")
    opt = optim.SGD([p], lr=0.5)

    def closure() -> float:
        p.grad = np.ones(2)
        return 3.0

    assert opt.step(closure) == 3.0
    assert (p.data == 0.5).all()


# --- clipping ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "limits", [{"clip_norm": 0.3}, {"clip_value": 0.05}, {"clip_norm": 0.1, "clip_value": 0.05}]
)
def test_clipping_agrees_with_pytorch_and_between_the_engines(limits: dict[str, float]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle, PyTorch, is not installed")

    def clip(ps: Any) -> None:
        if "clip_value" in limits:
            torch.nn.utils.clip_grad_value_(ps, limits["clip_value"])
        if "clip_norm" in limits:
            torch.nn.utils.clip_grad_norm_(ps, limits["clip_norm"])

    make = made("SGD", {"lr": 0.5, "momentum": 0.5, **limits})
    ours = on_dynamic(make)
    assert_close(ours, in_torch(torch, lambda ps: torch.optim.SGD(ps, lr=0.5, momentum=0.5), clip=clip))
    assert_same_bits(ours, on_static(make))
