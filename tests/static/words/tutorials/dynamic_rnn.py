"""Sequences of several lengths, told apart by an LSTM: linear ones from random ones."""

from __future__ import annotations

import numpy as np

import static as tf

seq_max_len, n_hidden, n_classes = 10, 16, 2
rng = np.random.RandomState(0)


def next_batch(size):
    seqlen = rng.randint(3, seq_max_len + 1, size)
    data, labels = np.zeros((size, seq_max_len, 1)), np.zeros((size, n_classes))
    for i, length in enumerate(seqlen):
        kind = rng.randint(2)
        start = rng.rand()
        data[i, :length, 0] = start + 0.1 * np.arange(length) if kind else rng.rand(length) * 2
        labels[i, kind] = 1.0
    return data, labels, seqlen


x = tf.placeholder("float", [None, seq_max_len, 1])
y = tf.placeholder("float", [None, n_classes])
seqlen = tf.placeholder(tf.int32, [None])
keep_prob = tf.placeholder(tf.float32)

weights = {"out": tf.Variable(tf.random_normal([n_hidden, n_classes], seed=1))}
biases = {"out": tf.Variable(tf.random_normal([n_classes], seed=2))}


def dynamicRNN(x, seqlen, weights, biases):
    cell = tf.contrib.rnn.BasicLSTMCell(n_hidden, forget_bias=1.0)
    cell = tf.contrib.rnn.DropoutWrapper(cell, output_keep_prob=keep_prob)
    outputs, states = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32, sequence_length=seqlen)
    batch_size = tf.shape(outputs)[0]
    index = tf.range(0, batch_size) * seq_max_len + (seqlen - 1)
    outputs = tf.gather(tf.reshape(outputs, [-1, n_hidden]), index)
    return tf.matmul(outputs, weights["out"]) + biases["out"]


pred = dynamicRNN(x, seqlen, weights, biases)
cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=pred, labels=y))
global_step = tf.Variable(0, name="global_step", trainable=False)
learning_rate = tf.train.exponential_decay(0.02, global_step, 50, 0.9, staircase=True)
optimizer = tf.train.AdamOptimizer(learning_rate)
gradients, variables = zip(*optimizer.compute_gradients(cost))
gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
train = optimizer.apply_gradients(zip(gradients, variables), global_step=global_step)

correct_pred = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
accuracy = tf.reduce_mean(tf.cast(correct_pred, tf.float32))
init = tf.global_variables_initializer()

with tf.Session() as sess:
    sess.run(init)
    for step in range(150):
        batch_x, batch_y, batch_len = next_batch(64)
        sess.run(train, feed_dict={x: batch_x, y: batch_y, seqlen: batch_len, keep_prob: 0.9})
    batch_x, batch_y, batch_len = next_batch(200)
    result = sess.run(accuracy, feed_dict={x: batch_x, y: batch_y, seqlen: batch_len, keep_prob: 1.0})
    steps = global_step.eval()
print("Testing Accuracy:", result)
