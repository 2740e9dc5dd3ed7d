"""The fifth stage: devices, files, images and sequences."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import dynamic
import static
from comparisons.book.drawn import plot
from comparisons.book.step import Stage, Step
from shared import nn, ops, optim
from shared.data import SequenceLoader, load_digits, load_sine_curve
from shared.models import VGG16

# --- where it runs ---


def device_dynamic() -> None:
    """On the left a value says where it lies, on the right a session where it runs; the formula neither."""
    device = "cpu"
    x = dynamic.tensor([1.0, 2.0, 3.0], device=device)
    print((x * x).sum().item())


def device_static() -> None:
    device = "cpu"
    x = static.placeholder("float32", (3,), name="x")
    y = (x * x).sum()
    with static.Session(optimize="exact", device=device) as session:
        print(session.run(y, {x: [1.0, 2.0, 3.0]}).item())


# --- stopped, and taken up again ---


def parts():
    model = nn.Linear(1, 1)
    return model, optim.Adam(model.parameters(), lr=0.1)


def saved_dynamic() -> None:
    """On the left all is made anew and reads the file; on the right the graph stays, a new session reads."""
    target = np.array([[2.0]], "float32")
    model, opt = parts()
    losses = []
    with TemporaryDirectory() as folder:
        for step in range(4):
            if step == 2:
                nn.save_checkpoint(Path(folder, "half"), model, opt)
                model, opt = parts()
                nn.load_checkpoint(Path(folder, "half"), model, opt)
            loss = ops.mse_loss(model(dynamic.tensor([[1.0]])), target)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
    print(np.round(losses, 4))


def saved_static() -> None:
    target = np.array([[2.0]], "float32")
    model, opt = parts()
    loss = ops.mse_loss(model(static.constant([[1.0]])), target)
    train = opt.minimize(loss)
    saver = static.train.Saver()
    losses = []
    with TemporaryDirectory() as folder:
        with static.Session(optimize="exact") as session:
            session.run(static.global_variables_initializer())
            for _ in range(2):
                losses.append(session.run([loss, train])[0].item())
            saver.save(session, Path(folder, "half"))
        with static.Session(optimize="exact") as session:
            saver.restore(session, Path(folder, "half"))
            for _ in range(2):
                losses.append(session.run([loss, train])[0].item())
    print(np.round(losses, 4))


# --- left out by chance ---


def dropout_dynamic(training: bool) -> None:
    """The same mask on both sides: the generator is the layer's own, and its state a value."""
    layer = nn.Dropout(0.5)
    layer.train(training)
    y = layer(dynamic.tensor([1.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    print(y.tolist())


def dropout_static(training: bool) -> None:
    layer = nn.Dropout(0.5)
    layer.train(training)
    y = layer(static.constant([1.0, 1.0, 1.0, 1.0, 1.0, 1.0]))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        print(session.run(y).tolist())


# --- how large an image gets ---


def size_dynamic(stride: int) -> None:
    """On the right the size is known while the number of images is not."""
    layer = nn.Conv2d(1, 4, 3, stride=stride, padding=1)
    y = layer(dynamic.tensor(load_digits().test_x[:2]))
    print(y.shape[1:], (8 + 2 * 1 - 3) // stride + 1)


def size_static(stride: int) -> None:
    layer = nn.Conv2d(1, 4, 3, stride=stride, padding=1)
    y = layer(static.placeholder("float32", (None, 1, 8, 8), name="images"))
    print(y.shape[1:], (8 + 2 * 1 - 3) // stride + 1)


# --- a convolution is a product ---


def product(image, kernel):
    columns = ops.im2col(image, 3)
    return (kernel.reshape(1, 9) @ columns[0]).reshape(1, 1, 6, 6)


def product_dynamic() -> None:
    """What the window sees at each place, as columns, times the kernel: the same image."""
    image = dynamic.tensor(load_digits().test_x[:1])
    kernel = dynamic.tensor(np.arange(9, dtype="float32").reshape(1, 1, 3, 3))
    gap = ops.abs(ops.conv2d(image, kernel) - product(image, kernel)).max()
    print(gap.item() < 1e-4)


def product_static() -> None:
    image = static.constant(load_digits().test_x[:1])
    kernel = static.constant(np.arange(9, dtype="float32").reshape(1, 1, 3, 3))
    gap = ops.abs(ops.conv2d(image, kernel) - product(image, kernel)).max()
    with static.Session(optimize="exact") as session:
        print(session.run(gap).item() < 1e-4)


# --- edges, and the largest of four ---



def sideways():
    return np.array([1, 0, -1, 2, 0, -2, 1, 0, -1], "float32").reshape(1, 1, 3, 3)


def pooled_dynamic() -> None:
    """A digit, its edges, and the largest of each four; the slope goes to where the largest stood."""
    digit = load_digits().test_x[1:2]
    image = dynamic.tensor(digit, requires_grad=True)
    edges = ops.conv2d(image, sideways())
    largest = ops.max_pool2d(edges, 2)
    largest.sum().backward()
    print(f"{largest.sum().item():.3f} {ops.abs(image.grad).sum().item():.3f}")
    plot(*(one.numpy()[0, 0] for one in (image, edges, largest, image.grad)))


def pooled_static() -> None:
    digit = load_digits().test_x[1:2]
    image = static.placeholder("float32", (1, 1, 8, 8), name="image")
    edges = ops.conv2d(image, sideways())
    largest = ops.max_pool2d(edges, 2)
    (slope,) = static.gradients(largest.sum(), [image])
    fetches = [largest.sum(), ops.abs(slope).sum(), image, edges, largest, slope]
    with static.Session(optimize="exact") as session:
        total, steep, *images = session.run(fetches, {image: digit})
    print(f"{total:.3f} {steep:.3f}")
    plot(*(one[0, 0] for one in images))


# --- sixteen layers ---


def vgg_dynamic() -> None:
    """VGG16, made narrow."""
    model = VGG16(classes=10, width=2, hidden=16)
    with nn.evaluating(model), dynamic.no_grad():
        y = model(dynamic.tensor(np.ones((1, 3, 32, 32), "float32")))
    print(y.shape[1:], sum(p.size for p in model.parameters()), f"{y.sum().item():.4f}")


def vgg_static() -> None:
    model = VGG16(classes=10, width=2, hidden=16)
    image = static.placeholder("float32", (None, 3, 32, 32), name="image")
    with nn.evaluating(model):
        y = model(image)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        total = session.run(y.sum(), {image: np.ones((1, 3, 32, 32))})
    print(y.shape[1:], sum(p.size for p in model.parameters()), f"{total:.4f}")


# --- a curve, point by point ---


class Foreteller(nn.Module):
    def __init__(self, layer):
        self.layer, self.head = layer(1, 16), nn.Linear(16, 1)

    def forward(self, x, state=None):
        h, state = self.layer(x, state)
        return self.head(h), state


def recurrent_dynamic() -> None:
    """A state is carried from point to point: a loop on the left, as many boxes on the right."""
    x, y, *_ = load_sine_curve(points=101)
    x, y = (part.reshape(20, 5, 1).swapaxes(0, 1) for part in (x, y))
    model = Foreteller(nn.RNN)
    opt = optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(20):
        loss = ops.mse_loss(model(dynamic.tensor(x))[0], y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
    print(f"{losses[0]:.4f} {losses[-1]:.4f}")
    plot(loss=losses)


def recurrent_static() -> None:
    x, y, *_ = load_sine_curve(points=101)
    x, y = (part.reshape(20, 5, 1).swapaxes(0, 1) for part in (x, y))
    model = Foreteller(nn.RNN)
    opt = optim.Adam(model.parameters(), lr=0.01)
    loss = ops.mse_loss(model(static.constant(x))[0], y)
    train = opt.minimize(loss)
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        losses = []
        for _ in range(20):
            losses.append(session.run([loss, train])[0].item())
    print(f"{losses[0]:.4f} {losses[-1]:.4f}")
    plot(loss=losses)


# --- a longer memory ---


def longer_dynamic() -> None:
    """Two gates more, windows one after the other, and a cosine that it has never met."""
    x, y, test_x, test_y = load_sine_curve(points=401)
    model = Foreteller(nn.LSTM)
    opt = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(6):
        for window, after in SequenceLoader(x, y, batch_size=10, length=8):
            loss = ops.mse_loss(model(dynamic.tensor(window))[0], after)
            opt.zero_grad()
            loss.backward()
            opt.step()
    with dynamic.no_grad():
        foretold, _ = model(dynamic.tensor(test_x[:, None]))
    print(f"{loss.item():.5f}")
    plot(came=test_y[::10, 0], foretold=foretold.numpy()[::10, 0, 0])


def longer_static() -> None:
    x, y, test_x, test_y = load_sine_curve(points=401)
    model = Foreteller(nn.LSTM)
    opt = optim.Adam(model.parameters(), lr=0.02)
    heard = static.placeholder("float32", (8, 10, 1), name="heard")
    next_one = static.placeholder("float32", (8, 10, 1), name="next")
    loss = ops.mse_loss(model(heard)[0], next_one)
    train = opt.minimize(loss)
    foretold, _ = model(static.constant(test_x[:, None]))
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(6):
            for window, after in SequenceLoader(x, y, batch_size=10, length=8):
                value, _ = session.run([loss, train], {heard: window, next_one: after})
        found = session.run(foretold)
    print(f"{value:.5f}")
    plot(came=test_y[::10, 0], foretold=found[::10, 0, 0])


STAGE = Stage(
    5, "The same two ways on images and sequences, from one sitting to the next.", 52,
    (
        Step("Where it runs", device_dynamic, device_static),
        Step("Stopped, and taken up again", saved_dynamic, saved_static, turns=1, most=24),
        Step("Left out by chance", dropout_dynamic, dropout_static, menu=(True, False)),
        Step("How large an image gets", size_dynamic, size_static, menu=(1, 2)),
        Step("A convolution is a product", product_dynamic, product_static),
        Step("Edges, and the largest of four", pooled_dynamic, pooled_static),
        Step("Sixteen layers", vgg_dynamic, vgg_static, most=32),
        Step("A curve, point by point", recurrent_dynamic, recurrent_static, turns=1, most=30),
        Step("A longer memory", longer_dynamic, longer_static, turns=1, most=30),
    ),
)  # fmt: skip
