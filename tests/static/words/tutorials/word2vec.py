"""Words as vectors, by skip-gram and noise-contrastive estimation; its curves go to TensorBoard."""

from __future__ import annotations

import collections
import os
import random
import tempfile

import numpy as np

import static as tf

logdir = os.environ.get("WORD2VEC_LOGS") or tempfile.mkdtemp()
random.seed(0)
groups = [["cat", "dog", "cow"], ["red", "blue", "green"], ["one", "two", "three"]]
words = [word for _ in range(400) for word in random.choices(random.choice(groups), k=4)]
count = collections.Counter(words).most_common()
dictionary = {word: i for i, (word, _) in enumerate(count)}
data = [dictionary[word] for word in words]
vocabulary_size, batch_size, embedding_size, num_sampled = len(dictionary), 32, 8, 4
valid_examples = np.array([dictionary["cat"], dictionary["red"]])


def generate_batch():
    at = np.random.RandomState(len(generate_batch.calls)).randint(1, len(data) - 1, batch_size)
    generate_batch.calls.append(0)
    batch = np.array([data[i] for i in at], dtype=np.int32)
    return batch, np.array([[data[i + random.choice([-1, 1])]] for i in at], dtype=np.int32)


generate_batch.calls = []

graph = tf.Graph()
with graph.as_default():
    tf.set_random_seed(1)
    with tf.name_scope("inputs"):
        train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
        train_labels = tf.placeholder(tf.int32, shape=[batch_size, 1])
        valid_dataset = tf.constant(valid_examples, dtype=tf.int32)
    with tf.device("/cpu:0"):
        with tf.name_scope("embeddings"):
            embeddings = tf.Variable(tf.random_uniform([vocabulary_size, embedding_size], -1.0, 1.0))
            embed = tf.nn.embedding_lookup(embeddings, train_inputs)
        with tf.name_scope("weights"):
            nce_weights = tf.Variable(
                tf.truncated_normal([vocabulary_size, embedding_size], stddev=1.0 / np.sqrt(embedding_size))
            )
        with tf.name_scope("biases"):
            nce_biases = tf.Variable(tf.zeros([vocabulary_size]))
    with tf.name_scope("loss"):
        loss = tf.reduce_mean(
            tf.nn.nce_loss(
                weights=nce_weights,
                biases=nce_biases,
                labels=train_labels,
                inputs=embed,
                num_sampled=num_sampled,
                num_classes=vocabulary_size,
            )
        )
    tf.summary.scalar("loss", loss)
    with tf.name_scope("optimizer"):
        optimizer = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
    norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keepdims=True))
    normalized_embeddings = embeddings / norm
    valid_embeddings = tf.nn.embedding_lookup(normalized_embeddings, valid_dataset)
    similarity = tf.matmul(valid_embeddings, normalized_embeddings, transpose_b=True)
    merged = tf.summary.merge_all()
    init = tf.global_variables_initializer()
    saver = tf.train.Saver()

with tf.Session(graph=graph) as session:
    writer = tf.summary.FileWriter(logdir, session.graph)
    init.run()
    average_loss = []
    for step in range(300):
        batch_inputs, batch_labels = generate_batch()
        feed_dict = {train_inputs: batch_inputs, train_labels: batch_labels}
        _, summary, loss_val = session.run([optimizer, merged, loss], feed_dict=feed_dict)
        average_loss.append(loss_val)
        writer.add_summary(summary, step)
    sim = similarity.eval()
    final_embeddings = normalized_embeddings.eval()
    saver.save(session, os.path.join(logdir, "model.ckpt"))
    writer.close()
print("Average loss:", np.mean(average_loss[-50:]))
