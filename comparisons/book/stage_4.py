"""The fourth stage: arrays, layers, optimisers, data sets, and networks that learn."""

from __future__ import annotations

import numpy as np

import dynamic
import static
from comparisons.book.drawn import plot
from comparisons.book.step import Stage, Step
from shared import nn, ops, optim
from shared.data import DataLoader, Dataset, TensorDataset, load_digits, load_noisy_sine, load_spiral

# --- whole arrays ---


def arrays_dynamic() -> None:
    """A function of each number: the slope has an array's shape, too."""
    x = dynamic.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    ops.sin(x).sum().backward()
    print(np.round(x.grad.numpy(), 3))


def arrays_static() -> None:
    x = static.placeholder("float32", (2, 3), name="x")
    (slope,) = static.gradients(ops.sin(x).sum(), [x])
    with static.Session(optimize="exact") as session:
        found = session.run(slope, {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]})
    print(np.round(found, 3))


# --- another shape ---


def shape_dynamic() -> None:
    """The slope comes back in the shape that x has."""
    x = dynamic.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    y = x.transpose().reshape(6)
    (y * np.arange(6, dtype="float32")).sum().backward()
    print(y.shape, x.grad.tolist())


def shape_static() -> None:
    x = static.placeholder("float32", (2, 3), name="x")
    y = x.transpose().reshape(6)
    (slope,) = static.gradients((y * np.arange(6, dtype="float32")).sum(), [x])
    with static.Session(optimize="exact") as session:
        print(y.shape, session.run(slope, {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}).tolist())


# --- sums ---


def sums_dynamic() -> None:
    """What was summed is spread out again on the way back."""
    x = dynamic.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x.sum(axis=0)
    (y * y).sum().backward()
    print(y.tolist(), x.grad.tolist())


def sums_static() -> None:
    x = static.placeholder("float32", (2, 2), name="x")
    y = x.sum(axis=0)
    (slope,) = static.gradients((y * y).sum(), [x])
    with static.Session(optimize="exact") as session:
        found = session.run([y, slope], {x: [[1.0, 2.0], [3.0, 4.0]]})
    print(found[0].tolist(), found[1].tolist())


# --- made to fit ---


def fit_dynamic() -> None:
    """One row is added to every row; its slope is the sum over them."""
    x = dynamic.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    b = dynamic.tensor([10.0, 20.0], requires_grad=True)
    y = x + b
    (y * y).sum().backward()
    print(b.grad.tolist())


def fit_static() -> None:
    x = static.placeholder("float32", (None, 2), name="x")
    b = static.placeholder("float32", (2,), name="b")
    y = x + b
    (slope,) = static.gradients((y * y).sum(), [b])
    with static.Session(optimize="exact") as session:
        print(session.run(slope, {x: [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], b: [10.0, 20.0]}).tolist())


# --- rows times columns ---


def matmul_dynamic() -> None:
    x = dynamic.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    w = dynamic.tensor(np.ones((3, 2), "float32"), requires_grad=True)
    y = x @ w
    y.sum().backward()
    print(y.tolist(), x.grad.shape, w.grad.tolist())


def matmul_static() -> None:
    x = static.placeholder("float32", (2, 3), name="x")
    w = static.placeholder("float32", (3, 2), name="w")
    y = x @ w
    gx, gw = static.gradients(y.sum(), [x, w])
    feed = {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], w: np.ones((3, 2))}
    with static.Session(optimize="exact") as session:
        found = session.run([y, gw], feed)
    print(found[0].tolist(), gx.shape, found[1].tolist())


# --- a line through points ---


def points():
    random = np.random.RandomState(0)
    x = random.rand(30, 1)
    return x.astype("float32"), (5 + 2 * x + random.rand(30, 1)).astype("float32")


def line_dynamic() -> None:
    x, y = points()
    w = nn.Parameter(np.zeros((1, 1), "float32"), "w")
    b = nn.Parameter(np.zeros(1, "float32"), "b")
    for _ in range(60):
        loss = ops.mse_loss(dynamic.tensor(x) @ w + b, y)
        slopes = dynamic.grad(loss, [w, b])
        with dynamic.no_grad():
            w.assign(w - 0.3 * slopes[0])
            b.assign(b - 0.3 * slopes[1])
    print(f"{w.numpy().item():.4f} {b.numpy().item():.4f}")


def line_static() -> None:
    x, y = points()
    w = nn.Parameter(np.zeros((1, 1), "float32"), "w")
    b = nn.Parameter(np.zeros(1, "float32"), "b")
    loss = ops.mse_loss(static.constant(x) @ w + b, y)
    slopes = static.gradients(loss, [w, b])
    train = [w.assign(w - 0.3 * slopes[0]), b.assign(b - 0.3 * slopes[1])]
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(60):
            session.run(train)
        session.store(w, b)
    print(f"{w.numpy().item():.4f} {b.numpy().item():.4f}")


# --- a curve through points ---


