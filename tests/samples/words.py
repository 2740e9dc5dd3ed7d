"""PyTorch's names and signatures in our words: one line for each op whose call differs from ours.

An op that is called alike needs no line: its name is found in `shared.ops`, and keywords go by `RENAMED`. A
line may name an op that is not here yet; the name counts as absent until it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shared import ops as o

RENAMED = {"dim": "axis", "keepdim": "keepdims", "dims": "axis"}
"""PyTorch's keywords where NumPy's are ours."""

_RANDOM = "draws random numbers: by another generator than ours"
_MEMORY = "about PyTorch's memory or layouts, which have no equal here"
_INSIDE = "a part of PyTorch's inside, or of its compiler"
_MASKED = "PyTorch's prototype of masked arrays"
LEFT: dict[str, str] = {
    **dict.fromkeys(
        ("bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal",
         "rand_like", "randint", "randint_like", "randn", "randn_like", "uniform", "pca_lowrank",
         "svd_lowrank", "nn.functional.alpha_dropout", "nn.functional.dropout", "nn.functional.dropout2d",
         "nn.functional.dropout3d", "nn.functional.feature_alpha_dropout", "nn.functional.rrelu",
         "nn.functional.fractional_max_pool2d", "nn.functional.fractional_max_pool3d"), _RANDOM,
    ),
    **dict.fromkeys(
        ("as_strided", "as_strided_copy", "as_strided_scatter", "empty", "empty_like", "empty_permuted",
         "empty_strided", "new_empty", "new_empty_strided", "resize_", "resize_as_", "to_sparse", "sparse.mm",
         "sparse.sampled_addmm", "sparse.mm.reduce", "contiguous", "alias_copy"), _MEMORY,
    ),
    **dict.fromkeys(
        ("_batch_norm_with_update", "_chunk_cat", "_native_batch_norm_legit", "_segment_reduce",
         "_softmax_backward_data", "_unsafe_masked_index", "_unsafe_masked_index_put_accumulate",
         "_upsample_bilinear2d_aa", "jiterator_2inputs_2outputs", "jiterator_4inputs_with_extra_args",
         "jiterator_binary", "jiterator_binary_return_by_ref", "jiterator_unary", "hash_tensor",
         "max_pool2d_with_indices_backward", "native_dropout_backward", "torch._scaled_mm",
         "torch._scaled_mm_v2", "torch.ops.aten._efficient_attention_forward",
         "torch.ops.aten._flash_attention_forward", "torch.ops.aten._safe_softmax.default",
         "resolve_conj", "resolve_neg", "unsafe_chunk", "unsafe_split", "zero_", "fill", "native_batch_norm",
         "native_group_norm", "native_layer_norm", "conj_physical",
         "geqrf", "ormqr", "nonzero_static"), _INSIDE,
    ),
    **{f"masked.{name}": _MASKED for name in (
        "amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp",
        "mean", "median", "norm", "normalize", "prod", "softmax", "softmin", "std", "sum", "var")},
}  # fmt: skip
"""Ops whose samples say nothing about ours, and why."""


def _extreme(values: Any, places: Any) -> Callable[..., Any]:
    """A largest or smallest along an axis, with its places."""
    return lambda x, dim, keepdim=False: (values(x, axis=dim, keepdims=keepdim),
                                          places(x, axis=dim, keepdims=keepdim))  # fmt: skip


def _rounded(a: Any, b: Any, rounding_mode: str | None = None) -> Any:
    return o.floor_divide(a, b) if rounding_mode == "floor" else (
        o.trunc(o.div(a, b)) if rounding_mode == "trunc" else o.div(a, b)
    )  # fmt: skip


def _spread(op: Callable[..., Any]) -> Callable[..., Any]:
    """The standard deviation or the variance, by PyTorch's many signatures."""

    def call(
        x: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, correction: Any = None
    ) -> Any:
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        if correction is None:
            correction = 1 if unbiased is None else int(unbiased)
        return op(x, axis=_axis(dim), keepdims=keepdim, correction=correction)

    return call


def _axis(dim: Any) -> Any:
    """No axes at all mean all of them to PyTorch's reductions."""
    return None if dim in ((), []) else tuple(dim) if isinstance(dim, list) else dim


