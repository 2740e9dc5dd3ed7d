"""Batch norm with what follows it in the same pass, and on the way back relu's gradient before it, as ops.

Unlisted: the pass `normalize` puts them in the place of ops of the table, after differentiation.
"""

from __future__ import annotations

from typing import Any

from shared.op import TABLE, Op
from shared.spec import Operand, Spec

_forward, _backward = TABLE["batch_norm"], TABLE["batch_norm_grad"]


def _compute(x: Any, running_mean: Any, running_var: Any, *more: Any, adds: bool, **given: Any) -> Any:
    """more: weight and bias, if they are there, and what is added, if `adds`."""
    affine, added = (more[:-1], more[-1]) if adds else (more, None)
    return _forward.compute(x, running_mean, running_var, *affine, added=added, relu=True, **given)


def _infer(
    x: Operand, running_mean: Operand, running_var: Operand, *more: Operand, adds: bool, **settings: Any
) -> tuple[Spec, ...]:
    affine = more[:-1] if adds else more
    found: tuple[Spec, ...] = _forward.infer(x, running_mean, running_var, *affine, **settings)
    return found


batch_norm_relu = Op(
    "batch_norm_relu",
    _compute,
    _infer,
    outputs=_forward.outputs,
    out=True,
    constant=("new_mean", "new_var"),
    check=True,
    listed=False,
    doc="batch_norm with relu(y), or relu(y + added), in the place of y.",
)

batch_norm_relu_grad = Op(
    "batch_norm_relu_grad",
    lambda g, y, x, *more, out=(None,) * 3: _backward.compute(g, x, *more, out=out, relu=y),
    lambda g, y, x, *more: _backward.infer(g, x, *more),
    outputs=_backward.outputs,
    out=True,
    listed=False,
    doc="batch_norm_grad of relu_grad(g, y): g is the gradient by y, which relu gave.",
)
