"""The words of a program as PyTorch says them: where it has the op, with the same meaning.

A word that is missing here, because PyTorch lacks it or means another thing by it, ends the
comparison with PyTorch for that program (`AttributeError`), and no other.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as nn

from tests.programs.words import slope_by

_AXES = {"axis": "dim", "keepdims": "keepdim"}
_SAME = [
    "abs",
    "ceil",
    "cos",
    "div",
    "erf",
    "exp",
    "expm1",
    "floor",
    "isfinite",
    "isnan",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "neg",
    "outer",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sqrt",
    "square",
    "tan",
    "tanh",
    "tril",
    "triu",
    "where",
    "matmul",
    "add",
    "sub",
    "mul",
    "equal",
    "ones_like",
    "zeros_like",
]
_ACTIVATIONS = ["elu", "gelu", "leaky_relu", "relu", "silu", "softplus", "huber_loss", "mse_loss", "l1_loss"]


def _dims(fn: Any) -> Any:
    """A function of PyTorch that is asked in NumPy's words for axes."""

    def call(*args: Any, **settings: Any) -> Any:
        return fn(*args, **{_AXES.get(name, name): value for name, value in settings.items()})

    return call


def _all_or_some(name: str) -> Any:
    """A reduction whose axis may be left out."""

    def call(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else axis
        return getattr(torch, name)(x, dim=axes, keepdim=keepdims) if x.ndim else x * 1

    return call


def _dtype(name: Any) -> Any:
    return getattr(torch, str(name)) if not isinstance(name, torch.dtype) else name


def _number(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else torch.tensor(x)


def _each(fn: Any, *parts: Any) -> Any:
    """`fn` of the Tensors of structures that are alike."""
    first = parts[0]
    if isinstance(first, (tuple, list)):
        return type(first)(_each(fn, *items) for items in zip(*parts, strict=True))
    return fn(*parts)


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


def _bind() -> Any:
    words: dict[str, Any] = {name: getattr(torch, name) for name in _SAME}
    words |= {name: getattr(nn, name) for name in _ACTIVATIONS}
    words |= {
        name: _all_or_some(torch_name)
        for name, torch_name in (
            ("sum", "sum"),
            ("mean", "mean"),
            ("max", "amax"),
            ("min", "amin"),
            ("logsumexp", "logsumexp"),
        )
    }
    words |= {
        name: _dims(getattr(torch, name))
        for name in (
            "softmax",
            "log_softmax",
            "cumsum",
            "stack",
            "take_along_dim",
            "flip",
            "argmax",
            "argmin",
        )
    }
    words |= {
        "engine": "torch",
        "maximum": lambda a, b: torch.maximum(*torch.broadcast_tensors(_number(a), _number(b))),
        "minimum": lambda a, b: torch.minimum(*torch.broadcast_tensors(_number(a), _number(b))),
        "var": _spread("var"), "std": _spread("std"),
        "concatenate": lambda xs, axis=0: torch.cat(list(xs), axis),
        "stack": lambda xs, axis=0: torch.stack(list(xs), axis),
        "reshape": lambda x, shape: x.reshape(shape),
        "transpose": lambda x: x.permute(*reversed(range(x.ndim))),
        "flip": lambda x, axis: x.flip(axis),
        "flatten": lambda x, axis=0: x.flatten(axis),
        "swapaxes": lambda x, a, b: x.swapaxes(a, b),
        "expand_dims": lambda x, axis: x.unsqueeze(axis),
        "broadcast_to": lambda x, shape: x.broadcast_to(shape),
        "tile": lambda x, times: x.tile(times),
        "cast": lambda x, dtype: x.to(_dtype(dtype)),
        "zeros": lambda shape, dtype=None: torch.zeros(shape, dtype=dtype and _dtype(dtype)),
        "ones": lambda shape, dtype=None: torch.ones(shape, dtype=dtype and _dtype(dtype)),
        "full": lambda shape, value: torch.full(shape, value),
        "arange": lambda *args: torch.arange(*args),
        "clip": lambda x, low=None, high=None: torch.clamp(x, low, high),
        "linear": lambda x, w, b=None: nn.linear(x, w, b),
        "layer_norm": lambda x, w, b: nn.layer_norm(x, x.shape[-1:], w, b),
        "take": lambda x, i, axis: torch.index_select(x, axis, i.reshape(-1)).reshape(
            *x.shape[:axis], *i.shape, *x.shape[axis + 1 :]
        ),
        "einsum": lambda text, *xs: torch.einsum(text, *xs),
        "cross_entropy": lambda x, y: nn.cross_entropy(x, y),
        "nll_loss": lambda x, y: nn.nll_loss(x, y),
        "one_hot": lambda i, count: nn.one_hot(i, int(count)).to(torch.get_default_dtype()),
        "scan": _scan, "while_loop": _while_loop,
        "cond": lambda pred, yes, no, *args: yes(*args) if bool(pred) else no(*args),
        "map_fn": lambda fn, xs: torch.stack([fn(x) for x in xs]),
        "stop_gradient": lambda x: x.detach().requires_grad_() if x.is_floating_point() else x.detach(),
        "grad": _grad, "slope": slope_by(_grad),
    }  # fmt: skip
    return type(
        "TorchWords", (), {name: staticmethod(fn) if callable(fn) else fn for name, fn in words.items()}
    )


def _spread(name: str) -> Any:
    def call(x: Any, axis: Any = None) -> Any:
        return getattr(torch, name)(x, dim=tuple(range(x.ndim)) if axis is None else axis)

    return call


def _grad(y: Any, xs: list[Any]) -> list[Any]:
    if not y.requires_grad:
        return [None] * len(xs)
    return list(torch.autograd.grad(y, xs, create_graph=True, allow_unused=True))


TORCH = _bind()