def _reduced(op: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, dim=None, keepdim=False, **more: op(x, axis=_axis(dim), keepdims=keepdim, **more)


def _sizes(given: tuple[Any, ...]) -> Any:
    """`f(2, 3)` and `f((2, 3))` mean the same."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], (tuple, list)) else given


def _cast(dtype: Any) -> Callable[..., Any]:
    return lambda x, **_: o.cast(x, dtype)


def _singular(x: Any) -> Any:
    u, s, vh = o.linalg.svd(x, full_matrices=False)
    return o.abs(u), s, o.abs(vh)


def _fourier(name: str) -> Callable[..., Any]:
    last = {"axes": (-2, -1)} if name.endswith("2") else {}

    def call(x: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
        return getattr(o.fft, name)(x, s, norm=norm, **(last if dim is None else {"axes": dim}))

    return call


WORDS: dict[str, Callable[..., Any]] = {
    # Python's operators
    "__getitem__": lambda x, index: x[index],
    "__radd__": lambda a, b: b + a,
    "__rand__": lambda a, b: b & a,
    "__rdiv__": lambda a, b: b / a,
    "__rmatmul__": lambda a, b: b @ a,
    "__rmod__": lambda a, b: b % a,
    "__rmul__": lambda a, b: b * a,
    "__ror__": lambda a, b: b | a,
    "__rpow__": lambda a, b: b**a,
    "__rsub__": lambda a, b: b - a,
    "__rxor__": lambda a, b: b ^ a,
    "H": lambda x: o.conj(x.T),
    "T": lambda x: x.T,
    "mH": lambda x: o.conj(o.swapaxes(x, -1, -2)),
    "mT": lambda x: o.swapaxes(x, -1, -2),
    "rsub": lambda a, b, alpha=1: b - a * alpha,
    # arithmetic
    "add": lambda a, b, alpha=1: a + b * alpha,
    "sub": lambda a, b, alpha=1: a - b * alpha,
    "div": _rounded,
    "true_divide": lambda a, b: o.div(a, b),
    "float_power": lambda a, b: o.pow(o.cast(a, "float64"), b),
    "positive": lambda x: +x,
    "sgn": lambda x: o.sign(x),
    "round": lambda x, decimals=0: o.round(x) if decimals == 0 else o.round(x, decimals=decimals),
    "ldexp": lambda a, b: a * o.exp2(b),
    "frexp": lambda x: o.frexp(x),
    "clamp": lambda x, min=None, max=None: o.clip(x, min, max),
    "clamp_min": lambda x, low: o.clip(x, low),
    "clamp_max": lambda x, high: o.clip(x, high=high),
    "fmod": lambda a, b: o.fmod(a, b),
    "addcmul": lambda x, a, b, value=1: o.addcmul(x, a, b, value=value),
    "addcdiv": lambda x, a, b, value=1: o.addcdiv(x, a, b, value=value),
    "lerp": lambda a, b, weight: o.lerp(a, b, weight),
    "logit": lambda x, eps=None: o.logit(x, eps=eps),
    "polygamma": lambda x, n: o.polygamma(n, x),
    "special.polygamma": lambda x, n: o.polygamma(n, x),
    "special.ndtr": lambda x: o.normal_cdf(x),
    "special.xlog1py": lambda x, y: o.xlog1py(x, y),
    "mvlgamma": lambda x, p: o.mvlgamma(x, p),
    # comparisons
    "eq": lambda a, b: o.equal(a, b),
    "ne": lambda a, b: o.not_equal(a, b),
    "lt": lambda a, b: o.less(a, b),
    "le": lambda a, b: o.less_equal(a, b),
    "gt": lambda a, b: o.greater(a, b),
    "ge": lambda a, b: o.greater_equal(a, b),
    "equal": lambda a, b: o.all(o.equal(a, b)) if a.shape == b.shape else np.bool_(False),
    "isclose": lambda a, b, **more: o.isclose(a, b, **more),
    "where": lambda m, a, b: o.where(m, a, b),
    # dtypes
    "bool": _cast("bool"), "byte": _cast("uint8"), "char": _cast("int8"), "short": _cast("int16"),
    "int": _cast("int32"), "long": _cast("int64"), "half": _cast("float16"), "float": _cast("float32"),
    "double": _cast("float64"), "cfloat": _cast("complex64"), "cdouble": _cast("complex128"),
    "to": lambda x, *args, **_: o.cast(x, _told(args, x)),
    # over axes
    "sum": _reduced(o.sum), "mean": _reduced(o.mean), "prod": _reduced(o.prod), "all": _reduced(o.all),
    "any": _reduced(o.any), "amax": _reduced(o.max), "amin": _reduced(o.min),
    "argmax": lambda x, dim=None, keepdim=False: o.argmax(x, axis=dim, keepdims=keepdim),
    "argmin": lambda x, dim=None, keepdim=False: o.argmin(x, axis=dim, keepdims=keepdim),
    "max.reduction_with_dim": _extreme(o.max, o.argmax), "max.reduction_no_dim": lambda x: o.max(x),
    "min.reduction_with_dim": _extreme(o.min, o.argmin), "min.reduction_no_dim": lambda x: o.min(x),
    "max.binary": lambda a, b: o.maximum(a, b), "min.binary": lambda a, b: o.minimum(a, b),
    "aminmax": lambda x, dim=None, keepdim=False: (o.min(x, axis=dim, keepdims=keepdim),
                                                   o.max(x, axis=dim, keepdims=keepdim)),
    "std": _spread(o.std), "var": _spread(o.var),
    "std_mean": lambda x, dim=None, keepdim=False, **more: (
        _spread(o.std)(x, dim, keepdim=keepdim, **more), o.mean(x, axis=_axis(dim), keepdims=keepdim)),
    "var_mean": lambda x, dim=None, keepdim=False, **more: (
        _spread(o.var)(x, dim, keepdim=keepdim, **more), o.mean(x, axis=_axis(dim), keepdims=keepdim)),
    "logsumexp": lambda x, dim, keepdim=False: o.logsumexp(x, axis=_axis(dim), keepdims=keepdim),
    "count_nonzero": lambda x, dim=None: o.count_nonzero(x, axis=_axis(dim)),
    "cumsum": lambda x, dim: o.cumsum(x, axis=dim), "cumprod": lambda x, dim: o.cumprod(x, axis=dim),
    "softmax": lambda x, dim, dtype=None: o.softmax(_in(x, dtype), axis=dim),
    "log_softmax": lambda x, dim, dtype=None: o.log_softmax(_in(x, dtype), axis=dim),
    "nn.functional.softmin": lambda x, dim, dtype=None: o.softmin(_in(x, dtype), axis=dim),
    "dist": lambda a, b, p=2: o.norm(a - b, p),
    "norm": lambda x, p=2, dim=None, keepdim=False: o.norm(x, p, axis=dim, keepdims=keepdim),
    "msort": lambda x: o.sort(x, axis=0),
    "sort": lambda x, dim=-1, descending=False, stable=True: (
        o.sort(x, dim, descending), o.argsort(x, dim, descending)),
    "argsort": lambda x, dim=-1, descending=False, stable=True: o.argsort(x, dim, descending),
    "topk": lambda x, k, dim=-1, largest=True, sorted=True: o.topk(x, k, dim, largest),
    "median": lambda x, dim=None, keepdim=False: _lower(o.quantile, x, dim, keepdim),
    "nanmedian": lambda x, dim=None, keepdim=False: _lower(o.nanquantile, x, dim, keepdim),
    "quantile": lambda x, q, dim=None, keepdim=False, interpolation="linear": o.quantile(
        x, q, dim, keepdim, interpolation),
    "nanquantile": lambda x, q, dim=None, keepdim=False, interpolation="linear": o.nanquantile(
        x, q, dim, keepdim, interpolation),
    "unique": lambda x, sorted=True, return_inverse=False, return_counts=False, dim=None: o.unique(
        x, dim, False, return_inverse, return_counts),
    "searchsorted": lambda edges, x, right=False, side=None, sorter=None, out_int32=False: o.searchsorted(
        edges, x, "right" if right else side or "left", sorter),
    "bucketize": lambda x, edges, right=False, out_int32=False: o.bucketize(x, edges, right),
    "histogram": lambda x, bins, range=None, weight=None, density=False: [
        o.cast(part, x.dtype) for part in o.histogram(x, bins, range, weight, density)],
    "histc": lambda x, bins=100, min=0, max=0: o.cast(
        o.histogram(x, bins, None if min == max else (min, max))[0], x.dtype),
    # products
    "bmm": lambda a, b: o.matmul(a, b), "mm": lambda a, b: o.matmul(a, b), "mv": lambda a, b: o.matmul(a, b),
    "dot": lambda a, b: o.dot(a, b), "vdot": lambda a, b: o.linalg.vecdot(a, b),
    "addmm": lambda x, a, b, beta=1, alpha=1: x * beta + (a @ b) * alpha,
    "addmv": lambda x, a, b, beta=1, alpha=1: x * beta + (a @ b) * alpha,
    "addr": lambda x, a, b, beta=1, alpha=1: x * beta + o.outer(a, b) * alpha,
    "baddbmm": lambda x, a, b, beta=1, alpha=1: x * beta + (a @ b) * alpha,
    "addbmm": lambda x, a, b, beta=1, alpha=1: x * beta + o.sum(a @ b, axis=0) * alpha,
    "einsum": lambda xs, subscripts: o.einsum(subscripts, *xs),
    "inner": lambda a, b: a * b if not (a.ndim and b.ndim) else o.tensordot(a, b, axes=((-1,), (-1,))),
    "tensordot": lambda a, b, dims=2: o.tensordot(a, b, axes=dims),
    "linalg.multi_dot": lambda xs: o.linalg.multi_dot(xs),
    # shapes
    "cat": lambda xs, dim=0: o.concatenate(xs, axis=dim), "stack": lambda xs, dim=0: o.stack(xs, axis=dim),
    "hstack": lambda xs: o.hstack(xs), "vstack": lambda xs: o.vstack(xs), "dstack": lambda xs: o.dstack(xs),
    "column_stack": lambda xs: o.column_stack(xs),
    "chunk": lambda x, chunks, dim=0: o.chunk(x, chunks, axis=dim),
    "split": lambda x, size, dim=0: o.split(x, _parts(x.shape[dim], size), axis=dim),
    "split.list_args": lambda x, sizes, dim=0: o.split(x, list(sizes), axis=dim),
    "split_with_sizes": lambda x, sizes, dim=0: o.split(x, list(sizes), axis=dim),
    "split_with_sizes_copy": lambda x, sizes, dim=0: o.split(x, list(sizes), axis=dim),
    "unbind": lambda x, dim=0: o.unbind(x, axis=dim), "unbind_copy": lambda x, dim=0: o.unbind(x, axis=dim),
    "reshape": lambda x, *shape: o.reshape(x, _sizes(shape)), "view": lambda x, *s: o.reshape(x, _sizes(s)),
    "view_copy": lambda x, *shape: o.reshape(x, _sizes(shape)),
    "reshape_as": lambda x, other: o.reshape(x, other.shape), "view_as": lambda x, y: o.reshape(x, y.shape),
    "flatten": lambda x, *args, **more: o.flatten(x, *args, **more), "ravel": lambda x: o.reshape(x, (-1,)),
    "unflatten": lambda x, dim, sizes: o.unflatten(x, dim, sizes),
    "expand": lambda x, *s: o.broadcast_to(x, _expanded(x, _sizes(s))),
    "expand_copy": lambda x, *s: o.broadcast_to(x, _expanded(x, _sizes(s))),
    "expand_as": lambda x, other: o.broadcast_to(x, other.shape),
    "broadcast_tensors": lambda *xs: o.broadcast_arrays(*xs),
    "atleast_1d": lambda xs: o.atleast_1d(xs), "atleast_2d": lambda xs: o.atleast_2d(xs),
    "squeeze": lambda x, *dim: o.squeeze(x, *dim), "squeeze.multiple": lambda x, dim: _squeezed(x, dim),
    "squeeze_copy": lambda x, *dim: o.squeeze(x, *dim),
    "unsqueeze": lambda x, dim: o.expand_dims(x, dim), "unsqueeze_copy": lambda x, d: o.expand_dims(x, d),
    "transpose": lambda x, dim0, dim1: o.swapaxes(x, dim0, dim1),
    "transpose_copy": lambda x, dim0, dim1: o.swapaxes(x, dim0, dim1),
    "t": lambda x: o.transpose(x), "t_copy": lambda x: o.transpose(x),
    "permute": lambda x, *dims: o.permute(x, _sizes(dims)),
    "permute_copy": lambda x, *dims: o.permute(x, _sizes(dims)),
    "movedim": lambda x, source, to: o.moveaxis(x, source, to),
    "hsplit": lambda x, parts: o.tensor_split(x, parts, axis=1 if x.ndim > 1 else 0),
    "vsplit": lambda x, parts: o.tensor_split(x, parts, axis=0),
    "dsplit": lambda x, parts: o.tensor_split(x, parts, axis=2),
    "flip": lambda x, *args, dims=None: o.flip(x, axis=_sizes(args) if dims is None else tuple(dims)),
    "roll": lambda x, shifts, dims=None: o.roll(x, shifts, axis=dims),
    "rot90": lambda x, k=1, dims=(0, 1): o.rot90(x, k, dims),
    "tile": lambda x, *reps: o.tile(x, _sizes(reps)),
    "repeat": lambda x, *reps: o.tile(x, _sizes(reps)),
    "repeat_interleave": lambda x, repeats, dim=None, **_: o.repeat(x, repeats, axis=dim),
    "sum_to_size": lambda x, *shape: o.sum_to(x, _sizes(shape)),
    "narrow": lambda x, dim, start, length: o.narrow(x, dim, _known(start), length),
    "narrow_copy": lambda x, dim, start, length: o.narrow(x, dim, _known(start), length),
    "tensor_split": lambda x, sections, dim=0: o.tensor_split(x, _known(sections), dim),
    "select": lambda x, dim, index: x[(slice(None),) * (dim % x.ndim) + (index,)],
    "slice": lambda x, dim=0, start=None, end=None, step=1: _sliced(x, dim, start, end, step),
    "meshgrid": lambda xs, indexing="ij": o.meshgrid(*xs, indexing=indexing),
    "meshgrid.list_of_tensors": lambda xs, indexing="ij": o.meshgrid(*xs, indexing=indexing),
    "meshgrid.variadic_tensors": lambda *xs, indexing="ij": o.meshgrid(*xs, indexing=indexing),
    "diag_embed": lambda x, offset=0, dim1=-2, dim2=-1: o.diag_embed(x, offset, dim1, dim2),
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: o.diagonal(x, offset, dim1, dim2),
    "diagonal_copy": lambda x, offset=0, dim1=0, dim2=1: o.diagonal(x, offset, dim1, dim2),
    "linalg.diagonal": lambda x, offset=0, dim1=-2, dim2=-1: o.diagonal(x, offset, dim1, dim2),
    # linear algebra
    "cholesky": lambda x, upper=False: o.linalg.cholesky(x, upper=upper),
    **dict.fromkeys(("svd", "linalg.svd"), lambda x, some=True, full_matrices=False, **_: _singular(x)),
    "cross": lambda a, b, dim=-1: o.linalg.cross(a, b, axis=dim),
    "linalg.cross": lambda a, b, dim=-1: o.linalg.cross(a, b, axis=dim),
    "linalg.vecdot": lambda a, b, dim=-1: o.linalg.vecdot(a, b, axis=dim),
    "linalg.norm": lambda x, ord=None, dim=None, keepdim=False, **_: o.linalg.norm(x, ord, dim, keepdim),
    "linalg.matrix_norm": lambda x, ord="fro", dim=(-2, -1), keepdim=False, **_: o.linalg.norm(
        x, ord, dim, keepdim),
    "linalg.vector_norm": lambda x, ord=2, dim=None, keepdim=False, **_: o.linalg.vector_norm(
        x, axis=_axis(dim), keepdims=keepdim, ord=ord),
    "linalg.pinv.singular": lambda a, b: o.linalg.pinv(a @ o.swapaxes(b, -1, -2)),
    "pinverse": lambda x, rcond=1e-15: o.linalg.pinv(x, rtol=rcond),
    "linalg.eig": lambda x: (o.linalg.eig(x)[0], o.abs(o.linalg.eig(x)[1])),
    "linalg.eigh": lambda x, UPLO="L": (o.linalg.eigh(x, UPLO)[0], o.abs(o.linalg.eigh(x, UPLO)[1])),
    "linalg.lstsq": lambda a, b, driver=None: o.linalg.lstsq(a, b).solution,
    # Fourier transforms
    **{f"fft.{name}": _fourier(name) for name in (
        "fft2", "ifft2", "fftn", "ifftn", "rfft2", "rfftn", "irfft2", "irfftn")},
    "fft.fftshift": lambda x, dim=None: o.fft.fftshift(x, dim),
    "fft.ifftshift": lambda x, dim=None: o.fft.ifftshift(x, dim),
    "constant_pad_nd": lambda x, pad, value=0: o.pad(x, _widths(x, pad), value=value),
    "nn.functional.pad": lambda x, pad, mode="constant", value=0: _padded(x, pad, mode, value),
    "clone": lambda x, **_: o.reshape(x, x.shape),
    # places
    "gather": lambda x, dim, index, **_: o.gather(x, index, dim),
    "take_along_dim": lambda x, index, dim=None: o.take_along_axis(
        x, o.reshape(index, -1) if dim is None else index, dim),
    "take": lambda x, index: o.take(x, index), "index_select": lambda x, dim, i: o.take(x, i, axis=dim),
    "scatter_add": lambda x, dim, index, values: o.scatter_add(x, index, values, axis=dim),
    "scatter": lambda x, dim, index, values, reduce="set": o.scatter(
        x, index, _beginning(values, index), dim, _REDUCE.get(reduce, reduce)),
    "scatter_reduce": lambda x, dim, index, values, reduce, include_self=True: o.scatter(
        x, index, _beginning(values, index), dim, _REDUCE.get(reduce, reduce), include_self),
    "index_add": lambda x, dim, index, values, alpha=1: o.index_add(x, index, values * alpha, axis=dim),
    "index_copy": lambda x, dim, index, values: o.index_copy(x, index, values, axis=dim),
    "index_fill": lambda x, dim, index, value: o.index_fill(x, index, value, axis=dim),
    "index_reduce": lambda x, dim, index, values, reduce, include_self=True: o.index_put(
        x, (slice(None),) * (dim % (x.ndim or 1)) + (index,), values, _REDUCE.get(reduce, reduce),
        include_self),
    "index_put": lambda x, index, values, accumulate=False: o.index_put(
        x, tuple(index), values, "add" if accumulate else "set"),
    "nonzero": lambda x, as_tuple=False: o.nonzero(x) if as_tuple else o.argwhere(x),
    "tril_indices": lambda n, m, offset=0, **_: o.stack(o.tril_indices(n, m, offset)),
    "triu_indices": lambda n, m, offset=0, **_: o.stack(o.triu_indices(n, m, offset)),
    "nn.functional.embedding": lambda ids, weight, padding_idx=None, **more: o.embedding(
        ids, weight, padding_idx=padding_idx, **more),
    "nn.functional.one_hot": lambda x, num_classes=-1: o.one_hot(x, num_classes, dtype="int64"),
    "qr": lambda x, some=True: o.linalg.qr(x, mode="reduced" if some else "complete"),
    "logdet": lambda x: o.log(o.linalg.det(x)),
    # creation
    "full": lambda shape, value, **more: o.full(_sizes((shape,)), value, **_dtype(more)),
    "zeros": lambda *shape, **more: o.zeros(_sizes(shape), **_dtype(more)),
    "ones": lambda *shape, **more: o.ones(_sizes(shape), **_dtype(more)),
    "zeros_like": lambda x, **more: o.zeros_like(x, **_dtype(more)),
    "ones_like": lambda x, **more: o.ones_like(x, **_dtype(more)),
    "full_like": lambda x, value, **more: o.full_like(x, value, **_dtype(more)),
    "new_zeros": lambda x, *s, **more: o.zeros(_sizes(s), **{"dtype": x.dtype, **_dtype(more)}),
    "new_ones": lambda x, *s, **more: o.ones(_sizes(s), **{"dtype": x.dtype, **_dtype(more)}),
    "new_full": lambda x, s, v, **more: o.full(tuple(s), v, **{"dtype": x.dtype, **_dtype(more)}),
    "eye": lambda *sizes, **more: o.eye(*sizes, **_dtype(more)),
    "linspace": lambda a, b, steps, **more: o.linspace(_known(a), _known(b), steps, **_dtype(more)),
    "arange": lambda *bounds, end=None, **more: o.arange(
        *bounds, *([] if end is None else [end]), **_dtype(more)),
    "scalar_tensor": lambda value, **more: o.full((), value, **_dtype(more)),
    # layers
    "nn.functional.logsigmoid": lambda x: o.log_sigmoid(x),
    "nn.functional.leaky_relu": lambda x, slope=0.01, negative_slope=None: o.leaky_relu(
        x, slope if negative_slope is None else negative_slope),
    "nn.functional.instance_norm": lambda x, use_input_stats=True, **more: o.instance_norm(
        x, training=use_input_stats, **more)[0],
    "cdist": lambda a, b, p=2.0, compute_mode=None: o.cdist(a, b, p),
    "nn.functional.cosine_similarity": lambda a, b, dim=1, eps=1e-8: o.cosine_similarity(a, b, dim, eps),
    "nn.functional.unfold": lambda x, *args, **more: o.im2col(x, *args, **more),
    "unfold": lambda x, dim, size, step: _windows(x, dim, size, step),
    "unfold_copy": lambda x, dim, size, step: _windows(x, dim, size, step),
    "nn.functional.upsample_nearest": lambda x, *args, **more: o.interpolate(x, *args, **more),
    "nn.functional.upsample_bilinear": lambda x, *args, **more: o.interpolate(
        x, *args, mode="bilinear", align_corners=True, **more),
    "nn.functional.grid_sample": lambda x, grid, *args, **more: o.grid_sample(x, grid, *args, **more),
    **dict.fromkeys(
        ("grid_sampler_2d", "grid_sampler_3d"), lambda x, grid, mode, outside, corners: o.grid_sample(
            x, grid, ("bilinear", "nearest", "bicubic")[mode], ("zeros", "border", "reflection")[outside],
            corners),
    ),
    "nn.functional.conv_transpose2d": lambda *args, **more: o.conv_transpose2d(*args, **more),
    "nn.functional.batch_norm": lambda x, mean, var, weight=None, bias=None, training=False, momentum=0.1,
        eps=1e-5: o.batch_norm(x, weight, bias, mean, var, momentum, eps, training)[0],
    # losses
    "nn.functional.ctc_loss": lambda x, *args, **more: o.ctc_loss(o.log_softmax(x), *args, **more),
    "nn.functional.triplet_margin_with_distance_loss": lambda a, p, n, distance_function=None, **more: (
        o.triplet_margin_with_distance_loss(a, p, n, **more)),
    **{f"nn.functional.{name}": lambda x, *args, name=name, **more: getattr(o, name)(
        x, *args, **more, axis=min(1, x.ndim - 1)) for name in ("cross_entropy", "nll_loss")},
}  # fmt: skip

def _absolute(name: str) -> Callable[..., Any]:
    """PyTorch's factors, of all but the values the sizes."""

    def call(x: Any, **settings: Any) -> Any:
        import torch

        if name == "svd":
            u, s, vh = torch.linalg.svd(x, full_matrices=False)
            return u.abs(), s, vh.abs()
        values, vectors = getattr(torch.linalg, name)(x, **settings)
        return values, vectors.abs()

    return call


def _nearest(a: Any, b: Any, driver: Any = None) -> Any:
    """PyTorch's solution, without what it leaves out in some cases."""
    import torch

    return torch.linalg.lstsq(a, b, driver=driver).solution


def _ctc_of_logits(x: Any, *args: Any, **more: Any) -> Any:
    import torch

    return torch.nn.functional.ctc_loss(x.log_softmax(-1), *args, **more)


def _put_back(axes: int) -> Callable[..., Any]:
    """max_unpool with its derivative: PyTorch hands one to each of the values for a place, and one stays."""

    def call(x: Any, indices: Any, *settings: Any, **more: Any) -> Any:
        import torch

        name = f"max_unpool{axes}d"
        shape = getattr(torch.nn.functional, name)(x, indices, *settings, **more).shape
        values, places = x.flatten(-axes), indices.flatten(-axes)
        order = torch.arange(places.shape[-1]).expand_as(places)
        nothing = values.new_zeros((*values.shape[:-1], int(np.prod(shape[-axes:]))))
        last = torch.zeros_like(nothing, dtype=torch.int64).scatter_reduce(-1, places, order, "amax")
        kept = values * (last.gather(-1, places) == order)
        return nothing.scatter_add(-1, places, kept).reshape(shape)

    return call


THEIRS: dict[str, Callable[..., Any]] = {
    "svd": _absolute("svd"), "linalg.svd": _absolute("svd"), "linalg.eigh": _absolute("eigh"),
    "linalg.eig": _absolute("eig"), "linalg.lstsq": _nearest,
    "logcumsumexp": lambda x, dim: x.double().logcumsumexp(dim).to(x.dtype),
    **{f"nn.functional.max_unpool{axes}d": _put_back(axes) for axes in (1, 2, 3)},
    "nn.functional.ctc_loss": _ctc_of_logits,
}  # fmt: skip
"""What is called of PyTorch, where its own result is not what can be held against ours: an eigenvector's
sign is nobody's; in single precision its gradient of logcumsumexp is off by 3e-3 beside large numbers; and a
value that another has replaced has no derivative; ctc_loss's counts on the log_softmax before it."""

DIFFERENCES: dict[str, str] = {
    "linalg.solve": "ours is NumPy's and the Array API's: a vector is a b of one axis alone",
}
"""Where another answer than PyTorch's is meant, and why."""


# --- what some lines need ------------------------------------------------------------------


def _lower(quantile: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """PyTorch's median: the lower of the middle two, and where it stands."""
    if dim is None:
        return quantile(x, 0.5, method="lower")
    value = quantile(x, 0.5, dim, keepdims=True, method="lower")
    index = o.argmax((x == value) | (o.isnan(x) & o.isnan(value)), dim, keepdims=True)
    return (value, index) if keepdim else (o.squeeze(value, dim), o.squeeze(index, dim))


_REDUCE = {"sum": "add", "prod": "mul", "multiply": "mul", "amax": "max", "amin": "min"}


def _known(value: Any) -> Any:
    """Numbers that PyTorch takes as a Tensor."""
    return np.asarray(value.numpy()).tolist() if hasattr(value, "numpy") else value


def _beginning(values: Any, index: Any) -> Any:
    """PyTorch reads as much of the values as the index has places."""
    return values[tuple(map(slice, index.shape))] if getattr(values, "ndim", 0) else values


def _parts(size: int, step: Any) -> list[int]:
    if isinstance(step, (list, tuple)):
        return list(step)
    return [min(step, size - start) for start in range(0, size, step)] or [0]


def _expanded(x: Any, shape: Any) -> tuple[int, ...]:
    """A size of -1 stays what it is."""
    before = len(shape) - x.ndim
    return tuple(x.shape[i - before] if size == -1 else size for i, size in enumerate(shape))


def _squeezed(x: Any, dims: Any) -> Any:
    one = tuple(d for d in dims if x.ndim and x.shape[d] == 1)
    return o.squeeze(x, one) if one else x


def _sliced(x: Any, dim: int, start: Any, end: Any, step: int = 1) -> Any:
    if end is not None and start is not None and start < 0 <= end - start and end == 0:
        end = None
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def _windows(x: Any, axis: int, size: int, step: int) -> Any:
    """Parts of an axis that overlap, along a new last one."""
    if not x.ndim:
        return o.reshape(x, 1)[:size]
    starts = np.arange(0, x.shape[axis] - size + 1, step)
    return o.moveaxis(o.take(x, starts[:, None] + np.arange(size), axis=axis), axis % x.ndim + 1, -1)


def _widths(x: Any, pad: Any) -> list[tuple[int, int]]:
    """PyTorch counts pads from the last axis, ours from the first."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    return [(0, 0)] * (x.ndim - len(pairs)) + pairs


def _padded(x: Any, pad: Any, mode: str, value: Any) -> Any:
    if mode == "constant":
        return o.pad(x, _widths(x, pad), value=0 if value is None else value)
    return o.pad(x, _widths(x, pad), mode={"replicate": "edge", "circular": "wrap"}.get(mode, mode))


def _in(x: Any, dtype: Any) -> Any:
    return x if dtype is None else o.cast(x, dtype)


def _told(args: Any, x: Any) -> Any:
    """The dtype among the arguments of PyTorch's `to`: one, or that of another Tensor."""
    found = [getattr(a, "dtype", a) for a in args if isinstance(a, np.dtype) or hasattr(a, "dtype")]
    return found[0] if found else x.dtype


def _dtype(more: dict[str, Any]) -> dict[str, Any]:
    """Of PyTorch's keywords of creation the one that is ours."""
    return {"dtype": more["dtype"]} if more.get("dtype") is not None else {}


