"""Steps of optimisers, of the domain `ai.onnx.preview.training`: rate, number of the step, and then so many
parameters, as many gradients, and as many of each kind of state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared import ops
from shared.onnx.table import onnx_op

TRAINING = "ai.onnx.preview.training"


def _each(kinds: int, xs: tuple[Any, ...], step: Callable[..., tuple[Any, ...]]) -> tuple[Any, ...]:
    """A step for each parameter: all new parameters, then all new states of each kind."""
    count = len(xs) // kinds
    rows = [step(*xs[i::count]) for i in range(count)]
    return tuple(part for column in zip(*rows, strict=True) for part in column)


@onnx_op("Adagrad", domain=TRAINING)
def adagrad(
    rate: Any,
    t: Any,
    *xs: Any,
    decay_factor: float = 0.0,
    epsilon: float = 0.0,
    norm_coefficient: float = 0.0,
) -> Any:
    """Duchi et al. 2011, with a rate that decays."""
    rate = rate / (1 + ops.cast(t, rate.dtype) * decay_factor)

    def step(x: Any, g: Any, h: Any) -> tuple[Any, ...]:
        g = norm_coefficient * x + g
        h = h + g * g
        return x - rate * g / (ops.sqrt(h) + epsilon), h

    return _each(3, xs, step)


@onnx_op("Momentum", domain=TRAINING)
def momentum(
    rate: Any, t: Any, *xs: Any, alpha: float, beta: float, mode: str, norm_coefficient: float
) -> Any:
    """Plain, or Nesterov's; the first gradient counts whole."""
    share = ops.where(ops.greater(t, 0), beta, 1.0)

    def step(x: Any, g: Any, v: Any) -> tuple[Any, ...]:
        g = norm_coefficient * x + g
        v = alpha * v + ops.cast(share, g.dtype) * g
        return x - rate * (v if mode == "standard" else g + alpha * v), v

    return _each(3, xs, step)


@onnx_op("Adam", domain=TRAINING)
def adam(
    rate: Any, t: Any, *xs: Any, alpha: float = 0.9, beta: float = 0.999, epsilon: float = 0.0,
    norm_coefficient: float = 0.0, norm_coefficient_post: float = 0.0,
) -> Any:  # fmt: skip
    """Kingma and Ba 2015; the moments' bias is undone from the second step on."""
    when = ops.cast(t, "float64")
    later = ops.greater(when, 0)
    power = ops.where(later, when, 1.0)
    unbiased = ops.sqrt(1 - ops.pow(beta, power)) / (1 - ops.pow(alpha, power))
    rate = rate * ops.cast(ops.where(later, unbiased, 1.0), rate.dtype)

    def step(x: Any, g: Any, v: Any, h: Any) -> tuple[Any, ...]:
        g = norm_coefficient * x + g
        v = alpha * v + (1 - alpha) * g
        h = beta * h + (1 - beta) * (g * g)
        return (1 - norm_coefficient_post) * (x - rate * (v / (ops.sqrt(h) + epsilon))), v, h

    return _each(4, xs, step)
