"""Layers that regularise: dropout and its kin, batch and layer normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import generator, ones, parameter, zeros
from shared.nn.module import Module
from shared.nn.synchronised import batch_norm_over_ranks
from shared.ops.random import of_rows
from shared.spec import str_shape
from shared.state import Buffer


class Dropout(Module):
    """In training, elements zeroed with probability p and the rest scaled up; else nothing.

    The layer's own generator is a Buffer: both engines draw the same masks, and a model that
    is saved goes on where it stopped.
    """

    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p <= 1:
            raise SettingError(f"Dropout: p must be a probability from 0 to 1, not {p!r}")
        self.p = p
        self.generator = generator()

    def settings(self) -> str:
        return f"p={self.p}"

    def forward(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        y, moved = self._drawn(x)
        self.generator.assign(moved)
        return y

    def _drawn(self, x: Any) -> tuple[Any, Any]:
        """What comes out, and the generator's next state."""
        return ops.dropout(x, of_rows(self.generator), self.p)


class Dropout1d(Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L)."""

    def _drawn(self, x: Any) -> tuple[Any, Any]:
        return ops.dropout1d(x, of_rows(self.generator), self.p)


class Dropout2d(Dropout):
    """Dropout of whole channels of (N, C, H, W) or (C, H, W)."""

    def _drawn(self, x: Any) -> tuple[Any, Any]:
        return ops.dropout2d(x, of_rows(self.generator), self.p)


class Dropout3d(Dropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    def _drawn(self, x: Any) -> tuple[Any, Any]:
        return ops.dropout3d(x, of_rows(self.generator), self.p)


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance, for use with SELU: see `ops.alpha_dropout`."""

    def _drawn(self, x: Any) -> tuple[Any, Any]:
        return ops.alpha_dropout(x, of_rows(self.generator), self.p)


class RReLU(Module):
    """x, times a number drawn from [lower, upper) where it is negative, or, in evaluation, their middle:
    Xu, Wang, Chen and Li 2015."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        self.lower, self.upper = lower, upper
        self.generator = generator()

    def settings(self) -> str:
        return f"{self.lower}, {self.upper}"

    def forward(self, x: Any) -> Any:
        if not self.training:
            return ops.leaky_relu(x, (self.lower + self.upper) / 2)
        y, moved = ops.rrelu(x, of_rows(self.generator), self.lower, self.upper)
        self.generator.assign(moved)
        return y


class _BatchNorm(Module):
    """What the BatchNorms share: all but the number of axes."""

    ndims: tuple[int, ...] = ()
    comm: Any = None
    """The ranks over whose rows the statistics are taken; None for this one's own: see `nn.parallel`."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        bias: bool = True,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = parameter((num_features,), ones()) if affine else None
        self.bias = parameter((num_features,), zeros()) if affine and bias else None
        self.track_running_stats = track_running_stats
        if track_running_stats:
            self.running_mean = Buffer(np.zeros(num_features, np.float32))
            self.running_var = Buffer(np.ones(num_features, np.float32))
            self.num_batches_tracked = Buffer(np.int64(0))

    def settings(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"

    def forward(self, x: Any) -> Any:
        if len(x.shape) not in self.ndims:
            axes = " or ".join(map(str, self.ndims))
            raise ShapeError(
                f"{type(self).__name__}: x {str_shape(tuple(x.shape))} must have {axes} axes, N and C first"
            )
        if self.track_running_stats and not self.training:
            mean, var = self.running_mean, self.running_var
            return ops.batch_norm(x, self.weight, self.bias, mean, var, eps=self.eps, training=False)[0]
        if not self.track_running_stats or self.momentum is None:
            nothing = ops.zeros((self.num_features,), x.dtype, like=x)  # what comes out is the batch's own
            y, mean, var = self._normalised(x, nothing, nothing, 1.0)
        else:
            y, mean, var = self._normalised(x, self.running_mean, self.running_var, self.momentum)
        if self.track_running_stats:
            self._follow(mean, var)
        return y

    def _normalised(self, x: Any, mean: Any, var: Any, momentum: float) -> tuple[Any, Any, Any]:
        if self.comm is None:
            return ops.batch_norm(x, self.weight, self.bias, mean, var, momentum, self.eps)
        return batch_norm_over_ranks(x, self.weight, self.bias, mean, var, momentum, self.eps, self.comm)

    def _follow(self, mean: Any, var: Any) -> None:
        """Keep the new running statistics; without a momentum, `mean` and `var` are one batch's."""
        count = ops.add(self.num_batches_tracked, 1)
        if self.momentum is None:
            share = ops.cast(1 / count, mean.dtype)
            mean = ops.add(self.running_mean, ops.sub(mean, self.running_mean) * share)
            var = ops.add(self.running_var, ops.sub(var, self.running_var) * share)
        self.num_batches_tracked.assign(count)
        self.running_mean.assign(mean)
        self.running_var.assign(var)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L), as `torch.nn.BatchNorm1d`. See BatchNorm2d."""

    ndims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of (N, C, H, W), as `torch.nn.BatchNorm2d`; see `ops.batch_norm`.

    Each channel is normalised over the batch and all axes but its own: in training by the batch's
    statistics, which the running ones follow by `momentum` (None: they are the plain mean over all
    batches so far); in evaluation by the running ones. Without `track_running_stats` there are
    none, and the batch's own serve in evaluation too. weight and bias (num_features,) scale and
    shift what is normalised, unless `affine` is False.
    """

    ndims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (N, C, D, H, W), as `torch.nn.BatchNorm3d`. See BatchNorm2d."""

    ndims = (5,)


class LayerNorm(Module):
    """Each example normalised over its last axes, `normalized_shape`; see `ops.layer_norm`.

    weight and bias have that shape; `elementwise_affine=False` leaves both out, `bias=False` one.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps = sizes, eps
        self.weight = parameter(sizes, ones()) if elementwise_affine else None
        self.bias = parameter(sizes, zeros()) if elementwise_affine and bias else None

    def settings(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"

    def forward(self, x: Any) -> Any:
        return ops.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
