"""The mistakes that people make with define-and-run: what they do, and what they must be told.

The classes are those that a TensorFlow 1 user expects, and so are the words, with the user's own
line and the way out added. Every one is made in a graph of its own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

import static
from shared import nn, ops, optim
from tests.mistakes import Mistake, leaf


def x_and_session() -> tuple[Any, static.Session]:
    x = static.placeholder("float32", (None, 3), name="x")
    return x, static.Session()


def run(make: Callable[[Any], Any], feed: Callable[[Any], Any] = lambda x: {x: np.ones((2, 3))}) -> None:
    x, session = x_and_session()
    fetch = make(x)
    session.run(fetch, feed(x))


def run_two(*feed: Any) -> Any:
    x, session = x_and_session()
    return session.run(x * 2, x * 3, *feed)


def evaluate(fetch: Any) -> Any:
    return static.Session().run(fetch)


def closed() -> None:
    x, session = x_and_session()
    session.close()
    session.run(x, {x: np.ones((1, 3))})


def two_graphs() -> Any:
    a = static.placeholder("float32", (2,), name="a")
    with static.Graph().as_default():
        return a + static.placeholder("float32", (2,), name="b")


def variable_of_another_graph() -> Any:
    v = static.Variable(np.ones(2), name="v")
    with static.Graph().as_default():
        return static.constant([1.0, 2.0]) + v


def of_another_graph() -> None:
    _, session = x_and_session()
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


def only_none_to_apply() -> Any:
    weight = static.Variable(np.ones(3))
    return optim.SGD([weight], lr=0.1).apply_gradients([(None, weight)])


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


def shape_found_inside_a_loop() -> None:
    x, y = (static.placeholder("float32", (None,), name=name) for name in "xy")
    session = static.Session()
    _, sums = static.scan(
        lambda carry, step: (carry, step + y), (), ops.stack([x, x])
    )  # fmt: skip
    session.run(sums, {x: np.ones(2), y: np.ones(4)})


def size_drifts_at_run() -> None:
    x, y = (static.placeholder("float32", (None,), name=name) for name in "xy")
    session = static.Session()
    last = static.while_loop(lambda a, b: ops.sum(a) < 10, lambda a, b: (b, b * 2), [x, y])
    session.run(last, {x: np.ones(2), y: np.ones(4)})


def saved(directory: str) -> str:
    """A checkpoint of v (3,)."""
    with static.Graph().as_default(), static.Session() as session:
        static.Variable(np.ones(3), name="v")
        session.run(static.global_variables_initializer())
        return static.Saver().save(session, os.path.join(directory, "model"))


def built_twice_and_restored() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = saved(directory)
        for _ in range(2):
            static.Variable(np.ones(3), name="v")
        static.Saver().restore(static.Session(), path)


def restored_in_another_size() -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = saved(directory)
        static.Variable(np.ones(4), name="v")
        static.Saver().restore(static.Session(), path)


def restored_from_nowhere() -> None:
    static.Variable(np.ones(4), name="v")
    static.Saver().restore(static.Session(), "nowhere/model-1")


def in_parts(misuse: Callable[..., Any]) -> None:
    """Sets up y, then z = y + b; `misuse` is what is done with them."""
    x, session = x_and_session()
    b = static.placeholder("float32", (), name="b")
    y = ops.mul(x, 2.0)
    z = y + b
    handle = session.partial_run_setup([y, z], [x, b])
    misuse(session, handle, x, y, z, b)


def part_that_was_not_set_up(session: Any, handle: Any, x: Any, y: Any, z: Any, b: Any) -> None:
    session.partial_run(handle, x * 3, {x: np.ones((2, 3))})


def feed_that_was_not_set_up(session: Any, handle: Any, x: Any, y: Any, z: Any, b: Any) -> None:
    session.partial_run(handle, z, {y: np.ones((2, 3))})


def fed_twice(session: Any, handle: Any, x: Any, y: Any, z: Any, b: Any) -> None:
    session.partial_run(handle, y, {x: np.ones((2, 3))})
    session.partial_run(handle, z, {x: np.ones((2, 3)), b: 1.0})


def fetched_twice(session: Any, handle: Any, x: Any, y: Any, z: Any, b: Any) -> None:
    session.partial_run(handle, y, {x: np.ones((2, 3))})
    session.partial_run(handle, y)


def without_handle(session: Any, handle: Any, x: Any, y: Any, z: Any, b: Any) -> None:
    session.partial_run([y], {x: np.ones((2, 3))})


def op_after_finalize() -> Any:
    x, _ = x_and_session()
    static.get_default_graph().finalize()
    return x * 2


def variable_after_finalize() -> Any:
    static.get_default_graph().finalize()
    return static.Variable(np.ones(3), name="v")


def shared_that_is_not_there() -> Any:
    with static.variable_scope("layer", reuse=True):
        return static.get_variable("w", (3,))


def made_twice() -> Any:
    static.get_variable("w", (3,))
    return static.get_variable("w", (3,))


def shared_in_another_size() -> Any:
    static.get_variable("w", (3,))
    with static.variable_scope("", reuse=static.AUTO_REUSE):
        return static.get_variable("w", (4,))


def too_few_for_a_callable() -> Any:
    x, session = x_and_session()
    return session.make_callable(x * 2, [x])()


def wrong_shape_for_a_callable() -> Any:
    x, session = x_and_session()
    return session.make_callable(x * 2, [x])(np.ones(3))


def gradient_of_integers() -> Any:
    x = static.placeholder("int64", (None,), name="x")
    return static.gradients(x, [x])


def of_wrong_cotangent() -> Any:
    x = static.placeholder("float32", (3,), name="x")
    return static.gradients(x * x, [x], grad_ys=[np.ones(4)])


def two() -> Any:
    return static.constant([1.0, 2.0])


STATIC = [
    # feeds
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
    Mistake("feed value does not fit the dtype",
            lambda: run(lambda x: x * 2, lambda x: {x: [["a", "b", "c"]]}),
            TypeError, ("type of feed value", "not compatible with Tensor 'x:0'", "float32")),
    Mistake("feeding fractions to integers", lambda: static.Session().run(
            (y := static.placeholder("int64", (2,), name="y")), {y: [0.5, 1]}), TypeError,
            ("[0.5, 1]", "'y:0'", "int64", "convert")),
    Mistake("feeding rows of different lengths", lambda: run(lambda x: x, lambda x: {x: [[1.0, 2.0], [1.0]]}),
            TypeError, ("[[1.0, 2.0], [1.0]]", "'x:0'", "rows of one length")),
    Mistake("feeds in a list", lambda: run(lambda x: x, lambda x: [x]), TypeError,
            ("feed_dict must be a dict", "not list")),
    Mistake("feeds that disagree on a size", disagreeing_feeds, ValueError,
            ("size N", "4", "'x:0'", "5", "'y:0'")),
    Mistake("a missing feed", lambda: run(lambda x: x * 2, lambda x: {}), ValueError,
            ("you must feed a value for placeholder 'x'", "dtype float32", "3)", "feed_dict={x: ...}",
             "made at mistakes_static.py")),
    Mistake("too few values for a callable", too_few_for_a_callable, RuntimeError,
            ("0 values for 1 feeds", "'x:0'")),
    Mistake("a wrong shape for a callable", wrong_shape_for_a_callable, ValueError,
            ("cannot feed value of shape (3,) for Tensor 'x:0'",)),
    # fetches
    Mistake("fetching None", lambda: run(lambda x: None), TypeError,
            ("fetch None has invalid type NoneType", "fetch Tensors")),
    Mistake("fetching a number",
            lambda: run(lambda x: 1.5), TypeError, ("fetch 1.5 has invalid type float",)),
    Mistake("fetching an unknown name", lambda: run(lambda x: "nobody:0"), ValueError,
            ("'nobody:0'", "can not be interpreted as a Tensor")),
    Mistake("fetching from another graph", of_another_graph, ValueError,
            ("'far:0' is not an element of this session's graph", "Session(graph=...)")),
    # sessions
    Mistake("an uninitialised variable", uninitialised, RuntimeError,
            ("attempting to use uninitialized value 'v'", "global_variables_initializer()",
             "session.load(model)")),
    Mistake("a closed session", closed, RuntimeError,
            ("attempted to use a closed Session", "open a new one")),
    Mistake("an empty graph", lambda: static.Session(graph=static.Graph()).run([]), RuntimeError,
            ("graph is empty", "graph=")),
    Mistake("a level that does not exist", lambda: static.Session(optimize="huge"), ValueError,
            ("optimize='huge'", "'exact'")),
    Mistake("eval with no session", lambda: static.constant(1.0).eval(), ValueError,
            ("eval", "cannot evaluate", "no default session is registered", "session=")),
    Mistake("two fetches without a list", run_two, TypeError,
            ("feed_dict must be a dict", "not Tensor", "run([a, b], feed_dict)")),
    Mistake("two fetches and a feed without a list", lambda: run_two({}), TypeError,
            ("options must be RunOptions", "not dict", "run([a, b], feed_dict)")),
    Mistake("a part that was not set up", lambda: in_parts(part_that_was_not_set_up), ValueError,
            ("'mul_1:0'", "was not specified as a fetch in partial_run_setup")),
    Mistake("a feed that was not set up", lambda: in_parts(feed_that_was_not_set_up), ValueError,
            ("'mul:0'", "was not specified as a feed in partial_run_setup")),
    Mistake("a part fed twice", lambda: in_parts(fed_twice), ValueError,
            ("'x:0'", "has already been fed", "begin another")),
    Mistake("a part fetched twice", lambda: in_parts(fetched_twice), ValueError,
            ("'mul:0'", "has already been fetched", "begin another")),
    Mistake("a partial run without its handle", lambda: in_parts(without_handle), TypeError,
            ("partial_run", "is no handle", "partial_run_setup(fetches, feeds)")),
    # graphs
    Mistake("tensors of two graphs", two_graphs, ValueError,
            ("'b:0'", "must be from the same graph", "as_default()")),
    Mistake("a variable of another graph", variable_of_another_graph, ValueError,
            ("'v'", "must be from the same graph")),
    Mistake("an op after finalize", op_after_finalize, RuntimeError,
            ("graph is finalized and cannot be modified", "'mul'", "inside the training loop?")),
    Mistake("a variable after finalize", variable_after_finalize, RuntimeError,
            ("graph is finalized and cannot be modified", "'v'")),
    Mistake("a Tensor of the other engine", lambda: x_and_session()[0] * leaf(3), TypeError,
            ("dynamic.Tensor float32 (3,) can not be part of a graph", "feed a dynamic Tensor's .numpy()")),
    Mistake("grouping nothing", lambda: static.group(None), TypeError,
            ("group", "None", "neither a Tensor nor an operation")),
    Mistake("using the axes of a placeholder without a shape",
            lambda: ops.sum(static.placeholder("float32"), 0), TypeError,
            ("number of axes is not known", "set_shape")),
    Mistake("a size below zero", lambda: static.placeholder("float32", (-1, 784)), ValueError,
            ("placeholder", "-1", "(-1, 784)", "None")),
    Mistake("a shape before the dtype", lambda: static.placeholder((None, 3), "float32"), ValueError,
            ("dtype comes first", "placeholder('float32', (None, 3))")),
    Mistake("a shape that is no tuple", lambda: static.placeholder("float32", 784), ValueError,
            ("784 is no shape", "(784,)")),
    Mistake("a dtype of no numbers", lambda: static.placeholder("str", (3,)), TypeError,
            ("'str' is not a dtype of numbers", "'float32'")),
    Mistake("a variable of text", lambda: static.Variable("a"), TypeError,
            ("Variable", "'a' does not make an array of numbers")),
    Mistake("a layer given an LSTM's output and state",
            lambda: nn.Linear(3, 1)(nn.LSTM(2, 3)(static.placeholder("float32", (4, None, 2)))), ValueError,
            ("static.Tensor float32 (4, ", "holds some", "y, state = lstm(x)")),
    # values that are not there yet
    Mistake("if on a Tensor", if_tensor, TypeError, ("Python bool", "ops.where", "session.run(tensor)")),
    Mistake("if on a variable", lambda: bool(static.Variable(1.0, name="v")), TypeError,
            ("'v'", "f32[]", "in a session", "session.run(variable)")),
    Mistake("a Tensor as a number", lambda: float(static.constant(1.0)), TypeError,
            ("float()", "'constant:0'", "session.run(tensor)")),
    Mistake("a Tensor as an array", lambda: np.asarray(static.constant(1.0)), TypeError,
            ("NumPy array", "'constant:0'", "session.run(tensor)")),
    Mistake("the length of what is unknown", lambda: len(x_and_session()[0]), TypeError,
            ("not known until a session runs the graph", "fixed size")),
    Mistake("a lazy layer on an unknown size",
            lambda: nn.Linear(10)(static.placeholder("float32", (3, None))),
            ValueError, ("Linear", "not known until run", "give the placeholder a fixed size")),
    # variables
    Mistake("a variable of no known size", lambda: static.Variable(static.placeholder("float32", (None,))),
            ValueError, ("Variable", "'placeholder:0'", "has to be known")),
    Mistake("a variable from nothing",
            lambda: static.Variable(), ValueError, ("Variable", "give an initial value")),
    Mistake("assigning another shape", lambda: static.Variable(np.ones(3), name="v").assign(np.ones(4)),
            ValueError, ("'v' has shape (3,)", "(4,)")),
    Mistake("a name made twice", made_twice, ValueError, ("'w' already exists", "reuse=True")),
    Mistake("sharing what is not there", shared_that_is_not_there, ValueError,
            ("'layer/w' does not exist", "reuse=AUTO_REUSE")),
    Mistake("sharing in another size", shared_in_another_size, ValueError, ("'w' has shape (3,)", "(4,)")),
    Mistake("a model built twice, then restored", built_twice_and_restored, KeyError,
            ("Key 'v_1' not found in checkpoint", "which has v", "built twice")),
    Mistake("a checkpoint of another size", restored_in_another_size, KeyError,
            ("'v' is float64 (4,) in the graph", "float64 (3,)", "var_list")),
    Mistake("a checkpoint that does not exist", restored_from_nowhere, OSError,
            ("no checkpoint nowhere/model-1", "static.latest_checkpoint(directory)")),
    # gradients
    Mistake("no gradients at all", no_gradients, ValueError,
            ("no gradients provided for any variable", "was the model called")),
    Mistake("no gradients to apply", only_none_to_apply, ValueError,
            ("no gradients provided for any variable",)),
    Mistake("minimising a number", lambda: optim.SGD(nn.Linear(3, 1).parameters()).minimize(1.0), TypeError,
            ("minimize", "must be a Tensor, not 1.0")),
    Mistake("the gradient of integers", gradient_of_integers, RuntimeError,
            ("gradients", "'x:0'", "carries no gradient", "use a float")),
    Mistake("the gradient by an array", lambda: static.gradients(static.constant(1.0), [np.ones(2)]),
            RuntimeError, ("gradients", "array([1., 1.])", "static Tensor, Variable or Parameter")),
    Mistake("a cotangent of another shape", of_wrong_cotangent, ValueError, ("'mul:0'", "(4,)", "(3,)")),
    Mistake("the Jacobian of an unknown size", lambda: static.jacobian(*[x_and_session()[0]] * 2), TypeError,
            ("jacobian", "'x:0'", "all sizes must be known")),
    # control flow
    Mistake("a loop variable that grows", lambda: static.while_loop(
            lambda a: ops.sum(a) < 9, lambda a: ops.concatenate([a, a]), [two()]), ValueError,
            ("while_loop", "is not an invariant for the loop. It enters the loop with shape", "f32[2]",
             "f32[4]")),
    Mistake("a loop variable of unknown size that grows", lambda: static.while_loop(
            lambda a: ops.sum(a) < 9, lambda a: ops.concatenate([a, a]), [x_and_session()[0]]), ValueError,
            ("while_loop", "is not an invariant for the loop", "reshape it")),
    Mistake("a loop variable whose size a run finds to change", size_drifts_at_run, ValueError,
            ("while_loop", "is not an invariant for the loop", "f32[2]", "f32[4]",
             "fed {x: f32[2], y: f32[4]}"),
            line="last = static.while_loop("),
    Mistake("a carry that changes its dtype", lambda: static.scan(
            lambda c, x: (c + 0.5, x), static.constant(1), two()), ValueError,
            ("scan", "is not an invariant for the loop", "i64[]", "f32[]", "cast")),
    Mistake("a body that gives too much", lambda: static.while_loop(
            lambda a: a < 9, lambda a: (a, a), [static.constant(1.0)]), ValueError,
            ("while_loop", "1 values go into the body and 2 come out")),
    Mistake("a loop on several bools", lambda: static.while_loop(lambda a: a < 9, lambda a: a, [two()]),
            ValueError, ("while_loop", "one bool", "bool[2]")),
    Mistake("cond on a number", lambda: static.cond(static.constant(1.0), two, two), ValueError,
            ("cond", "one bool", "f32[]", "compare")),
    Mistake("branches that differ", lambda: static.cond(
            static.constant(True), two, lambda: static.constant(1.0)), ValueError,
            ("cond", "(f32[2])", "(f32[])", "cast or reshape")),
    # what only a run can find
    Mistake("a label out of range", bad_label, IndexError,
            ("label 3 (at position 1)", "3 classes", "cross_entropy", "fed {x: f32[2, 3], y: i64[2]}"),
            line="loss = ops.cross_entropy(x, y)"),
    Mistake("a shape error that only a run can find", shape_found_at_run, ValueError,
            ("add: shapes (2, 3) and (4, 3) do not broadcast", "reshape",
             "node 'add' on (f32[2,3], f32[4,3])"),
            line="total = x + y"),
    Mistake("a shape error inside a loop", shape_found_inside_a_loop, ValueError,
            ("(2,)", "(4,)", "while running node 'add'"), line="lambda carry, step: (carry, step + y)"),
    Mistake("an assertion that fails", lambda: evaluate(
            static.Assert(two() > 1.0, [two()], "above one")), AssertionError,
            ("Assert: above one", "[1. 2.]"), line="static.Assert("),
    Mistake("numbers that are none", lambda: evaluate(
            static.check_numerics(static.constant(np.inf), "the loss")), ArithmeticError,
            ("check_numerics: the loss", "infinity"), line="static.check_numerics("),
    Mistake("a function that breaks its promise", lambda: evaluate(
            static.py_func(lambda a: a, [two()], "float32", (3,))), TypeError,
            ("py_func", "float32 (2,)", "f32[3] was promised"), line="static.py_func("),
    Mistake("a function that fails", lambda: evaluate(
            static.py_func(lambda a: a / {}, [two()], "float32", (2,))), RuntimeError,
            ("TypeError", "while running node 'py_func'"), line="static.py_func("),
    Mistake("a function without shapes",
            lambda: ops.sum(static.py_func(lambda a: a, [two()], "float32"), axis=0), TypeError,
            ("number of axes", "set_shape")),
    Mistake("wrong shape in a layer", lambda: nn.Linear(4, 10)(x_and_session()[0]), ValueError,
            ("linear", "3)", "weight (10, 4)", "in_features")),
]  # fmt: skip
