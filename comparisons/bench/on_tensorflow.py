"""TensorFlow as it was in version 1, a graph and a Session (`tf.compat.v1`), or each op at once, as in
version 2; images N H W C."""

import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from comparisons.bench.workloads import Arrays, Workload

VERSION = tf.__version__
tf1 = tf.compat.v1


def turned(workload: Workload) -> tuple[Arrays, Any, Any]:
    """Weights and batch with the channels last, as this system prefers them on a CPU."""
    weights, (x, y) = workload.weights(), workload.data()
    if workload.model == "cnn":
        x = x.transpose(0, 2, 3, 1)
        for conv in ("conv1.weight", "conv2.weight"):
            weights[conv] = weights[conv].transpose(2, 3, 1, 0)
        rows = weights["fc1.weight"].reshape(128, 64, 7, 7)
        weights["fc1.weight"] = rows.transpose(0, 2, 3, 1).reshape(128, -1)
    return {n: a.T if n.endswith(("fc1.weight", "fc2.weight", "head.weight", "_ih", "_hh")) else a
            for n, a in weights.items()}, x, y  # fmt: skip


def cross_entropy(logits: Any, y: Any) -> Any:
    """The mean over all labels."""
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))


def mlp(w: Any, x: Any, y: Any) -> Any:
    """Two layers."""
    h = tf.nn.relu(tf.matmul(x, w["fc1.weight"]) + w["fc1.bias"])
    return cross_entropy(tf.matmul(h, w["fc2.weight"]) + w["fc2.bias"], y)


def cnn(w: Any, x: Any, y: Any) -> Any:
    """Two convolutions, two layers."""
    for conv in ("conv1", "conv2"):
        h = tf.nn.bias_add(tf.nn.conv2d(x, w[f"{conv}.weight"], 1, "SAME"), w[f"{conv}.bias"])
        x = tf.nn.max_pool2d(tf.nn.relu(h), 2, 2, "VALID")
    return mlp(w, tf.reshape(x, (-1, 3136)), y)


def recurrent(workload: Workload, w: Any, x: Any, y: Any) -> Any:
    """The loop over time, unrolled into the graph."""
    h = c = tf.zeros((workload.batch, workload.width))
    loss = 0.0
    for t in range(workload.times):
        z = tf.matmul(tf.nn.embedding_lookup(w["embedding.weight"], x[t]), w["cell.weight_ih"])
        z = z + w["cell.bias_ih"] + tf.matmul(h, w["cell.weight_hh"]) + w["cell.bias_hh"]
        if workload.model == "rnn":
            h = tf.tanh(z)
        else:
            i, f, g, o = tf.split(z, 4, 1)
            c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
            h = tf.sigmoid(o) * tf.tanh(c)
        loss = loss + cross_entropy(tf.matmul(h, w["head.weight"]) + w["head.bias"], y[t])
    return loss / workload.times


def loss_of(workload: Workload, w: Any, x: Any, y: Any) -> Any:
    """The loss of a workload."""
    if workload.recurrent:
        return recurrent(workload, w, x, y)
    return {"mlp": mlp, "cnn": cnn}[workload.model](w, x, y)


def train(workload: Workload, style: str) -> Iterator[str | float]:
    """Yields "build", then the loss of a step after each; of the style "session" the first one prepares the
    graph, of "eager" there is none."""
    return _eager(workload) if style == "eager" else _session(workload)


def _eager(workload: Workload) -> Iterator[str | float]:
    threads = int(os.environ["OMP_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    weights, x, y = turned(workload)
    w = {name: tf.Variable(array) for name, array in weights.items()}
    x, y = tf.constant(x), tf.constant(y)
    yield "build"
    while True:
        with tf.GradientTape() as tape:
            loss = loss_of(workload, w, x, y)
        for variable, gradient in zip(w.values(), tape.gradient(loss, [*w.values()]), strict=True):
            variable.assign_sub(workload.rate * tf.convert_to_tensor(gradient))
        yield float(loss)


def _session(workload: Workload) -> Iterator[str | float]:
    weights, x, y = turned(workload)
    graph, threads = tf.Graph(), int(os.environ["OMP_NUM_THREADS"])
    with graph.as_default():
        w = {name: tf1.Variable(array) for name, array in weights.items()}
        x_in, y_in = tf1.placeholder(x.dtype, x.shape), tf1.placeholder(y.dtype, y.shape)
        loss = loss_of(workload, w, x_in, y_in)
        train_op = tf1.train.GradientDescentOptimizer(workload.rate).minimize(loss)
        start = tf1.global_variables_initializer()
    config = tf1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    with tf1.Session(graph=graph, config=config) as session:
        session.run(start)
        yield "build"
        while True:
            value, _ = session.run([loss, train_op], {x_in: x, y_in: y})
            yield float(value)
