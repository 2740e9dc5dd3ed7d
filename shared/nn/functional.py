"""PyTorch's `torch.nn.functional`: names for the same ops, with PyTorch's order of arguments.

Whatever is no exception below is the op of that name in `shared.ops`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import ops
from shared.errors import SettingError
from shared.nn.initial import default_generator
from shared.op import Op
from shared.usage.door import door

NAMED = {"unfold": "im2col", "fold": "col2im", "upsample": "interpolate", "logsigmoid": "log_sigmoid"}
"""PyTorch's names for ops that have another name here."""


def __getattr__(name: str) -> Any:
    found = getattr(ops, NAMED.get(name, name), None)
    if found is None or name.startswith("_"):
        raise AttributeError(
            f"nn.functional.{name}: there is no op of that name; `shared.ops` lists what there "
            "is"
        )
    globals()[name] = made = _word(name, found)
    return made


def _word(name: str, op: Any) -> Any:
    """An op as a function that takes, and needs, no `inplace=`."""
    if isinstance(op, Op):

        def word(*args: Any, inplace: bool = False) -> Any:
            return op(*args)

        word.__name__, word.__doc__ = name, op.__doc__
        return door(word, name)
    return op


def __dir__() -> list[str]:
    return sorted({*ops.__all__, *NAMED, *(name for name in globals() if not name.startswith("_"))})


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zeros with probability p, the rest scaled up; drawn from the generator that `nn.manual_seed` starts.

    A layer, `nn.Dropout(p)`, has a generator of its own and follows `model.eval()`."""
    if not training or p == 0:
        return input
    generator = default_generator()
    y, following = ops.dropout(input, generator, p)
    generator.assign(following)
    return y


def softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """exp(x) over their sum along `dim`."""
    return ops.softmax(input if dtype is None else ops.cast(input, dtype), _axis("softmax", dim))


def log_softmax(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return ops.log_softmax(input if dtype is None else ops.cast(input, dtype), _axis("log_softmax", dim))


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """Rows of zeros with a 1, int64; `num_classes` must be given where values are not known yet."""
    classes = int(ops.max(tensor)) + 1 if num_classes == -1 else num_classes
    return ops.one_hot(tensor, classes, "int64")


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """Divided by the p-norm along `dim`, which is at least `eps`."""
    return ops.normalize(input, p, dim, eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along `dim`."""
    return ops.cosine_similarity(x1, x2, axis=dim, eps=eps)


def batch_norm(
    input: Any, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None,
    training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Any:  # fmt: skip
    """As PyTorch's: by the running statistics, or, in training, by those of the batch, with which Buffers
    that are given for the running ones move."""
    if training:
        raise SettingError(
            "batch_norm: in training the running statistics move, and they are a layer's; write "
            "nn.BatchNorm2d(channels)(x), or ops.batch_norm, which gives the batch's own"
        )
    shape = (1, -1, *(1,) * (len(input.shape) - 2))
    y = (input - ops.reshape(running_mean, shape)) * ops.rsqrt(ops.reshape(running_var, shape) + eps)
    y = y if weight is None else y * ops.reshape(weight, shape)
    return y if bias is None else y + ops.reshape(bias, shape)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """Cut off at both ends."""
    return ops.clip(input, min_val, max_val)


def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """With more, or fewer, elements at the ends: widths by pairs, those of the last axis first. `ops.pad`
    takes the pairs in the order of the axes."""
    widths = tuple(pad)
    if len(widths) % 2 or len(widths) > 2 * len(input.shape):
        raise SettingError(
            f"pad: widths {widths} are not pairs for the last axes; write (left, right, top, "
            "bottom)"
        )
    pairs = [(widths[i], widths[i + 1]) for i in range(0, len(widths), 2)][::-1]
    whole = ((0, 0),) * (len(input.shape) - len(pairs)) + tuple(pairs)
    return ops.pad(input, whole, mode, value)


def _axis(call: str, dim: int | None) -> int:
    if dim is None:
        raise SettingError(f"{call}: along which axis? write {call}(x, dim=-1)")
    return dim


for _name in (
    "batch_norm", "cosine_similarity", "dropout", "hardtanh", "log_softmax", "normalize", "one_hot", "pad",
    "softmax",
):  # fmt: skip
    globals()[_name] = door(globals()[_name], _name)
