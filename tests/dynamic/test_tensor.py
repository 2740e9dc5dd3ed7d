"""Tensor: values, operators, methods, conversions, changes in place."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import dynamic
import dynamic.array_api
from shared import ops
from shared.errors import DTypeError, SettingError


def test_python_floats_become_float32_and_arrays_keep_their_dtype() -> None:
    assert dynamic.tensor([1.0]).dtype == np.float32
    assert dynamic.tensor(2.5).dtype == np.float32
    assert dynamic.tensor([1, 2]).dtype == np.int64
    assert dynamic.tensor(np.ones(2)).dtype == np.float64
    assert dynamic.tensor([1], dtype="float64").dtype == np.float64


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.zeros(2, np.float32)
    apart, together = dynamic.tensor(array), dynamic.from_numpy(array)
    array[:] = 1
    assert apart.tolist() == [0, 0] and together.tolist() == [1, 1]


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.int8(2), True])
def test_numbers_are_weak_beside_a_tensor(number: Any) -> None:
    x = dynamic.tensor([1.0, 2.0])
    for y in (x * number, number * x, x + number, number - x, x / number, number / x, x**number):
        assert isinstance(y, dynamic.Tensor) and y.dtype == np.float32


def test_an_array_on_either_side_gives_a_tensor() -> None:
    x, a = dynamic.tensor([1.0, 2.0], requires_grad=True), np.array([3, 4], np.float32)
    for y in (x * a, a * x, a + x, a - x, a / x, a @ x, x @ a, a == x, a < x):
        assert isinstance(y, dynamic.Tensor)
    assert (a - x).tolist() == [2, 2] and (a > x).tolist() == [True, True]


def test_comparison_is_elementwise_and_hashing_by_identity() -> None:
    x, y = dynamic.tensor([1.0, 2.0]), dynamic.tensor([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert len({x, y, x}) == 2


def test_indexing_iteration_and_length() -> None:
    x = dynamic.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    assert len(x) == 3 and [row.tolist() for row in x] == [[0, 1], [2, 3], [4, 5]]
    x[[0, 0, 2], 1].sum().backward()
    assert x.grad.tolist() == [[0, 2], [0, 0], [0, 1]]


def test_the_repr_shows_values_and_where_they_came_from() -> None:
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], float32, requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], float32, made by mul)"
    assert f"{x.sum():.2f}" == "3.00"


def test_a_scalar_converts_to_python_numbers() -> None:
    x = dynamic.tensor(3)
    assert (int(x), float(x), bool(x), [10, 11, 12, 13][x]) == (3, 3.0, True, 13)
    with pytest.raises(ValueError, match="2 elements"):
        dynamic.tensor([1, 2]).item()


def test_leaves_pickle_and_copy_and_histories_do_not() -> None:
    x = dynamic.tensor([1.0], requires_grad=True)
    for twin in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert twin.tolist() == [1.0] and twin.requires_grad and twin is not x
    with pytest.raises(RuntimeError, match=r"made by mul can not be pickled.*detach"):
        pickle.dumps(x * 2)


def test_dlpack_goes_both_ways_without_a_copy() -> None:
    x = dynamic.tensor([1.0, 2.0])
    array = np.from_dlpack(x)
    assert np.shares_memory(array, x.numpy())
    assert np.shares_memory(dynamic.from_dlpack(array).numpy(), array)


def test_what_is_only_marked_as_negated_is_refused() -> None:
    """findings/dlpack-forgets-a-minus.sh: the memory comes without the mark."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    negated = torch.tensor([1 + 2j]).conj().imag
    for take in (dynamic.from_dlpack, dynamic.array_api.from_dlpack):
        with pytest.raises(SettingError, match=r"call resolve_neg\(\) on it first"):
            take(negated)
        assert take(negated.resolve_neg()).numpy().tolist() == [-2]


def test_without_cupy_the_way_to_the_gpu_is_named() -> None:
    try:
        import cupy  # noqa: F401
    except ImportError:
        with pytest.raises(TypeError, match="cuda12"):
            dynamic.tensor([1.0]).cuda()
    assert dynamic.tensor([1.0]).cpu().device == "cpu"


def test_clone_passes_gradients_and_detach_does_not() -> None:
    x = dynamic.tensor([1.0], requires_grad=True)
    y = x.clone()
    assert not np.shares_memory(x.numpy(), y.numpy())
    y.sum().backward()
    assert x.grad.tolist() == [1.0] and not x.detach().requires_grad
    assert x.to("float64").dtype == np.float64


