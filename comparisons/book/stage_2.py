"""The second stage: formulas written as formulas, and graphs in which branches part and meet."""

from __future__ import annotations

import numpy as np

import dynamic
import static
from comparisons.book.step import Stage, Step
from shared import ops

# --- several go in ---


def inputs_dynamic() -> None:
    a, b, c = dynamic.tensor(2.0), dynamic.tensor(3.0), dynamic.tensor(5.0)
    print(ops.add(a, b).item(), ops.stack([a, b, c]).tolist())


def inputs_static() -> None:
    a, b, c = (static.placeholder("float32", (), name=name) for name in "abc")
    both, all_three = ops.add(a, b), ops.stack([a, b, c])
    with static.Session(optimize="exact") as session:
        found = session.run([both, all_three], {a: 2.0, b: 3.0, c: 5.0})
    print(found[0].item(), found[1].tolist())


# --- several come out ---


def outputs_dynamic() -> None:
    x = dynamic.tensor([3.0, 9.0, 4.0])
    most, place = ops.max_with_indices(x, axis=0)
    print(most.item(), place.item())


def outputs_static() -> None:
    x = static.placeholder("float32", (3,), name="x")
    most, place = ops.max_with_indices(x, axis=0)
    with static.Session(optimize="exact") as session:
        print("%s %s" % tuple(session.run((most, place), {x: [3.0, 9.0, 4.0]})))


# --- one of them is dropped ---


def dropped_dynamic() -> None:
    """Nobody uses `low`: no slope comes from there, and none is missing."""
    x = dynamic.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    low, high = ops.split(x, 2)
    (high * high).sum().backward()
    print(x.grad.tolist())


def dropped_static() -> None:
    x = static.placeholder("float32", (4,), name="x")
    low, high = ops.split(x, 2)
    (slope,) = static.gradients((high * high).sum(), [x])
    with static.Session(optimize="exact") as session:
        print(session.run(slope, {x: [1.0, 2.0, 3.0, 4.0]}).tolist())


# --- the same box twice ---


def twice_dynamic() -> None:
    """Each way that leads to x brings a slope, and they add up. Next time one starts from nothing."""
    x = dynamic.tensor(3.0, requires_grad=True)
    (x + x).backward()
    print(x.grad.item())
    x.grad = None
    (x + x + x).backward()
    print(x.grad.item())


def twice_static() -> None:
    x = static.placeholder("float32", (), name="x")
    (two,) = static.gradients(x + x, [x])
    (three,) = static.gradients(x + x + x, [x])
    with static.Session(optimize="exact") as session:
        print(session.run(two, {x: 3.0}).item())
        print(session.run(three, {x: 3.0}).item())


# --- branches that meet again ---


def diamond_dynamic() -> None:
    """Before the square is walked back, both branches must have brought their slopes."""
    x = dynamic.tensor(2.0, requires_grad=True)
    a = ops.square(x)
    y = ops.square(a) + ops.square(a)
    y.backward()
    print(y.item(), x.grad.item())


def diamond_static() -> None:
    x = static.placeholder("float32", (), name="x")
    a = ops.square(x)
    y = ops.square(a) + ops.square(a)
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print("%s %s" % tuple(session.run((y, slope), {x: 2.0})))


# --- a shared value ---


def shared_dynamic(shared: bool) -> None:
    """A value worked out once and used twice, or worked out twice: the same number, another graph."""
    x = dynamic.tensor(1.5, requires_grad=True)
    a = ops.exp(x)
    b = a if shared else ops.exp(x)
    y = a * 2 + ops.sin(b)
    y.backward()
    print(f"{x.grad.item():.5f}")


def shared_static(shared: bool) -> None:
    x = static.placeholder("float32", (), name="x")
    a = ops.exp(x)
    b = a if shared else ops.exp(x)
    y = a * 2 + ops.sin(b)
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(f"{session.run(slope, {x: 1.5}):.5f}")


# --- let go ---


def freed_dynamic() -> None:
    """On the left the last name held the boxes. On the right the graph holds them."""
    x = dynamic.tensor(1.0, requires_grad=True)
    y = ops.exp(ops.sin(x))
    print(f"{y.item():.5f}")
    del y
    print("let go")


def freed_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.exp(ops.sin(x))
    with static.Session(optimize="exact") as session:
        print(f"{session.run(y, {x: 1.0}):.5f}")
    del y
    print("let go")


# --- kept or not ---


def kept_dynamic(keep: bool) -> None:
    """Whether a slope will be asked for must be said on the left, and is seen on the right."""
    x = dynamic.tensor(0.5, requires_grad=True)
    with dynamic.enable_grad() if keep else dynamic.no_grad():
        y = ops.tanh(x * x)
    if keep:
        y.backward()
    print(f"{y.item():.5f}")


