"""Layers that normalise each example by itself: in groups of channels, by its mean square, by neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError, ShapeError
from shared.nn.initial import ones, parameter, zeros
from shared.nn.module import Module
from shared.spec import str_shape
from shared.state import Buffer


class GroupNorm(Module):
    """Each example (C, ...) of (N, C, ...) normalised over `num_groups` groups of neighbouring channels: see
    `ops.group_norm`. weight and bias (num_channels,), unless `affine` is False; `bias=False` leaves out
    one."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, bias: bool = True
    ) -> None:
        if num_channels % num_groups:
            raise SettingError(
                f"GroupNorm: {num_channels} channels do not go into {num_groups} groups; make them a multiple"
            )
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps
        self.weight = parameter((num_channels,), ones()) if affine else None
        self.bias = parameter((num_channels,), zeros()) if affine and bias else None

    def settings(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"

    def forward(self, x: Any) -> Any:
        return ops.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class _InstanceNorm(Module):
    """What the InstanceNorms share: all but the number of axes."""

    axes = 0

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        bias: bool = True,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = parameter((num_features,), ones()) if affine else None
        self.bias = parameter((num_features,), zeros()) if affine and bias else None
        self.running_mean = Buffer(np.zeros(num_features, np.float32)) if track_running_stats else None
        self.running_var = Buffer(np.ones(num_features, np.float32)) if track_running_stats else None
        self.num_batches_tracked = Buffer(np.int64(0)) if track_running_stats else None

    def settings(self) -> str:
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"

    def forward(self, x: Any) -> Any:
        alone = len(x.shape) == self.axes + 1
        if not alone and len(x.shape) != self.axes + 2:
            raise ShapeError(
                f"{type(self).__name__}: x {str_shape(tuple(x.shape))} must have {self.axes + 1} or "
                f"{self.axes + 2} axes, N and C first, or C"
            )
        y, mean, var = ops.instance_norm(
            ops.expand_dims(x, 0) if alone else x, self.weight, self.bias,
            self.running_mean, self.running_var, self.momentum, self.eps, self.training,
        )  # fmt: skip
        if self.training and self.running_mean is not None and self.running_var is not None:
            self.running_mean.assign(mean)
            self.running_var.assign(var)
        return ops.squeeze(y, 0) if alone else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L), as `torch.nn.InstanceNorm1d`. See InstanceNorm2d."""

    axes = 1


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of (N, C, H, W) or (C, H, W), as `torch.nn.InstanceNorm2d`; see
    `ops.instance_norm`.

    Each channel of each example is normalised by its own statistics; with `track_running_stats` running ones
    follow them by `momentum` and serve in evaluation. weight and bias (num_features,) scale and shift what is
    normalised, if `affine`; `bias=False` leaves out one.
    """

    axes = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (N, C, D, H, W) or (C, D, H, W), as `torch.nn.InstanceNorm3d`. See
    InstanceNorm2d."""

    axes = 3


class RMSNorm(Module):
    """Each example divided by the root of the mean square over its last axes, `normalized_shape`: see
    `ops.rms_norm`. weight has that shape, unless `elementwise_affine` is False."""

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps = sizes, eps
        self.weight = parameter(sizes, ones()) if elementwise_affine else None

    def settings(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"

    def forward(self, x: Any) -> Any:
        return ops.rms_norm(x, self.normalized_shape, self.weight, self.eps)


class LocalResponseNorm(Module):
    """x by the mean square of `size` neighbouring channels: see `ops.local_response_norm`."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def settings(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

    def forward(self, x: Any) -> Any:
        return ops.local_response_norm(x, self.size, self.alpha, self.beta, self.k)