def weights():
    draw = np.random.RandomState(2).randn
    arrays = {"w1": 8 * draw(1, 10), "b1": 8 * draw(10), "w2": draw(10, 1), "b2": draw(1)}
    return [nn.Parameter(array.astype("float32"), name) for name, array in arrays.items()]


def network(x, w1, b1, w2, b2):
    return ops.sigmoid(x @ w1 + b1) @ w2 + b2


def curve_dynamic() -> None:
    """A network of two layers: what bends is between them."""
    x, y, even, _ = load_noisy_sine()
    parameters = weights()
    for _ in range(200):
        loss = ops.mse_loss(network(dynamic.tensor(x), *parameters), y)
        slopes = dynamic.grad(loss, parameters)
        with dynamic.no_grad():
            for p, slope in zip(parameters, slopes, strict=True):
                p.assign(p - 0.2 * slope)
    print(f"{loss.item():.4f}")
    plot(network=network(dynamic.tensor(even), *parameters).numpy()[::4, 0])


def curve_static() -> None:
    x, y, even, _ = load_noisy_sine()
    parameters = weights()
    loss = ops.mse_loss(network(static.constant(x), *parameters), y)
    slopes = static.gradients(loss, parameters)
    pairs = zip(parameters, slopes, strict=True)
    train = [p.assign(p - 0.2 * slope) for p, slope in pairs]
    answer = network(static.constant(even), *parameters)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(200):
            value, *_ = session.run([loss, *train])
        found = session.run(answer)
    print(f"{value.item():.4f}")
    plot(network=found[::4, 0])


# --- a layer ---


def layer_dynamic() -> None:
    """A layer owns what it learns, and is called on either engine's values."""
    layer = nn.Linear(2, 3)
    y = layer(dynamic.tensor([[1.0, -1.0]]))
    print([name for name, _ in layer.named_parameters()], y.shape, f"{y.sum().item():.5f}")


def layer_static() -> None:
    layer = nn.Linear(2, 3)
    y = layer(static.constant([[1.0, -1.0]]))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        total = session.run(y.sum())
    print([name for name, _ in layer.named_parameters()], y.shape, f"{total.item():.5f}")


# --- a model ---


class TwoLayers(nn.Module):
    def __init__(self, hidden, out):
        self.first, self.second = nn.Linear(1, hidden), nn.Linear(hidden, out)

    def forward(self, x):
        return self.second(ops.sigmoid(self.first(x)))


def model_dynamic() -> None:
    """A model is layers in a module, which is a layer again; all that it learns is found in it."""
    model = TwoLayers(10, 1)
    y = model(dynamic.tensor([[0.5]]))
    print(len([*model.parameters()]), f"{y.item():.5f}")


def model_static() -> None:
    model = TwoLayers(10, 1)
    y = model(static.constant([[0.5]]))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        print(len([*model.parameters()]), f"{session.run(y).item():.5f}")


# --- an optimiser ---


OPTIMISERS = ("SGD", "Momentum", "Adam")


def optimiser(name, parameters):
    if name == "Adam":
        return optim.Adam(parameters, lr=0.05)
    return optim.SGD(parameters, lr=0.2, momentum=0.9 if name == "Momentum" else 0.0)


def optimiser_dynamic(name: str) -> None:
    """Choose another: one line differs, and on the right the boxes that it adds."""
    x, y, *_ = load_noisy_sine()
    model = TwoLayers(10, 1)
    opt = optimiser(name, model.parameters())
    losses = []
    for _ in range(40):
        loss = ops.mse_loss(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"{losses[-1]:.4f}")
    plot(loss=losses)


def optimiser_static(name: str) -> None:
    x, y, *_ = load_noisy_sine()
    model = TwoLayers(10, 1)
    opt = optimiser(name, model.parameters())
    loss = ops.mse_loss(model(static.constant(x)), y)
    train = opt.minimize(loss)
    losses = []
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(40):
            losses.append(session.run([loss, train])[0].item())
    print(f"{losses[-1]:.4f}")
    plot(loss=losses)


# --- one of three ---


def softmax_dynamic() -> None:
    """Scores become shares; the slope of the loss is the shares, less one at the right answer."""
    scores = dynamic.tensor([[2.0, 1.0, 0.0]], requires_grad=True)
    shares = ops.softmax(scores, axis=1)
    ops.cross_entropy(scores, np.array([0])).backward()
    print(np.round(shares.numpy(), 3), np.round(scores.grad.numpy(), 3))


def softmax_static() -> None:
    scores = static.placeholder("float32", (1, 3), name="scores")
    shares = ops.softmax(scores, axis=1)
    (slope,) = static.gradients(ops.cross_entropy(scores, np.array([0])), [scores])
    with static.Session(optimize="exact") as session:
        found = session.run([shares, slope], {scores: [[2.0, 1.0, 0.0]]})
    print(np.round(found[0], 3), np.round(found[1], 3))


# --- three arms of a spiral ---


def arms():
    return nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 3))


