"""Modules that hold modules."""

from __future__ import annotations

from typing import Any

from shared.nn.module import Module


class Sequential(Module):
    """Calls its layers one after the other. They are named by their position: `0.weight`."""

    def __init__(self, *layers: Module) -> None:
        for index, layer in enumerate(layers):
            setattr(self, str(index), layer)

    def __iter__(self) -> Any:
        return (layer for _, layer in self.children())

    def __len__(self) -> int:
        return len(list(self.children()))

    def __getitem__(self, index: int) -> Module:
        return list(self)[index]

    def forward(self, x: Any) -> Any:
        for layer in self:
            x = layer(x)
        return x