def kept_static(keep: bool) -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.tanh(x * x)
    wanted = [y, *static.gradients(y, [x])] if keep else [y]
    with static.Session(optimize="exact") as session:
        print(f"{session.run(wanted, {x: 0.5})[0]:.5f}")


# --- what a box can say ---


def says_dynamic() -> None:
    """On the right, all of it before there is a number."""
    x = dynamic.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print(x.shape, x.ndim, x.dtype, len(x))


def says_static() -> None:
    x = static.placeholder("float32", (2, 3), name="x")
    print(x.shape, x.ndim, x.dtype, len(x))


# --- operators, and a branch ---


def operators_dynamic(at: float) -> None:
    """On the left only the way that was taken leaves boxes. On the right one box holds both ways."""
    a = dynamic.tensor(at, requires_grad=True)
    b = dynamic.tensor(2.0, requires_grad=True)
    y = a * b + b if a > 0 else a - b
    y.backward()
    print(y.item(), a.grad.item(), b.grad.item())


def operators_static(at: float) -> None:
    a, b = (static.placeholder("float32", (), name=name) for name in "ab")
    y = static.cond(a > 0, lambda: a * b + b, lambda: a - b)
    slopes = static.gradients(y, [a, b])
    with static.Session(optimize="exact") as session:
        print("%s %s %s" % tuple(session.run([y, *slopes], {a: at, b: 2.0})))


# --- numbers and arrays join in ---


def mixed_dynamic() -> None:
    """From either side; and a plain number widens nothing."""
    x = dynamic.tensor([1.0, 2.0])
    y = 3 * x + np.array([0.5, 0.25], "float32")
    z = np.array([2.0, 2.0], "float32") * y
    print(z.tolist(), z.dtype)


def mixed_static() -> None:
    x = static.placeholder("float32", (2,), name="x")
    y = 3 * x + np.array([0.5, 0.25], "float32")
    z = np.array([2.0, 2.0], "float32") * y
    with static.Session(optimize="exact") as session:
        print(session.run(z, {x: [1.0, 2.0]}).tolist(), z.dtype)


# --- more operators ---


def formula(x):
    return -x + (x - 2) * (2 - x) / x + x**3


def signs_dynamic() -> None:
    x = dynamic.tensor(4.0, requires_grad=True)
    y = formula(x)
    y.backward()
    print(y.item(), x.grad.item())


def signs_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = formula(x)
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print("%s %s" % tuple(session.run((y, slope), {x: 4.0})))


# --- one door ---


def door_dynamic() -> None:
    """Behind one name stands all of it, under the names that one knows."""
    import dynamic as torch

    x = torch.arange(4.0).view(2, 2)
    print(torch.cat([x, x], dim=1).mean().item())


def door_static() -> None:
    import static as tf

    x = tf.reshape(tf.range(4.0), [2, 2])
    y = tf.reduce_mean(tf.concat([x, x], axis=1))
    with tf.Session() as session:
        print(session.run(y).item())


# --- functions that are hard to go down ---


def sphere(x, y):
    return x**2 + y**2


def matyas(x, y):
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


def booth(x, y):
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


def slopes_dynamic(name: str) -> None:
    f = {"sphere": sphere, "matyas": matyas, "booth": booth}[name]
    x = dynamic.tensor(1.0, requires_grad=True)
    y = dynamic.tensor(1.5, requires_grad=True)
    f(x, y).backward()
    print(f"{x.grad.item():.4f} {y.grad.item():.4f}")


def slopes_static(name: str) -> None:
    f = {"sphere": sphere, "matyas": matyas, "booth": booth}[name]
    x, y = (static.placeholder("float32", (), name=name) for name in "xy")
    slopes = static.gradients(f(x, y), [x, y])
    with static.Session(optimize="exact") as session:
        print("%.4f %.4f" % tuple(session.run(slopes, {x: 1.0, y: 1.5})))


STAGE = Stage(
    2, "Operators, branches that meet again, values that are shared or dropped, memory that is let go.", 11,
    (
        Step("Several go in", inputs_dynamic, inputs_static),
        Step("Several come out", outputs_dynamic, outputs_static),
        Step("One of them is dropped", dropped_dynamic, dropped_static),
        Step("The same box twice", twice_dynamic, twice_static),
        Step("Branches that meet again", diamond_dynamic, diamond_static),
        Step("A shared value", shared_dynamic, shared_static, menu=(True, False)),
        Step("Let go", freed_dynamic, freed_static),
        Step("Kept, or not", kept_dynamic, kept_static, menu=(True, False)),
        Step("What a box can say", says_dynamic, says_static),
        Step("Operators, and a branch", operators_dynamic, operators_static, menu=(3.0, -3.0)),
        Step("Numbers and arrays join in", mixed_dynamic, mixed_static),
        Step("More operators", signs_dynamic, signs_static),
        Step("One door", door_dynamic, door_static),
        Step("Functions of two", slopes_dynamic, slopes_static, menu=("sphere", "matyas", "booth")),
    ),
)  # fmt: skip
