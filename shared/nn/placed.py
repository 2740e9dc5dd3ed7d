"""`dtype=` and `device=` of a layer that is made: what PyTorch's layers with Parameters take."""

from __future__ import annotations

from functools import wraps
from typing import Any

from shared.device.cuda import check_device
from shared.nn.module import Module


def placed(*kinds: type[Module]) -> None:
    """Let the constructors of these layers take `dtype=` and `device=`: in what they then hold their
    Parameters and Buffers, those too that learn their shapes later. None leaves it as it is."""
    for base in dict.fromkeys(next(b for b in kind.__mro__ if "__init__" in vars(b)) for kind in kinds):
        base.__init__ = _placed(vars(base)["__init__"])  # type: ignore[misc]


def _placed(made: Any) -> Any:
    @wraps(made)
    def constructed(self: Any, *args: Any, dtype: Any = None, device: Any = None, **settings: Any) -> None:
        made(self, *args, **settings)
        if dtype is not None:
            self.astype(dtype)
        if device is not None:
            self.to(check_device(type(self).__name__, device))

    return constructed
