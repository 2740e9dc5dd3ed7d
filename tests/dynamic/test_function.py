"""`dynamic.function` gives what the function gives without it: values, gradients, updates, prints, bit for
bit.

Each program is a function that makes a step, decorated by what it is given, and runs for as many calls as it
takes to be recorded, compiled, matched, and left again.
"""

from __future__ import annotations

import gc
import itertools
import re
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim
from shared.errors import DiptychError, GradientError, RangeError

Step = Callable[[int], Any]
Deco = Callable[[Callable[..., Any]], Callable[..., Any]]

_rng = np.random.default_rng(5)
X = _rng.standard_normal((40, 8, 12)).astype("float32")
Y = _rng.integers(0, 4, (40, 8))


def undecorated(fn: Callable[..., Any]) -> Callable[..., Any]:
    return fn


def tensor(i: int, **settings: Any) -> dynamic.Tensor:
    return dynamic.tensor(X[i % 40], **settings)


def mlp(*sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def plain(value: Any) -> Any:
    """What a step gave, as arrays and numbers."""
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, dynamic.Tensor):
        return [value.numpy().copy(), value.requires_grad, value.dtype.name]
    return value


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return bool(a == b) or (a != a and b != b)


def outcomes(program: Callable[[Deco], tuple[Step, Any]], deco: Deco, calls: int) -> list[Any]:
    """What each call gives, and what the States hold after it."""
    nn.manual_seed(0)
    dynamic.manual_seed(0)
    step, states = program(deco)
    found = []
    for i in range(calls):
        found.append(plain(step(i)))
        found.append([state.numpy().copy() for state in states])
    return found


PROGRAMS: dict[str, Callable[[Deco], tuple[Step, Any]]] = {}


def program(fn: Callable[[Deco], tuple[Step, Any]]) -> Callable[[Deco], tuple[Step, Any]]:
    PROGRAMS[fn.__name__] = fn
    return fn


def held(model: nn.Module, *optimizers: Any) -> list[Any]:
    return [s for m in (model, *optimizers) for _, s in m.named_states()]


@program
def training(deco: Deco) -> tuple[Step, Any]:
    """A step of Adam on a net with batch norm and dropout."""
    model = nn.Sequential(nn.Linear(12, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 4))
    opt = optim.Adam(model.parameters(), lr=1e-2)

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return lambda i: step(tensor(i), Y[i % 40]), held(model, opt)


