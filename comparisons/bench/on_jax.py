"""JAX on the CPU: one jitted step, its loop over time unrolled or a `lax.scan`; or each op at once."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, nn

from comparisons.bench.nets import Conv, Net, Pool, Residual
from comparisons.bench.transformers import Gpt
from comparisons.bench.workloads import Workload

VERSION = jax.__version__


def cross_entropy(logits: Any, y: Any) -> Any:
    """The mean over all labels."""
    chosen = jnp.take_along_axis(nn.log_softmax(logits), y[..., None], -1)
    return -jnp.mean(chosen)


def mlp(w: Any, x: Any, y: Any) -> Any:
    """Two layers."""
    h = nn.relu(x @ w["fc1.weight"].T + w["fc1.bias"])
    return cross_entropy(h @ w["fc2.weight"].T + w["fc2.bias"], y)


def cnn(w: Any, x: Any, y: Any) -> Any:
    """Two convolutions, two layers."""
    for conv in ("conv1", "conv2"):
        h = lax.conv(x, w[f"{conv}.weight"], (1, 1), "SAME") + w[f"{conv}.bias"][:, None, None]
        x = lax.reduce_window(nn.relu(h), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    h = nn.relu(x.reshape(x.shape[0], -1) @ w["fc1.weight"].T + w["fc1.bias"])
    return cross_entropy(h @ w["fc2.weight"].T + w["fc2.bias"], y)


def convolutional(net: Net, w: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """A net's parts one after the other; the loss, and the new running statistics."""
    running: dict[str, Any] = {}

    def convolved(conv: Conv, x: Any) -> Any:
        padding = [(conv.padding, conv.padding)] * 2
        x = lax.conv_general_dilated(
            x, w[f"{conv.name}.weight"], (conv.stride,) * 2, padding, feature_group_count=conv.groups
        )
        x = normalised(conv.name, x) if conv.norm else x + w[f"{conv.name}.bias"][:, None, None]
        return nn.relu(x) if conv.relu else x

    def normalised(name: str, x: Any) -> Any:
        mean, var = jnp.mean(x, (0, 2, 3)), jnp.var(x, (0, 2, 3))
        count = x.size // len(mean)
        for of, value in (("mean", mean), ("var", var * (count / (count - 1)))):
            before = w[f"{name}_norm.running_{of}"]
            running[f"{name}_norm.running_{of}"] = before + 0.1 * (value - before)
        scale = w[f"{name}_norm.weight"] * lax.rsqrt(var + 1e-5)
        return x * scale[:, None, None] + (w[f"{name}_norm.bias"] - mean * scale)[:, None, None]

    def applied(part: Conv | Residual | Pool, x: Any) -> Any:
        if isinstance(part, Pool):
            window, stride = (1, 1, part.size, part.size), (1, 1, part.stride, part.stride)
            padding = ((0, 0), (0, 0), (part.padding, part.padding), (part.padding, part.padding))
            if part.kind == "max":
                return lax.reduce_window(x, -jnp.inf, lax.max, window, stride, padding)
            return lax.reduce_window(x, 0.0, lax.add, window, stride, padding) / part.size**2
        if isinstance(part, Conv):
            return convolved(part, x)
        h = x
        for conv in part.body:
            h = convolved(conv, h)
        return nn.relu(h + (x if part.shortcut is None else convolved(part.shortcut, x)))

    for part in net.parts:
        x = applied(part, x)
    x = jnp.mean(x, (2, 3)) if net.average else x.reshape(x.shape[0], -1)
    return cross_entropy(x @ w["fc.weight"].T + w["fc.bias"], y), running


def statistics(net: Net) -> Any:
    """The running statistics to start from."""
    return {
        f"{conv.name}_norm.running_{of}": make((conv.outputs,))
        for conv in net.convolutions()
        if conv.norm
        for of, make in (("mean", jnp.zeros), ("var", jnp.ones))
    }


