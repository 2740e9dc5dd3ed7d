"""The mistakes that people make with define-by-run: what they do, and what they must be told.

Each error names the call, the values, the user's own line and the way out. The other engine's
table is in `mistakes_static.py`.
"""

from __future__ import annotations

import pickle
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
    """What is done, the Python class that one expects, and words that the message must have.

    line  the code of the line that must be named, where that is not the line of the call that
          fails: a run names the line that made the node
    """

    name: str
    do: Callable[[], Any]
    kind: type[Exception]
    words: tuple[str, ...]
    line: str = ""


def leaf(*shape: int) -> dynamic.Tensor:
    return dynamic.tensor(np.ones(shape, np.float32), requires_grad=True)


def plain(*shape: int) -> dynamic.Tensor:
    return dynamic.tensor(np.ones(shape, np.float32))


def twice_backward() -> None:
    x = leaf()
    y = x * x
    y.backward()
    y.backward()


def two_losses_on_one_part() -> None:
    shared_part = ops.exp(leaf(3))
    shared_part.sum().backward()
    (shared_part * 2).sum().backward()


def twice_through_a_checkpoint() -> None:
    y = dynamic.checkpoint(lambda x: x * x, leaf())
    y.backward()
    y.backward()


def under_no_grad() -> None:
    with dynamic.no_grad():
        y = leaf() * 2
    y.backward()


def through_numpy() -> None:
    y = dynamic.tensor(np.exp(leaf(3).numpy()))
    y.sum().backward()


def other_engine() -> Any:
    with static.Graph().as_default():
        x = static.placeholder("float32", (2,), name="x")
    return leaf(2) + x


def add_to_a_leaf() -> None:
    x = leaf(3)
    x += 1


def write_into_a_leaf() -> None:
    x = leaf(3)
    x[0] = 1


def add_to_a_view_of_what_the_tape_holds() -> None:
    y = (leaf(3) * 2)[1:]
    y *= 2


def change_what_backward_needs() -> None:
    weights, x = leaf(3), plain(3)
    y = weights * x
    x += 1
    y.sum().backward()


def widen_in_place() -> None:
    x = dynamic.tensor([1, 2, 3])
    x += 0.5


def grow_in_place() -> None:
    x = plain(3)
    x += np.ones((2, 3), np.float32)


def write_outside() -> None:
    x = plain(3)
    x[7] = 1


def inputs_that_are_no_leaves() -> None:
    x = leaf(3)
    y = x * 2
    (y * y).sum().backward(inputs=[y])


def gradient_of_the_middle() -> None:
    y = leaf(3) * 2
    y.grad = None


def hook_that_gives_a_number() -> None:
    x = leaf(3)
    x.register_hook(lambda g: 3.0)
    (x * 2).sum().backward()


def squares(x: Any) -> Any:
    return x * x


