"""Law: of complex arguments an op gives what is right, or refuses them in words.

Every case of the table is tried with its floating arguments made complex: derivatives agree with finite
differences, or an error of ours says why not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import nn, ops, optim
from shared.errors import DiptychError, DTypeError
from tests.cases import all_cases
from tests.cases.case import Case
from tests.laws.harness import draws, inner, on_dynamic, raw_loss, stepped

PHASES = {"eigh", "svd", "svd-tall", "svd-wide"}
"""Cases that take all of complex vectors which are known but for a phase. LAPACK's has no derivative."""
CASES = [case for case in all_cases() if any(np.asarray(a).dtype.kind == "f" for a in case.args)]


def complexed(case: Case) -> Case:
    """The case, its floating arguments with imaginary parts beside."""
    rng = case.rng()

    def turned(a: Any) -> Any:
        a = np.asarray(a)
        return a + 1j * rng.uniform(0.1, 0.4, a.shape) if a.dtype.kind == "f" else a

    return replace(case, args=[turned(a) for a in case.args])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_complex_arguments_are_right_or_refused(case: Case) -> None:
    case, eps = complexed(case), 1e-6
    arrays = case.arrays(np.float64)
    try:
        with np.errstate(all="ignore"):
            cs, us, vs = draws(case, arrays)
            outcome = on_dynamic(case, arrays, cs, us)
    except DiptychError:
        return
    ends = [stepped(arrays, vs, step) for step in (eps, -eps)]
    slope = np.subtract(*[raw_loss(case, end, cs) for end in ends]) / (2 * eps)
    along = [v for v in vs if v is not None]
    if case.smooth and str(case) not in PHASES:
        np.testing.assert_allclose(inner(outcome.first, along), slope, rtol=1e-5, atol=1e-6)


# --- conventions ---------------------------------------------------------------------------


def test_a_gradient_points_uphill() -> None:
    """x - lr * x.grad goes down, as in PyTorch: the gradient of |x|^2 by x is 2 x, not its conjugate."""
    x = dynamic.tensor(np.array([1 + 2j, -3j]), requires_grad=True)
    ops.sum(ops.square(ops.abs(x))).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * x.numpy())
    with static.Graph().as_default(), static.Session() as session:
        y = static.placeholder("complex128", (2,))
        (slope,) = static.gradients(ops.sum(ops.square(ops.abs(y))), [y])
        np.testing.assert_allclose(session.run(slope, {y: x.numpy()}), 2 * x.numpy())


def test_the_gradient_of_a_real_argument_is_real() -> None:
    x = dynamic.tensor(np.array([1.0, 2.0]), requires_grad=True)
    ops.sum(ops.abs(x * (3 + 4j))).backward()
    assert x.grad.dtype == np.float64
    np.testing.assert_allclose(x.grad.numpy(), [5, 5])


@pytest.mark.parametrize(
    "run",
    [
        lambda x, c: dynamic.grad(ops.exp(x), x, c),
        lambda x, c: dynamic.vjp(ops.exp, [x], c)[1],
        lambda x, c: _hooked(x, c),
        lambda x, c: _checkpointed(x, c),
        lambda x, c: _in_branches(x, c),
        lambda x, c: _in_a_loop(x, c),
        lambda x, c: _compiled(x, c),
    ],
)
def test_the_same_gradient_by_every_way(run: Any) -> None:
    """conj(exp(x)) times the cotangent."""
    x, c = np.array([1 + 2j, -1 + 0.5j]), np.array([0.3 - 1j, 2j])
    got = run(dynamic.tensor(x, requires_grad=True), dynamic.tensor(c))
    np.testing.assert_allclose(getattr(got, "array", got), np.exp(x).conj() * c)


def _hooked(x: Any, c: Any) -> Any:
    """What a hook of a Tensor in the middle sees, and leaves, is a gradient."""
    seen = []
    y = x * 1
    y.register_hook(lambda g: seen.append(g.numpy()))
    ops.exp(y).backward(c)
    np.testing.assert_allclose(seen[0], x.grad.numpy())
    return x.grad


def _checkpointed(x: Any, c: Any) -> Any:
    dynamic.checkpoint(ops.exp, x).backward(c)
    return x.grad


def _on_static(call: Any, x: Any, c: Any) -> Any:
    with static.Graph().as_default(), static.Session() as session:
        at = static.placeholder("complex128", (2,))
        (slope,) = static.gradients(call(at), [at], [c.numpy()])
        return session.run(slope, {at: x.numpy()})


def _in_branches(x: Any, c: Any) -> Any:
    return _on_static(lambda at: static.cond(static.constant(True), lambda: ops.exp(at), lambda: at), x, c)


