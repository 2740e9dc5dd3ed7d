"""The third stage: slopes of slopes, and what they are good for."""

from __future__ import annotations

import math

import numpy as np

import dynamic
import static
from comparisons.book.drawn import plot
from comparisons.book.step import Stage, Step
from shared import ops

# --- the graph as data ---


def graph_dynamic() -> None:
    """A record of what was done, or a plan of what will be: both engines give it as data."""
    x = dynamic.tensor(1.0, requires_grad=True)
    y = ops.sin(x) * x
    graph = dynamic.to_networkx(y)
    print(sorted(op for _, op in graph.nodes(data="op")), len(graph.edges))


def graph_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.sin(x) * x
    graph = static.to_networkx(y)
    print(sorted(op for _, op in graph.nodes(data="op")), len(graph.edges))


# --- the picture of a formula ---


def goldstein(x, y):
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2)
    return a * b


def picture_dynamic() -> None:
    x = dynamic.tensor(1.0, requires_grad=True)
    y = dynamic.tensor(1.0, requires_grad=True)
    print(goldstein(x, y).item())


def picture_static() -> None:
    x, y = (static.placeholder("float32", (), name=name) for name in "xy")
    z = goldstein(x, y)
    with static.Session(optimize="exact") as session:
        print(session.run(z, {x: 1.0, y: 1.0}).item())


# --- sine from its series ---


def series(x, terms):
    y = x
    for i in range(1, terms):
        y = y + (-1) ** i / math.factorial(2 * i + 1) * x ** (2 * i + 1)
    return y


def series_dynamic(terms: int) -> None:
    """Choose how many terms: the graph grows with them, and the slope nears that of sine."""
    x = dynamic.tensor(np.array(math.pi / 4), requires_grad=True)
    y = series(x, terms)
    y.backward()
    print(f"{y.item():.8f} {x.grad.item():.8f}")


def series_static(terms: int) -> None:
    x = static.placeholder("float64", (), name="x")
    y = series(x, terms)
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print("%.8f %.8f" % tuple(session.run((y, slope), {x: math.pi / 4})))


# --- downhill in a valley ---


