"""PyTorch's names: where each is here. `import dynamic as torch` finds them; what is not here says what to
write.

A row is `file:name`, as a word of `PLACES` and a name in that module. Keywords that are called otherwise
(`dim=`) are translated in one place: `shared.usage.keywords`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

PLACES = {
    "ops": "shared.ops", "words": "dynamic.words",
    "making": "dynamic.making", "nn": "shared.nn", "optim": "shared.optim",
    "data": "shared.data", "functional": "dynamic.functional", "modes": "dynamic.modes",
    "tensors": "dynamic.tensors", "F": "shared.nn.functional", "kept": "dynamic.kept",
}  # fmt: skip


def _rows(file: str, names: str) -> dict[str, str]:
    """Names that stand in one file, each as it is called there, or as `here=there`."""
    found = {}
    for name in names.split():
        here, _, there = name.partition("=")
        found[here] = f"{file}:{there or here}"
    return found


ROWS: dict[str, str] = {
    **_rows("ops", "cat=concatenate concat=concatenate clamp=clip mm=matmul bmm=matmul mv=matmul "
                   "unsqueeze=expand_dims eq=equal ne=not_equal lt=less le=less_equal gt=greater "
                   "ge=greater_equal ger=outer movedim=moveaxis swapdims=swapaxes absolute=abs "
                   "subtract=sub multiply=mul divide=div true_divide=div negative=neg arcsin=asin "
                   "arccos=acos arctan=atan arctan2=atan2 fix=trunc repeat_interleave=repeat "
                   "take_along_dim=take_along_axis"),
    **_rows("words", "max min sort median mode=mode_ topk transpose split chunk gather index_select "
                     "scatter scatter_add std var std_mean var_mean add sub addmm baddbmm "
                     "is_tensor is_floating_point allclose "
                     "equal t Size device dtype manual_seed norm amax amin is_grad_enabled "
                     "set_grad_enabled get_default_dtype finfo iinfo cosine_similarity where Generator "
                     "typename numel meshgrid tensor_split unique flatten squeeze nonzero "
                     "set_default_dtype"),
    **_rows("making", "normal as_tensor zeros_like ones_like rand_like randn_like randint randperm empty "
                      "empty_like multinomial bernoulli FloatTensor LongTensor DoubleTensor IntTensor "
                      "BoolTensor"),
    **_rows("F", "relu softmax log_softmax dropout"),
    **_rows("modes", "inference_mode=inference"),
    **_rows("kept", "save load"),
    # modules
    "nn": "shared.nn:", "optim": "shared.optim:", "linalg": "shared.ops.linalg:", "fft": "shared.ops.fft:",
    "utils.data.DataLoader": "data:DataLoader", "utils.data.Dataset": "data:Dataset",
    "utils.data.TensorDataset": "data:TensorDataset", "utils.data.random_split": "data:random_split",
    "utils.data.Subset": "data:Subset", "utils.data.ConcatDataset": "data:ConcatDataset",
    "autograd.grad": "words:gradients", "autograd.functional.jacobian": "functional:jacobian",
    "autograd.functional.hessian": "functional:hessian", "autograd.set_detect_anomaly":
    "words:set_detect_anomaly",
    "autograd.Variable": "making:as_tensor", "autograd.no_grad": "modes:no_grad",
    "cuda.is_available": "words:cuda_is_available", "cuda.device_count": "words:device_count",
    "cuda.manual_seed": "words:manual_seed", "cuda.manual_seed_all": "words:manual_seed",
    "cuda.empty_cache": "words:nothing", "cuda.synchronize": "words:nothing",
    "func.grad": "functional:grad", "func.vjp": "functional:vjp", "func.jvp": "functional:jvp",
}  # fmt: skip

DTYPES = {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "short": "int16",
    "bool": "bool", "int": "int32", "cfloat": "complex64", "cdouble": "complex128",
    **{name: name for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8",
                               "uint16", "uint32", "uint64", "complex64", "complex128")},
}  # fmt: skip
"""PyTorch's dtypes, as NumPy's."""

VALUES = {"inf": np.inf, "nan": np.nan, "pi": np.pi, "e": np.e, "strided": None, "__version__": None}

ABSENT = {
    "compile": "compiling a function that stays as it is written is @dynamic.function here; write that",
    "jit": "a function is traced by @static.function, and a graph kept by graph.save(path); write that",
    "distributed": "training is one process here; write a loop over parts of the batch",
    "amp": "there is no automatic mixed precision; write model.astype('float16'), which sums in float32",
    "cuda.amp": "there is no automatic mixed precision; write model.astype('float16'), which sums in float32",
    "autocast": "there is no automatic mixed precision; write model.astype('float16'), which sums in float32",
    "set_num_threads": "write OPENBLAS_NUM_THREADS=1 into the environment, before Python starts",
    "set_printoptions": "Tensors print as NumPy's arrays do; write np.set_printoptions(precision=4)",
    "isclose": "write abs(x - y) <= atol + rtol * abs(y), or dynamic.allclose(x, y) for one answer",
    "get_rng_state": "generators are objects; write generator=dynamic.Generator(0) where numbers are drawn",
    "utils.checkpoint": "what is computed again in backward is dynamic.checkpoint(function, x); write that",
    "backends": "nothing is to be tuned here; leave the line out, or write nothing",
    "use_deterministic_algorithms": "everything is deterministic here; leave the line out, or write nothing",
    "distributions": "there are no distributions; write their log-densities in ops",
    "sparse": "there are no sparse Tensors; write ops.scatter_sum, or a dense array",
    "quantization": "there is no quantization; write ops.round(x / scale) * scale",
    "hub": "nothing is fetched from hubs; write model.load(path) of a safetensors file",
    "onnx": "files of graphs are static.export_onnx(...); write that",
    "profiler": "the profiler is dynamic.Profiler; write with "
    "dynamic.watching(dynamic.Profiler()) as profile:",
    "vmap": "ops are batched over leading axes; write a batch axis, or ops.scan over one",
    "compiler": "compiling is @dynamic.function; write that",
    "multiprocessing": "loaders read ahead by threads; write prefetch=",
}
"""What is not here, and what to write."""


class Names:
    """PyTorch's dotted names, and what stands behind them."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self.rows = rows
        self.spaces: dict[str, Space] = {}
        for name in rows:
            while name := name.rpartition(".")[0]:
                self.spaces.setdefault(name, Space(self, name))
        for name, space in self.spaces.items():
            sys.modules[f"dynamic.{name}"] = space

    def __call__(self, name: str) -> Any:
        """What stands under a dotted name; AttributeError, with what to write, where there is nothing."""
        if name in self.spaces:
            return self.spaces[name]
        if name in DTYPES:
            return np.dtype(DTYPES[name])
        if name in VALUES:
            return VALUES[name]
        from shared import ops

        if name not in self.rows:
            found = getattr(ops, name, None) if "." not in name else None
            if found is None:
                raise AttributeError(self._missing(name))
            return found
        file, _, inside = self.rows[name].partition(":")
        module = import_module(PLACES.get(file, file))
        return getattr(module, inside) if inside else module

    def _missing(self, name: str) -> str:
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            if cure := ABSENT.get(".".join(parts[:count])):
                return f"dynamic.{name}: {cure}"
        close = get_close_matches(parts[-1], [row.rpartition(".")[2] for row in self.rows], 3)
        meant = f"; is it {', '.join(close)}?" if close else "; `shared.ops.__all__` lists the ops"
        return f"module 'dynamic' has no attribute {name!r}{meant}"

    def inside(self, space: str) -> list[str]:
        """The names in a namespace; "" is `dynamic` itself."""
        start = f"{space}." if space else ""
        return sorted({name[len(start) :].partition(".")[0] for name in self.rows if name.startswith(start)})


class Space(ModuleType):
    """What `dynamic.utils` is: names, looked up when they are asked for."""

    def __init__(self, names: Names, name: str) -> None:
        super().__init__(f"dynamic.{name}", f"PyTorch's `torch.{name}`: see docs/dynamic.md.")
        self._names, self._name = names, name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._names(f"{self._name}.{name}")

    def __dir__(self) -> list[str]:
        return self._names.inside(self._name)


NAMES = Names(ROWS)
