"""What ONNX's ops give of sizes, where some of them are unknown: arithmetic on `Dim`s, done when the graph is
built.

A row here is called as the op's row in `shared.onnx.ops` is, on arrays of objects. What it can't say of sizes
that are unknown, it leaves to the ops on Tensors, to which sizes then go as numbers that a run knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shared import ops
from shared.dims import Dim, product, same_size, stretched
from shared.errors import UnknownSizeError
from shared.onnx.values import IsOne, is_undecided, known_or_none, sizes

WHOLE = {6, 7}
"""ONNX's numbers of the dtypes in which sizes are still sizes: int32 and int64."""


def attempt(op: str, inputs: Sequence[Any], settings: dict[str, Any]) -> Any:
    """What an op gives of inputs with sizes among them, or NotImplemented where that is not a matter of
    sizes.
    """
    row = ROWS.get(op)
    if row is None:
        return NotImplemented
    given = [None if x is None else known_or_none(x) for x in inputs]
    if op != "Where" and any(is_undecided(x) for x in given):
        return NotImplemented
    if any(x is None and y is not None for x, y in zip(given, inputs, strict=True)):
        return NotImplemented
    if any(x is not None and x.dtype.kind not in "iuObf" for x in given):
        return NotImplemented
    try:
        made = row(*[x if x is None or x.dtype.kind != "f" else _whole(x) for x in given], **settings)
    except (UnknownSizeError, _NoSizes):
        return NotImplemented
    if not isinstance(made, (tuple, np.ndarray)):
        return made
    if isinstance(made, tuple):
        return tuple(sizes(part) for part in made)
    return made if made.dtype == bool or is_undecided(made) else sizes(made)


class _NoSizes(Exception):
    pass


def _whole(x: Any) -> Any:
    raise _NoSizes


