"""Changes in place of Parameters and Tensors: what PyTorch users write on their first day either does
what it does there, or is refused in words that name the way out."""

from __future__ import annotations

import operator
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from dynamic.sharing import FEW
from shared import nn, ops, optim
from shared.errors import (
    AssignmentError,
    DTypeError,
    GradientError,
    SettingError,
    ShapeError,
    SymbolicValueError,
)
from shared.state import Buffer, Parameter

torch = pytest.importorskip("torch", reason="PyTorch is not installed: what is right here is what it does")

FLOATS: dict[str, Callable[[Any, Any], Any]] = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv,
    "**=": operator.ipow, "%=": operator.imod,
}  # fmt: skip
WHOLE: dict[str, Callable[[Any, Any], Any]] = {
    "&=": operator.iand, "|=": operator.ior, "^=": operator.ixor, "<<=": operator.ilshift,
    ">>=": operator.irshift, "//=": operator.ifloordiv, "%=": operator.imod,
}  # fmt: skip
METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "copy_": lambda x, y: x.copy_(y), "fill_": lambda x, y: x.fill_(3.0), "zero_": lambda x, y: x.zero_(),
    "x[0]": lambda x, y: operator.setitem(x, 0, y[1]),
    "x[..., 1]": lambda x, y: operator.setitem(x, (..., 1), 7.0),
}  # fmt: skip
A = np.array([[1.5, 0.5, 2.0], [0.25, 3.0, 1.0]], np.float32)
B = np.array([[2.0, 1.0, 0.5], [4.0, 0.125, 3.0]], np.float32)


@pytest.mark.parametrize("change", [*FLOATS.values(), *METHODS.values()], ids=[*FLOATS, *METHODS])
@pytest.mark.parametrize(
    "make", [Parameter, Buffer, dynamic.tensor, lambda a: dynamic.tensor(a, requires_grad=True)],
    ids=["Parameter", "Buffer", "Tensor", "leaf"],
)  # fmt: skip
def test_a_change_in_place_gives_what_pytorch_gives_in_the_same_memory(make: Any, change: Any) -> None:
    x, theirs = make(A.copy()), torch.tensor(A, requires_grad=True)
    memory, before = x.numpy(), x
    with dynamic.no_grad(), torch.no_grad():
        changed, expected = change(x, dynamic.tensor(B)), change(theirs, torch.tensor(B))
    assert (changed is before) == (expected is theirs) and x.numpy() is memory
    np.testing.assert_allclose(memory, theirs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("change", WHOLE.values(), ids=WHOLE)
def test_integers_change_in_place(change: Any) -> None:
    a, b = np.array([12, -7, 100]), np.array([3, 2, 1])
    x = Buffer(a.copy())
    assert change(x, dynamic.tensor(b)) is x
    np.testing.assert_array_equal(x.numpy(), change(torch.tensor(a), torch.tensor(b)).numpy())


def test_a_product_in_place() -> None:
    p = before = Parameter(np.array([[1.0, 2.0], [3.0, 4.0]]))
    with dynamic.no_grad():
        p @= np.array([[0.0, 1.0], [1.0, 0.0]])
    assert p is before and p.numpy().tolist() == [[2, 1], [4, 3]]


def _net() -> tuple[Any, Any]:
    ours = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    theirs.load_state_dict({name: torch.tensor(a) for name, a in ours.state_dict().items()})
    return ours, theirs


def by_parameter(model: Any, no_grad: Any) -> None:
    with no_grad():
        for p in model.parameters():
            p -= 0.1 * p.grad


def by_attribute(model: Any, no_grad: Any) -> None:
    with no_grad():
        for layer in (model[0], model[2]):
            layer.weight -= 0.1 * layer.weight.grad
            layer.bias += -0.1 * layer.bias.grad


def by_copy(model: Any, no_grad: Any) -> None:
    with no_grad():
        for p in model.parameters():
            p.copy_(p - 0.1 * p.grad)


def by_data(model: Any, no_grad: Any) -> None:
    for p in model.parameters():
        p.data = p.data - 0.1 * p.grad.data


@pytest.mark.parametrize("step", [by_parameter, by_attribute, by_copy, by_data])
def test_gradient_descent_by_hand_trains_as_it_does_in_pytorch(step: Any) -> None:
    ours, theirs = _net()
    x = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
    names = [name for name, _ in ours.named_parameters()]
    for _ in range(3):
        mine, other = (ours(dynamic.tensor(x)) ** 2).mean(), (theirs(torch.tensor(x)) ** 2).mean()
        assert mine.item() == pytest.approx(other.item(), rel=1e-5)
        ours.zero_grad()
        theirs.zero_grad()
        mine.backward()
        other.backward()
        step(ours, dynamic.no_grad)
        step(theirs, torch.no_grad)
    assert [name for name, _ in ours.named_parameters()] == names


# --- what would break a gradient -----------------------------------------------------------


@pytest.mark.parametrize("change", [*FLOATS.values(), *METHODS.values()], ids=[*FLOATS, *METHODS])
def test_a_parameter_is_not_changed_while_the_tape_records(change: Any) -> None:
    p = Parameter(A.copy())
    with pytest.raises(GradientError, match=r"leaf that requires a gradient.*with dynamic\.no_grad\(\)"):
        change(p, dynamic.tensor(B))
    np.testing.assert_array_equal(p.numpy(), A)
    p.requires_grad = False
    change(p, dynamic.tensor(B))
    assert not np.array_equal(p.numpy(), A)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "reshape": lambda x: x.reshape(-1), "x[0]": lambda x: x[0], "x.T": lambda x: x.T,
    "detach": lambda x: x.detach(),
    "a view of a view": lambda x: x.reshape(-1)[1:], "of what is detached": lambda x: x.detach()[0],
    "one of several": lambda x: x.unbind(0)[1],
}  # fmt: skip


