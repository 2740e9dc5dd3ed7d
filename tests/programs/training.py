"""Trains a model in all ways that there are, and holds them against each other.

`train(make, loss, ...)` is what the printed programs call. The reference is `dynamic`, step by step;
beside it run `dynamic` with checkpoints and with updates by hand, `static` at both levels, with a change of
sides in the middle of the training, with a checkpoint that is written, spoilt and restored, and PyTorch
where it has the layers.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np

import dynamic
import static
from shared import nn, optim
from tests.programs.program import Fault
from tests.programs.words import DYNAMIC, STATIC

RATE = 0.05
OPTIMIZERS: dict[str, dict[str, float]] = {
    "SGD": {}, "momentum": {"momentum": 0.5}, "Adam": {"eps": 0.01}, "RMSprop": {"eps": 0.01},
    "AdamW": {"eps": 0.01}, "Adagrad": {"eps": 0.01},
}  # fmt: skip
"""The epsilon is large, so that a gradient of 1e-9 that rounding made moves nothing by a whole step."""
FAR = 1e9
"""Of numbers as large a training has run away, and each rounding has become another number."""
Step = tuple[Any, Any]


def rows(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def train(
    make: Callable[[Any], Any],
    loss: Callable[..., Any],
    optimizer: str = "SGD",
    steps: int = 4,
    batch: int = 4,
    drop: int | None = None,
    quiet: int | None = None,
    how: str = "assign",
) -> None:
    """Raise Fault if two ways to train `make(nn)` with `loss(ops, net, x, y)` differ in a loss, or in a
    parameter or buffer at the end. At step `drop` the learning rate falls to a tenth (`how` says whether
    by `opt.lr.assign(x)` or by `opt.lr = x`), at step `quiet` the model goes over to evaluation."""
    task = SimpleNamespace(
        make=make, loss=loss, optimizer=optimizer, steps=steps, drop=drop, quiet=quiet, how=how,
        data=[(rows(10 + k, batch, 3), rows(20 + k, batch, 2)) for k in range(steps)],
    )  # fmt: skip
    want = on_dynamic(task)
    twin = on_dynamic(task, wide=True)
    same("dynamic with checkpoints and dynamic", on_dynamic(task, checkpoint=True), want, twin, 0.0)
    if "generator" not in " ".join(want[1]):
        same("PyTorch and dynamic", on_torch(task), want, twin, 1e-3)
    for level, within in (("exact", 1e-5), ("fast", 1e-3)):
        with suppress(Late):
            same(f"{level} and dynamic", on_static(task, level), want, twin, within)
    if drop is None and quiet is None:
        same("a change of sides and dynamic", changing_sides(task), want, twin, 1e-3)
        same("a restored checkpoint and dynamic", restored(task), want, twin, 1e-3)
        same("files of model and optimiser and dynamic", reloaded(task), want, twin, 0.0)
        archived(task, want)
    if optimizer == "SGD" and quiet is None:
        same("updates by hand and dynamic", by_hand(task), want, twin, 1e-5)


Run = tuple[list[float], dict[str, Any]]


def _fresh(task: Any) -> tuple[Any, Any]:
    nn.manual_seed(0)
    net = task.make(nn)
    return net, optimizer_of(optim, task.optimizer, net)


def optimizer_of(module: Any, name: str, net: Any) -> Any:
    kind = "SGD" if name == "momentum" else name
    return getattr(module, kind)(net.parameters(), lr=RATE, **OPTIMIZERS[name])


def fall(task: Any, opt: Any) -> None:
    """The learning rate becomes a tenth, in one of two ways to write it."""
    if task.how == "assign":
        opt.lr.assign(RATE / 10)
    else:
        opt.lr = RATE / 10


def _arrays(net: Any) -> dict[str, Any]:
    return {name: np.array(value) for name, value in net.state_dict().items()}


def _words(checkpoint: bool) -> Any:
    """The words of `dynamic`, with `checkpoint` as it is, or as a plain call."""
    kept = dynamic.checkpoint if checkpoint else _call
    return SimpleNamespace(**{**vars(DYNAMIC), "checkpoint": kept})


def _call(fn: Callable[..., Any], *args: Any) -> Any:
    return fn(*args)


def on_dynamic(task: Any, checkpoint: bool = False, wide: bool = False) -> Run:
    """The reference; with `wide` in float64, which shows what rounding does to the training."""
    net, opt = _fresh(task)
    if wide:
        net.astype("float64")
        opt = optimizer_of(optim, task.optimizer, net)
    losses = []
    for step, (x, y) in enumerate(task.data):
        if step == task.drop:
            fall(task, opt)
        if step == task.quiet:
            net.eval()
        if wide:
            x, y = x.astype("float64"), y.astype("float64")
        value = task.loss(_words(checkpoint), net, dynamic.tensor(x), dynamic.tensor(y))
        opt.zero_grad()
        value.backward()
        opt.step()
        losses.append(value.item())
    return losses, _arrays(net)


def _eagerly(task: Any, net: Any, opt: Any, start: int, end: int) -> list[float]:
    """Some of the steps on `dynamic`."""
    losses = []
    for x, y in task.data[start:end]:
        value = task.loss(_words(False), net, dynamic.tensor(x), dynamic.tensor(y))
        opt.zero_grad()
        value.backward()
        opt.step()
        losses.append(value.item())
    return losses


def by_hand(task: Any) -> Run:
    """SGD as PyTorch's users write it."""
    net, _ = _fresh(task)
    losses = []
    for step, (x, y) in enumerate(task.data):
        rate = RATE if task.drop is None or step < task.drop else RATE / 10
        value = task.loss(_words(False), net, dynamic.tensor(x), dynamic.tensor(y))
        for p in net.parameters():
            p.grad = None
        value.backward()
        with dynamic.no_grad():
            for p in net.parameters():
                if p.grad is not None:
                    p -= rate * p.grad
        losses.append(value.item())
    return losses, _arrays(net)