def _each(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def row(*inputs: Any, **settings: Any) -> Any:
        made = inputs[0]
        for other in inputs[1:]:
            a, b = np.broadcast_arrays(made, other)
            made = np.empty(a.shape, object)
            for place in np.ndindex(a.shape):
                made[place] = function(a[place], b[place])
        return made

    return row


def _truth(function: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    return lambda a, b, **_: _each(lambda m, n: bool(function(m, n)))(a, b).astype(bool)


def _equal(a: Any, b: Any, **_: Any) -> Any:
    """Whether sizes are the same; of one that may be 1, that it is undecided."""
    made = _each(_same)(a, b)
    return made if is_undecided(made) else made.astype(bool)


def _same(a: Any, b: Any) -> Any:
    try:
        return bool(a == b)
    except UnknownSizeError:
        if same_size(b, 1):
            return IsOne(a)
        raise


def _divided(a: Any, b: Any) -> Any:
    if not isinstance(a, Dim) and not isinstance(b, Dim):
        return int(np.fix(a / b)) if b else 0
    if same_size(a % b, 0) or (a >= 0 and b >= 0):  # ONNX rounds towards 0, and there that is down
        return a // b
    raise _NoSizes


def _modulo(a: Any, b: Any, **settings: Any) -> Any:
    if settings.get("fmod"):
        raise _NoSizes
    return _each(lambda m, n: m % n)(a, b)


def _smaller(a: Any, b: Any) -> Any:
    return a if a <= b else b


def _larger(a: Any, b: Any) -> Any:
    return a if a >= b else b


def _cast(x: Any, *, to: Any, **_: Any) -> Any:
    if to not in WHOLE:
        raise _NoSizes
    return x


def _gather(x: Any, index: Any, *, axis: int = 0) -> Any:
    return np.asarray(np.take(x, index.astype(np.int64), axis), object)


def _concat(*xs: Any, axis: int) -> Any:
    return np.concatenate([np.asarray(x, object) for x in xs], axis)


def _slice(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    axes = range(len(starts)) if axes is None else [int(a) for a in axes]
    steps = [1] * len(starts) if steps is None else steps
    place: list[Any] = [slice(None)] * x.ndim
    for a, start, stop, step in zip(axes, starts, ends, steps, strict=True):
        if isinstance(start, Dim) or isinstance(stop, Dim):
            raise _NoSizes
        low = -x.shape[a] - 1
        end = None if step < 0 and int(stop) <= low else int(stop)
        place[a] = slice(int(start), end, int(step))
    return x[tuple(place)]


def _squeeze(x: Any, axes: Any = None) -> Any:
    return np.asarray(np.squeeze(x, None if axes is None else tuple(int(a) for a in axes)), object)


def _unsqueeze(x: Any, axes: Any) -> Any:
    return np.expand_dims(x, tuple(int(a) for a in np.ravel(axes)))


def _reshape(x: Any, shape: Any, *, allowzero: int = 0) -> Any:
    return np.reshape(x, [int(n) for n in shape])


def _prod(x: Any, axes: Any = None, *, keepdims: int = 1, **_: Any) -> Any:
    if x.ndim != 1:
        raise _NoSizes
    return np.array([product(tuple(x))] if keepdims else product(tuple(x)), object)


def _sum(x: Any, axes: Any = None, *, keepdims: int = 1, **_: Any) -> Any:
    if x.ndim != 1:
        raise _NoSizes
    total = sum(x, 0)
    return np.array([total] if keepdims else total, object)


def _where(condition: Any, a: Any, b: Any) -> Any:
    if condition.dtype != bool and not is_undecided(condition):
        raise _NoSizes
    return _each(_chosen)(_each(lambda *pair: pair)(condition, a), b)


def _chosen(asked: tuple[Any, Any], b: Any) -> Any:
    """`a if condition else b`: in the place of a size that may be 1, what it and another broadcast to."""
    condition, a = asked
    if not isinstance(condition, IsOne):
        return a if condition else b
    if not same_size(condition.size, b):
        raise _NoSizes
    return stretched(a, b)


def _expand(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(n) for n in shape)))


def _range(start: Any, limit: Any, delta: Any, **_: Any) -> Any:
    (low,), (high,), (step,) = start.ravel(), limit.ravel(), delta.ravel()
    return ops.arange(low, high, step, dtype="int64")


def _split(x: Any, split: Any = None, *, axis: int = 0, num_outputs: int = 0, outputs: int = 0) -> Any:
    if split is None:
        raise _NoSizes
    return tuple(np.split(x, np.cumsum([int(n) for n in split])[:-1], axis))


def _scatter_nd(x: Any, index: Any, updates: Any, *, reduction: str = "none") -> Any:
    if reduction != "none" or index.dtype == object:
        raise _NoSizes
    made = np.array(x, object)
    for place in np.ndindex(index.shape[:-1]):
        made[tuple(index[place])] = updates[place]
    return made


ROWS: dict[str, Callable[..., Any]] = {
    "Identity": lambda x: x,
    "Add": _each(lambda a, b: a + b),
    "Sub": _each(lambda a, b: a - b),
    "Mul": _each(lambda a, b: a * b),
    "Sum": _each(lambda a, b: a + b),
    "Div": _each(_divided),
    "Mod": _modulo,
    "Neg": lambda x: _each(lambda a, b: -a)(x, x),
    "Min": _each(_smaller),
    "Max": _each(_larger),
    "Equal": _equal,
    "Less": _truth(lambda a, b: a < b),
    "LessOrEqual": _truth(lambda a, b: a <= b),
    "Greater": _truth(lambda a, b: a > b),
    "GreaterOrEqual": _truth(lambda a, b: a >= b),
    "Cast": _cast,
    "Gather": _gather,
    "Concat": _concat,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Flatten": lambda x, *, axis=1: np.reshape(x, (1, -1)),
    "ReduceProd": _prod,
    "ReduceSum": _sum,
    "Where": _where,
    "Expand": _expand,
    "Range": _range,
    "Split": _split,
    "ScatterND": _scatter_nd,
    "Tile": lambda x, repeats: np.tile(x, [int(n) for n in repeats]),
}
"""By the op's name."""
