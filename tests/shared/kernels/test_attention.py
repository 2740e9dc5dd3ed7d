"""Attention's kernels give what float64 gives with all weights at once, and memory grows with the length."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import dynamic
import static
from shared import ops
from shared.kernels import attention, machine, threads
from shared.op import TABLE

pytestmark = pytest.mark.skipif(machine.available() != "", reason=machine.available())

CASES = {  # heads, queries, keys, features of keys, of values; whether it is causal, whether biased
    "small heads": (16, 64, 64, 8, 8, True, False),
    "chunks": (2, 200, 600, 16, 24, False, False),
    "causal chunks": (2, 600, 600, 16, 24, True, False),
    "uneven": (3, 61, 301, 5, 40, False, True),
    "more queries": (2, 301, 61, 33, 3, True, True),
    "one query": (1, 1, 17000, 3, 3, False, False),
}


def wanted(
    g: Any, q: Any, k: Any, v: Any, bias: Any, causal: bool, scale: float
) -> tuple[Any, Any, Any, Any]:
    """The output and the gradients by q, k and v, in float64."""
    g, q, k, v = (x.astype(np.float64) for x in (g, q, k, v))
    scores = q @ k.swapaxes(-1, -2) * scale
    visible = np.ones(scores.shape, bool) if bias is None else np.broadcast_to(bias > -np.inf, scores.shape)
    if causal:
        visible = visible & np.tri(*scores.shape[-2:], dtype=bool)
    scores = np.where(visible, scores if bias is None else scores + np.where(bias > -np.inf, bias, 0), -1e9)
    weights = np.where(visible, np.exp(scores - scores.max(-1, keepdims=True)), 0)
    weights /= np.maximum(weights.sum(-1, keepdims=True), 1e-300)
    products = g @ v.swapaxes(-1, -2)
    slopes = weights * (products - (weights * products).sum(-1, keepdims=True)) * scale
    return weights @ v, slopes @ k, slopes.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ g


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("dtype", "error"), [("float32", 2e-5), ("float64", 2e-14)])
def test_the_kernels_give_what_all_weights_give(case: str, dtype: str, error: float) -> None:
    """Where something is added, some keys are hidden, and of the first head all."""
    heads, queries, keys, features, values, causal, biased = CASES[case]
    rng = np.random.default_rng(1)
    shapes = ((queries, values), (queries, features), (keys, features), (keys, values))
    g, q, k, v = (rng.standard_normal((heads, *shape)).astype(dtype) for shape in shapes)
    bias = None
    if biased:
        bias = rng.standard_normal((heads, 1, keys)).astype(dtype)
        bias[rng.random(bias.shape) < 0.5] = -np.inf
        bias[0] = -np.inf
    assert attention.worth_attending(q, k, v, bias)
    masks, settings = () if bias is None else (bias,), {"causal": causal, "scale": 0.3}
    y, largest, inverse = TABLE["attention"](q, k, v, *masks, **settings)
    found = y, *TABLE["attention_grad"](g, q, k, v, y, largest, inverse, *masks, **settings)
    for ours, right in zip(found, wanted(g, q, k, v, bias, causal, 0.3), strict=True):
        np.testing.assert_allclose(ours, right, rtol=0, atol=error * max(np.abs(right).max(), 1))
    if biased:
        assert not any(x[0].any() for x in found)


def test_a_row_has_the_bits_that_it_has_alone_and_with_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And arrays may lie in memory as they like: heads beside each other, as a layer's are."""
    rng = np.random.default_rng(2)
    q, k, v = (rng.standard_normal((2, 300, 3, 16)).astype(np.float32).transpose(0, 2, 1, 3) for _ in "qkv")
    plain = [np.ascontiguousarray(x) for x in (q, k, v)]

    def all_of(*qkv: Any) -> tuple[Any, ...]:
        settings = {"causal": True, "scale": None}
        y = TABLE["attention"](*qkv, **settings)
        return *y, *TABLE["attention_grad"](np.cos(y[0]), *qkv, *y, **settings)

    whole = all_of(q, k, v)
    for count in (1, 2, 5):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        threads._pool.cache_clear()
        for a, b in zip(whole, all_of(*plain), strict=True):
            np.testing.assert_array_equal(a, b)
    threads._pool.cache_clear()
    some = TABLE["attention"](*(x[:, :, :211] for x in plain), causal=True, scale=None)[0]
    np.testing.assert_array_equal(some, whole[0][:, :, :211])


def test_what_is_not_finite_is_seen_as_softmax_sees_it() -> None:
    q = np.random.default_rng(3).standard_normal((2, 150, 8)).astype(np.float32)
    k, v = q[:, ::-1].copy(), q.copy()
    q[0, 5], q[1, 7, 0], k[1, 20, 2] = np.nan, np.inf, -np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        ours = ops.scaled_dot_product_attention(q, k, v, is_causal=True)
        plain = np.matmul(ops.attention_weights(q, k, is_causal=True), v)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(plain))
    np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5)


def _layer(q: Any, k: Any, v: Any) -> Any:
    return ops.sum(ops.square(ops.scaled_dot_product_attention(q, k, v, is_causal=True)))


def _on_dynamic(arrays: list[Any]) -> int:
    """The bytes that a loss and its gradients take at the highest point."""
    tensors = [dynamic.tensor(x, requires_grad=True) for x in arrays]
    tracemalloc.start()
    _layer(*tensors).backward()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def _on_static(arrays: list[Any]) -> int:
    graph = static.Graph()
    with graph.as_default():
        given = [static.placeholder("float32", x.shape) for x in arrays]
        fetched = static.gradients(_layer(*given), given)
    with static.Session(graph=graph) as session:
        session.program(fetched, given)
        tracemalloc.start()
        session.run(fetched, dict(zip(given, arrays, strict=True)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


@pytest.mark.parametrize("measure", [_on_dynamic, _on_static], ids=["dynamic", "static"])
def test_memory_grows_with_the_length_and_not_with_its_square(measure: Any) -> None:
    """At 1,024, 2,048 and 4,096 tokens: one matrix of all weights alone takes 4, 16 and 64 MiB."""
    rng = np.random.default_rng(4)
    measure([rng.standard_normal((1, 1024, 8)).astype(np.float32)] * 3)  # what is loaded at first use
    taken = [measure([rng.standard_normal((1, n, 8)).astype(np.float32)] * 3) for n in (1024, 2048, 4096)]
    assert taken[1] < 2.1 * taken[0] and taken[2] < 2.1 * taken[1], taken
    assert taken[2] < 2 << 20, taken