class _Graph:
    """The training as a graph. Nothing in it follows what is set on the model after it was built: so
    a learning rate that is assigned, and a model that goes to evaluation, must be live or say so."""

    def __init__(self, task: Any, net: Any = None, opt: Any = None) -> None:
        self.task = task
        self.net, self.opt = (net, opt) if net is not None else _fresh(task)
        self.graph = static.Graph()
        with self.graph.as_default():
            self.x = static.placeholder("float32", ("N", 3))
            self.y = static.placeholder("float32", ("N", 2))
            words = SimpleNamespace(**{**vars(STATIC), "checkpoint": _call})
            self.loss = task.loss(words, self.net, self.x, self.y)
            self.step = self.opt.minimize(self.loss)
            self.init = static.global_variables_initializer()

    def run(self, session: Any, steps: Sequence[Step]) -> list[float]:
        return [float(session.run([self.loss, self.step], {self.x: x, self.y: y})[0]) for x, y in steps]


def on_static(task: Any, level: str) -> Run:
    built = _Graph(task)
    marks = sorted({0, task.steps, *(k for k in (task.drop, task.quiet) if k is not None)})
    losses: list[float] = []
    with static.Session(built.graph, level) as session:
        session.run(built.init)
        for start, end in pairwise(marks):
            if start in (task.drop, task.quiet):
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always")
                    if start == task.drop:
                        fall(task, built.opt)
                    if start == task.quiet:
                        built.net.eval()
                    losses += built.run(session, task.data[start:end])
                if told:  # it was said that the setting comes too late
                    raise Late
            else:
                losses += built.run(session, task.data[start:end])
        session.store(built.net, built.opt)
    return losses, _arrays(built.net)


class Late(Exception):
    """A setting that a graph can not follow any more, and a warning that says so."""


def changing_sides(task: Any) -> Run:
    """Half of the steps on `dynamic`, the other half on `static`."""
    net, opt = _fresh(task)
    half = task.steps // 2
    losses = _eagerly(task, net, opt, 0, half)
    built = _Graph(task, net, opt)
    with static.Session(built.graph) as session:
        session.load(net, opt)
        losses += built.run(session, task.data[half:])
        session.store(net, opt)
    return losses, _arrays(net)


def restored(task: Any) -> Run:
    """A checkpoint in the middle; the steps after it are done twice."""
    built = _Graph(task)
    half = task.steps // 2
    with tempfile.TemporaryDirectory() as folder, static.Session(built.graph) as session:
        with built.graph.as_default():
            saver = static.Saver()
        session.run(built.init)
        losses = built.run(session, task.data[:half])
        path = saver.save(session, f"{folder}/model")
        built.run(session, task.data[half:])
        saver.restore(session, path)
        losses += built.run(session, task.data[half:])
        session.store(built.net, built.opt)
    return losses, _arrays(built.net)


