"""The mistakes that people make, one table for each engine: what they do, and what they must
be told. Each error names the call, the values, the user's own line and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import dynamic
import static
from shared import nn, ops, optim
from shared.state import Buffer


@dataclass(frozen=True)
class Mistake:
    """What is done, the Python class that one expects, and words that the message must have."""

    name: str
    do: Callable[[], Any]
    kind: type[Exception]
    words: tuple[str, ...]


def leaf(*shape: int) -> dynamic.Tensor:
    return dynamic.tensor(np.ones(shape, np.float32), requires_grad=True)


def twice_backward() -> None:
    x = leaf()
    y = x * x
    y.backward()
    y.backward()


def under_no_grad() -> None:
    with dynamic.no_grad():
        y = leaf() * 2
    y.backward()


def other_engine() -> Any:
    with static.Graph().as_default():
        x = static.placeholder("float32", (2,), name="x")
    return leaf(2) + x


DYNAMIC = [
    Mistake("wrong inner sizes", lambda: leaf(32, 784) @ leaf(10, 784), ValueError,
            ("matmul", "(32, 784) @ (10, 784)", "784 and 10 differ", "transpose the second?")),
    Mistake("wrong shape into a layer", lambda: nn.Linear(3, 10)(leaf(5, 4)), ValueError,
            ("linear", "(5, 4)", "weight (10, 3)", "flatten or transpose")),
    Mistake("wrong channels into a convolution", lambda: nn.Conv2d(3, 8, 3)(leaf(2, 1, 8, 8)), ValueError,
            ("conv2d", "(2, 1, 8, 8)", "x has 1 channels, the weight takes 3")),
    Mistake("an image without its batch axis", lambda: nn.Conv2d(1, 8, 3)(leaf(1, 8, 8)), ValueError,
            ("conv2d", "(1, 8, 8)", "4 axes, N C H W", "add a batch axis?")),
    Mistake("shapes that do not broadcast", lambda: leaf(3, 2) + leaf(4, 2), ValueError,
            ("add", "(3, 2) and (4, 2)", "sizes 3 and 4 on axis -2", "reshape or expand_dims")),
    Mistake("backward on a non-scalar", lambda: (leaf(3) * 2).backward(), RuntimeError,
            ("backward", "shape (3,)", "y.sum(), y.mean()", "pass the cotangent")),
    Mistake("backward with nothing to differentiate", lambda: dynamic.tensor(1.0).backward(), RuntimeError,
            ("backward", "no history", "requires_grad=True")),
    Mistake("backward on what no_grad made", under_no_grad, RuntimeError, ("backward", "not under no_grad")),
    Mistake("backward twice", twice_backward, RuntimeError, ("second time", "retain_graph=True")),
    Mistake("a cotangent of another shape", lambda: (leaf(3) * 2).backward(np.ones(4, np.float32)), ValueError,
            ("cotangent has shape (4,)", "y has (3,)")),
    Mistake("grad by what y does not depend on", lambda: dynamic.grad(leaf() * 2, [leaf(5)]), RuntimeError,
            ("xs[0]", "shape (5,)", "allow_unused=True")),
    Mistake("a gradient of integers", lambda: dynamic.tensor([1, 2], requires_grad=True), RuntimeError,
            ("int64", "no gradient", "float dtype")),
    Mistake("a Tensor of the other engine", other_engine, TypeError,
            ("dynamic Tensor", "static", "keep a call on one engine")),
    Mistake("a label out of range", lambda: ops.cross_entropy(leaf(2, 10), np.array([3, 10])), IndexError,
            ("cross_entropy", "label 10 (at position 1)", "10 classes", "from 0 to 9")),
    Mistake("labels that are not integers", lambda: ops.cross_entropy(leaf(2, 10), np.ones(2)), TypeError,
            ("cross_entropy", "labels must be integers", "float64", "argmax")),
    Mistake("labels of the wrong shape", lambda: ops.cross_entropy(leaf(2, 10), np.ones((2, 1), int)), ValueError,
            ("cross_entropy", "labels (2, 1)", "(2,)")),
    Mistake("the truth of several values", lambda: bool(leaf(3) > 0), ValueError, ("(3,)", "not one bool")),
    Mistake("step without backward", lambda: optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1).step(), RuntimeError,
            ("step", "loss.backward()")),
    Mistake("an optimiser of nothing", lambda: optim.SGD([], lr=0.1), ValueError, ("SGD", "model.parameters()")),
    Mistake("an axis that is not there", lambda: leaf(3, 2).sum(axis=2), ValueError,
            ("sum", "axis 2", "2 dimension(s)", "-2 to 1")),
    Mistake("a reshape that does not go", lambda: leaf(3, 2).reshape(4, -1), ValueError,
            ("reshape", "(3, 2)", "(4, -1)")),
    Mistake("a layer used before it knows its shape", lambda: list(nn.Linear(10).parameters())[0].shape, KeyError,
            ("weight", "call the model once")),
    Mistake("assigning another shape", lambda: Buffer(np.zeros(3)).assign(np.zeros(4)), ValueError,
            ("assign", "(3,)", "(4,)")),
]  # fmt: skip


def x_and_session() -> tuple[Any, static.Session]:
    x = static.placeholder("float32", (None, 3), name="x")
    return x, static.Session()


def run(make: Callable[[Any], Any], feed: Callable[[Any], Any] = lambda x: {x: np.ones((2, 3))}) -> None:
    x, session = x_and_session()
    fetch = make(x)
    session.run(fetch, feed(x))


def closed() -> None:
    x, session = x_and_session()
    session.close()
    session.run(x, {x: np.ones((1, 3))})


def two_graphs() -> Any:
    a = static.placeholder("float32", (2,), name="a")
    with static.Graph().as_default():
        return a + static.placeholder("float32", (2,), name="b")


def of_another_graph() -> None:
    x, session = x_and_session()
    with static.Graph().as_default():
        session.run(static.constant(1.0, name="far"))


def fed_from_another_graph() -> None:
    x, session = x_and_session()
    with static.Graph().as_default():
        far = static.placeholder("float32", (2,), name="far")
    session.run(x, {far: np.ones(2)})


def uninitialised() -> None:
    v = static.Variable(np.ones(3), name="v")
    static.Session().run(v + 1)


def if_tensor() -> None:
    x, _ = x_and_session()
    if x.sum() > 0:
        raise AssertionError("never reached")


def no_gradients() -> Any:
    x, _ = x_and_session()
    return optim.SGD(nn.Linear(3, 1).parameters(), lr=0.1).minimize(x.mean())


def disagreeing_feeds() -> None:
    x = static.placeholder("float32", ("N", 3), name="x")
    y = static.placeholder("int64", ("N",), name="y")
    static.Session().run([x, y], {x: np.ones((4, 3)), y: np.zeros(5, int)})


def bad_label() -> None:
    x, session = x_and_session()
    y = static.placeholder("int64", (None,), name="y")
    loss = ops.cross_entropy(x, y)
    session.run(loss, {x: np.ones((2, 3)), y: [0, 3]})


def shape_found_at_run() -> None:
    x, y = (static.placeholder("float32", (None, 3), name=name) for name in "xy")
    session = static.Session()
    total = x + y
    session.run(total, {x: np.ones((2, 3)), y: np.ones((4, 3))})


def dynamic_in_graph() -> Any:
    x, _ = x_and_session()
    return x * leaf(3)


def unknown_features() -> Any:
    return nn.Linear(10)(static.placeholder("float32", (3, None)))


STATIC = [
    Mistake("feed of the wrong shape", lambda: run(lambda x: x * 2, lambda x: {x: np.ones(3)}), ValueError,
            ("cannot feed value of shape (3,) for Tensor 'x:0'", "which has shape", "reshape the value")),
    Mistake("feed key unknown", lambda: run(lambda x: x, lambda x: {3: 1.0}), TypeError,
            ("cannot interpret feed_dict key 3 as a Tensor", "placeholders")),
    Mistake("feed key of another graph", fed_from_another_graph, TypeError,
            ("cannot interpret feed_dict key 'far:0' as a Tensor", "not an element")),
    Mistake("feed name unknown", lambda: run(lambda x: x, lambda x: {"nobody:0": 1.0}), ValueError,
            ("'nobody:0'", "can not be interpreted as a Tensor", "x:0")),
    Mistake("feeding a Tensor", lambda: run(lambda x: x * 2, lambda x: {x: x}), TypeError,
            ("value of feed 'x:0' is a static Tensor", "run the Tensor first")),
    Mistake("feed value does not fit the dtype", lambda: run(lambda x: x * 2, lambda x: {x: [["a", "b", "c"]]}),
            TypeError, ("type of feed value", "not compatible with Tensor 'x:0'", "float32")),
    Mistake("feeding fractions to integers", lambda: static.Session().run(
            (y := static.placeholder("int64", (2,), name="y")), {y: [0.5, 1]}), TypeError,
            ("[0.5, 1]", "'y:0'", "int64", "convert")),
    Mistake("fetching None", lambda: run(lambda x: None), TypeError,
            ("fetch None has invalid type NoneType", "fetch Tensors")),
    Mistake("fetching a number", lambda: run(lambda x: 1.5), TypeError, ("fetch 1.5 has invalid type float",)),
    Mistake("fetching an unknown name", lambda: run(lambda x: "nobody:0"), ValueError,
            ("'nobody:0'", "can not be interpreted as a Tensor")),
    Mistake("fetching from another graph", of_another_graph, ValueError,
            ("'far' is not an element of this session's graph".replace("'far'", "'far:0'"), "Session(graph=...)")),
    Mistake("a missing feed", lambda: run(lambda x: x * 2, lambda x: {}), ValueError,
            ("you must feed a value for placeholder 'x'", "dtype float32", "3)", "feed_dict={x: ...}",
             "made at mistakes.py")),
    Mistake("an uninitialised variable", uninitialised, RuntimeError,
            ("attempting to use uninitialized value 'v'", "global_variables_initializer()", "session.load(model)")),
    Mistake("a closed session", closed, RuntimeError, ("attempted to use a closed Session", "open a new one")),
    Mistake("an empty graph", lambda: static.Session(graph=static.Graph()).run([]), RuntimeError,
            ("graph is empty", "graph=")),
    Mistake("eval with no session", lambda: static.constant(1.0).eval(), RuntimeError,
            ("no default session is registered", "session=")),
    Mistake("tensors of two graphs", two_graphs, ValueError, ("must be from the same graph", "as_default()")),
    Mistake("if on a Tensor", if_tensor, TypeError, ("Python bool", "ops.where", "session.run(tensor)")),
    Mistake("no gradients at all", no_gradients, RuntimeError, ("no gradients provided for any variable",)),
    Mistake("feeds that disagree on a size", disagreeing_feeds, ValueError,
            ("size N", "4", "'x:0'", "5", "'y:0'")),
    Mistake("a label out of range", bad_label, IndexError,
            ("label 3 (at position 1)", "3 classes", "cross_entropy", "fed {x: f32[2, 3], y: i64[2]}",
             "loss = ops.cross_entropy(x, y)")),
    Mistake("a shape error that only a run can find", shape_found_at_run, ValueError,
            ("add", "while running node 'add'", "total = x + y")),
    Mistake("wrong shape in a layer", lambda: nn.Linear(4, 10)(x_and_session()[0]), ValueError,
            ("linear", "3)", "weight (10, 4)", "in_features")),
    Mistake("a Tensor of the other engine", dynamic_in_graph, TypeError,
            ("can not be part of a graph", "feed a dynamic Tensor's .numpy()")),
    Mistake("a lazy layer on an unknown size", unknown_features, ValueError,
            ("Linear", "not known until run", "give the placeholder a fixed size")),
]  # fmt: skip