def plane():
    at = np.linspace(-1, 1, 24, dtype="float32")
    return np.stack(np.meshgrid(at, at), axis=-1).reshape(-1, 2)


def spiral_dynamic() -> None:
    """The plane, as the network divides it."""
    x, y, *_ = load_spiral()
    model = arms()
    opt = optim.Adam(model.parameters(), lr=0.1)
    for _ in range(120):
        loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(f"{loss.item():.4f}")
    plot(model(dynamic.tensor(plane())).numpy().argmax(axis=1).reshape(24, 24))


def spiral_static() -> None:
    x, y, *_ = load_spiral()
    model = arms()
    opt = optim.Adam(model.parameters(), lr=0.1)
    loss = ops.cross_entropy(model(static.constant(x)), y)
    train = opt.minimize(loss)
    answer = model(static.constant(plane()))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(120):
            value, _ = session.run([loss, train])
        found = session.run(answer)
    print(f"{value.item():.4f}")
    plot(found.argmax(axis=1).reshape(24, 24))


# --- a data set ---


class Squares(Dataset):
    def __len__(self):
        return 5

    def __getitem__(self, i):
        return np.float32(i), np.float32(i * i)


def dataset_dynamic() -> None:
    """Examples by number. Nothing in a data set knows of an engine."""
    squares = Squares()
    x, y = squares[3]
    print(len(squares), (dynamic.tensor(x) - y).item())


def dataset_static() -> None:
    squares = Squares()
    x, y = squares[3]
    gap = static.constant(x) - y
    with static.Session(optimize="exact") as session:
        print(len(squares), session.run(gap).item())


# --- in batches ---


def batches_dynamic() -> None:
    """The last batch is smaller: on the right the size is left open, and the same nodes run."""
    loader = DataLoader(TensorDataset(np.arange(5, dtype="float32")), batch_size=2, shuffle=True, seed=0)
    for (x,) in loader:
        print(x.tolist(), dynamic.tensor(x).mean().item())


def batches_static() -> None:
    loader = DataLoader(TensorDataset(np.arange(5, dtype="float32")), batch_size=2, shuffle=True, seed=0)
    batch = static.placeholder("float32", (None,), name="batch")
    mean = batch.mean()
    with static.Session(optimize="exact") as session:
        for (x,) in loader:
            print(x.tolist(), session.run(mean, {batch: x}).item())


# --- digits ---


def reader():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def digits_dynamic() -> None:
    digits = load_digits()
    loader = DataLoader(TensorDataset(digits.train_x, digits.train_y), batch_size=100, shuffle=True, seed=0)
    model = reader()
    opt = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(3):
        for x, y in loader:
            loss = ops.cross_entropy(model(dynamic.tensor(x)), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
    with dynamic.no_grad():
        scores = model(dynamic.tensor(digits.test_x)).numpy()
    print(scores[:8].argmax(axis=1), f"{(scores.argmax(axis=1) == digits.test_y).mean():.3f} right")
    plot(*digits.test_x[:8, 0])


def digits_static() -> None:
    digits = load_digits()
    loader = DataLoader(TensorDataset(digits.train_x, digits.train_y), batch_size=100, shuffle=True, seed=0)
    model = reader()
    opt = optim.Adam(model.parameters(), lr=0.01)
    images = static.placeholder("float32", (None, 1, 8, 8), name="images")
    labels = static.placeholder("int64", (None,), name="labels")
    logits = model(images)
    train = opt.minimize(ops.cross_entropy(logits, labels))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(3):
            for x, y in loader:
                session.run(train, {images: x, labels: y})
        scores = session.run(logits, {images: digits.test_x})
    print(scores[:8].argmax(axis=1), f"{(scores.argmax(axis=1) == digits.test_y).mean():.3f} right")
    plot(*digits.test_x[:8, 0])


STAGE = Stage(
    4, "From whole arrays to a network that reads digits: layers, optimisers and data sets, each apart.", 37,
    (
        Step("Whole arrays", arrays_dynamic, arrays_static),
        Step("Another shape", shape_dynamic, shape_static),
        Step("Sums", sums_dynamic, sums_static),
        Step("Made to fit", fit_dynamic, fit_static),
        Step("Rows times columns", matmul_dynamic, matmul_static),
        Step("A line through points", line_dynamic, line_static, turns=1),
        Step("A curve through points", curve_dynamic, curve_static, turns=1, most=36),
        Step("A layer", layer_dynamic, layer_static),
        Step("A model", model_dynamic, model_static),
        Step("An optimiser", optimiser_dynamic, optimiser_static, menu=OPTIMISERS, turns=1, most=30),
        Step("One of three", softmax_dynamic, softmax_static),
        Step("Three arms of a spiral", spiral_dynamic, spiral_static, turns=1, most=24),
        Step("A data set", dataset_dynamic, dataset_static),
        Step("In batches", batches_dynamic, batches_static, turns=3),
        Step("Digits", digits_dynamic, digits_static, turns=1, most=24),
    ),
)  # fmt: skip
