"""`static.nn`: what networks are made of, as TensorFlow 1 calls it. For more see `images` and `rnn`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shared import ops
from shared.errors import SettingError
from static.graph.effects import stop_gradient
from static.graph.operands import as_tensor
from static.graph.random import draw, numbers
from static.words.images import channels_of

# --- losses by element -----------------------------------------------------------------------------


def _named(call: str, sentinel: Any, labels: Any, logits: Any) -> tuple[Any, Any]:
    """labels and logits, of which TensorFlow 1 changed the order: they go by name."""
    if sentinel is not None or labels is None or logits is None:
        raise SettingError(f"{call}: call it with named arguments: {call}(labels=..., logits=...)")
    return as_tensor(labels), as_tensor(logits)


def softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, dim: int = -1
) -> Any:
    """-sum(labels log softmax(logits)) along `dim`: a loss for each row. Labels are constants to it."""
    labels, logits = _named("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    return softmax_cross_entropy_with_logits_v2(stop_gradient(labels), logits, dim)


def softmax_cross_entropy_with_logits_v2(labels: Any, logits: Any, axis: int = -1) -> Any:
    """The same, with a gradient by the labels too."""
    labels, logits = as_tensor(labels), as_tensor(logits)
    labels = labels if labels.dtype == logits.dtype else ops.cast(labels, logits.dtype)
    return ops.neg(ops.sum(labels * ops.log_softmax(logits, axis), axis))


def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None
) -> Any:
    """-log softmax(logits)[label] for each label, an integer; RangeError for one that is no class."""
    labels, logits = _named("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    return ops.cross_entropy(logits, labels, reduction="none")


def sigmoid_cross_entropy_with_logits(_sentinel: Any = None, labels: Any = None, logits: Any = None) -> Any:
    """-labels log sigmoid(logits) - (1 - labels) log(1 - sigmoid(logits)), elementwise."""
    labels, logits = _named("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    return ops.binary_cross_entropy_with_logits(logits, ops.cast(labels, logits.dtype), reduction="none")


def weighted_cross_entropy_with_logits(targets: Any, logits: Any, pos_weight: Any) -> Any:
    """The same, with the part of the positives times `pos_weight`."""
    return ops.binary_cross_entropy_with_logits(
        as_tensor(logits), as_tensor(targets), reduction="none", pos_weight=pos_weight
    )


def l2_loss(t: Any) -> Any:
    """sum(t * t) / 2."""
    return ops.sum(ops.square(as_tensor(t))) / 2


# --- normalising -----------------------------------------------------------------------------------


def moments(x: Any, axes: Any, shift: Any = None, keep_dims: bool = False) -> tuple[Any, Any]:
    """The mean and the variance (of the sample, not the unbiased one) over some axes."""
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes
    x = as_tensor(x)
    return ops.mean(x, axes, keep_dims), ops.var(x, axes, keep_dims, correction=0)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: float
) -> Any:
    """scale (x - mean) / sqrt(variance + epsilon) + offset; scale and offset may be None."""
    factor = ops.rsqrt(as_tensor(variance) + variance_epsilon)
    factor = factor if scale is None else factor * scale
    shift = ops.neg(mean * factor)
    return x * factor + (shift if offset is None else shift + offset)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
    """x / sqrt(max(sum(x * x), epsilon)), the sum being over `axis`."""
    x = as_tensor(x)
    axis = tuple(axis) if isinstance(axis, list) else axis
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis, keepdims=True), epsilon))


def dropout(
    x: Any, keep_prob: Any = None, noise_shape: Any = None, seed: int | None = None, rate: Any = None
) -> Any:
    """Elements kept with probability `keep_prob` and divided by it, the others 0; `rate` is 1 - keep_prob.

    keep_prob: a number, or a Tensor of one. noise_shape: where it has 1, all along that axis share one draw.
    """
    if (keep_prob is None) == (rate is None):
        raise SettingError("dropout: say keep_prob, the share that stays, or rate, the share that goes")
    x, keep = as_tensor(x), 1 - rate if keep_prob is None else keep_prob
    if isinstance(keep, (int, float)):
        if not 0 < keep <= 1:
            raise SettingError(f"dropout: keep_prob is above 0 and at most 1, not {keep!r}")
        if noise_shape is None:
            return x if keep == 1 else draw("dropout", lambda state: ops.dropout(x, state, 1 - keep), seed)
    else:
        keep = ops.cast(ops.reshape(as_tensor(keep), ()), x.dtype)
    sizes = x.shape if noise_shape is None else tuple(noise_shape)
    sizes = tuple(m if n is None else n for n, m in zip(sizes, x.shape, strict=True))
    stays = ops.floor(numbers("dropout", ops.uniform, sizes, x.dtype, seed) + keep)
    return x / keep * stays


def bias_add(value: Any, bias: Any, data_format: str | None = None) -> Any:
    """value + bias (C,), along the axis of channels: the last, or with "NCHW" the second."""
    value, bias = as_tensor(value), as_tensor(bias)
    if channels_of("bias_add", data_format) == 1:
        return value + ops.reshape(bias, (-1, *[1] * (len(value.shape) - 2)))
    return value + bias


def xw_plus_b(x: Any, weights: Any, biases: Any) -> Any:
    """x weights + biases."""
    return ops.matmul(as_tensor(x), as_tensor(weights)) + biases


# --- picking ---------------------------------------------------------------------------------------


class TopK(NamedTuple):
    """The largest elements, and where they stand."""

    values: Any
    indices: Any


def embedding_lookup(params: Any, ids: Any) -> Any:
    """The row of `params` for each id."""
    if isinstance(params, (list, tuple)):
        if len(params) != 1:
            raise SettingError("embedding_lookup: a table in parts is none here; concat them, or keep one")
        params = params[0]
    return ops.embedding(as_tensor(ids), as_tensor(params))


def top_k(input: Any, k: Any = 1, sorted: bool = True) -> TopK:  # noqa: A002
    """The k largest along the last axis, the largest first, and where they stand."""
    return TopK(*ops.topk(as_tensor(input), k))


def in_top_k(predictions: Any, targets: Any, k: int) -> Any:
    """For each row whether fewer than k scores are above that of the target."""
    scores = as_tensor(predictions)
    own = ops.gather(scores, ops.expand_dims(as_tensor(targets), 1), 1)
    return ops.less(ops.sum(ops.cast(ops.greater(scores, own), "int64"), 1), k)


def zero_fraction(value: Any) -> Any:
    """The share of zeros."""
    return ops.mean(ops.cast(ops.equal(as_tensor(value), 0), "float32"))


# --- losses by sampling ----------------------------------------------------------------------------


class Candidates(NamedTuple):
    """Classes that were drawn, and how often one may expect each, the true ones and those."""

    sampled_candidates: Any
    true_expected_count: Any
    sampled_expected_count: Any


def log_uniform_candidate_sampler(
    true_classes: Any, num_true: int, num_sampled: int, unique: bool, range_max: int, seed: int | None = None
) -> Candidates:
    """Classes c below range_max, drawn with probability log((c + 2) / (c + 1)) / log(range_max + 1): of
    classes in the order of how frequent they are. They are drawn with replacement, so `unique` must be
    False."""
    if unique:
        raise SettingError("log_uniform_candidate_sampler: draws with replacement; say unique=False")
    u = numbers("candidates", ops.uniform, (num_sampled,), "float64", seed)
    drawn = ops.cast(ops.floor(ops.exp(u * np.log(range_max + 1.0))) - 1, "int64")
    drawn = ops.minimum(drawn, range_max - 1)  # where the exponential rounds up to its bound

    def expected(classes: Any) -> Any:
        c = ops.cast(classes, "float32")
        return ops.log((c + 2) / (c + 1)) * (num_sampled / np.log(range_max + 1.0))

    return Candidates(drawn, expected(as_tensor(true_classes)), expected(drawn))


def _sampled(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int, num_true: int,
    sampled_values: Any, hits: bool,
) -> tuple[Any, Any]:  # fmt: skip
    """The scores of the true classes (N, num_true) and of the drawn ones (N, num_sampled), less the logarithm
    of how often one may expect each. hits: whether a drawn one that is true is taken out."""
    labels, inputs = ops.cast(as_tensor(labels), "int64"), as_tensor(inputs)
    drawn, of_true, of_drawn = sampled_values or log_uniform_candidate_sampler(
        labels, num_true, num_sampled, False, num_classes
    )
    own = ops.sum(ops.expand_dims(inputs, 1) * embedding_lookup(weights, labels), 2)
    own = own + embedding_lookup(biases, labels) - ops.log(of_true)
    others = ops.matmul(inputs, ops.transpose(embedding_lookup(weights, drawn)))
    others = others + embedding_lookup(biases, drawn) - ops.log(of_drawn)
    if hits:
        true = ops.any(ops.equal(ops.expand_dims(labels, 2), drawn), 1)
        others = ops.where(true, float(np.finfo(np.float32).min), others)
    return own, others


def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = False,
) -> Any:  # fmt: skip
    """Noise-contrastive estimation (Gutmann and Hyvärinen 2010): a loss for each row of `inputs` (N, size),
    of telling its `labels` (N, num_true) from `num_sampled` classes that are drawn by
    `log_uniform_candidate_sampler`, with replacement. weights (classes, size), biases (classes,)."""
    own, others = _sampled(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        remove_accidental_hits,
    )  # fmt: skip
    true = ops.binary_cross_entropy_with_logits(own, 1.0 / num_true, reduction="none")
    return ops.sum(true, 1) + ops.sum(ops.softplus(others), 1)


def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = True,
) -> Any:  # fmt: skip
    """Cross-entropy among the true and the drawn classes alone (Jean et al. 2014); see `nce_loss`."""
    own, others = _sampled(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        remove_accidental_hits,
    )  # fmt: skip
    return ops.neg(ops.mean(ops.log_softmax(ops.concatenate([own, others], 1))[:, :num_true], 1))
