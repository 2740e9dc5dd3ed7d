"""Diptych's define-by-run engine: compute now, remember how.

    import dynamic
    x = dynamic.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    x.grad
"""

try:
    from shared import HOME as _HOME  # noqa: F401
except ImportError as _error:
    raise ImportError(
        f"dynamic needs Diptych's package `shared`, and `import shared` gives another one ({_error}); rename "
        "that folder, or run from another one"
    ) from None


from importlib import import_module
from typing import Any

from dynamic.bridge import function
from dynamic.create import (
    arange,
    eye,
    from_dlpack,
    from_numpy,
    full,
    linspace,
    manual_seed,
    ones,
    rand,
    randn,
    zeros,
)
from dynamic.engine import ENGINE
from dynamic.functional import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from dynamic.look import draw, show, to_networkx
from dynamic.modes import anomaly, enable_grad, inference, no_grad
from dynamic.node import Node
from dynamic.recompute import checkpoint
from dynamic.tensors import Tensor, tensor
from shared.device.cuda import default_device, set_default_device
from shared.device.memory import keep_freed_memory
from shared.errors import SettingError
from shared.usage.door import public
from shared.watch.hooks import Event, Hook, watching
from shared.watch.nan import NanFinder
from shared.watch.profiler import Profiler

__all__ = [
    "ENGINE", "Event", "Hook", "NanFinder", "Node", "Profiler", "Tensor", "anomaly", "arange",
    "checkpoint", "default_device", "draw", "enable_grad", "eye", "from_dlpack", "from_numpy",
    "full", "function", "grad", "hessian", "hvp", "inference", "jacobian", "jvp", "linspace", "manual_seed",
    "no_grad", "ones", "rand", "randn", "set_default_device", "show", "tensor", "to_networkx",
    "value_and_grad", "vjp", "watching", "zeros",
]  # fmt: skip

public(globals(), __all__, hot=("Event", "Node", "Tensor"))

keep_freed_memory()


def _array_namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """The functions of the Array API standard, on Tensors: see `dynamic.array_api`."""
    if api_version not in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        raise SettingError(
            f"__array_namespace__: the Array API is known here up to 2024.12, not {api_version!r}"
        )
    return import_module("dynamic.array_api")


Tensor.__array_namespace__ = _array_namespace  # type: ignore[attr-defined]


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    globals()[name] = import_module("dynamic.aliases").NAMES(name)
    public(globals(), [name])
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *import_module("dynamic.aliases").NAMES.inside("")})
