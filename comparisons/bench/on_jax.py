"""JAX on the CPU: one jitted step, its loop over time unrolled or a `lax.scan`."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, nn

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
    """Yields "build", then the loss of a step after each; the first one compiles."""
    losses = {"mlp": mlp, "cnn": cnn}
    loss_of = losses.get(workload.model) or recurrent(workload, style == "scan")

    def step(w: Any, x: Any, y: Any) -> tuple[Any, Any]:
        loss, grads = jax.value_and_grad(loss_of)(w, x, y)
        return loss, jax.tree.map(lambda p, g: p - workload.rate * g, w, grads)

    compiled = jax.jit(step, donate_argnums=0)
    w = {name: jnp.asarray(array) for name, array in workload.weights().items()}
    x, y = (jnp.asarray(array) for array in workload.data())
    yield "build"
    while True:
        loss, w = compiled(w, x, y)
        jax.block_until_ready(w)
        yield float(loss)
