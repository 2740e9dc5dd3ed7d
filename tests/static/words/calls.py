"""Calls that both worlds understand: functions of (tf, x, y), where x is ROWS and y is IMAGES."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_rng = np.random.default_rng(0)
ROWS = _rng.standard_normal((5, 4)).astype(np.float32)
IMAGES = _rng.standard_normal((2, 7, 8, 3)).astype(np.float32)
KERNEL = _rng.standard_normal((3, 2, 3, 4)).astype(np.float32)
BACK = _rng.standard_normal((3, 2, 5, 3)).astype(np.float32)
HOT, CLASSES = np.eye(4, dtype=np.float32)[[0, 1, 3, 2, 2]], [0, 1, 3, 2, 2]

Call = Callable[[Any, Any, Any], Any]


def _windows(padding: str, s: int) -> Call:
    def call(tf: Any, x: Any, y: Any) -> Any:
        k, strides = [1, 3, 2, 1], [1, s, s, 1]
        h, w = (7 * s, 8 * s) if padding == "SAME" else (7 * s + max(3 - s, 0), 8 * s + max(2 - s, 0))
        return [
            tf.nn.conv2d(y, KERNEL, strides, padding), tf.nn.max_pool(y, k, strides, padding),
            tf.nn.avg_pool(y, k, strides, padding),
            tf.nn.conv2d_transpose(y, BACK, [2, h, w, 5], strides, padding),
        ]  # fmt: skip

    return call


def _rate(name: str, *args: Any) -> Call:
    def call(tf: Any, x: Any, y: Any) -> Any:
        at = 0 if name == "piecewise_constant" else 1
        return getattr(tf.train, name)(*args[:at], tf.constant(args[at]), *args[at + 1 :])

    return call


def _trained(make: Callable[[Any], Any]) -> Call:
    """Five steps of an optimiser, each in front of the next."""

    def call(tf: Any, x: Any, y: Any) -> Any:
        v = tf.get_variable("v", initializer=tf.constant([1.0, -2.0, 0.5]))
        optimizer, done = make(tf), []
        for _ in range(4):
            with tf.control_dependencies(done):
                value = tf.identity(v.read_value())
                slope = 2 * value * [1.0, 2.0, 0.01] + tf.cos(value)
            with tf.control_dependencies([slope]):
                done = [optimizer.apply_gradients([(slope, v)])]
        with tf.control_dependencies(done):
            return tf.identity(v.read_value())

    return call


def _entropy(tf: Any, x: Any, y: Any) -> Any:
    loss = tf.nn.softmax_cross_entropy_with_logits(labels=HOT, logits=x)
    return [loss, *tf.gradients(loss, [x])]


def _clipped(tf: Any, x: Any, y: Any) -> Any:
    together, norm = tf.clip_by_global_norm([x, x * 2], 2.0)
    each = [tf.clip_by_value(x, -0.5, 0.5), tf.clip_by_norm(x, 1.0), tf.clip_by_norm(x, 1.0, axes=[1])]
    return [*each, *together, norm]


CALLS: dict[str, Call] = {
    **{f"windows {p} {s}": _windows(p, s) for p in ("SAME", "VALID") for s in (1, 2, 3)},
    "dilated": lambda tf, x, y: tf.nn.conv2d(y, KERNEL, [1, 1, 1, 1], "SAME", dilations=[1, 2, 2, 1]),
    "resized": lambda tf, x, y: [
        tf.image.resize_images(y, [5, 11]), tf.image.resize_images(y, [14, 16], align_corners=True),
        tf.image.resize_images(y, [3, 16], method=1),
    ],
    "entropy": _entropy,
    "entropies": lambda tf, x, y: [
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=CLASSES, logits=x),
        tf.nn.sigmoid_cross_entropy_with_logits(labels=HOT, logits=x),
        tf.nn.weighted_cross_entropy_with_logits(HOT, x, 3.0),
    ],
    "normalised": lambda tf, x, y: [
        *tf.nn.moments(y, [0, 1, 2]), *tf.nn.moments(y, [0], keep_dims=True), tf.nn.l2_normalize(x, 1),
        tf.nn.batch_normalization(y, *tf.nn.moments(y, [0, 1, 2]), 1.0, 2.0, variance_epsilon=0.01),
    ],
    "activations": lambda tf, x, y: [
        tf.nn.leaky_relu(x), tf.nn.relu6(x * 4), tf.nn.softplus(x), tf.nn.elu(x), tf.nn.log_softmax(x),
        tf.nn.zero_fraction(tf.nn.relu(x)), tf.nn.bias_add(y, [1.0, 2.0, 3.0]), tf.nn.l2_loss(x),
    ],
    "picked": lambda tf, x, y: [
        tf.nn.embedding_lookup(x, [[0, 1], [4, 4]]), tf.gather(x, [0, 3]), tf.argmax(x), tf.argmin(x, 1),
        tf.boolean_mask(x, [True, False, True, False, False]), tf.nn.in_top_k(x, CLASSES, 2),
        tf.slice(x, [1, 0], [2, -1]), tf.where([True, False, True, True, False], x, -x),
        tf.where(x > 0, x, -x),
    ],
    "one hot": lambda tf, x, y: [
        tf.one_hot([1, 0, 2], 4), tf.one_hot([1, 0, 2], 4, on_value=5.0, off_value=-1.0),
        tf.one_hot([[1, 0], [2, 2]], 3, axis=1), tf.one_hot([1], 3, axis=0),
    ],
    "joined": lambda tf, x, y: [
        tf.concat([x, x], 1), tf.stack([x, x], 1), tf.unstack(x, axis=1)[2], tf.split(x, 2, 1)[1],
        tf.split(x, [1, 4], 0)[1], tf.tile(x, [2, 1]), tf.pad(x, [[1, 0], [0, 2]]), tf.reverse(x, [1]),
        tf.expand_dims(x, 0), tf.transpose(x), tf.squeeze(tf.expand_dims(x, 1)),
    ],
    "reduced": lambda tf, x, y: [
        tf.reduce_sum(x, [0, 1]), tf.reduce_mean(x, 1, keepdims=True),
        tf.reduce_max(x, reduction_indices=[1]),
        tf.reduce_logsumexp(x, 1), tf.reduce_prod(x), tf.cumsum(x), tf.add_n([x, x]), tf.norm(x),
        tf.norm(x, axis=1), tf.squared_difference(x, 1.0),
    ],
    "products": lambda tf, x, y: [
        tf.matmul(x, x, transpose_b=True), tf.matmul(x, x, transpose_a=True), tf.tensordot(x, x, [[1], [1]]),
    ],
    "made": lambda tf, x, y: [
        tf.fill([2, 3], 1.5), tf.range(3.0), tf.range(2.0, 8.0, 2.0), tf.linspace(0.0, 1.0, 5), tf.eye(3),
        tf.zeros_like(x), tf.constant([1.0, 2.0], shape=[3]), tf.constant(0.5, shape=[2, 2]), tf.ones([2]),
    ],
    "more": lambda tf, x, y: [
        *tf.nn.top_k(x, 2), tf.sequence_mask([1, 3], 4), tf.nn.lrn(y, 1, 1.0, 0.5, 0.75), tf.cumprod(x),
        tf.div([7, -7], 2), tf.div(x, 2.0), tf.floordiv([7, -7], 2), tf.mod([7, -7], 4), tf.nn.selu(x),
        tf.gather_nd(x, [[0, 1], [4, 2]]), tf.diag_part(tf.diag([1.0, 2.0])),
        tf.nn.xw_plus_b(x, HOT[:4], x[0]), tf.is_inf(x), tf.atan2(x, 2.0), tf.sort(x), tf.argsort(x),
        tf.count_nonzero(x > 0, 0),
    ],
    "clipped": _clipped,
    "second derivatives": lambda tf, x, y: tf.hessians(tf.reduce_sum(x[0] * x[0] * x[0]), x),
    "chosen": lambda tf, x, y: [
        tf.case([(x[0, 0] > 0, lambda: x * 2)], default=lambda: x),
        tf.cond(x[0, 0] > 0, lambda: x, lambda: -x),
    ],
    "losses": lambda tf, x, y: [
        tf.losses.softmax_cross_entropy(HOT, x), tf.losses.sparse_softmax_cross_entropy(CLASSES, x),
        tf.losses.sigmoid_cross_entropy(HOT, x), tf.losses.mean_squared_error(HOT, x),
        tf.losses.mean_squared_error(HOT, x, weights=[[1.0], [0.0], [2.0], [1.0], [1.0]]),
        tf.losses.absolute_difference(HOT, x), tf.losses.huber_loss(HOT, x, delta=0.5),
        tf.losses.get_total_loss(),
    ],
    **{
        f"{name} {args}": _rate(name, *args)
        for name, *args in (
            ("exponential_decay", 0.1, 25, 10, 0.9), ("exponential_decay", 0.1, 25, 10, 0.9, True),
            ("natural_exp_decay", 0.1, 25, 10, 0.9), ("inverse_time_decay", 0.1, 25, 10, 0.9),
            ("polynomial_decay", 0.1, 25, 10), ("polynomial_decay", 0.1, 25, 10, 0.01, 0.5, True),
            ("polynomial_decay", 0.1, 5, 10, 0.01, 2.0), ("cosine_decay", 0.1, 5, 20),
            ("piecewise_constant", 10, [10, 20], [1.0, 0.5, 0.1]),
            ("piecewise_constant", 11, [10, 20], [1.0, 0.5, 0.1]),
        )
    },
    "descent": _trained(lambda tf: tf.train.GradientDescentOptimizer(0.1)),
    "momentum": _trained(lambda tf: tf.train.MomentumOptimizer(0.1, 0.9)),
    "nesterov": _trained(lambda tf: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True)),
    "adam": _trained(lambda tf: tf.train.AdamOptimizer(0.1, epsilon=0.1)),
    "rmsprop": _trained(lambda tf: tf.train.RMSPropOptimizer(0.1, momentum=0.5, epsilon=0.1)),
    "centered": _trained(lambda tf: tf.train.RMSPropOptimizer(0.1, centered=True, epsilon=0.01)),
    "adagrad": _trained(lambda tf: tf.train.AdagradOptimizer(0.1)),
    "adadelta": _trained(lambda tf: tf.train.AdadeltaOptimizer(1.0)),
}  # fmt: skip
