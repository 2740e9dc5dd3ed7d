"""The words of a program as PyTorch says them: where it has the op, with the same meaning.

A word that is missing here, because PyTorch lacks it or means another thing by it, ends the
comparison with PyTorch for that program (`AttributeError`), and no other.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional as nn

from tests.programs.words import slope_by

_TORCH = """
    abs add ceil cos div dot einsum equal erf erfc exp expm1 eye floor full_like isfinite isnan linspace log
    log1p logical_and logical_not logical_or logical_xor matmul mul neg ones_like outer reciprocal round rsqrt
    sigmoid sin sqrt square sub tan tanh trace tril triu where zeros_like bitwise_and bitwise_or
    bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
"""
_FUNCTIONAL = """
    adaptive_avg_pool2d avg_pool1d avg_pool2d bilinear binary_cross_entropy binary_cross_entropy_with_logits
    conv1d conv2d conv_transpose2d cross_entropy elu embedding gelu huber_loss kl_div l1_loss leaky_relu
    linear max_pool1d max_pool2d mse_loss nll_loss relu scaled_dot_product_attention silu softplus
"""
_AXES = {"axis": "dim", "keepdims": "keepdim"}
_OVER_ALL = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "logsumexp": "logsumexp",
             "var": "var", "std": "std"}  # fmt: skip
_OVER_AXES = (
    "softmax",
    "log_softmax",
    "cumsum",
    "argmax",
    "argmin",
    "any",
    "all",
    "prod",
    "cosine_similarity",
)


def _over_all(name: str) -> Any:
    """A reduction whose axis may be left out."""

    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else axis
        return (
            getattr(torch, name)(x, dim=axes, keepdim=keepdims) if x.ndim or name in ("var", "std") else x * 1
        )

    return call


def _over_axes(name: str) -> Any:
    """A function that is asked in NumPy's words for axes."""

    def call(*args: Any, **settings: Any) -> Any:
        return getattr(torch, name)(*args, **{_AXES.get(key, key): value for key, value in settings.items()})

    return call


def _dtype(name: Any) -> Any:
    return name if name is None or isinstance(name, torch.dtype) else getattr(torch, name)


def _tensor(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else torch.tensor(x)


def _pad(x: Any, widths: Any) -> Any:
    return nn.pad(x, [width for pair in reversed(widths) for width in pair])


def _take(x: Any, i: Any, axis: int) -> Any:
    rows = torch.index_select(x, axis, i.reshape(-1))
    return rows.reshape(*x.shape[:axis], *i.shape, *x.shape[axis + 1 :])


def _detached(x: Any) -> Any:
    return x.detach().requires_grad_() if x.is_floating_point() else x.detach()


def _grad(y: Any, xs: list[Any]) -> list[Any]:
    if not y.requires_grad:
        return [None] * len(xs)
    return list(torch.autograd.grad(y, xs, create_graph=True, allow_unused=True))


# --- control flow ----------------------------------------------------------------------------


def _each(fn: Any, *parts: Any) -> Any:
    """`fn` of the Tensors of structures that are alike."""
    first = parts[0]
    if isinstance(first, (tuple, list)):
        return type(first)(_each(fn, *items) for items in zip(*parts, strict=True))
    return None if first is None else fn(*parts)


def _length(xs: Any) -> int:
    return _length(xs[0]) if isinstance(xs, (tuple, list)) else xs.shape[0]


def _scan(fn: Any, carry: Any, xs: Any, length: Any = None, reverse: bool = False) -> Any:
    steps, ys = range(_length(xs)), []
    if not steps:
        y = fn(carry, _each(lambda x: x.new_zeros(x.shape[1:]), xs))[1]
        return carry, _each(lambda v: v.new_zeros((0, *v.shape)), y)
    for t in reversed(steps) if reverse else steps:
        carry, y = fn(carry, _each(lambda x, t=t: x[t], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    return carry, _each(lambda *column: torch.stack(column), *ys)


def _while_loop(go: Any, body: Any, values: Any) -> Any:
    while bool(go(*values)):
        values = body(*values)
    return values


TORCH = SimpleNamespace(
    **{name: getattr(torch, name) for name in _TORCH.split()},
    **{name: getattr(nn, name) for name in _FUNCTIONAL.split()},
    **{name: _over_all(theirs) for name, theirs in _OVER_ALL.items()},
    **{name: _over_axes(name) for name in _OVER_AXES},
    engine="torch",
    log_sigmoid=nn.logsigmoid,
    normal_cdf=torch.special.ndtr,
    maximum=lambda a, b: torch.maximum(*torch.broadcast_tensors(_tensor(a), _tensor(b))),
    minimum=lambda a, b: torch.minimum(*torch.broadcast_tensors(_tensor(a), _tensor(b))),
    norm=lambda x, axis=None: torch.linalg.vector_norm(x, dim=axis),
    concatenate=lambda xs, axis=0: torch.cat(list(xs), axis),
    stack=lambda xs, axis=0: torch.stack(list(xs), axis),
    split=lambda x, parts, axis=0: torch.tensor_split(x, parts, axis),
    unbind=lambda x, axis=0: torch.unbind(x, axis),
    reshape=lambda x, shape: x.reshape(shape),
    transpose=lambda x: x.permute(*reversed(range(x.ndim))),
    permute=lambda x, axes: x.permute(axes),
    flip=lambda x, axis: x.flip(axis),
    flatten=lambda x, axis=0: x.flatten(axis),
    swapaxes=lambda x, a, b: x.swapaxes(a, b),
    expand_dims=lambda x, axis: x[None, None] if axis == (0, 1) else x.unsqueeze(axis),
    squeeze=lambda x, axis: x.squeeze(axis),
    broadcast_to=lambda x, shape: x.broadcast_to(shape),
    sum_to=lambda x, shape: x.sum_to_size(shape),
    tile=lambda x, times: x.tile(times),
    repeat=lambda x, times, axis: x.repeat_interleave(times, axis),
    pad=_pad,
    cast=lambda x, dtype: x.to(_dtype(dtype)),
    zeros=lambda shape, dtype=None: torch.zeros(shape, dtype=_dtype(dtype)),
    ones=lambda shape, dtype=None: torch.ones(shape, dtype=_dtype(dtype)),
    sign=lambda x: torch.where(torch.isnan(x), x, torch.sign(x)),  # torch: 0 of a NaN
    full=lambda shape, value: torch.full(shape, value, dtype=torch.float32 if type(value) is float else None),
    arange=lambda *args: torch.arange(*args),
    clip=lambda x, low=None, high=None: torch.clamp(x, low, high),
    tensordot=lambda a, b, axes: torch.tensordot(a, b, axes),
    layer_norm=lambda x, shape, w=None, b=None: nn.layer_norm(x, shape, w, b),
    take=_take,
    gather=lambda x, i, axis: torch.gather(x, axis, i % x.shape[axis]),
    scatter_add=lambda x, i, v, axis: torch.scatter_add(x, axis, i, _tensor(v).expand(i.shape)),
    one_hot=lambda i, count: nn.one_hot(i, int(count)).to(torch.get_default_dtype()),
    scan=_scan,
    while_loop=_while_loop,
    cond=lambda pred, yes, no, *args: yes(*args) if bool(pred) else no(*args),
    map_fn=lambda fn, xs: _scan(lambda none, x: (none, fn(x)), (), xs)[1],
    stop_gradient=_detached,
    grad=_grad,
    slope=slope_by(_grad),
)
