"""Where NumPy meets Tensors: its operators are ours, and whatever would lose a gradient without a word is
refused, on both engines alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.errors import (
    DiptychError,
    EngineError,
    GradientError,
    SettingError,
    ShapeError,
    SymbolicValueError,
)
from shared.numpy_calls import ASKING, OPERATORS
from shared.state import Buffer, Parameter
from tests import HOME

A = np.array([[1.5, 0.5, 2.0], [0.25, 3.0, 1.0]], np.float32)
B = np.array([[2.0, 1.0, 0.5], [4.0, 0.125, 3.0]], np.float32)

EAGER: dict[str, Callable[[], Any]] = {
    "leaf": lambda: dynamic.tensor(A, requires_grad=True),
    "middle": lambda: dynamic.tensor(A, requires_grad=True) * 2,
    "Parameter": lambda: Parameter(A, "p"),
}  # fmt: skip
DESCRIBED: dict[str, Callable[[], Any]] = {
    "static Tensor": lambda: static.placeholder("float32", (2, 3)),
    "Variable": lambda: static.Variable(A),
    "Parameter in a graph": lambda: Parameter(A, "p"),
}  # fmt: skip


@contextmanager
def made(name: str) -> Iterator[Any]:
    """A value that gradients flow through, and its engine in charge."""
    if name in EAGER:
        yield EAGER[name]()
    else:
        with static.Graph().as_default():
            yield DESCRIBED[name]()


each = pytest.mark.parametrize("name", [*EAGER, *DESCRIBED])

LOSING: dict[str, Callable[[Any], Any]] = {
    "np.asarray": np.asarray,
    "np.array of a list": lambda x: np.array([x, x]),
    "into an array": lambda x: np.zeros((2, 3)).__setitem__(..., x),
    "added to an array": lambda x: np.zeros((2, 3)).__iadd__(x),
    "ops of a list": lambda x: ops.mean([x[0] * 2, x[1] * 3]),
    "ops of a nested list": lambda x: ops.exp([[x[0, 0], 1.0], [2.0, 3.0]]),
    "an operator with a list": lambda x: x * [x[0], x[1]],
    "a constant times an operator with a list": lambda x: x[0] + (x[0, 0], 1.0, 2.0),
    "where with a list": lambda x: ops.where(x > 1, [x[0], x[1]], 0.0),
    "np.concatenate": lambda x: x[:1] * np.concatenate([x[:1], x[1:]]),
    "np.stack": lambda x: np.stack([x, x]),
    "np.where": lambda x: np.where(A > 1, x, 0),
    "np.sin": np.sin,
    "np.sum": np.sum,
    "np.dot": lambda x: np.dot(A.T, x),
    "np.linalg.norm": np.linalg.norm,
    "np.einsum": lambda x: np.einsum("ij,ij", A, x),
    "np.add.reduce": np.add.reduce,
    "np.exp of an array into it": lambda x: np.exp(A, out=x),
    "np.multiply with where": lambda x: np.multiply(A, x, where=A > 1),
    "np.clip": lambda x: np.clip(x, 0, 1),
}  # fmt: skip


@each
@pytest.mark.parametrize("lose", LOSING.values(), ids=LOSING)
def test_no_gradient_is_lost_without_a_word(lose: Callable[[Any], Any], name: str) -> None:
    """Each names a way out; neither engine takes what the other refuses."""
    with made(name) as x, pytest.raises(DiptychError, match=r"ops\.|use ops|session\.run|no_grad"):
        lose(x)


@pytest.mark.parametrize("name", EAGER)
def test_new_tensors_of_what_carries_a_gradient_are_refused(name: str) -> None:
    x = EAGER[name]()
    for make in (dynamic.tensor, dynamic.from_numpy):
        with pytest.raises(GradientError, match=r"carries a gradient.*x\.detach\(\) or x\.numpy\(\)"):
            make(x)
    for kind in (list, tuple):
        with pytest.raises(ShapeError, match=r"join them by ops\.stack, which keeps their gradients"):
            dynamic.tensor(kind([x[0, 0] * 2, x[0, 1]]))
    if isinstance(x, dynamic.Tensor):
        for share in (np.from_dlpack, dynamic.from_dlpack):
            with pytest.raises(GradientError, match="carries a gradient"):
                share(x)


@pytest.mark.parametrize("name", EAGER)
def test_what_asks_for_the_values_gets_them(name: str) -> None:
    x = EAGER[name]()
    values = x.numpy()
    np.testing.assert_array_equal(values, 2 * A if name == "middle" else A)
    assert float(x[0, 0]) == x[0, 0].item() == values[0, 0] and x[0].tolist() == values[0].tolist()
    with dynamic.no_grad():
        np.testing.assert_array_equal(np.asarray(x), values)
        assert dynamic.tensor(x).tolist() == values.tolist()
    if isinstance(x, dynamic.Tensor):
        np.testing.assert_array_equal(np.asarray(x.detach()), values)


def test_constants_and_buffers_are_arrays_to_numpy() -> None:
    for x in (dynamic.tensor(A), Buffer(A), dynamic.tensor([1, 2, 3])):
        np.testing.assert_array_equal(np.asarray(x), x.numpy())
        into = np.zeros(x.shape)
        into += x
        np.testing.assert_array_equal(into, x.numpy())
    p = Parameter(A)
    p.requires_grad = False
    np.testing.assert_array_equal(np.asarray(p), A)


def test_a_list_of_constants_is_refused_as_it_is_on_the_other_engine() -> None:
    c = dynamic.tensor(A)
    for call in (lambda: ops.mean([c, c]), lambda: c * [c[0], c[1]], lambda: dynamic.tensor([c, c])):
        with pytest.raises(ShapeError, match=r"ops\.stack"):
            call()


SETTINGS_TAKEN: dict[str, Callable[[Any], Any]] = {
    "full": lambda s: ops.full((2,), s), "full_like": lambda s: ops.full_like(A, s),
    "pad": lambda s: ops.pad(A, 1, value=s), "leaky_relu": lambda s: ops.leaky_relu(A, s),
    "elu": lambda s: ops.elu(A, alpha=s), "linspace": lambda s: ops.linspace(s, 1.0, 3),
    "arange": lambda s: ops.arange(s), "norm": lambda s: ops.norm(A, p=s + 1),
    "huber_loss": lambda s: ops.huber_loss(A, B, delta=s),
    "layer_norm": lambda s: ops.layer_norm(A, (3,), eps=s),
    "cross_entropy": lambda s: ops.cross_entropy(A, np.array([0, 1]), label_smoothing=s),
    "dropout": lambda s: ops.dropout(A, np.zeros(2, np.uint64), p=s),
    "batch_norm": lambda s: ops.batch_norm(A, None, None, A[0], A[0], momentum=s),
}  # fmt: skip


@pytest.mark.parametrize("described", [False, True])
@pytest.mark.parametrize("call", SETTINGS_TAKEN.values(), ids=SETTINGS_TAKEN)
def test_a_setting_takes_no_tensor_whose_gradient_it_would_lose(call: Any, described: bool) -> None:
    with static.Graph().as_default():
        half = static.constant(0.5) if described else dynamic.tensor(0.5, requires_grad=True)
        with pytest.raises(SettingError, match=r"number"):
            call(half)


# --- operators -----------------------------------------------------------------------------

ON_BITS = [u for u in OPERATORS if "bitwise" in u.__name__ or "shift" in u.__name__]
ON_FLOATS = [u for u in OPERATORS if u not in ON_BITS and u is not np.matmul]


@pytest.mark.parametrize("ufunc", [*ON_FLOATS, *ON_BITS], ids=lambda u: u.__name__)
def test_an_operator_on_an_array_is_ours(ufunc: np.ufunc) -> None:
    """On either side, and of NumPy's own numbers; on both engines."""
    array, other = (A, B) if ufunc in ON_FLOATS else (np.array([12, -7, 100]), np.array([3, 2, 1]))
    for a in (array, array.flat[0]):
        for swap in (False, True):
            expected = ufunc(other, a) if swap else ufunc(a, other)
            x = dynamic.tensor(other)
            got = ufunc(x, a) if swap else ufunc(a, x)
            assert isinstance(got, dynamic.Tensor)
            np.testing.assert_array_equal(got.numpy(), expected)
            with static.Graph().as_default() as graph:
                x = static.constant(other)
                y = ufunc(x, a) if swap else ufunc(a, x)
            with static.Session(graph=graph) as session:
                np.testing.assert_array_equal(session.run(y), expected)