def reloaded(task: Any) -> Run:
    """Model and optimiser go to files in the middle, and come back into new ones."""
    net, opt = _fresh(task)
    losses = _eagerly(task, net, opt, 0, task.steps // 2)
    with tempfile.TemporaryDirectory() as folder:
        net.save(f"{folder}/model")
        opt.save(f"{folder}/optimizer")
        nn.manual_seed(1)
        net = task.make(nn)
        opt = optimizer_of(optim, task.optimizer, net)
        net.load(f"{folder}/model")
        opt.load(f"{folder}/optimizer")
    return losses + _eagerly(task, net, opt, task.steps // 2, task.steps), _arrays(net)


def archived(task: Any, want: Run) -> None:
    """The loss in evaluation, of the trained model: from an archive, and on `dynamic`."""
    net, _ = _fresh(task)
    net.load_state_dict(want[1])
    x, y = task.data[0]
    with nn.evaluating(net):
        here = task.loss(_words(False), net, dynamic.tensor(x), dynamic.tensor(y)).item()
        with static.Graph().as_default() as graph, tempfile.TemporaryDirectory() as folder:
            fed = [static.placeholder("float32", ("N", a.shape[1]), name) for name, a in (("x", x), ("y", y))]
            words = SimpleNamespace(**{**vars(STATIC), "checkpoint": _call})
            graph.save(f"{folder}/model.diptych", {"loss": task.loss(words, net, *fed)})
            there = float(static.load(f"{folder}/model.diptych")(x=x, y=y)["loss"])
    if not np.isclose(here, there, rtol=1e-4, equal_nan=True):
        raise Fault("an archive and dynamic", f"the loss in evaluation is {there}, and {here}")


def on_torch(task: Any) -> Run | None:
    """PyTorch with the same weights; None if it is not there, or has not the words."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    from tests.programs.torch_words import TORCH

    ours, _ = _fresh(task)
    words = SimpleNamespace(**{**vars(TORCH), "checkpoint": _call})
    try:
        net = task.make(torch.nn)
        net.load_state_dict(
            {k: torch.tensor(np.array(v)) for k, v in ours.state_dict().items()}, strict=False
        )
        opt = optimizer_of(torch.optim, task.optimizer, net)
        losses = []
        for step, (x, y) in enumerate(task.data):
            if step == task.drop:
                opt.param_groups[0]["lr"] = RATE / 10
            if step == task.quiet:
                net.eval()
            value = task.loss(words, net, torch.tensor(x), torch.tensor(y))
            opt.zero_grad()
            value.backward()
            opt.step()
            losses.append(value.item())
    except (AttributeError, TypeError):
        return None
    found = {k: v.numpy() for k, v in net.state_dict().items() if "num_batches" not in k}
    return losses, found


def same(what: str, got: Run | None, want: Run, twin: Run, within: float) -> None:
    """The losses, and the values at the end, agree to a share of `within`, and to what rounding does."""
    if got is None:
        return
    losses = [(f"loss {k}", np.array(a), np.array(b), np.array(c))
              for k, (a, b, c) in enumerate(zip(got[0], want[0], twin[0], strict=True))]  # fmt: skip
    values = [(name, got[1].get(name), b, twin[1][name]) for name, b in want[1].items()]
    for name, a, b, c in losses + values:
        if a is None or a.shape != b.shape:
            raise Fault(what, f"{name} is {a if a is None else a.shape}, and {b.shape}")
        if a.dtype.kind in "iu":
            if (a != b).any():
                raise Fault(what, f"{name}, the state of a generator, is {a}, and {b}")
            continue
        allowed = within * np.maximum(np.abs(b), min(1.0, within * 1e6)) + (
            20 * np.max(np.abs(b - c)) if within else 0
        )
        far = FAR if within else np.inf
        if not (np.abs([*c.ravel(), *b.ravel()]) < far).all():  # it ran away, and how far no dtype says
            continue
        if not (np.abs(a - b) <= allowed).all():
            raise Fault(what, f"{name} is {a.ravel()[:4]}, and {b.ravel()[:4]}")