DYNAMIC = [
    # shapes and dtypes
    Mistake("wrong inner sizes", lambda: leaf(32, 784) @ leaf(10, 784), ValueError,
            ("matmul", "(32, 784) @ (10, 784)", "784 and 10 differ", "transpose the second?")),
    Mistake("shapes that do not broadcast", lambda: leaf(3, 2) + leaf(4, 2), ValueError,
            ("add", "(3, 2) and (4, 2)", "sizes 3 and 4 on axis -2", "reshape or expand_dims")),
    Mistake("an axis that is not there", lambda: leaf(3, 2).sum(axis=2), ValueError,
            ("sum", "axis 2", "2 dimension(s)", "-2 to 1")),
    Mistake("a reshape that does not go", lambda: leaf(3, 2).reshape(4, -1), ValueError,
            ("reshape", "(3, 2)", "(4, -1)")),
    Mistake("an index out of range", lambda: leaf(3)[5], IndexError,
            ("getitem", "index 5", "axis 0 of (3,)", "from -3 to 2")),
    Mistake("a mask of another shape", lambda: leaf(3)[np.array([True, False])], ValueError,
            ("getitem", "mask of shape (2,)", "(3,)")),
    Mistake("joining unlike shapes", lambda: ops.concatenate([leaf(2, 3), leaf(2, 4)]), ValueError,
            ("concatenate", "(2, 3), (2, 4)", "axis 0")),
    Mistake("numbers where a mask is meant", lambda: ops.where(leaf(3), 1.0, 2.0), TypeError,
            ("where", "must be bool, not f32", "x != 0")),
    Mistake("None in arithmetic", lambda: leaf(3) + None, TypeError,
            ("add", "None", "neither a Tensor, an array nor a number")),
    Mistake("a Tensor of the other engine", other_engine, TypeError,
            ("add", "dynamic Tensor", "static", "keep a call on one engine")),
    Mistake("rows of different lengths", lambda: dynamic.tensor([[1.0], [1.0, 2.0]]), TypeError,
            ("tensor", "inhomogeneous", "pad the shorter ones")),
    Mistake("words as numbers", lambda: dynamic.tensor("abc"), TypeError, ("tensor", "'abc'", "numbers")),
    Mistake("a dtype that does not exist", lambda: dynamic.tensor([1.0], dtype="float99"), TypeError,
            ("'float99'", "such as 'float32'")),
    Mistake("a shape that is no integers", lambda: dynamic.zeros(2.5), ValueError,
            ("zeros", "(2.5,)", "integers, 0 or more")),
    Mistake("normal integers", lambda: dynamic.randn(3, dtype="int64"), TypeError,
            ("randn", "int64", "float32 or float64")),
    # one value out of many
    Mistake("the truth of several values", lambda: bool(leaf(3) > 0), ValueError,
            ("(3,)", "not one bool", "ops.any", "ops.where")),
    Mistake("item of several values", lambda: leaf(3).item(), ValueError,
            ("item", "(3,)", "3 elements", ".tolist()")),
    Mistake("a float as an index", lambda: range(leaf()), TypeError, ("float32", "no index", "int(x)")),
    # backward
    Mistake("backward on a non-scalar", lambda: (leaf(3) * 2).backward(), RuntimeError,
            ("backward", "shape (3,)", "y.sum(), y.mean()", "pass the cotangent")),
    Mistake("backward with nothing to differentiate", lambda: dynamic.tensor(1.0).backward(), RuntimeError,
            ("backward", "no history", "requires_grad=True")),
    Mistake("backward on what no_grad made", under_no_grad, RuntimeError,
            ("backward", "not under no_grad")),
    Mistake("backward on what came by way of NumPy", through_numpy, RuntimeError,
            ("backward", "no history", "by way of detach(), .numpy() or .item()")),
    Mistake("backward twice", twice_backward, RuntimeError,
            ("backward through mul a second time", "retain_graph=True")),
    Mistake("two losses on one part", two_losses_on_one_part, RuntimeError,
            ("backward through exp a second time", "retain_graph=True", "compute the value again")),
    Mistake("backward twice through a checkpoint", twice_through_a_checkpoint, RuntimeError,
            ("through a checkpoint a second time", "retain_graph=True")),
    Mistake("a checkpoint of no Tensor", lambda: dynamic.checkpoint(lambda x: 3, leaf(3)), RuntimeError,
            ("checkpoint", "must give a Tensor", "not int")),
    Mistake("a cotangent of another shape", lambda: (leaf(3) * 2).backward(np.ones(4, np.float32)),
            ValueError, ("cotangent has shape (4,)", "y has (3,)")),
    Mistake("a cotangent that is no numbers", lambda: (leaf(3) * 2).backward("ones"), RuntimeError,
            ("cotangent 'ones'", "(3,)")),
    Mistake("one cotangent for two", lambda: dynamic.grad([leaf(), leaf()], leaf(), [None]), RuntimeError,
            ("grad", "2 ys and 1 cotangents")),
    Mistake("backward inputs that are no leaves", inputs_that_are_no_leaves, RuntimeError,
            ("inputs[0] (shape (3,)) was made by mul", "must be leaves", "dynamic.grad(y, [x])")),
    Mistake("grad by an array", lambda: dynamic.grad(leaf(3).sum(), np.ones(3)), RuntimeError,
            ("grad", "array([1., 1., 1.])", "dynamic.tensor(...)")),
    Mistake("grad by what y does not depend on", lambda: dynamic.grad(leaf() * 2, [leaf(5)]), RuntimeError,
            ("xs[0]", "shape (5,)", "allow_unused=True")),
    Mistake("a gradient of integers", lambda: dynamic.tensor([1, 2], requires_grad=True), RuntimeError,
            ("int64", "no gradient", "float dtype")),
    Mistake("requires_grad_ in the middle", lambda: (leaf(3) * 2).requires_grad_(), RuntimeError,
            ("requires_grad_", "made by mul", "detach()")),
    Mistake("setting .grad in the middle", gradient_of_the_middle, RuntimeError,
            ("only a leaf", ".grad", "requires_grad=True")),
    Mistake("retain_grad on a constant", lambda: plain(3).retain_grad(), RuntimeError,
            ("retain_grad", "(3,)", "requires_grad_()")),
    Mistake("a hook that gives no gradient", hook_that_gives_a_number, RuntimeError,
            ("register_hook", "gave 3.0", "None, or a Tensor", "(3,)")),
    Mistake("pickling a history", lambda: pickle.dumps(leaf(3) * 2), RuntimeError,
            ("made by mul", "x.detach()", "model.save(path)")),
    Mistake("pickling what a checkpoint made", lambda: pickle.dumps(dynamic.checkpoint(squares, leaf(3))),
            RuntimeError, ("made by checkpoint of squares", "x.detach()")),
    Mistake("showing an array",
            lambda: dynamic.show(np.ones(3)), TypeError, ("show", "not a dynamic Tensor")),
    # in place
    Mistake("adding to a leaf", add_to_a_leaf, RuntimeError,
            ("x += y", "leaf that requires a gradient", "(3,)", "with dynamic.no_grad():")),
    Mistake("writing into a leaf", write_into_a_leaf, RuntimeError,
            ("x[...] = v", "leaf that requires a gradient", "with dynamic.no_grad():")),
    Mistake("changing a view of what the tape holds", add_to_a_view_of_what_the_tape_holds, RuntimeError,
            ("x *= y", "a value that the tape remembers", "write y = x + ...")),
    Mistake("changing what backward needs", change_what_backward_needs, RuntimeError,
            ("backward through mul", "(3,)", "changed in place since, at mistakes.py", "x += 1", "clone()")),
    Mistake("a wider dtype in place", widen_in_place, TypeError,
            ("x += y", "int64 (3,)", "float64", "write y = x + ...")),
    Mistake("a larger shape in place", grow_in_place, ValueError,
            ("x += y", "float32 (3,)", "(2,3)", "write y = x + ...")),
    Mistake("writing outside", write_outside, IndexError, ("x[...] = v", "index 7", "(3,)")),
    # derivatives of functions
    Mistake("the Hessian of a vector", lambda: dynamic.hessian(squares, np.ones(3)), ValueError,
            ("hessian", "one number", "(3,)", ".sum()")),
    Mistake("the Hessian by integers", lambda: dynamic.hessian(squares, np.ones(3, int)), RuntimeError,
            ("hessian", "int64", "pass floats")),
    Mistake("a Jacobian through NumPy", lambda: dynamic.jacobian(lambda x: x.numpy() * 2, np.ones(3)),
            RuntimeError, ("jacobian", "must give one dynamic Tensor, not ndarray", "ops and operators")),
    Mistake("no direction to go", lambda: dynamic.jvp(squares, [np.ones(3)], []), ValueError,
            ("jvp", "shapes []", "[(3,)]")),
    Mistake("a direction of another shape", lambda: dynamic.hvp(squares, np.ones(3), np.ones(4)), ValueError,
            ("hvp", "[(4,)]", "[(3,)]")),
    # layers
    Mistake("wrong shape into a layer", lambda: nn.Linear(3, 10)(leaf(5, 4)), ValueError,
            ("linear", "(5, 4)", "weight (10, 3)", "flatten or transpose")),
    Mistake("wrong channels into a convolution", lambda: nn.Conv2d(3, 8, 3)(leaf(2, 1, 8, 8)), ValueError,
            ("conv2d", "(2, 1, 8, 8)", "x has 1 channels, the weight takes 3")),
    Mistake("an image without its channels", lambda: nn.Conv2d(1, 8, 3)(leaf(8, 8)), ValueError,
            ("conv2d", "(8, 8)", "4 axes, N C H W", "add a batch axis?")),
    Mistake("a kernel larger than the image", lambda: nn.Conv2d(1, 8, 9)(leaf(1, 1, 4, 4)), ValueError,
            ("conv2d", "(9, 9)", "(4, 4)", "pad more")),
    Mistake("a sequence without features", lambda: nn.LSTM(3, 4)(leaf(3)), ValueError,
            ("LSTM", "(3,)", "(T, N, features)")),
    Mistake("floats as ids", lambda: nn.Embedding(3, 2)(dynamic.tensor([1.0])), TypeError,
            ("embedding", "integers, not float32", "cast")),
    Mistake("an id out of range", lambda: nn.Embedding(3, 2)(dynamic.tensor([3])), IndexError,
            ("embedding", "id 3", "from 0 to 2")),
    Mistake("a function among the layers", lambda: nn.Sequential(nn.Linear(3, 2), ops.relu), ValueError,
            ("Sequential", "<op relu>", "no Module")),
    Mistake("a probability above one",
            lambda: nn.Dropout(1.5), ValueError, ("Dropout", "from 0 to 1", "1.5")),
    Mistake("a layer used before it knows its shape", lambda: next(nn.Linear(10).parameters()).shape,
            KeyError, ("weight", "call the model once")),
    Mistake("assigning another shape", lambda: Buffer(np.zeros(3)).assign(np.zeros(4)), ValueError,
            ("assign", "(3,)", "(4,)")),
    Mistake("a checkpoint that lacks a name",
            lambda: nn.Linear(3, 2).load_state_dict({"weight": np.ones((2, 3))}),
            KeyError, ("load_state_dict", "nothing was loaded", "Missing in the checkpoint: bias",
             "strict=False")),
    Mistake("a checkpoint of another size",
            lambda: nn.Linear(3, 2).load_state_dict({"weight": np.ones((2, 4)), "bias": np.ones(2)}),
            KeyError, ("weight is (2, 4) in the checkpoint, (2, 3) in the model", "Build the model")),
    Mistake("a path where a state dict is meant",
            lambda: nn.Linear(3, 2).load_state_dict("model.safetensors"),
            KeyError, ("load_state_dict", "not str", ".load(path)")),
    Mistake("a layer of a size that is no whole number", lambda: nn.Linear(10 / 2, 3), ValueError,
            ("(3, 5.0)", "5.0 is no whole number", "//")),
    Mistake("a padding that is no whole number", lambda: nn.Conv2d(1, 2, 3, padding=3 / 2), ValueError,
            ("Conv2d", "padding", "1.5")),
    Mistake("layers in a list", lambda: nn.Sequential([nn.ReLU()]), ValueError,
            ("Sequential", "[ReLU()] is no Module", "Sequential(*layers)")),
    Mistake("a value that a function forgot to return", lambda: ops.relu(None), TypeError,
            ("None", "return")),
    Mistake("a layer given an LSTM's output and state",
            lambda: nn.Linear(3, 1)(nn.LSTM(2, 3)(plain(4, 5, 2))), ValueError,
            ("dynamic.Tensor float32 (4, 5, 3)", "holds some", "y, state = lstm(x)")),
    # losses
    Mistake("a label out of range", lambda: ops.cross_entropy(leaf(2, 10), np.array([3, 10])), IndexError,
            ("cross_entropy", "label 10 (at position 1)", "10 classes", "from 0 to 9")),
    Mistake("labels that are not integers", lambda: ops.cross_entropy(leaf(2, 10), np.ones(2)), TypeError,
            ("cross_entropy", "labels must be integers", "float64", "probabilities")),
    Mistake("labels of the wrong shape", lambda: ops.cross_entropy(leaf(2, 10), np.ones((2, 1), int)),
            ValueError, ("cross_entropy", "labels (2, 1)", "(2,)")),
    Mistake("a target that would broadcast", lambda: ops.mse_loss(leaf(2, 1), leaf(2)), ValueError,
            ("mse_loss", "x (2, 1) and target (2,)", "reshape one")),
    Mistake("logits where probabilities are meant", lambda: ops.binary_cross_entropy(leaf(2) * 3, plain(2)),
            IndexError, ("binary_cross_entropy", "3.0", "binary_cross_entropy_with_logits")),
    # optimisers
    Mistake("step without backward", lambda: optim.SGD(nn.Linear(2, 1).parameters(), lr=0.1).step(),
            RuntimeError, ("step", "loss.backward()")),
    Mistake("an optimiser of nothing",
            lambda: optim.SGD([], lr=0.1), ValueError, ("SGD", "model.parameters()")),
    Mistake("parameters that were not called for", lambda: optim.SGD(nn.Linear(2, 1).parameters, lr=0.1),
            ValueError, ("SGD", "function, not called", "model.parameters()")),
    Mistake("parameters that are none", lambda: optim.SGD(3, lr=0.1), ValueError,
            ("SGD", "3 holds no parameters", "model.parameters()")),
    Mistake("training what is no Parameter", lambda: optim.SGD([leaf(3)], lr=0.1), ValueError,
            ("SGD", "is not a Parameter", "model.parameters()")),
    Mistake("a parameter twice", lambda: optim.SGD([*(m := nn.Linear(2, 1)).parameters(), m.bias], lr=0.1),
            ValueError, ("SGD", "bias", "twice")),
    Mistake("a learning rate below zero", lambda: optim.SGD(nn.Linear(2, 1).parameters(), lr=-1), ValueError,
            ("SGD", "lr", "-1", "0 or more")),
    Mistake("an optimiser's state of another model",
            lambda: optim.Adam(nn.Linear(2, 1).parameters()).load_state_dict({}), KeyError,
            ("Adam.load_state_dict", "nothing was loaded", "weight/exp_avg")),
]  # fmt: skip