def _added_to(make: Callable[[], Any], view: Callable[[Any], Any]) -> Any:
    x = make()
    seen = view(x)
    x += 1.0
    return seen


@pytest.mark.parametrize("decorated", [False, True], ids=["plain", "decorated"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_x_is_not_made_another_while_a_view_of_it_is_at_hand(view: Any, decorated: bool) -> None:
    """PyTorch changes what the view shows; of a new x it would not hear."""
    leaf, theirs = dynamic.tensor(A, requires_grad=True), torch.tensor(A, requires_grad=True)
    expected = _added_to(lambda: theirs.detach() * 2, view)
    assert not np.array_equal(expected.numpy(), view(torch.tensor(A) * 2).numpy())

    def added() -> Any:
        return _added_to(lambda: leaf * 2, view)

    call = dynamic.function(added) if decorated else added
    for _ in range(3):
        with pytest.raises(GradientError, match=r"of which there are views.*write y = x \+"):
            call()


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_a_view_that_nobody_holds_any_more_is_in_nobodys_way(view: Any) -> None:
    leaf = dynamic.tensor(A, requires_grad=True)
    x = leaf * 2
    used = ops.sum(ops.sin(view(x)))
    x += 1.0
    ops.sum(x * x + used).backward()
    theirs = torch.tensor(A, requires_grad=True)
    y = theirs * 2
    (((y + 1) ** 2).sum() + 6 * torch.sin(view(y)).sum()).backward()
    np.testing.assert_allclose(leaf.grad.numpy(), theirs.grad.numpy(), rtol=1e-5)


def test_a_single_element_is_a_view_as_in_pytorch() -> None:
    x, theirs = dynamic.tensor(A), torch.tensor(A)
    for one in (x, theirs):
        one[0, 1].fill_(7.0)
        for element in one[1]:
            element *= 2
    np.testing.assert_array_equal(x.numpy(), theirs.numpy())
    assert not np.array_equal(x.numpy(), A)


def test_views_that_come_and_go_leave_nothing_behind() -> None:
    x = dynamic.tensor(A)
    for _ in range(10_000):
        x = x.detach().reshape(2, 3)
    assert len(x.kin) <= 2 * FEW


def test_a_change_of_a_parameter_that_backward_needs_is_noticed() -> None:
    p, x = Parameter(A.copy()), dynamic.tensor(B, requires_grad=True)
    y = ops.sum(p * x)
    with dynamic.no_grad():
        p += 1.0  # this line
    with pytest.raises(GradientError, match=r"changed in place since, at test_in_place\.py:\d+  p \+= 1\.0"):
        y.backward()


def test_what_does_not_fit_is_refused_in_our_words() -> None:
    p = Parameter(A.copy())
    with dynamic.no_grad():
        with pytest.raises(ShapeError, match=r"x \+= y: x is float32 \(2, 3\) and stays so"):
            p += np.ones((4, 2, 3), np.float32)
        with pytest.raises(ShapeError, match=r"fill_: x is float32 \(2, 3\)"):
            p.fill_(B)
        with pytest.raises(DTypeError, match=r"x <<= y: x is float32"):
            p <<= 1
        with pytest.raises(DTypeError, match=r"copy_: x is int64"):
            Buffer(np.arange(3)).copy_(np.ones(3))


@pytest.mark.parametrize("change", FLOATS.values(), ids=FLOATS)
def test_in_place_on_a_value_in_the_middle_makes_a_new_one_with_pytorchs_gradient(change: Any) -> None:
    """PyTorch is given the operator that is not in place: of its own some break their gradient."""
    plain = getattr(operator, change.__name__.removeprefix("i"))

    def loss(x: Any, y: Any, change: Any) -> Any:
        h = x * 2
        h = change(h, y)
        h = change(h, 1.5)
        return (h * x).sum()

    a, b = (dynamic.tensor(v, requires_grad=True) for v in (A, B))
    c, d = (torch.tensor(v, requires_grad=True) for v in (A, B))
    loss(a, b, change).backward()
    loss(c, d, plain).backward()
    for mine, other in ((a, c), (b, d)):
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-4)


def test_a_loss_is_summed_up_from_nothing() -> None:
    x, w = dynamic.tensor(A), Parameter(B)
    loss: Any = 0
    for row in range(2):
        loss += (x[row] * w[row]).sum()
        loss -= w[row, 0] * w[row, 1]
    loss.backward()
    np.testing.assert_allclose(w.grad.numpy(), A - np.c_[B[:, 1], B[:, 0], [0, 0]], rtol=1e-6)


VIEWS: dict[str, Callable[[Any], Any]] = {
    "row": lambda h: h[0], "reshape": lambda h: h.reshape(3, 2), "transpose": lambda h: h.T,
    "broadcast_to": lambda h: ops.broadcast_to(h, (4, 2, 3)), "squeeze": lambda h: ops.expand_dims(h, 0),
}  # fmt: skip


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_in_place_on_a_view_is_refused_as_its_base_would_stay(view: Any) -> None:
    v = view(dynamic.tensor(A, requires_grad=True) * 2)
    with pytest.raises(GradientError, match="a value that the tape remembers"):
        v += 1


# --- attributes that are set ---------------------------------------------------------------


NOT_PARAMETERS = [dynamic.zeros(2, 3), np.zeros((2, 3), np.float32), 3.0, Buffer(A), nn.ReLU()]


@pytest.mark.parametrize("value", NOT_PARAMETERS, ids=lambda v: type(v).__name__)
def test_what_is_no_parameter_does_not_take_ones_place(value: Any) -> None:
    layer = nn.Linear(3, 2)
    with pytest.raises(AssignmentError, match=r"Linear\.weight: a Parameter stands there, and .*\.assign\("):
        layer.weight = value
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_parameters_buffers_and_modules_give_way_to_their_like() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    model[0].weight = tied = Parameter(A)
    model[0].bias = None
    assert [p is tied for _, p in model[0].named_parameters()] == [True]
    norm = model[1]
    with pytest.raises(AssignmentError, match=r"BatchNorm1d\.running_mean: a Buffer stands there"):
        norm.running_mean = np.zeros(2, np.float32)
    holder = nn.Module()
    holder.layer = model
    with pytest.raises(AssignmentError, match=r"Module\.layer: a Module stands there, and .* is none"):
        holder.layer = np.tanh
    holder.layer = nn.Tanh()


def test_data_and_grad_look_at_what_they_are_set_to() -> None:
    layer = nn.Linear(3, 2)
    leaf = dynamic.tensor(A, requires_grad=True)
    for x in (layer.weight, leaf):
        for name in ("data", "grad"):
            with pytest.raises(ShapeError, match=rf"\.{name}: has shape \(2, 3\), not \(7, 7\)"):
                setattr(x, name, np.zeros((7, 7), np.float32))
            with pytest.raises(DTypeError, match=rf"\.{name}: is float32, not float64; cast it"):
                setattr(x, name, np.zeros((2, 3)))
            for wrong in ([[1.0, 2.0, 3.0]] * 2, 1.0, "zeros"):
                with pytest.raises(AssignmentError, match=rf"\.{name}: is an array, not "):
                    setattr(x, name, wrong)
        with pytest.raises(AssignmentError, match=r"of a Tensor take its \.data"):
            x.data = dynamic.tensor(B)
        x.data = B
        x.grad = dynamic.tensor(A)
        assert x.data is B and x.grad.tolist() == A.tolist()
        x.grad = None


def test_a_learning_rate_is_assigned() -> None:
    layer, data = nn.Linear(3, 2), dynamic.tensor(A)
    opt = optim.SGD(layer.parameters(), lr=0.5)
    rate, before = opt.lr, layer.bias.numpy().copy()
    opt.lr = 0.25
    opt.lr *= 2.0
    opt.lr = opt.lr * 0.25
    layer(data).sum().backward()
    opt.step()
    assert opt.lr is rate and opt.groups[0].lr is rate and float(rate.data) == 0.125
    np.testing.assert_allclose(layer.bias.numpy(), before - 0.125 * 2, rtol=1e-6)
    opt.groups[0].lr = 0.5
    assert float(opt.lr.data) == 0.5
    for wrong in (-1.0, "fast", np.ones(2), None, float("nan")):
        with pytest.raises(SettingError, match="learning rate"):
            opt.lr = wrong
    scheduled = optim.SGD(layer.parameters(), lr=optim.StepLR(0.1, 5))
    with pytest.raises(SettingError, match="decides the rate of each step"):
        scheduled.lr = 0.5


# --- the other engine ----------------------------------------------------------------------


STEPS = {**FLOATS, **WHOLE, **METHODS, "@=": operator.imatmul}


@pytest.mark.parametrize("change", STEPS.values(), ids=STEPS)
def test_a_variable_names_its_assignments(change: Any) -> None:
    with static.Graph().as_default() as graph:
        v, p, y = static.Variable(A, name="v"), Parameter(A.copy(), "p"), static.constant(B)
        count = len(graph.nodes)
        words = r"the variable 'v' changes when a session runs.*assign_sub.*scatter_update"
        with pytest.raises(SymbolicValueError, match=words):
            change(v, B)
        with pytest.raises(SymbolicValueError, match=r"in a graph p is a variable.*p\.assign\(p - y\)"):
            change(p, B)
    with pytest.raises(SymbolicValueError, match="in a graph p is a variable"):
        operator.isub(p, y)
    assert len(graph.nodes) == count and p.numpy().tolist() == A.tolist()


def test_a_value_of_a_graph_is_not_changed_and_sums_up_all_the_same() -> None:
    with static.Graph().as_default() as graph:
        x = static.constant(A)
        loss: Any = 0
        loss += x * x
        loss -= x
        with pytest.raises(SymbolicValueError, match=r"x\[\.\.\.\] = v: .* never changes; .*ops\.where"):
            loss[0] = 1.0
    with static.Session(graph=graph) as session:
        np.testing.assert_array_equal(session.run(loss), A * A - A)


def test_without_the_eager_engine_a_parameter_outside_of_graphs_is_plain_storage() -> None:
    code = (
        "import numpy as np, static\nfrom shared.state import Parameter\n"
        "p = q = Parameter(np.ones(2))\np -= 0.5\np[0] = 3\nassert p is q and p.numpy().tolist() == [3, 0.5]"
    )
    home = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=home)
    assert run.returncode == 0, run.stderr
