"""Gradients on the tape: what is reached, what is kept, what is freed."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import dynamic
from shared import nn, ops, optim


def leaf(*values: float) -> dynamic.Tensor:
    return dynamic.tensor(np.array(values), requires_grad=True)


def test_gradients_add_up_until_they_are_forgotten() -> None:
    x = leaf(1.0, 2.0)
    for times in (1, 2, 3):
        (x * 3).sum().backward()
        assert x.grad.tolist() == [3.0 * times] * 2
    x.grad = None
    (x * 3).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_gradients_share_memory_with_nothing() -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = np.ones(2)
    (x + y).backward(seed)
    assert not np.shares_memory(x.grad.numpy(), y.grad.numpy())
    assert not np.shares_memory(x.grad.numpy(), seed)
    x.grad.numpy()[:] = 9
    assert y.grad.tolist() == [1, 1]


def test_a_gradient_of_a_broadcast_is_writable() -> None:
    x = leaf(1.0, 2.0)
    x.sum().backward()
    x.grad.numpy()[:] = 5
    x.sum().backward()
    assert x.grad.tolist() == [6, 6]


def test_only_the_part_that_was_asked_for_is_walked() -> None:
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    walked: list[Any] = []
    middle = ops.exp(w)
    middle.register_hook(walked.append)
    y = (x * middle).sum()
    dynamic.grad(y, x, retain_graph=True)
    assert walked == [] and w.grad is None
    y.backward(inputs=[w])
    assert len(walked) == 1 and x.grad is None and w.grad is not None


def test_the_gradient_by_a_tensor_in_the_middle() -> None:
    x = leaf(2.0)
    y = x * x
    z = (y * y).sum()
    gy, gx = dynamic.grad(z, [y, x])
    assert (gy.item(), gx.item()) == (8.0, 32.0)


def test_several_ys_are_summed_and_each_may_have_its_cotangent() -> None:
    x = leaf(2.0)
    assert dynamic.grad([x * 3, x * x], x, [np.array([1.0]), np.array([10.0])]).item() == 43.0


def test_backward_on_a_leaf_and_past_a_dropped_output() -> None:
    x = leaf(3.0)
    x.backward()
    assert x.grad.item() == 1.0
    y = leaf(1.0, 2.0, 3.0)
    ops.split(y, 3)[1].backward()
    assert y.grad.tolist() == [0, 1, 0]


def test_nodes_used_twice_run_once_and_after_all_their_users() -> None:
    x = leaf(2.0)
    a = x * x
    b = ops.exp(a * 0)
    y = a * b + a
    y.backward()
    assert x.grad.item() == 8.0


def test_a_chain_of_100_000_ops_works_and_is_freed() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    assert x.grad.item() == 1.0
    del y


def test_retained_gradients_and_hooks() -> None:
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    off = y.register_hook(lambda g: g * 10)
    y.sum().backward(retain_graph=True)
    assert y.grad.tolist() == [10, 10] and x.grad.tolist() == [20, 20]
    off()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [2, 2] and y.grad.tolist() == [11, 11]
    z = leaf(1.0)
    z.register_hook(lambda g: g + 1)
    (z * 3).backward()
    assert z.grad.item() == 4.0


def test_hooks_and_kept_gradients_do_not_keep_the_tape_alive() -> None:
    """Nor one that knows its own Tensor, nor a gradient with a history of its own."""
    refs = []
    for _ in range(2):
        x = leaf(1.0, 2.0)
        y = x * x
        y.register_hook(lambda g, y=y: g * y.detach())
        y.retain_grad()
        (y * y).sum().backward(create_graph=True)
        refs += [weakref.ref(y), weakref.ref(y.grad_fn)]
        del x, y
    gc.collect()
    assert [ref() for ref in refs] == [None] * len(refs)


def test_a_step_frees_everything_without_the_garbage_collector() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 2))
    opt = optim.SGD(model.parameters(), lr=0.1)
    gc.collect()
    gc.disable()
    try:
        for create_graph in (False, True):
            hidden = model(dynamic.tensor(np.ones((3, 4), np.float32)))
            loss = ops.mean(ops.square(hidden))
            refs = [weakref.ref(thing) for thing in (hidden, hidden.data, hidden.grad_fn, loss, loss.grad_fn)]
            loss.backward(create_graph=create_graph)
            opt.step()
            opt.zero_grad()
            del hidden, loss
            assert [ref() for ref in refs] == [None] * len(refs)
    finally:
        gc.enable()


def test_buffers_are_freed_as_backward_goes() -> None:
    x = leaf(1.0, 2.0)
    y = ops.exp(x)
    array = weakref.ref(y.data)
    z = ops.sum(y * y)
    del y
    assert array() is not None
    z.backward()
    assert array() is None


def test_only_what_rules_read_is_kept() -> None:
    x = leaf(1.0, 2.0)
    big = x * 1.0
    array = weakref.ref(big.data)
    y = big + 1.0
    del big
    assert array() is None
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_unchain_cuts_the_history_for_truncated_backpropagation() -> None:
    w, h = leaf(2.0), leaf(1.0)
    for _ in range(3):
        h = h * w
    h.unchain()
    y = h * w
    y.backward()
    assert w.grad.item() == 8.0 and not h.requires_grad


@pytest.mark.parametrize("create_graph", [False, True])
def test_checkpoint_gives_the_bits_of_the_plain_run_and_keeps_less(create_graph: bool) -> None:
    nn.manual_seed(0)
    layers = [nn.Linear(6, 6) for _ in range(3)]
    data = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)

    def block(x: Any) -> Any:
        for layer in layers:
            x = ops.tanh(layer(x))
        return x

    grads = []
    for run in (block, lambda x: dynamic.checkpoint(block, x)):
        x = dynamic.tensor(data, requires_grad=True)
        y = ops.sum(ops.square(run(x * 2)))
        y.backward(create_graph=create_graph)
        grads.append([x.grad.numpy(), *(p.grad.numpy() for layer in layers for p in layer.parameters())])
        for layer in layers:
            layer.zero_grad()
    for plain, again in zip(*grads, strict=True):
        assert (plain == again).all()


def test_checkpoint_answers_grad_by_a_parameter_inside_it() -> None:
    layer, x = nn.Linear(2, 2), leaf(1.0, 2.0)
    y = ops.sum(dynamic.checkpoint(lambda v: layer(v), x.reshape(1, 2).astype("float32")))
    (g,) = dynamic.grad(y, [layer.weight])
    assert g.tolist() == [[1, 2], [1, 2]]


def test_two_threads_differentiate_apart_and_have_modes_of_their_own() -> None:
    results: dict[int, Any] = {}
    inside = threading.Barrier(2)

    def work(k: int) -> None:
        x = leaf(float(k))
        with dynamic.no_grad() if k == 1 else dynamic.enable_grad():
            inside.wait()
            y = x
            for _ in range(2000):
                y = y * 1.0 + 0.0
            inside.wait()
        results[k] = dynamic.grad(y, x).item() if k != 1 else y.requires_grad

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {1: False, 2: 1.0}


def test_no_grad_is_a_decorator_too() -> None:
    @dynamic.no_grad()
    def double(x: Any) -> Any:
        return x * 2

    assert not double(leaf(1.0)).requires_grad
    assert not double(leaf(1.0)).requires_grad


# --- derivatives of functions --------------------------------------------------------------


def cube(x: Any) -> Any:
    return ops.sum(x * x * x)


def test_value_and_grad_vjp_jvp_hvp_jacobian_hessian_agree() -> None:
    at, v = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])
    value, slope = dynamic.value_and_grad(cube, at)
    assert value.item() == 36 and slope.tolist() == [3, 12, 27]

    def fn(x: Any) -> Any:
        return ops.stack([x[0] * x[1], ops.sin(x[2])])

    full = np.array([[2.0, 1, 0], [0, 0, np.cos(3.0)]])
    np.testing.assert_allclose(dynamic.jacobian(fn, at).numpy(), full)
    np.testing.assert_allclose(dynamic.jvp(fn, [at], [v])[1].numpy(), full @ v)
    np.testing.assert_allclose(dynamic.vjp(fn, [at], np.array([2.0, 3.0]))[1].numpy(), full.T @ [2, 3])
    second = np.diag(6 * at)
    np.testing.assert_allclose(dynamic.hessian(cube, at).numpy(), second)
    np.testing.assert_allclose(dynamic.hvp(cube, at, v)[1].numpy(), second @ v)


def test_the_derivative_by_what_a_function_does_not_depend_on_is_zero() -> None:
    """A linear function has a Hessian, and a constant a Jacobian: they are zero."""
    at, v, zeros = np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.zeros(2)
    np.testing.assert_array_equal(dynamic.hessian(ops.sum, at).numpy(), np.zeros((2, 2)))
    np.testing.assert_array_equal(dynamic.hvp(ops.sum, at, v)[1].numpy(), zeros)
    np.testing.assert_array_equal(dynamic.jvp(lambda x: dynamic.tensor(at), [at], [v])[1].numpy(), zeros)
    np.testing.assert_array_equal(dynamic.jacobian(lambda x: dynamic.ones(3), at).numpy(), np.zeros((3, 2)))
    kept, unused = dynamic.value_and_grad(lambda x, y: ops.sum(x), at, at)[1]
    np.testing.assert_array_equal(kept.numpy(), np.ones(2))
    np.testing.assert_array_equal(unused.numpy(), zeros)


def test_higher_orders_cost_one_flag() -> None:
    x = leaf(0.5)
    y = ops.sin(x)
    for order in range(1, 6):
        y = dynamic.grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.item(), np.sin(0.5 + order * np.pi / 2))


def test_double_backward_through_a_gradient_penalty() -> None:
    nn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    x = dynamic.tensor(np.ones((2, 3), np.float32), requires_grad=True)
    slope = dynamic.grad(ops.sum(model(x)), x, create_graph=True)
    penalty = ops.sum(ops.square(slope))
    penalty.backward()
    assert all(p.grad is not None for name, p in model.named_parameters() if name != "2.bias")


def test_a_change_under_a_checkpoint_is_noticed() -> None:
    h = leaf(1.0, 2.0) * 2
    y = ops.sum(dynamic.checkpoint(lambda h: h * h, h))
    h.detach().zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_kept_gradients_share_memory_with_nothing() -> None:
    x = leaf(1.0, 2.0)
    m = x + 1
    m.retain_grad()
    ops.sum(m * m).backward()
    x.grad.zero_()
    assert m.grad.tolist() == [4, 6]
