"""Convolutions by 3x3 kernels with a quarter of the multiplications, and their gradients, as ops.

Unlisted: the pass `winograd` puts them in the place of the ops of the table. Where the sizes are none for
`shared.kernels.winograd`, which may be known only at run, they do what these do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.kernels import plain, winograd
from shared.op import TABLE, Op, PlannerHints
from shared.ops.convolution import alike, geometry_of
from shared.spec import Operand, Spec, promote
from static.compile.steps.pooled import conv2d_relu


def _forward(op: Op) -> Op:
    """`op`, a convolution with relu behind it or without."""

    def compute(x: Any, w: Any, b: Any = None, *, groups: int, out: Any = None, **window: Any) -> Any:
        geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
        biases = () if b is None else (b,)
        if not alike(x, w) or not winograd.suits(x, w, geometry, groups) or promote(x, w, *biases) != x.dtype:
            return op.compute(x, w, *biases, groups=groups, out=out, **window)
        y = np.empty((len(x), len(w), *geometry.output), x.dtype) if out is None else out
        b = None if b is None else plain(b, x.dtype)
        return winograd.correlate(plain(x), plain(w), b, geometry, y, relu=op is conv2d_relu)

    def work(x: Operand, w: Operand, b: Operand = None, *, groups: int, **window: Any) -> int:
        geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
        if winograd.suits(x, w, geometry, groups):
            return winograd.bytes_to_correlate(x, w.shape[0], geometry)
        return _work(op, x, w, *(() if b is None else (b,)), groups=groups, **window)

    return _like(op, compute, work)


def _compute_input(g: Any, w: Any, *, size: Any, groups: int, out: Any = None, **window: Any) -> Any:
    geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
    if not alike(g, w) or not winograd.suits(g, w, geometry, groups):
        return TABLE["conv2d_input"].compute(g, w, size=size, groups=groups, out=out, **window)
    x = np.empty((len(g), w.shape[1], *size), g.dtype) if out is None else out
    return winograd.correlate_input(plain(g), plain(w), geometry, x)


def _input_work(g: Operand, w: Operand, *, size: Any, groups: int, **window: Any) -> int:
    geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
    if winograd.suits(g, w, geometry, groups):
        return winograd.bytes_to_correlate(g, w.shape[1], winograd.turned(geometry))
    return _work(TABLE["conv2d_input"], g, w, size=size, groups=groups, **window)


def _compute_weight(x: Any, g: Any, *, kernel: Any, groups: int, out: Any = None, **window: Any) -> Any:
    geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
    w = Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype)
    if not alike(x, g) or not winograd.suits(x, w, geometry, groups):
        return TABLE["conv2d_weight"].compute(x, g, kernel=kernel, groups=groups, out=out, **window)
    y = np.empty(w.shape, g.dtype) if out is None else out
    return winograd.correlate_weight(plain(x), plain(g), geometry, y)


def _weight_work(x: Operand, g: Operand, *, kernel: Any, groups: int, **window: Any) -> int:
    geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
    if winograd.suits(x, Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype), geometry, groups):
        return winograd.bytes_to_correlate_weight(x, g.shape[1], geometry)
    return _work(TABLE["conv2d_weight"], x, g, kernel=kernel, groups=groups, **window)


def _work(op: Op, *operands: Operand, **settings: Any) -> int:
    assert op.hints.workspace is not None
    return op.hints.workspace(*operands, **settings)


def _like(op: Op, compute: Callable[..., Any], work: Callable[..., int]) -> Op:
    return Op(
        f"winograd_{op.name}", compute, op.infer, out=True, hints=PlannerHints(workspace=work),
        check=op.check, listed=False, doc=f"{op.name} by F(4x4, 3x3), where sizes allow it.",
    )  # fmt: skip


INSTEAD = {
    TABLE["conv2d"]: _forward(TABLE["conv2d"]),
    conv2d_relu: _forward(conv2d_relu),
    TABLE["conv2d_input"]: _like(TABLE["conv2d_input"], _compute_input, _input_work),
    TABLE["conv2d_weight"]: _like(TABLE["conv2d_weight"], _compute_weight, _weight_work),
}
