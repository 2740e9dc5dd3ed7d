"""Weights that are parametrized: weight_norm and spectral_norm, as in `torch.nn.utils.parametrizations`."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from shared.nn.initial import drawn, normal
from shared.nn.module import Module
from shared.nn.utils.computed import held
from shared.nn.utils.parametrize import register_parametrization
from shared.spec import one_axis
from shared.state import Buffer
from shared.usage.door import public

__all__ = ["spectral_norm", "weight_norm"]


class WeightNorm(Module):
    """magnitude * direction / its norm over all axes but one, or, with None, over all."""

    def __init__(self, axis: int | None) -> None:
        self.axis = axis

    def _norm(self, direction: Any) -> Any:
        if self.axis is None:
            return ops.norm(direction)
        others = [i for i in range(len(direction.shape)) if i != self.axis]
        return ops.norm(direction, axis=others, keepdims=True) if others else ops.abs(direction)

    def forward(self, magnitude: Any, direction: Any) -> Any:
        return ops.mul(direction, ops.div(magnitude, self._norm(direction)))

    def right_inverse(self, weight: Any) -> tuple[Any, Any]:
        """A weight's magnitude and direction."""
        return self._norm(weight), weight


def weight_norm(module: Any, name: str = "weight", axis: int | None = 0) -> Any:
    """Train a weight's magnitude apart from its direction: w = g v / |v|, with a magnitude for each place
    along `axis`, or one in all for None (Salimans and Kingma 2016). Gives the layer.

    The states are PyTorch's: `parametrizations.weight.original0` is g, `original1` v.
    """
    weight = held("weight_norm", module, name)
    at = None if axis is None else one_axis("weight_norm", axis, len(weight.shape))
    return register_parametrization(module, name, WeightNorm(at))


class SpectralNorm(Module):
    """The weight divided by its largest singular value, which power iteration follows: in training each
    call makes `n_power_iterations` steps from the vectors `_u` and `_v` that the last one has left."""

    def __init__(self, weight: Any, n_power_iterations: int, axis: int, eps: float) -> None:
        self.n_power_iterations, self.axis, self.eps = n_power_iterations, axis, eps
        if weight.ndim > 1:
            matrix = self._matrix(weight)
            u, v = (self._unit(drawn((size,), normal(), weight.dtype)) for size in matrix.shape)
            for _ in range(15):
                u, v = self._iterated(matrix, v)
            self._u, self._v = Buffer(np.asarray(u)), Buffer(np.asarray(v))

    def _matrix(self, weight: Any) -> Any:
        """(places along the axis, all others)."""
        others = [i for i in range(len(weight.shape)) if i != self.axis]
        turned = ops.transpose(weight, (self.axis, *others))
        return ops.reshape(turned, (weight.shape[self.axis], -1))

    def _unit(self, x: Any) -> Any:
        return x / ops.maximum(ops.norm(x), self.eps)

    def _iterated(self, matrix: Any, v: Any) -> tuple[Any, Any]:
        u = self._unit(ops.matmul(matrix, v))
        return u, self._unit(ops.matmul(u, matrix))

    def forward(self, weight: Any) -> Any:
        if len(weight.shape) == 1:
            return ops.div(weight, ops.maximum(ops.norm(weight), self.eps))
        matrix = self._matrix(weight)
        u, v = self._u, self._v
        if self.training:
            fixed = ops.stop_gradient(matrix)
            for _ in range(self.n_power_iterations):
                u, v = self._iterated(fixed, v)
            self._u.assign(u)
            self._v.assign(v)
        return ops.div(weight, ops.sum(ops.mul(u, ops.matmul(matrix, v))))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    axis: int | None = None,
) -> Any:  # fmt: skip
    """Divide a weight by its largest singular value, as a matrix of `axis` against all other axes (Miyato,
    Kataoka, Koyama and Yoshida 2018). Gives the layer.

    axis  0 unless said otherwise, and 1 for a transposed convolution: the outputs'
    The states are PyTorch's: `parametrizations.weight.original`, and the vectors of the power iteration,
    `parametrizations.weight.0._u` and `_v`, which are Buffers. As there, 15 iterations are made at first.
    """
    weight = held("spectral_norm", module, name)
    if n_power_iterations < 1:
        raise SettingError(f"spectral_norm: n_power_iterations is 1 or more, not {n_power_iterations!r}")
    if axis is None:
        axis = 1 if getattr(module, "turned", False) else 0
    at = one_axis("spectral_norm", axis, len(weight.shape))
    made = SpectralNorm(weight.numpy(), n_power_iterations, at, float(eps))
    return register_parametrization(module, name, made)


public(globals(), __all__)
