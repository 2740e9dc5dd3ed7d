"""What a program calls, engine by engine: one name, the same meaning everywhere.

A program is a function of `ops` and of its inputs. Each engine hands it words of its own: those of
`shared.ops`, and a few that the engines spell differently.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import dynamic
import static
from shared import ops
from tests.programs.program import Fault


def is_float(value: Any) -> bool:
    return np_kind(value) == "f"


def np_kind(value: Any) -> str:
    """The kind of a value's dtype as NumPy says it, whosever value it is."""
    name = str(value.dtype).removeprefix("torch.")
    return "f" if "float" in name else "b" if name == "bool" else "i"


def _own(**more: Any) -> Any:
    return SimpleNamespace(**({name: getattr(ops, name) for name in ops.__all__} | more))


def _dynamic_grad(y: Any, xs: list[Any]) -> list[Any]:
    if not y.requires_grad:
        return [None] * len(xs)
    return list(dynamic.grad(y, xs, create_graph=True, allow_unused=True))


def slope_by(grad: Any) -> Any:
    """The gradient by one value that lies in the middle of a program; there must be one."""

    def slope(y: Any, z: Any) -> Any:
        (g,) = grad(y, [z])
        if g is None:
            raise Fault("no gradient", "by a value on which the result depends")
        return g

    return slope


DYNAMIC = _own(
    engine="dynamic",
    grad=_dynamic_grad,
    slope=slope_by(_dynamic_grad),
    map_fn=lambda fn, xs: ops.scan(lambda none, x: (none, fn(x)), (), xs)[1],
    stop_gradient=lambda x: x.detach().requires_grad_() if is_float(x) else x.detach(),
)

STATIC = _own(
    engine="static",
    grad=static.gradients,
    slope=slope_by(static.gradients),
    map_fn=static.map_fn,
    stop_gradient=static.stop_gradient,
    as_tensor=lambda y: y if isinstance(y, static.Tensor) else static.constant(y),
)