def test_names_of_pytorch() -> None:
    x = dynamic.tensor(np.arange(6.0).reshape(2, 3))
    assert x.permute(1, 0).shape == (3, 2) == x.T.shape
    assert x.unsqueeze(0).shape == (1, 2, 3) and x.view(-1).shape == (6,)
    assert x.masked_fill(x > 2, 0.0).tolist() == [[0, 1, 2], [0, 0, 0]]


# --- in place ------------------------------------------------------------------------------


def test_a_hand_written_update_changes_the_leaf_itself() -> None:
    w = dynamic.tensor([1.0, 2.0], requires_grad=True)
    same, array = w, w.numpy()
    (w * w).sum().backward()
    with dynamic.no_grad():
        w -= w.grad * 0.5
    assert w is same and w.numpy() is array and w.tolist() == [0.0, 0.0] and w.is_leaf
    w.grad = None
    (w * 3).sum().backward()
    assert w.grad.tolist() == [3.0, 3.0]


def test_setting_items_of_a_constant_changes_it() -> None:
    x = dynamic.zeros(2, 3)
    x[0, 1:] = dynamic.tensor([1.0, 2.0])
    x[x == 0] = 7
    assert x.tolist() == [[7, 1, 2], [7, 7, 7]]


@pytest.mark.parametrize("middle", [False, True])
def test_writing_into_what_the_tape_remembers_is_an_error(middle: bool) -> None:
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2 if middle else x
    for change in (lambda: y.fill_(1), lambda: y.__setitem__(0, 5.0), lambda: y.zero_()):
        with pytest.raises(RuntimeError, match="no_grad") as caught:
            change()
        assert "test_tensor.py" in str(caught.value)


def test_a_kept_array_that_was_changed_is_noticed_with_the_line() -> None:
    x, mask = dynamic.tensor([1.0, 2.0], requires_grad=True), dynamic.tensor([1.0, 0.0])
    y = (x * mask).sum()
    mask += 1  # breaks the gradient of x
    with pytest.raises(RuntimeError, match=r"changed in place since.*breaks the gradient"):
        y.backward()


def test_a_change_of_a_view_counts_for_the_whole_array_and_a_change_before_does_not() -> None:
    x, mask = dynamic.tensor([1.0, 2.0], requires_grad=True), dynamic.tensor([1.0, 0.0])
    mask += 1
    y = (x * mask).sum()
    y.backward()
    assert x.grad.tolist() == [2.0, 1.0]
    z = (x * mask).sum()
    mask.reshape(2, 1)[0] = 5
    with pytest.raises(RuntimeError, match="changed in place"):
        z.backward()


def test_a_change_of_what_no_gradient_needs_is_fine() -> None:
    x, shift = dynamic.tensor([1.0, 2.0], requires_grad=True), dynamic.tensor([1.0, 0.0])
    y = (x + shift).sum()
    shift += 1
    y.backward()
    assert x.grad.tolist() == [1.0, 1.0]
    assert ops.sum(shift).item() == 3


@pytest.mark.parametrize("write", [
    lambda x, v: x[:1].__iadd__(v.sum()), lambda x, v: x.__setitem__(0, v[0]), lambda x, v: x.copy_(v),
])  # fmt: skip
def test_a_value_with_a_gradient_is_not_lost_by_writing_it_in_place(write: Any) -> None:
    x, v = dynamic.zeros(2), dynamic.tensor([1.0, 2.0], requires_grad=True) * 3
    with pytest.raises(RuntimeError, match="carries a gradient, which a change in place would lose"):
        write(x, v)
    with dynamic.no_grad():
        write(x, v)


def test_a_sum_may_begin_with_a_value_that_has_no_gradient() -> None:
    """`loss += y` of a constant makes a new loss, as of a value that has one."""
    p = dynamic.tensor([1.0, 2.0], requires_grad=True)
    first = p.detach().sum()
    loss = first
    loss += (p * p).sum()
    loss.backward()
    assert loss.item() == 8 and first.item() == 3
    np.testing.assert_array_equal(p.grad.numpy(), [2.0, 4.0])


@pytest.mark.parametrize("other", [
    np.array([1.0, 2.0], object), np.array(2.0, object), np.array(["a", "b"]), np.array([1, 2], "m8[s]"),
], ids=["objects", "an object", "text", "times"])  # fmt: skip
def test_arrays_of_no_numbers_are_refused(other: np.ndarray) -> None:
    """A product with objects was a Tensor of objects, and had no gradient."""
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    chosen = np.array(True)
    calls = lambda: x * other, lambda: other + x, lambda: ops.where(chosen, x, other), lambda: x == other
    for call in calls:
        with pytest.raises(DTypeError, match="does not hold numbers"):
            call()
