"""Networks of a few layers: MLP, LeNet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.nn import Conv2d, Dropout, Linear, Module


class MLP(Module):
    """Dense layers with an activation between them: (N, ...) to (N, sizes[-1]).

    `MLP((784, 1000, 10))`; the first size may be None, to be learnt at the first call. Axes behind
    the first are flattened. `dropout` acts behind each activation.
    """

    def __init__(
        self,
        sizes: Sequence[int | None],
        activation: Callable[[Any], Any] = ops.relu,
        dropout: float = 0.0,
    ) -> None:
        if len(sizes) < 2 or None in sizes[1:]:
            raise SettingError(
                f"MLP: sizes must be those of the input and of each layer, such as (784, 100, 10), "
                f"not {tuple(sizes)}; only the first may be None"
            )
        self.layers = [Linear(before, after) for before, after in pairwise(sizes)]
        self.activation = activation
        self.dropout = Dropout(dropout) if dropout else None

    def forward(self, x: Any) -> Any:
        if len(x.shape) > 2:
            x = ops.flatten(x, 1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
            if self.dropout is not None:
                x = self.dropout(x)
        return self.layers[-1](x)


class LeNet(Module):
    """LeCun, Bottou, Bengio and Haffner 1998, with ReLU and max pooling as is usual today:
    images (N, channels, H, W), such as 28 by 28, to (N, classes)."""

    def __init__(self, classes: int = 10, channels: int | None = None) -> None:
        self.conv1 = Conv2d(channels, 6, 5, padding=2)
        self.conv2 = Conv2d(6, 16, 5)
        self.fc1 = Linear(None, 120)
        self.fc2 = Linear(120, 84)
        self.fc3 = Linear(84, classes)

    def forward(self, x: Any) -> Any:
        x = ops.max_pool2d(ops.relu(self.conv1(x)), 2)
        x = ops.max_pool2d(ops.relu(self.conv2(x)), 2)
        x = ops.relu(self.fc1(ops.flatten(x, 1)))
        return self.fc3(ops.relu(self.fc2(x)))
