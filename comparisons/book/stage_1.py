"""The first stage: numbers in boxes, and derivatives that nobody works out."""

from __future__ import annotations

import numpy as np

import dynamic
import static
from comparisons.book.step import Stage, Step
from shared import ops

# --- a box ---


def box_dynamic() -> None:
    """On the left the box has its number at once; on the right it is an open place."""
    x = dynamic.tensor(1.5)
    print(x.item(), x.shape)
    x = dynamic.tensor(2.5)
    print(x.item(), x.shape)


def box_static() -> None:
    x = static.placeholder("float32", ())
    with static.Session(optimize="exact") as session:
        for number in (1.5, 2.5):
            print(session.run(x, {x: number}), x.shape)


# --- a function between boxes ---


def function_dynamic() -> None:
    """Nobody asked for a slope, so the left forgets at once; the right keeps the plan."""
    x = dynamic.tensor(3.0)
    y = ops.square(x)
    print(y.item())


def function_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.square(x)
    with static.Session(optimize="exact") as session:
        print(session.run(y, {x: 3.0}).item())


# --- functions of functions ---


def chain_dynamic() -> None:
    x = dynamic.tensor(0.5)
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.sqrt(b)
    print(f"{y.item():.6f}")


def chain_static() -> None:
    x = static.placeholder("float32", (), name="x")
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.sqrt(b)
    with static.Session(optimize="exact") as session:
        print(f"{session.run(y, {x: 0.5}):.6f}")


# --- a slope by small steps ---


def f(x):
    return ops.sqrt(ops.exp(ops.square(x)))


def quotient_dynamic(h: float) -> None:
    """Large steps are coarse, and small ones lose digits: which comes nearest to what step 7 prints?"""
    high = dynamic.tensor(0.5 + h, dtype="float32")
    low = dynamic.tensor(0.5 - h, dtype="float32")
    slope = (f(high) - f(low)) / (2 * h)
    print(f"{slope.item():.6f}")


def quotient_static(h: float) -> None:
    high = static.placeholder("float32", (), name="high")
    low = static.placeholder("float32", (), name="low")
    slope = (f(high) - f(low)) / (2 * h)
    with static.Session(optimize="exact") as session:
        found = session.run(slope, {high: 0.5 + h, low: 0.5 - h})
    print(f"{found:.6f}")


# --- the chain rule, from the end ---


def rule_dynamic() -> None:
    """Slopes worked out by hand, from the last function to the first."""
    x = dynamic.tensor(0.5)
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.sqrt(b)
    dy_db = 0.5 / y
    dy_da = dy_db * b
    dy_dx = dy_da * 2 * x
    print(f"{dy_db.item():.4f} {dy_da.item():.4f} {dy_dx.item():.4f}")


def rule_static() -> None:
    x = static.placeholder("float32", (), name="x")
    a = ops.square(x)
    b = ops.exp(a)
    y = ops.sqrt(b)
    dy_db = 0.5 / y
    dy_da = dy_db * b
    dy_dx = dy_da * 2 * x
    with static.Session(optimize="exact") as session:
        print("%.4f %.4f %.4f" % session.run((dy_db, dy_da, dy_dx), {x: 0.5}))


# --- each function with its slope ---


class Square:
    def forward(self, x):
        self.x = x
        return ops.square(x)

    def backward(self, g):
        return g * 2 * self.x


class Exp:
    def forward(self, x):
        self.y = ops.exp(x)
        return self.y

    def backward(self, g):
        return g * self.y


def by_hand_dynamic() -> None:
    """A function that remembers what its slope needs; called in reverse."""
    first, second = Square(), Exp()
    x = dynamic.tensor(0.5)
    y = second.forward(first.forward(x))
    g = first.backward(second.backward(1.0))
    print(f"{y.item():.4f} {g.item():.4f}")


def by_hand_static() -> None:
    first, second = Square(), Exp()
    x = static.placeholder("float32", (), name="x")
    y = second.forward(first.forward(x))
    g = first.backward(second.backward(1.0))
    with static.Session(optimize="exact") as session:
        print("%.4f %.4f" % session.run((y, g), {x: 0.5}))


# --- by itself ---


def backward_dynamic() -> None:
    """On the left the boxes are walked back, and used up. On the right the slope is more graph."""
    x = dynamic.tensor(0.5, requires_grad=True)
    y = ops.sqrt(ops.exp(ops.square(x)))
    y.backward()
    print(f"{x.grad.item():.6f}")


def backward_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.sqrt(ops.exp(ops.square(x)))
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(f"{session.run(slope, {x: 0.5}):.6f}")


# --- as deep as it likes ---


def deep_dynamic() -> None:
    """Deeper than Python may call: the way back is a loop."""
    x = dynamic.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(1200):
        y = y * 0.998
    y.backward()
    print(f"{x.grad.item():.5f}")


def deep_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = x
    for _ in range(1200):
        y = y * 0.998
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(f"{session.run(slope, {x: 1.0}):.5f}")


# --- less to say ---


def easier_dynamic() -> None:
    """Operators and sums are functions too; the last slope is 1 and need not be said."""
    x = dynamic.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    print(x.grad.tolist())


def easier_static() -> None:
    x = static.placeholder("float32", (3,), name="x")
    y = (x * x).sum()
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(session.run(slope, {x: [1.0, 2.0, 3.0]}).tolist())


# --- is it right? ---


def g(x):
    return ops.tanh(x * x)


def check_dynamic() -> None:
    """Small steps check what the engine says, at three places."""
    at = np.array([0.3, -1.2, 2.0])
    quotient = (g(at + 1e-6) - g(at - 1e-6)) / 2e-6
    x = dynamic.tensor(at, requires_grad=True)
    g(x).sum().backward()
    print(np.abs(x.grad.numpy() - quotient).max() < 1e-9)


def check_static() -> None:
    at = np.array([0.3, -1.2, 2.0])
    quotient = (g(at + 1e-6) - g(at - 1e-6)) / 2e-6
    x = static.placeholder("float64", (3,), name="x")
    (slope,) = static.gradients(g(x), [x])
    with static.Session(optimize="exact") as session:
        found = session.run(slope, {x: at})
    print(np.abs(found - quotient).max() < 1e-9)


STAGE = Stage(
    1,
    "Each program on both engines, to be played: on the left boxes come as lines run, on the right they are "
    "described first.",
    1,
    (
        Step("A number in a box", box_dynamic, box_static),
        Step("A function between boxes", function_dynamic, function_static),
        Step("Functions of functions", chain_dynamic, chain_static),
        Step("A slope by small steps", quotient_dynamic, quotient_static, menu=(0.1, 0.001, 1e-05)),
        Step("The chain rule, from the end", rule_dynamic, rule_static),
        Step("Each function with its slope", by_hand_dynamic, by_hand_static),
        Step("By itself", backward_dynamic, backward_static),
        Step("As deep as it likes", deep_dynamic, deep_static, most=9),
        Step("Less to say", easier_dynamic, easier_static),
        Step("Is it right?", check_dynamic, check_static),
    ),
)
