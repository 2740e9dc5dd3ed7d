"""Layers that regularise: Dropout, BatchNorm2d. They differ in training and evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared import ops
from shared.errors import SettingError
from shared.nn.initial import generator
from shared.nn.module import Module
from shared.state import Buffer, Parameter


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
        y, moved = ops.dropout(x, self.generator, self.p)
        self.generator.assign(moved)
        return y


class BatchNorm2d(Module):
    """Each channel of (N, C, H, W) normalised; see `ops.batch_norm`.

    In training by the batch's statistics, which the running ones follow by `momentum`; in
    evaluation by the running ones.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.eps, self.momentum = eps, momentum
        self.weight = Parameter(np.ones(num_features, np.float32))
        self.bias = Parameter(np.zeros(num_features, np.float32))
        self.running_mean = Buffer(np.zeros(num_features, np.float32))
        self.running_var = Buffer(np.ones(num_features, np.float32))

    def settings(self) -> str:
        return f"{self.weight.shape[0]}"

    def forward(self, x: Any) -> Any:
        if self.training:
            y, mean, var = ops.batch_norm(
                x, self.weight, self.bias, self.running_mean, self.running_var,
                self.momentum, self.eps,
            )  # fmt: skip
            self.running_mean.assign(mean)
            self.running_var.assign(var)
            return y
        scale = self.weight / ops.sqrt(self.running_var + self.eps)
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)