def valley(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (x[0] - 1) ** 2


def downhill_dynamic() -> None:
    """Rosenbrock's valley, by slopes alone; its bottom is at (1, 1)."""
    x = dynamic.tensor([0.0, 2.0], requires_grad=True)
    path = []
    for _ in range(200):
        (slope,) = dynamic.grad(valley(x), [x])
        x = (x - 0.001 * slope).detach().requires_grad_()
        path.append(x.tolist())
    print("%.4f %.4f" % tuple(path[-1]))
    plot(first=[p[0] for p in path[::5]], second=[p[1] for p in path[::5]])


def downhill_static() -> None:
    x = static.Variable(np.array([0.0, 2.0], "float32"), name="x")
    (slope,) = static.gradients(valley(x), [x])
    step = x.assign(x - 0.001 * slope)
    path = []
    with static.Session(optimize="exact") as session:
        session.run(static.global_variables_initializer())
        for _ in range(200):
            path.append(session.run(step).tolist())
    print("%.4f %.4f" % tuple(path[-1]))
    plot(first=[p[0] for p in path[::5]], second=[p[1] for p in path[::5]])


# --- Newton's step, by hand ---


def well(x):
    return x**4 - 2 * x**2


def newton_by_hand_dynamic() -> None:
    x = dynamic.tensor(2.0, requires_grad=True)
    for _ in range(8):
        (slope,) = dynamic.grad(well(x), [x])
        bend = 12 * x.detach() ** 2 - 4
        x = (x - slope / bend).detach().requires_grad_()
    print(x.item())


def newton_by_hand_static() -> None:
    x = static.placeholder("float32", (), name="x")
    (slope,) = static.gradients(well(x), [x])
    bend = 12 * x**2 - 4
    better = x - slope / bend
    at = 2.0
    with static.Session(optimize="exact") as session:
        for _ in range(8):
            at = session.run(better, {x: at})
    print(at.item())


# --- a slope is a value ---


def value_dynamic() -> None:
    """One can compute with it. On the left it has no graph behind it, unless that is asked for."""
    x = dynamic.tensor(2.0, requires_grad=True)
    (slope,) = dynamic.grad(x**3, [x])
    print((slope * 10 + 1).item())


def value_static() -> None:
    x = static.placeholder("float32", (), name="x")
    (slope,) = static.gradients(x**3, [x])
    y = slope * 10 + 1
    with static.Session(optimize="exact") as session:
        print(session.run(y, {x: 2.0}).item())


# --- with a graph of its own ---


def recorded_dynamic(create_graph: bool) -> None:
    """Asked for, the way back is computed op by op and remembered, like the way there."""
    x = dynamic.tensor(2.0, requires_grad=True)
    y = ops.exp(x) * x
    (slope,) = dynamic.grad(y, [x], create_graph=create_graph)
    print(f"{slope.item():.5f}")


def recorded_static(create_graph: bool) -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.exp(x) * x
    (slope,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(f"{session.run(slope, {x: 2.0}):.5f}")


# --- again and again ---


def again_dynamic(order: int) -> None:
    """Each derivative is a graph, so it has one, too."""
    x = dynamic.tensor(2.0, requires_grad=True)
    y = x**4
    for _ in range(order):
        (y,) = dynamic.grad(y, [x], create_graph=True)
    print(y.item())


def again_static(order: int) -> None:
    x = static.placeholder("float32", (), name="x")
    y = x**4
    for _ in range(order):
        (y,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(session.run(y, {x: 2.0}).item())


# --- Newton's step, by itself ---


def newton_dynamic() -> None:
    """On the left every turn makes its graph; on the right one graph runs eight times."""
    x = dynamic.tensor(2.0, requires_grad=True)
    for _ in range(8):
        (slope,) = dynamic.grad(well(x), [x], create_graph=True)
        (bend,) = dynamic.grad(slope, [x])
        x = (x - slope / bend).detach().requires_grad_()
    print(x.item())


def newton_static() -> None:
    x = static.placeholder("float32", (), name="x")
    (slope,) = static.gradients(well(x), [x])
    (bend,) = static.gradients(slope, [x])
    better = x - slope / bend
    at = 2.0
    with static.Session(optimize="exact") as session:
        for _ in range(8):
            at = session.run(better, {x: at})
    print(at.item())


# --- the slopes of sine ---


def sine_dynamic() -> None:
    x = dynamic.tensor(np.linspace(-7, 7, 60), requires_grad=True)
    curves = [ops.sin(x)]
    for _ in range(3):
        curves += dynamic.grad(curves[-1].sum(), [x], create_graph=True)
    print("%.3f %.3f %.3f %.3f" % tuple(curve[0].item() for curve in curves))
    plot(x=x.tolist(), **{f"slope {n}": curve.tolist() for n, curve in enumerate(curves)})


def sine_static() -> None:
    x = static.placeholder("float64", (60,), name="x")
    curves = [ops.sin(x)]
    for _ in range(3):
        curves += static.gradients(curves[-1], [x])
    at = np.linspace(-7, 7, 60)
    with static.Session(optimize="exact") as session:
        found = session.run(curves, {x: at})
    print("%.3f %.3f %.3f %.3f" % tuple(curve[0] for curve in found))
    plot(x=at, **{f"slope {n}": curve for n, curve in enumerate(found)})


# --- the tree of tanh ---


def tanh_dynamic(order: int) -> None:
    """Choose the order, and watch the graph."""
    x = dynamic.tensor(0.5, requires_grad=True)
    y = ops.tanh(x)
    for _ in range(order):
        (y,) = dynamic.grad(y, [x], create_graph=True)
    print(f"{y.item():.5f}")


def tanh_static(order: int) -> None:
    x = static.placeholder("float32", (), name="x")
    y = ops.tanh(x)
    for _ in range(order):
        (y,) = static.gradients(y, [x])
    with static.Session(optimize="exact") as session:
        print(f"{session.run(y, {x: 0.5}):.5f}")


# --- a slope inside a formula ---


def inside_dynamic() -> None:
    """A penalty on a slope is a formula with a slope in it, and has one itself."""
    x = dynamic.tensor(2.0, requires_grad=True)
    y = x**2
    (slope,) = dynamic.grad(y, [x], create_graph=True)
    (slope**3 + y).backward()
    print(x.grad.item())


def inside_static() -> None:
    x = static.placeholder("float32", (), name="x")
    y = x**2
    (slope,) = static.gradients(y, [x])
    (whole,) = static.gradients(slope**3 + y, [x])
    with static.Session(optimize="exact") as session:
        print(session.run(whole, {x: 2.0}).item())


STAGE = Stage(
    3, "A derivative can be a graph like any other, and then has derivatives, too.", 25,
    (
        Step("The graph as data", graph_dynamic, graph_static),
        Step("The picture of a formula", picture_dynamic, picture_static),
        Step("Sine from its series", series_dynamic, series_static, menu=(2, 3, 5)),
        Step("Downhill in a valley", downhill_dynamic, downhill_static, turns=1),
        Step("Newton's step, by hand", newton_by_hand_dynamic, newton_by_hand_static),
        Step("A slope is a value", value_dynamic, value_static),
        Step("With a graph of its own", recorded_dynamic, recorded_static, menu=(False, True)),
        Step("Again and again", again_dynamic, again_static, menu=(1, 2, 3), turns=3),
        Step("Newton's step, by itself", newton_dynamic, newton_static, turns=1),
        Step("The slopes of sine", sine_dynamic, sine_static, turns=3),
        Step("The tree of tanh", tanh_dynamic, tanh_static, menu=(1, 2, 3), turns=3),
        Step("A slope inside a formula", inside_dynamic, inside_static),
    ),
)  # fmt: skip