def _in_a_loop(x: Any, c: Any) -> Any:
    def step(carry: Any, part: Any) -> Any:
        return carry, ops.exp(part)

    return _on_static(lambda at: static.scan(step, static.constant(0.0), at)[1], x, c)


def _compiled(x: Any, c: Any) -> Any:
    """The third call runs what the first two showed."""
    step = dynamic.function(lambda x, c: dynamic.grad(ops.exp(x), x, c))
    return [step(x, c) for _ in range(3)][-1]


def test_jvp_and_hvp_follow_a_direction() -> None:
    x, t = np.array([1 + 2j, -1 + 0.5j]), np.array([0.5 - 1j, 1j])
    np.testing.assert_allclose(dynamic.jvp(ops.exp, [x], [t])[1].numpy(), np.exp(x) * t)
    _, along = dynamic.hvp(lambda z: ops.sum(ops.square(ops.abs(z))), x, t)
    np.testing.assert_allclose(along.numpy(), 2 * t)


def test_tensors_have_their_parts() -> None:
    """By NumPy's and PyTorch's names, on both engines."""
    for x in (dynamic.tensor([[1 + 2j, 3.0]]), static.constant([[1 + 2j, 3.0]])):
        assert x.is_complex() and not x.real.is_complex()
        parts = [x.real, x.imag, x.conj(), x.mH]
        got = [p.numpy() for p in parts] if isinstance(x, dynamic.Tensor) else static.Session().run(parts)
        want = np.array([[1 + 2j, 3.0]])
        for mine, theirs in zip(got, (want.real, want.imag, want.conj(), want.conj().T), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_complex_parameters_go_downhill_or_are_refused() -> None:
    p = nn.Parameter(np.array([1 + 2j, 3 - 1j]), "p")
    opt = optim.SGD([p], lr=0.1, momentum=0.5)
    for _ in range(60):
        opt.zero_grad()
        ops.sum(ops.square(ops.abs(p - (1 - 1j)))).backward()
        opt.step()
    np.testing.assert_allclose(p.value(), 1 - 1j, atol=1e-3)
    with pytest.raises(DTypeError, match=r"Adam: p is complex128, and the rule is for real numbers; .*SGD"):
        optim.Adam([p])


def test_real_rules_make_no_node_and_no_copy() -> None:
    """conj, real and the ends of the walk back are nothing at all to real values."""
    x = dynamic.tensor(np.ones(3), requires_grad=True)
    assert ops.conj(x) is x and ops.real(x) is x
    y = dynamic.grad(ops.sum(x * x), x, create_graph=True)
    assert not [word for word in ("conj", "real", "imag") if f" {word} " in dynamic.show(y)]


# --- refusals ------------------------------------------------------------------------------

Z = np.array([1 + 2j, 3 - 1j])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ops.less(dynamic.tensor(Z), 1.0), "less: takes real numbers.*no order"),
        (lambda: ops.maximum(Z, 1j), "maximum: takes real numbers"),
        (lambda: dynamic.tensor(Z).max(), "max: takes real numbers"),
        (lambda: ops.argmin(Z), "argmin: takes real numbers"),
        (lambda: ops.clip(Z, 0, 1), "clip: takes real numbers"),
        (lambda: ops.cast(Z, "float32"), r"cast: float32 has no imaginary part; take ops\.real"),
        (lambda: dynamic.tensor(Z).astype("int64"), "cast: int64 has no imaginary part"),
        (lambda: dynamic.tensor(Z, dtype="float64"), "tensor: .*float64 has no imaginary part"),
        (lambda: dynamic.tensor(Z, requires_grad=True).sum().backward(), "backward: y is complex128.*real"),
        (lambda: dynamic.jacobian(ops.exp, Z), "jacobian: fn gave complex128"),
        (lambda: _seedless(), "gradients: .* is complex64.*real part"),
        (lambda: ops.view_as_real(np.ones(2)), "view_as_real: float64 is real already"),
        (lambda: ops.view_as_complex(np.ones(3)), r"view_as_complex: \(3,\) must end with an axis of 2"),
        (lambda: ops.complex(Z, 1.0), "complex: the parts must be real"),
        (lambda: ops.full((2,), 1j), "full: 1j is complex, and float32 has no imaginary part"),
    ],
)
def test_what_would_lose_something_is_refused_in_words(call: Any, words: str) -> None:
    with pytest.raises(DiptychError, match=words):
        call()


def _seedless() -> None:
    with static.Graph().as_default():
        x = static.placeholder("complex64", (2,))
        static.gradients(ops.exp(x), [x])