def test_gradients_flow_through_operators_on_arrays() -> None:
    x = dynamic.tensor(B, requires_grad=True)
    ops.sum(A * x - A / x + A @ ops.transpose(x) @ np.ones((2, 3), np.float32)).backward()
    expected = A + A / B**2 + np.ones((2, 3), np.float32) @ np.ones((3, 2), np.float32) @ A
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-6)


# --- functions -----------------------------------------------------------------------------

OTHER = {"broadcast"}
"""What NumPy calls so is something else: there an object that pairs shapes, here what another rank holds."""
SAME_NAME = sorted(
    name for name in ops.__all__
    if hasattr(np, name) and getattr(np, name) not in {*OPERATORS, *ASKING} and name not in OTHER
)  # fmt: skip
NO_ARRAY = {"arange", "eye", "full", "linspace", "ones", "tril_indices", "triu_indices", "zeros"}
"""They take no array but sizes and numbers, which a Tensor of one element may give."""
SETTINGS: dict[str, tuple[Any, ...]] = {
    "broadcast_to": ((2, 2, 3),), "expand_dims": (0,), "pad": (1,), "repeat": (2,), "reshape": ((3, 2),),
    "swapaxes": (0, 1), "tile": (2,), "split": (2,), "take": ([0],), "clip": (0, 1), "bitwise_and": (1,),
    "bitwise_or": (1,), "bitwise_xor": (1,), "bitwise_left_shift": (1,), "bitwise_right_shift": (1,),
    "logical_and": (1,), "logical_or": (1,), "logical_xor": (1,), "maximum": (1,), "minimum": (1,),
    "dot": (B.T,), "outer": (B,), "tensordot": (B,), "where": (1, 0), "pow": (2,), "equal": (1,),
    "moveaxis": (0, 1), "quantile": (0.5,), "nanquantile": (0.5,), "roll": (1,), "searchsorted": (1,),
    "take_along_axis": ([[0]], 0), "put_along_axis": ([[0]], 1, 0),
    **dict.fromkeys(("atan2", "copysign", "fmax", "fmin", "fmod", "heaviside", "hypot", "logaddexp",
                     "logaddexp2"), (1,)),
}  # fmt: skip


