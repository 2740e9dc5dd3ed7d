"""PyTorch's attributes that are not here: what to write. The one table of them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

TENSOR = {
    "stride": "no op looks at the order in memory; write x.numpy().strides for an array's, in bytes",
    "storage": "no op looks at memory; write x.numpy()",
    "element_size": "write x.dtype.itemsize",
    "share_memory_": "threads share all Tensors; leave the line out",
    "pin_memory": "arrays are sent to a GPU as they are; leave the line out",
    "isclose": "write abs(x - y) <= atol + rtol * abs(y), or x.allclose(y) for one answer",
    "normal_": "write nn.init.normal_(p) of a Parameter, or x.copy_(dynamic.randn(*x.shape))",
    "uniform_": "write nn.init.uniform_(p, a, b) of a Parameter, or x.copy_(dynamic.rand(*x.shape))",
    "random_": "write x.copy_(dynamic.randint(low, high, x.shape))",
    "bernoulli_": "write x.copy_(dynamic.bernoulli(probabilities))",
    "exponential_": "write x.copy_(-dynamic.rand(*x.shape).log())",
    "index_add": "write ops.index_add(x, index, values, axis)",
    "index_add_": "write x.copy_(ops.index_add(x, index, values, axis))",
    "index_copy": "write ops.index_copy(x, index, values, axis)",
    "index_copy_": "write x[index] = values",
    "index_fill": "write ops.index_fill(x, index, value, axis)",
    "index_fill_": "write x[index] = value",
    "index_put": "write ops.index_put(x, index, values)",
    "index_put_": "write x[index] = values",
    "take_along_dim": "write ops.take_along_axis(x, places, axis)",
    "unfold": "windows of images are ops.im2col(x, kernel_size); write that, or slices",
    "to_sparse": "there are no sparse Tensors; write ops.scatter_sum, or a dense array",
    "register_hook": "gradients of a Parameter are there after backward(); write p.grad = changed(p.grad), "
    "or hook what is computed from it",
    "register_post_accumulate_grad_hook": "write what it does after backward()",
    "map_": "write ops of whole arrays",
    "apply_": "write ops of whole arrays",
}
"""Of a Tensor, a Parameter or a variable."""

MODULE = {
    "register_forward_pre_hook": "write the line at the head of forward, or "
    "register_forward_hook, which has the inputs too",
    "register_full_backward_hook": "write y.register_hook(function) of the Tensor that the module gives",
    "register_backward_hook": "write y.register_hook(function) of the Tensor that the module gives",
    "register_load_state_dict_post_hook": "write what it does after load_state_dict",
    "share_memory": "threads share all models; leave the line out",
    "compile": "decorate what calls the model with @dynamic.function",
}
"""Of a module."""

OPTIMIZER = {
    "state": "write opt.state_dict(), which has the moments by the parameters' paths",
    "register_step_post_hook": "write what it does after opt.step()",
    "register_step_pre_hook": "write what it does before opt.step()",
}
"""Of an optimiser."""

NN = {
    "Lazy": "a layer may be made without its inputs' size: write nn.Linear(None, 2)",
    "DataParallel": "training is one process here; write a loop over parts of the batch",
    "parallel": "training is one process here; write a loop over parts of the batch",
    "SyncBatchNorm": "training is one process here; write nn.BatchNorm2d",
    "quantized": "there is no quantization; write ops.round(x / scale) * scale",
}
"""Of `nn`, by how a name begins."""

NN_UTILS = {
    "rnn": "sequences of several lengths are padded by hand: write nn.LSTM(...)(x, lengths=lengths)",
    "spectral_norm": "write nn.utils.parametrizations.spectral_norm(layer)",
    "weight_norm": "write nn.utils.parametrizations.weight_norm(layer)",
}
"""Of `nn.utils`, likewise."""


class Answers:
    """Mixed into what has such attributes: asked for one, it says what to write."""

    __slots__ = ()

    _absent: ClassVar[Mapping[str, str]] = {}

    if not TYPE_CHECKING:  # to a checker, what is not here is not here

        def __getattr__(self, name: str) -> Any:
            if (cure := self._absent.get(name)) is not None:
                raise AttributeError(f"{type(self).__name__}.{name}: {cure}")
            return object.__getattribute__(self, name)  # to fail as it would have failed


def answer(module: ModuleType, name: str, rows: Mapping[str, str]) -> AttributeError:
    """The error for a name that a module lacks: with what to write, if a row begins it, or else with
    names that are close to it."""
    space = module.__name__.removeprefix("shared.")
    for begin, cure in rows.items():
        if name.startswith(begin):
            return AttributeError(f"{space}.{name}: {cure}")
    close = get_close_matches(name, dir(module), 3)
    meant = f"is it {', '.join(close)}?" if close else f"dir({space}) lists what there is"
    return AttributeError(f"{space}.{name}: there is nothing of that name; {meant}")
