"""PyTorch's functions, imported only where a law asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def torch_op(name: str, **settings: Any) -> Callable[..., Any]:
    """The function of that name in PyTorch, such as `linalg.vector_norm`, with these settings."""

    def call(*args: Any) -> Any:
        import torch

        found: Any = torch
        for part in name.split("."):
            found = getattr(found, part)
        return found(*args, **settings)

    return call