@each
@pytest.mark.parametrize("function", [name for name in SAME_NAME if name not in NO_ARRAY])
def test_a_function_of_numpys_names_the_op_of_that_name(function: str, name: str) -> None:
    with made(name) as x:
        rest = SETTINGS.get(function, ())
        first = {"einsum": ("ij", x), "concatenate": ([x, x],), "stack": ([x, x],)}
        args = first.get(function, (x,))
        with pytest.raises(EngineError, match=rf"^np\.\w+ of a Tensor or Parameter: .*use ops\.{function},"):
            getattr(np, function)(*args, *rest)


@pytest.mark.parametrize("name", EAGER)
def test_functions_that_ask_are_answered(name: str) -> None:
    x = EAGER[name]()
    values = x.numpy()
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert np.allclose(x, values) and np.array_equal(values, x) and np.result_type(x) == np.float32
    assert np.zeros_like(x).tolist() == [[0] * 3] * 2 and np.shares_memory(x, values)


def test_of_a_described_value_its_sizes_are_known_and_its_numbers_are_not() -> None:
    with static.Graph().as_default():
        x = static.placeholder("float32", (2, 3))
        assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
        with pytest.raises(SymbolicValueError, match=r"session\.run"):
            np.allclose(x, A)


def test_parameters_are_arrays_where_no_engine_is_loaded() -> None:
    code = "import numpy as np; from shared.state import Parameter; print(np.asarray(Parameter([1.0])).sum())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=HOME)
    assert run.stdout == "1.0\n", run.stderr
