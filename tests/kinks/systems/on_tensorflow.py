"""The rows in TensorFlow's words, eagerly: of tf, tf.math, tf.nn and tf.raw_ops."""

from __future__ import annotations

import os
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
from speak import each, floating, serve


def sparse_cross_entropy(x: Any, labels: Any) -> Any:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, x))


def cross_entropy_of_logits(x: Any, t: Any) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=t, logits=x)


def batch_norm(x: Any) -> Any:
    made = tf.raw_ops.FusedBatchNormV3(
        x=x[:, None, None, :], scale=[1.0, 1.0], offset=[0.0, 0.0], mean=[], variance=[], epsilon=1e-5,
        exponential_avg_factor=1.0, data_format="NHWC", is_training=True)  # fmt: skip
    return made[0][:, 0, 0, :]


CALLS = each({
    # order
    "max-tie max-nan max-of-nothing": tf.reduce_max,
    "min-tie min-nan": tf.reduce_min,
    "max-tie-along-axis": lambda x: tf.reduce_max(x, -1),
    "topk-tie topk-nan max-with-place-tie": lambda x: tf.math.top_k(x, 1)[0],
    "maximum-tie maximum-nan": tf.maximum,
    "minimum-tie": tf.minimum,
    "sort-tie sort-nan": tf.sort,
    "argsort-descending-tie": lambda x: tf.argsort(x, direction="DESCENDING", stable=True),
    "argmax-tie argmax-of-nothing argmax-nan": tf.argmax,
    # pieces
    "abs-zero abs-second integer-abs-lowest": tf.abs,
    "sign-zero sign-nan sign-minus-zero": tf.sign,
    "relu-zero relu-nan": tf.nn.relu,
    "maximum-of-zero": lambda x: tf.maximum(x, 0.0),
    "relu-squared-second": lambda x: tf.nn.relu(x) ** 2,
    "clip-bounds clip-nan": lambda x: tf.clip_by_value(x, -1.0, 1.0),
    "clip-crossed": lambda x: tf.clip_by_value(x, 2.0, 1.0),
    "leaky_relu-zero": lambda x: tf.nn.leaky_relu(x, 0.1),
    "selu-zero": tf.nn.selu,
    "relu6-ends": tf.nn.relu6,
    "l1_loss-zero": lambda x, y: tf.reduce_mean(tf.abs(x - y)),
    "floor-whole": tf.floor,
    "round-slope round-minus-zero": tf.round,
    "where-nan-branch": lambda x: tf.where(x > 0, tf.math.log(x), 0.0),
    "where-guarded": lambda x: tf.where(x > 0, tf.math.log(tf.where(x > 0, x, 1.0)), 0.0),
    # powers
    "sqrt-zero sqrt-minus-zero": tf.sqrt,
    "sqrt-of-square-zero": lambda x: tf.sqrt(x * x),
    "rsqrt-zero": tf.math.rsqrt,
    "reciprocal-zero": tf.math.reciprocal,
    "zero-by-zero": lambda x, y: x / y,
    "pow-zero-zero pow-zero-two pow-zero-half pow-zero-minus-one pow-negative-base pow-negative-base-half "
    "pow-one-nan pow-integers-negative": tf.pow,
    "pow-number-zero": lambda x: x**0,
    "pow-number-one-second": lambda x: x**1,
    "norm-2-zero norm-2-zero-second half-norm norm-huge": tf.norm,
    "norm-1-zero": lambda x: tf.norm(x, 1),
    "norm-inf-tie norm-inf-zero": lambda x: tf.norm(x, np.inf),
    "norm-3-zero": lambda x: tf.norm(x, 3),
    "atan2-zero atan2-zero-second": tf.atan2,
    "log-zero log-negative": tf.math.log,
    "xlogy-zero-zero": tf.math.xlogy,
    "acos-end": tf.acos,
    "acosh-end": tf.acosh,
    "atanh-end": tf.atanh,
    "erfinv-ends": tf.math.erfinv,
    "digamma-zero digamma-minus-one": tf.math.digamma,
    "lgamma-zero": tf.math.lgamma,
    "zero-to-the-x": lambda x: 0.0**x,
    "norm-squared-second": lambda x: tf.norm(x) ** 2,
    # folding
    "prod-one-zero prod-two-zeros prod-zero-second prod-of-nothing": tf.reduce_prod,
    "cumprod-zero cumprod-two-zeros": tf.math.cumprod,
    "std-constant": tf.math.reduce_std,
    "sum-of-nothing sum-of-minus-zeros": tf.reduce_sum,
    "mean-of-nothing mean-of-integers half-mean": tf.reduce_mean,
    "logsumexp-of-nothing logsumexp-masked-row logsumexp-one-inf logsumexp-all-inf": tf.reduce_logsumexp,
    "softmax-masked-row softmax-one-inf softmax-one-masked": tf.nn.softmax,
    "log_softmax-masked-row": tf.nn.log_softmax,
    "logcumsumexp-masked logcumsumexp-inf": tf.math.cumulative_logsumexp,
    # losses
    "cross_entropy-label-beyond cross_entropy-impossible": sparse_cross_entropy,
    "bce_logits-sure": lambda x, t: tf.reduce_mean(cross_entropy_of_logits(x, t)),
    "bce_logits-wrong": lambda x: cross_entropy_of_logits(x, tf.zeros_like(x)),
    "kl_div-zero-target": lambda x, t: tf.reduce_sum(tf.math.xlogy(t, t) - t * x),
    "normalize-zeros": lambda x: tf.math.l2_normalize(x, 1),
    "batch_norm-of-one": batch_norm,
    # places
    "index-repeated index-beyond index-negative": tf.gather,
    "scatter-set-twice": lambda x, i, v: tf.tensor_scatter_nd_update(x, i[:, None], v),
    "scatter-add-twice": lambda x, i, v: tf.tensor_scatter_nd_add(x, i[:, None], v),
    "scatter-max-tie": lambda x, i, v: tf.tensor_scatter_nd_max(x, i[:, None], v),
    "one_hot-beyond": lambda i: tf.one_hot(i, 2),
    "max_pool-tie max_pool-nan max_pool-minus-inf":
        lambda x: tf.transpose(tf.nn.max_pool1d(tf.transpose(x, [0, 2, 1]), 2, 2, "VALID"), [0, 2, 1]),
    # matrices
    "det-singular det-zeros": tf.linalg.det,
    "slogdet-singular": lambda x: tf.linalg.slogdet(x)[1],
    "inv-singular": tf.linalg.inv,
    "eigh-values-equal eigh-lower-only": lambda x: tf.linalg.eigh(x)[0],
    "svdvals-equal": lambda x: tf.linalg.svd(x, compute_uv=False),
    "cholesky-slope": tf.linalg.cholesky,  # where there is none, some of it is what stood in memory
    "eigh-vectors-equal": lambda x: tf.linalg.eigh(x)[1],
    "solve-singular": tf.linalg.solve,
    "pinv-zeros": tf.linalg.pinv,
    # numbers
    "gelu-inf": tf.nn.gelu,
    "silu-inf": tf.nn.silu,
    "softplus-inf": tf.math.softplus,
    "log_sigmoid-inf": tf.math.log_sigmoid,
    "sigmoid-saturated": tf.sigmoid,
    "tanh-saturated": tf.tanh,
    "half-overflow": lambda x: x * x,
    "subnormal-kept": lambda x: x * 0.5,
    "subnormal-exp": tf.exp,
    "zero-plus-minus-zero": tf.add,
    "remainder-signs remainder-whole remainder-by-zero remainder-by-inf integer-remainder-zero":
        tf.math.floormod,
    "fmod-signs": lambda x, y: tf.raw_ops.TruncateMod(x=x, y=y),
    "floor_divide-tenth floor_divide-zero integer-divide-zero": tf.math.floordiv,
    "nan-equal": lambda x: tf.equal(x, x),
    "nan-times-zero": tf.multiply,
    "integer-overflow": lambda i, j: i + j,
})  # fmt: skip


def measure(call: Any, args: list[np.ndarray], seed: Any, order: int, slopes: bool) -> tuple[Any, Any]:
    """Value and slopes, by a tape."""
    xs = [tf.constant(a) for a in args]
    wanted = [xs[i] for i in floating(args)]
    with tf.GradientTape(persistent=True) as tape:
        for x in wanted:
            tape.watch(x)
        y = call(*xs)
        if order == 2:
            y = tape.gradient(y, xs[0], unconnected_gradients="zero")

    def gradients() -> list[np.ndarray]:
        cotangent = None if seed is None else tf.constant(seed)
        found = tape.gradient(y, wanted, output_gradients=cotangent, unconnected_gradients="zero")
        return [tf.convert_to_tensor(g).numpy() for g in found]

    return y.numpy(), gradients


if __name__ == "__main__":
    serve(tf.__version__, CALLS, measure)