@program
def a_look_that_chooses(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    seen: list[float] = []

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        seen.append(loss.item())
        if loss > 1.3:
            loss = loss * 2
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, list(seen[-2:])

    return lambda i: step(tensor(i), Y[i % 40]), held(model, opt)


@program
def forward_alone(deco: Deco) -> tuple[Step, Any]:
    """backward and the step are outside; the leaves are used there too, so the order of sums shows."""
    model = mlp(12, 16, 16, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def forward(x: Any) -> Any:
        y = model(x)
        for _ in range(8):
            y = y * 1.01 + 0.1
        return y

    def step(i: int) -> Any:
        x = tensor(i, requires_grad=True)
        weight_decay = ops.stack([(p * p).sum() for p in model.parameters()]).sum()
        loss = ops.cross_entropy(forward(x), Y[i % 40]) + 0.01 * weight_decay + (x * x).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, x.grad

    return step, held(model, opt)


@program
def gradients_add_up(deco: Deco) -> tuple[Step, Any]:
    """Over several calls, and read by the function itself."""
    model = mlp(12, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def add(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        loss.backward()
        return loss, [(p.grad * 2.0).sum() for p in model.parameters()]

    def step(i: int) -> Any:
        found = add(tensor(i), Y[i % 40])
        if i % 3 == 2:
            opt.step()
            opt.zero_grad()
        return found

    return step, held(model, opt)


@program
def two_optimisers(deco: Deco) -> tuple[Step, Any]:
    """A GAN: two steps in one call, the second through what the first has changed."""
    make, judge = mlp(5, 16, 12), mlp(12, 16, 1)
    a, b = optim.Adam(make.parameters(), lr=1e-3), optim.Adam(judge.parameters(), lr=1e-3)
    bce = ops.binary_cross_entropy_with_logits

    @deco
    def step(x: Any, z: Any) -> Any:
        fake = make(z)
        real = bce(judge(x), np.ones((8, 1), "float32"))
        judged = real + bce(judge(fake.detach()), np.zeros((8, 1), "float32"))
        b.zero_grad()
        judged.backward()
        b.step()
        fooled = bce(judge(fake), np.ones((8, 1), "float32"))
        a.zero_grad()
        fooled.backward()
        a.step()
        return judged, fooled

    return lambda i: step(tensor(i), dynamic.tensor(X[(i * 7) % 40][:, :5])), held(make, judge, a, b)


@program
def early_stop(deco: Deco) -> tuple[Step, Any]:
    """A loop whose end depends on values, over an LSTM whose length changes."""
    cell, head = nn.LSTMCell(12, 8), nn.Linear(8, 2)
    opt = optim.Adam([*cell.parameters(), *head.parameters()], lr=1e-2)

    @deco
    def step(xs: Any, length: int) -> Any:
        h, c = dynamic.zeros(8, 8), dynamic.zeros(8, 8)
        total: Any = 0
        for t in range(length):
            h, c = cell(xs[t], (h, c))
            total = total + head(h).sum(axis=1).mean() * (t + 1)
            if float(total) > 1.5:
                break
        loss = total * total
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return lambda i: step(dynamic.tensor(X[i % 30 : i % 30 + 5]), 2 + i % 3), held(cell, head, opt)


@program
def probabilities_are_judged(deco: Deco) -> tuple[Step, Any]:
    model = nn.Sequential(mlp(12, 16, 1), nn.Sigmoid())
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.binary_cross_entropy(model(x)[:, 0], y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return lambda i: step(tensor(i), (Y[i % 40] > 1).astype("float32")), held(model, opt)


@program
def second_order(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 8, 8, 1)
    opt = optim.SGD(model.parameters(), lr=0.05)

    @deco
    def step(x: Any) -> Any:
        y = model(x).sum()
        (slope,) = dynamic.grad(y, [x], create_graph=True)
        loss = y * y * 0.01 + ((slope * slope).sum(axis=1) - 1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss, slope

    return lambda i: step(tensor(i, requires_grad=True)), held(model, opt)


@program
def a_rate_that_changes(deco: Deco) -> tuple[Step, Any]:
    """A Python number that is another in each call, a new rate, and a weight that is loaded."""
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any, y: Any, factor: float) -> Any:
        loss = ops.cross_entropy(model(x) * factor, y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    def call(i: int) -> Any:
        if i == 12:
            opt.lr = 0.01
        if i == 15:
            next(iter(model.parameters())).data = np.full((16, 12), 0.01, "float32")
        return step(tensor(i), Y[i % 40], 1.0 if i < 8 else 1.0 + 0.1 * i)

    return call, held(model, opt)


@program
def modes_and_frozen_layers(deco: Deco) -> tuple[Step, Any]:
    first, second = nn.Linear(12, 16), nn.Linear(16, 4)
    model = nn.Sequential(first, nn.BatchNorm1d(16), nn.Dropout(0.5), second)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        for _ in range(6):
            loss = loss * 1.0
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    def call(i: int) -> Any:
        model.train(i % 10 < 7)
        first.weight.requires_grad = i < 18
        return step(tensor(i), Y[i % 40])

    return call, held(model, opt)


@program
def batches_of_other_sizes(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    def call(i: int) -> Any:
        n = 8 if i % 4 else 5
        return step(dynamic.tensor(X[i % 40][:n]), Y[i % 40][:n])

    return call, held(model, opt)


@program
def inputs_are_changed(deco: Deco) -> tuple[Step, Any]:
    """In place, between their use and the look at what was made of them; by the Tensor and by its array."""

    @deco
    def step(x: Any, a: Any) -> Any:
        y = x * 2
        for _ in range(14):
            y = y + a
        x[0] = 7
        z = x + y
        a[:] = 3
        w = z * a
        x.numpy()[1] = 5
        return w + x

    return lambda i: step(tensor(i), X[i % 40].copy()), []


@program
def an_array_from_before(deco: Deco) -> tuple[Step, Any]:
    """Somebody holds the array of a Tensor, and writes into it in the middle."""

    @deco
    def step(x: Any, array: Any) -> Any:
        y = x * 2
        for _ in range(16):
            y = y * 1.5
        array += 1
        return y + x

    def call(i: int) -> Any:
        array = X[i % 40].copy()
        return step(dynamic.from_numpy(array), array)

    return call, []


@program
def views_are_views(deco: Deco) -> tuple[Step, Any]:
    @deco
    def step(x: Any) -> Any:
        y = x
        for _ in range(16):
            y = y * 1.5
        part = y[2:4]
        part[0] = 1
        z = y.reshape(-1)
        z[0] = 9
        return y, part, z, x.reshape(-1)

    def call(i: int) -> Any:
        x = tensor(i)
        y, part, z, flat = step(x)
        y[2] = 4
        x[0] = 2
        return y, part, z, flat

    return call, []


@program
def lists_and_globals(deco: Deco) -> tuple[Step, Any]:
    """What the function appends to, a global that it reads, an object whose identity chooses, an early
    return."""
    kept: list[Any] = []
    settings = {"scale": 1.0, "layer": None}
    one, two = nn.Linear(12, 12), nn.Linear(12, 12)

    @deco
    def step(x: Any) -> Any:
        layer = one if settings["layer"] is one else two
        y = layer(x) * settings["scale"]
        for _ in range(14):
            y = y + 0.5
        kept.append(y)
        if len(kept) % 5 == 0:
            return kept[-3:]
        return {"y": y, "last": kept[-1] is y, "count": len(kept)}

    def call(i: int) -> Any:
        settings["layer"] = one if i % 6 < 3 else two
        settings["scale"] = 2.0 if i > 10 else 1.0
        with dynamic.no_grad():
            return step(tensor(i))

    return call, []


@program
def nan_chooses(deco: Deco) -> tuple[Step, Any]:
    @deco
    def step(x: Any) -> Any:
        y = x
        for _ in range(16):
            y = y * 1.0
        if (y.sum() * 0) != 0:  # NaN
            return ops.where(ops.isnan(y), 0.0, y)
        return y

    def call(i: int) -> Any:
        array = X[i % 40].copy()
        if i % 3 == 0:
            array[0, 0] = np.nan
        return step(dynamic.tensor(array))

    return call, []


@program
def random_numbers(deco: Deco) -> tuple[Step, Any]:
    """NumPy's, the engine's own, and those of a layer, nested functions among them."""
    generator, drop = np.random.default_rng(3), nn.Dropout(0.5)

    @deco
    def noise(x: Any) -> Any:
        return x + dynamic.randn(8, 12) * 0.1 + generator.standard_normal((8, 12)).astype("float32")

    @deco
    def step(x: Any) -> Any:
        y = x
        for _ in range(15):
            y = y * 1.1
        return drop(noise(y)).sum(), noise(y)

    return lambda i: step(tensor(i)), held(drop)


@program
def masks_have_no_shape_beforehand(deco: Deco) -> tuple[Step, Any]:
    scale = nn.Parameter(np.float32(2.0))

    @deco
    def step(x: Any) -> Any:
        y = x * scale
        for _ in range(14):
            y = y * 1.01
        picked = y[y > 0]
        total = (picked * picked).sum()
        total.backward()
        found, scale.grad = scale.grad, None
        return total, found

    return lambda i: step(tensor(i)), [scale]


@program
def methods_and_generators(deco: Deco) -> tuple[Step, Any]:
    class Trainer:
        def __init__(self) -> None:
            self.model = mlp(12, 8, 4)
            self.opt = optim.SGD(self.model.parameters(), lr=0.1)
            self.steps = 0

        @deco
        def step(self, batches: Any) -> Any:
            losses = []
            for x, y in batches:
                loss = ops.cross_entropy(self.model(x), y)
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                losses.append(loss)
                self.steps += 1
            return losses, self.steps

    trainers = [Trainer(), Trainer()]

    def call(i: int) -> Any:
        return trainers[i % 2].step((tensor(i + k), Y[(i + k) % 40]) for k in range(3))

    return call, [s for t in trainers for s in held(t.model, t.opt)]


@program
def weights_changed_by_hand(deco: Deco) -> tuple[Step, Any]:
    """In the middle, in place, under no_grad: the gradient afterwards is that of what was computed."""
    w = nn.Parameter(np.full((12, 4), 0.1, "float32"))

    @deco
    def step(x: Any, y: Any) -> Any:
        h = x @ w
        for _ in range(12):
            h = h * 1.01
        loss = ops.cross_entropy(h, y)
        loss.backward()
        with dynamic.no_grad():
            w.sub_(w.grad * 0.1) if hasattr(w, "sub_") else w.assign(w - w.grad * 0.1)
        w.grad = None
        return loss

    return lambda i: step(tensor(i), Y[i % 40]), [w]


@program
def clipped_by_hand(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 16, 4)
    opt = optim.Adam(model.parameters(), lr=1e-2)

    @deco
    def step(x: Any, y: Any) -> Any:
        loss = ops.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        norm = optim.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        return loss, norm

    return lambda i: step(tensor(i), Y[i % 40]), held(model, opt)


@program
def hooks_and_kept_gradients(deco: Deco) -> tuple[Step, Any]:
    model = mlp(12, 16, 4)
    seen: list[float] = []

    @deco
    def step(x: Any, y: Any) -> Any:
        h = model[0](x)
        for _ in range(12):
            h = h * 1.01
        h.retain_grad()
        h.register_hook(lambda g: seen.append(float(g.sum())))
        loss = ops.cross_entropy(model[2](h), y)
        loss.backward()
        return loss, h.grad, seen[-1]

    def call(i: int) -> Any:
        found = step(tensor(i), Y[i % 40])
        for p in model.parameters():
            p.grad = None
        return found

    return call, held(model)


@program
def checkpoints(deco: Deco) -> tuple[Step, Any]:
    """What is made again for its gradient moves the States that it has moved no further."""
    first = nn.Linear(12, 8)
    again = nn.Sequential(nn.BatchNorm1d(8), nn.AlphaDropout(0.3), nn.RReLU())
    inner = nn.Sequential(nn.BatchNorm1d(8), nn.Dropout(0.3))
    model = nn.ModuleList([first, again, inner])
    opt = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def nested(h: Any) -> Any:
        return again(dynamic.checkpoint(inner, h)) + dynamic.rand(8, 8)

    @deco
    def step(x: Any) -> Any:
        loss = ops.sum(ops.square(dynamic.checkpoint(nested, first(x))))
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    return lambda i: step(tensor(i)), held(model, opt)


@program
def recursion(deco: Deco) -> tuple[Step, Any]:
    """A tree, as deep as its data: Tree-LSTM's shape of program."""
    join = nn.Linear(24, 12)
    opt = optim.SGD(join.parameters(), lr=0.05)

    def encode(tree: Any, x: Any) -> Any:
        if isinstance(tree, int):
            return x[tree : tree + 1]
        return ops.tanh(join(ops.concatenate([encode(part, x) for part in tree], axis=1)))

    @deco
    def step(tree: Any, x: Any) -> Any:
        loss = (encode(tree, x) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    trees = [((0, 1), (2, (3, 4))), (((5, 6), 7), (1, 2)), ((0, (1, (2, 3))), (4, 5))]
    return lambda i: step(trees[i % 3], tensor(i)), held(join, opt)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_gives_what_the_function_gives(name: str) -> None:
    want = outcomes(PROGRAMS[name], undecorated, 24)
    got = outcomes(PROGRAMS[name], dynamic.function, 24)
    for i, (a, b) in enumerate(zip(want, got, strict=True)):
        assert equal(a, b), f"{'states after' if i % 2 else 'what is given by'} call {i // 2} differ"


@pytest.mark.parametrize("name", ["training", "early_stop", "two_optimisers"])
def test_fast_stays_within_rounding(name: str) -> None:
    want = outcomes(PROGRAMS[name], undecorated, 12)
    got = outcomes(PROGRAMS[name], lambda fn: dynamic.function(fn, optimize="fast"), 12)
    for a, b in zip(want[1::2], got[1::2], strict=True):
        for x, y in zip(a, b, strict=True):
            if x.dtype.kind == "f":
                np.testing.assert_allclose(x, y, rtol=2e-3, atol=1e-5)


def test_programs_are_made_and_used() -> None:
    """Not only right: the calls of a step that stays the same are one program each."""
    step, _ = training(dynamic.function)
    for i in range(8):
        step(i)
    fn = step.__closure__[0].cell_contents  # type: ignore[index]
    stretches = [p for point in walk(fn.tree.root) for found in point.programs.values() for p in found]
    assert len(stretches) == 1 and not fn.plain


def test_new_weights_and_their_gradients_are_made_where_they_stay() -> None:
    """Not in the memory of a program, and copied behind it: that takes as long as the update itself."""
    step, _ = a_look_that_chooses(dynamic.function)
    for i in range(8):
        step(i)
    fn = step.__closure__[0].cell_contents  # type: ignore[index]
    stretches = [p for point in walk(fn.tree.root) for found in point.programs.values() for p in found]
    sources = "".join([stretch.source for stretch in stretches])
    assert "linear_weight" in sources
    assert not re.search(r"copy\((linear_weight|stop_gradient|add|sub|mul|fused)", sources)


def walk(point: Any) -> list[Any]:
    return [point, *(q for after in point.after for q in walk(after))]


def test_errors_by_value_come_where_they_belong() -> None:
    """At the call that makes them, so that the function's own `except` catches them; nothing is lost."""
    table = nn.Embedding(5, 4)
    opt = optim.SGD(table.parameters(), lr=0.1)
    caught: list[str] = []

    @dynamic.function
    def step(ids: Any) -> Any:
        try:
            rows = table(ids)
        except RangeError as error:
            caught.append(str(error))
            rows = table(np.zeros(3, int))
        loss = rows.sum()
        for _ in range(14):
            loss = loss * 1.0
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    for i in range(12):
        step(np.array([0, 1, 9 if i % 4 == 3 else 2]))
    assert len(caught) == 3 and all("id 9 at position 2" in message for message in caught)


def test_an_exception_leaves_what_was_done() -> None:
    def run(deco: Deco) -> list[Any]:
        nn.manual_seed(0)
        model = mlp(12, 16, 16, 4)
        opt = optim.SGD(model.parameters(), lr=0.1)

        @deco
        def step(x: Any, y: Any, fail: bool) -> None:
            loss = ops.cross_entropy(model(x), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            if fail:
                raise KeyError("half-way")
            loss.backward()

        found = []
        for i in range(12):
            with pytest.raises((KeyError, GradientError)) as caught:
                step(tensor(i), Y[i % 40], i % 3 == 2)
            found.append(type(caught.value).__name__)
            found += [p.numpy().copy() for p in model.parameters()]
            found += [p.grad.numpy().copy() for p in model.parameters()]
        return found

    assert equal(run(undecorated), run(dynamic.function))


def test_a_second_backward_is_refused_as_without() -> None:
    model = mlp(12, 16, 16, 4)

    @dynamic.function
    def forward(x: Any) -> Any:
        loss = (model(x) ** 2).sum()
        for _ in range(12):
            loss = loss * 1.0
        loss.backward()
        return loss

    for i in range(6):
        loss = forward(tensor(i))
        assert loss.requires_grad
        with pytest.raises(GradientError, match="a second time"):
            loss.backward()


def test_threads() -> None:
    """A call by one thread while another is in it runs plainly; so does the first."""
    model = mlp(12, 16, 16, 4)

    @dynamic.function
    def forward(x: Any) -> Any:
        y = model(x)
        for _ in range(16):
            y = y + 1.0
        return y

    def many(results: list[Any]) -> None:
        with dynamic.no_grad():
            for i in range(30):
                results.append(forward(tensor(i)).numpy())

    found: list[list[Any]] = [[], [], []]
    threads = [threading.Thread(target=many, args=(results,)) for results in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with dynamic.no_grad():
        want = [(model(tensor(i)) + 0).numpy() for i in range(30)]
    for results in found:
        for a, b in zip(results, want, strict=True):
            np.testing.assert_allclose(a, b + 16, rtol=1e-5)
        assert equal(results, found[0])


def test_nothing_is_kept_that_nobody_needs() -> None:
    """What a call computed is freed with it, and a function that is let go of takes its paths along."""
    model = mlp(12, 16, 16, 4)

    def make() -> Any:
        @dynamic.function
        def forward(x: Any) -> Any:
            y = model(x)
            for _ in range(16):
                y = y + 1.0
            return y.sum()

        return forward

    forward = make()
    for i in range(6):
        x = tensor(i)
        y = forward(x)
        gone = weakref.ref(x)
        del x, y
    gc.collect()
    assert gone() is None
    tree = weakref.ref(forward.tree)
    del forward
    gc.collect()
    assert tree() is None


def test_paths_are_bounded() -> None:
    @dynamic.function
    def step(x: Any, factor: float) -> Any:
        for k in range(20):
            x = x * (factor / 1000 + k / 50)
        return x

    for i in range(200):
        step(tensor(i), float(i))
    assert step.tree.events < 2000


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(DiptychError, match=r"write @dynamic.function above one"):
        dynamic.function(3)
    with pytest.raises(DiptychError, match="'exact' or 'fast'"):
        dynamic.function(optimize="fastest")


def test_a_number_that_changes_is_fed() -> None:
    """After two values of it there are programs for all."""
    model = mlp(12, 16, 16, 4)
    opt = optim.SGD(model.parameters(), lr=0.1)

    @dynamic.function
    def step(x: Any, y: Any, weight: float) -> Any:
        loss = ops.cross_entropy(model(x), y) * weight + 0.5 * (1 - weight)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    for i in range(20):
        step(tensor(i), Y[i], 1 / (i + 1))
    assert not step.plain and step.tree.failure is None
    assert "compiled to event" in step.explain() and "exact" in step.explain()


def test_a_layer_that_is_called_again_ends_no_stretch() -> None:
    """Whether it knows its shape is asked without a look at its values."""
    layer, norm = nn.Linear(12, 12), nn.BatchNorm1d(12)

    @dynamic.function
    def forward(x: Any) -> Any:
        for _ in range(10):
            x = ops.tanh(norm(layer(x)))
        return x

    with dynamic.no_grad():
        for i in range(5):
            forward(tensor(i))
    stretches = [p for point in walk(forward.tree.root) for found in point.programs.values() for p in found]
    assert len(stretches) == 1, forward.explain()
