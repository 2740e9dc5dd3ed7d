"""The words of torch.compile."""

from __future__ import annotations

from typing import Any

import torch


def words() -> dict[str, Any]:
    """With the backend that runs PyTorch's own kernels: what is traced and guarded is the same with each."""
    return {
        "function": lambda fn: torch.compile(fn, backend="eager"), "tensor": torch.tensor, "numbers": numbers,
        "parameter": lambda values: torch.nn.Parameter(torch.tensor(values)),
        "torch": torch, "nn": torch.nn, "optim": torch.optim,
    }  # fmt: skip


def numbers(y: Any) -> Any:
    """A Tensor's numbers, as a list."""
    return y.detach().tolist() if isinstance(y, torch.Tensor) else y