def language(gpt: Gpt, w: Any, x: Any, y: Any) -> Any:
    """A small language model."""

    def normalised(name: str, x: Any) -> Any:
        x = x - jnp.mean(x, -1, keepdims=True)
        x = x * lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-5)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(name: str, x: Any) -> Any:
        return x @ w[f"{name}weight"].T + w[f"{name}bias"]

    def attention(name: str, x: Any) -> Any:
        made = linear(f"{name}.in_proj_", x).reshape(*x.shape[:2], 3, gpt.heads, -1)
        y = nn.dot_product_attention(made[:, :, 0], made[:, :, 1], made[:, :, 2], is_causal=True)
        return linear(f"{name}.out_proj.", y.reshape(x.shape))

    x = w["tokens.weight"][x] + w["positions.weight"]
    for k in range(gpt.blocks):
        block = f"blocks.{k}."
        x = x + attention(f"{block}self_attn", normalised(f"{block}norm1", x))
        h = nn.gelu(linear(f"{block}linear1.", normalised(f"{block}norm2", x)), approximate=False)
        x = x + linear(f"{block}linear2.", h)
    return cross_entropy(normalised("norm", x) @ w["head.weight"].T, y)


def adam(w: Any, g: Any, moments: Any, count: Any, rate: float) -> tuple[Any, Any]:
    """New weights and moments (Kingma and Ba 2015)."""
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], g)
    second = jax.tree.map(lambda m, g: 0.999 * m + 0.001 * g * g, moments[1], g)
    size, root = rate / (1 - 0.9**count), jnp.sqrt(1 - 0.999**count)
    moved = jax.tree.map(lambda p, a, b: p - size * a / (jnp.sqrt(b) / root + 1e-8), w, first, second)
    return moved, (first, second)


def cell(w: Any, x: Any, state: Any, kind: str) -> Any:
    """One time step."""
    h, c = state
    z = x @ w["cell.weight_ih"].T + w["cell.bias_ih"] + h @ w["cell.weight_hh"].T + w["cell.bias_hh"]
    if kind == "rnn":
        return jnp.tanh(z), c
    i, f, g, o = jnp.split(z, 4, -1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
    return nn.sigmoid(o) * jnp.tanh(c), c


def recurrent(workload: Workload, scan: bool) -> Any:
    """The loss of a recurrent workload."""
    start = (jnp.zeros((workload.batch, workload.width)),) * 2

    def of_one(w: Any, state: Any, x: Any, y: Any) -> tuple[Any, Any]:
        state = cell(w, w["embedding.weight"][x], state, workload.model)
        return state, cross_entropy(state[0] @ w["head.weight"].T + w["head.bias"], y)

    def scanned(w: Any, x: Any, y: Any) -> Any:
        _, losses = lax.scan(lambda state, xy: of_one(w, state, *xy), start, (x, y))
        return jnp.mean(losses)

    def unrolled(w: Any, x: Any, y: Any) -> Any:
        state, total = start, 0.0
        for t in range(workload.times):
            state, loss = of_one(w, state, x[t], y[t])
            total = total + loss
        return total / workload.times

    return scanned if scan else unrolled


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each; the first one compiles, but of "eager"."""
    losses = {"mlp": mlp, "cnn": cnn}
    net, gpt = workload.net, workload.gpt
    if gpt is not None:
        losses["gpt"] = partial(language, gpt)
    plain = losses.get(workload.model) or recurrent(workload, style == "scan")

    def loss_of(w: Any, x: Any, y: Any) -> tuple[Any, Any]:
        return (plain(w, x, y), {}) if net is None else convolutional(net, w, x, y)

    def step(w: Any, state: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
        (loss, running), grads = jax.value_and_grad(loss_of, has_aux=True)(w, x, y)
        if workload.optimiser == "Adam":
            w, moments = adam(w, grads, state[1], state[0] + 1, workload.rate)
            return loss, w, (state[0] + 1, moments)
        return loss, jax.tree.map(lambda p, g: p - workload.rate * g, w, grads) | running, state

    compiled = step if style == "eager" else jax.jit(step, donate_argnums=(0, 1))
    w = {name: jnp.asarray(array) for name, array in workload.weights().items()}
    w |= statistics(net) if net else {}
    x, y = (jnp.asarray(array) for array in workload.data())
    state: Any = ()
    if workload.optimiser == "Adam":
        state = jnp.zeros(()), tuple(jax.tree.map(jnp.zeros_like, w) for _ in range(2))
    yield "build"
    while True:
        loss, w, state = compiled(w, state, x, y)
        jax.block_until_ready(w)
        yield float(loss)
