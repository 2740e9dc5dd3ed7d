"""Convolutions by 3x3 kernels with a quarter of the multiplications, and their gradients, as ops.

Unlisted: the pass `winograd` puts them in the place of the ops of the table. Where the sizes are none for
`shared.kernels.winograd`, which may be known only at run, they do what these do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared.kernels import plain, winograd
from shared.kernels.convolution import Unpooling
from shared.kernels.convolution_source import Epilogue
from shared.op import TABLE, Op, PlannerHints
from shared.ops.convolution import alike, geometry_of
from shared.spec import Operand, Spec, promote
from static.compile.steps.pooled import (
    conv2d_pool,
    conv2d_pool_input,
    conv2d_pool_weight,
    conv2d_relu,
    pooled,
)


def _forward(op: Op) -> Op:
    """`op`, a convolution with what is behind it."""

    def compute(x: Any, w: Any, b: Any = None, *, groups: int, out: Any = None, **settings: Any) -> Any:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
        biases = () if b is None else (b,)
        fits = winograd.suits(x, w, geometry, groups, epilogue.pool)
        if not alike(x, w) or not fits or promote(x, w, *biases) != x.dtype:
            into = {} if out is None else {"out": out}
            return op.compute(x, w, *biases, groups=groups, **into, **settings)
        x, w, b = plain(x), plain(w), None if b is None else plain(b, x.dtype)
        shape = len(x), len(w), *geometry.output
        if not epilogue.pools:
            y = np.empty(shape, x.dtype) if out is None else out
            return winograd.correlate(x, w, b, geometry, y, epilogue)
        shape = pooled(shape, epilogue.pool)
        y, argmax = (None, None) if out is None else out
        y = np.empty(shape, x.dtype) if y is None else y
        argmax = np.empty(shape, np.uint8) if argmax is None else argmax
        return winograd.correlate(x, w, b, geometry, y, epilogue, argmax), argmax

    def work(x: Operand, w: Operand, b: Operand = None, *, groups: int, **settings: Any) -> int:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv2d", x.shape[2:], w.shape[2:], **window)
        if winograd.suits(x, w, geometry, groups, epilogue.pool):
            return winograd.bytes_to_correlate(x, w.shape[0], geometry, pool=epilogue.pool)
        return _work(op, x, w, *(() if b is None else (b,)), groups=groups, **settings)

    return _like(op, compute, work)


def _input(op: Op) -> Op:
    """`op`, the gradient of a convolution by its image; with pooling behind it, y and argmax come too."""

    def compute(
        g: Any, w: Any, *chosen: Any, size: Any, groups: int, out: Any = None, **settings: Any
    ) -> Any:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
        if not alike(g, w, *chosen[:1]) or not winograd.suits(g, w, geometry, groups, epilogue.pool):
            return op.compute(g, w, *chosen, size=size, groups=groups, out=out, **settings)
        x = np.empty((len(g), w.shape[1], *size), g.dtype) if out is None else out
        return winograd.correlate_input(plain(g), plain(w), geometry, x, _unpooling(chosen, epilogue))

    def work(g: Operand, w: Operand, *chosen: Operand, size: Any, groups: int, **settings: Any) -> int:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv_transpose2d", size, w.shape[2:], **window)
        if winograd.suits(g, w, geometry, groups, epilogue.pool):
            back = winograd.turned(geometry)
            return winograd.bytes_to_correlate(g, w.shape[1], back, x_pool=epilogue.pool)
        return _work(op, g, w, *chosen, size=size, groups=groups, **settings)

    return _like(op, compute, work)


def _weight(op: Op) -> Op:
    """`op`, the gradient of a convolution by its weights; with pooling behind it, y and argmax come too."""

    def compute(
        x: Any, g: Any, *chosen: Any, kernel: Any, groups: int, out: Any = None, **settings: Any
    ) -> Any:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
        w = Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype)
        if not alike(x, g, *chosen[:1]) or not winograd.suits(x, w, geometry, groups, epilogue.pool):
            return op.compute(x, g, *chosen, kernel=kernel, groups=groups, out=out, **settings)
        y = np.empty(w.shape, g.dtype) if out is None else out
        return winograd.correlate_weight(plain(x), plain(g), geometry, y, _unpooling(chosen, epilogue))

    def work(x: Operand, g: Operand, *chosen: Operand, kernel: Any, groups: int, **settings: Any) -> int:
        window, epilogue = _apart(op, settings)
        geometry = geometry_of("conv2d", x.shape[2:], kernel, **window)
        w = Spec((g.shape[1], x.shape[1] // groups, *kernel), g.dtype)
        if winograd.suits(x, w, geometry, groups, epilogue.pool):
            return winograd.bytes_to_correlate_weight(x, g.shape[1], geometry, epilogue.pool)
        return _work(op, x, g, *chosen, kernel=kernel, groups=groups, **settings)

    return _like(op, compute, work)


def _apart(op: Op, settings: dict[str, Any]) -> tuple[dict[str, Any], Epilogue]:
    """How the window moves, and what is behind the convolution."""
    window = {name: value for name, value in settings.items() if name not in Epilogue._fields}
    if "pool" in settings:
        return window, Epilogue(settings["relu"], settings["pool"])
    return window, Epilogue(relu=op is conv2d_relu)


def _unpooling(chosen: tuple[Any, ...], epilogue: Epilogue) -> Unpooling | None:
    if not chosen:
        return None
    y, argmax = map(plain, chosen)
    return Unpooling(y, argmax, epilogue)


def _work(op: Op, *operands: Operand, **settings: Any) -> int:
    assert op.hints.workspace is not None
    return op.hints.workspace(*operands, **settings)


def _like(op: Op, compute: Callable[..., Any], work: Callable[..., int]) -> Op:
    return Op(
        f"winograd_{op.name}", compute, op.infer, outputs=op.outputs, constant=op.constant, out=True,
        hints=PlannerHints(workspace=work), check=op.check, listed=False,
        doc=f"{op.name} by F(4x4, 3x3), where sizes allow it.",
    )  # fmt: skip


INSTEAD = {
    op: made(op)
    for made, ops in (
        (_forward, (TABLE["conv2d"], conv2d_relu, conv2d_pool)),
        (_input, (TABLE["conv2d_input"], conv2d_pool_input)),
        (_weight, (TABLE["conv2d_weight"], conv2d_pool_weight)),
    )
    for op in ops
}
