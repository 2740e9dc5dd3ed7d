"""Promise: what programs of TensorFlow 1's time do by habit works as they are written."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import static
from shared.errors import ShapeError

GETTING_STARTED = """
import static as tf
W = tf.Variable([.3], dtype=tf.float32)
b = tf.Variable([-.3], dtype=tf.float32)
x = tf.placeholder(tf.float32)
linear_model = W * x + b
y = tf.placeholder(tf.float32)
loss = tf.reduce_sum(tf.square(linear_model - y))
optimizer = tf.train.GradientDescentOptimizer(0.01)
train = optimizer.minimize(loss)
x_train, y_train = [1, 2, 3, 4], [0, -1, -2, -3]
init = tf.global_variables_initializer()
sess = tf.Session()
sess.run(init)
for i in range(1000):
    sess.run(train, {x: x_train, y: y_train})
curr_W, curr_b, curr_loss = sess.run([W, b, loss], {x: x_train, y: y_train})
assert abs(curr_W + 1) < 1e-4 and abs(curr_b - 1) < 1e-4 and curr_loss < 1e-8
"""

SOFTMAX_REGRESSION = """
import numpy as np
import static as tf
x = tf.placeholder("float")
y_ = tf.placeholder("float")
W = tf.Variable(tf.zeros([4, 3]))
b = tf.Variable(tf.zeros([3]))
y = tf.nn.softmax(tf.matmul(x, W) + b)
cross_entropy = -tf.reduce_sum(y_ * tf.log(y))
train_step = tf.train.GradientDescentOptimizer(0.05).minimize(cross_entropy)
correct_prediction = tf.equal(tf.argmax(y, 1), tf.argmax(np.eye(3)[[0, 1, 2]], 1))
accuracy = tf.reduce_mean(tf.cast(correct_prediction, "float"))
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    for i in range(100):
        sess.run(train_step, feed_dict={x: np.eye(3, 4), y_: np.eye(3)})
    assert sess.run(accuracy, feed_dict={x: np.eye(3, 4)}) == 1.0
"""

TARGET_NETWORK = """
import numpy as np
import static as tf
s = tf.placeholder(tf.float32, [None, 4], name="s")
a = tf.placeholder(tf.int32, [None], name="a")
q_target = tf.placeholder(tf.float32, [None], name="Q_target")
w_init, b_init = tf.random_normal_initializer(0., 0.3), tf.constant_initializer(0.1)

def build_layers(s, c_names):
    with tf.variable_scope('l1'):
        w1 = tf.get_variable('w1', [4, 10], initializer=w_init, collections=c_names)
        b1 = tf.get_variable('b1', [1, 10], initializer=b_init, collections=c_names)
        l1 = tf.nn.relu(tf.matmul(s, w1) + b1)
    with tf.variable_scope('l2'):
        w2 = tf.get_variable('w2', [10, 2], initializer=w_init, collections=c_names)
        return tf.matmul(l1, w2)

with tf.variable_scope('eval_net'):
    q_eval = build_layers(s, ['eval_net_params', tf.GraphKeys.GLOBAL_VARIABLES])
with tf.variable_scope('target_net'):
    q_next = build_layers(s, ['target_net_params', tf.GraphKeys.GLOBAL_VARIABLES])
t_params, e_params = tf.get_collection('target_net_params'), tf.get_collection('eval_net_params')
replace = [tf.assign(t, e) for t, e in zip(t_params, e_params)]
a_indices = tf.stack([tf.range(tf.shape(a)[0], dtype=tf.int32), a], axis=1)
q_taken = tf.gather_nd(params=q_eval, indices=a_indices)
loss = tf.reduce_mean(tf.squared_difference(q_target, q_taken, name='TD_error'))
train_op = tf.train.RMSPropOptimizer(0.01).minimize(loss, var_list=e_params)
sess = tf.Session()
sess.run(tf.global_variables_initializer())
feed = {s: np.eye(4), a: [0, 1, 1, 0], q_target: np.ones(4)}
first = sess.run(loss, feed)
for _ in range(50):
    sess.run(train_op, feed)
assert sess.run(loss, feed) < first / 2 and len(tf.global_variables()) == len(set(tf.global_variables()))
assert not np.allclose(*sess.run([q_eval, q_next], feed))
sess.run(replace)
assert np.allclose(*sess.run([q_eval, q_next], feed))
"""

MOMENTS = """
import numpy as np
import static as tf
x = tf.placeholder(tf.float32, [None, 3])
on_train = tf.placeholder(tf.bool)
fc_mean, fc_var = tf.nn.moments(x, axes=[0])
ema = tf.train.ExponentialMovingAverage(decay=0.5)

def mean_var_with_update():
    ema_apply_op = ema.apply([fc_mean, fc_var])
    with tf.control_dependencies([ema_apply_op]):
        return tf.identity(fc_mean), tf.identity(fc_var)

mean, var = mean_var_with_update()
y = tf.nn.batch_normalization(x, mean, var, tf.zeros([3]), tf.ones([3]), 0.001)
sess = tf.InteractiveSession()
tf.global_variables_initializer().run()
data = np.random.RandomState(0).randn(20, 3) + 5
assert abs(y.eval({x: data}).mean()) < 1e-5
np.testing.assert_allclose(ema.average(fc_mean).eval(), data.mean(0), rtol=1e-5)
y.eval(feed_dict={x: data + 3})
expected = (data.mean(0) * 0.25 + (data + 3).mean(0) * 0.5) / 0.75
np.testing.assert_allclose(sess.run(ema.average(fc_mean)), expected, rtol=1e-5)
sess.close()
"""

AUTOENCODER = """
import numpy as np
import static as tf

def glorot_init(shape):
    return tf.random_normal(shape=shape, stddev=1. / tf.sqrt(shape[0] / 2.))

weights = {'e': tf.Variable(glorot_init([6, 4])), 'm': tf.Variable(glorot_init([4, 2])),
           's': tf.Variable(glorot_init([4, 2])), 'd': tf.Variable(glorot_init([2, 6]))}
input_image = tf.placeholder(tf.float32, shape=[None, 6])
hidden = tf.nn.tanh(tf.matmul(input_image, weights['e']))
z_mean, z_std = tf.matmul(hidden, weights['m']), tf.matmul(hidden, weights['s'])
eps = tf.random_normal(tf.shape(z_std), dtype=tf.float32, mean=0., stddev=1.0, name='epsilon')
z = z_mean + tf.exp(z_std / 2) * eps
decoded = tf.nn.sigmoid(tf.matmul(z, weights['d']))

def vae_loss(x_reconstructed, x_true):
    encode_decode_loss = x_true * tf.log(1e-10 + x_reconstructed)
    encode_decode_loss += (1 - x_true) * tf.log(1e-10 + 1 - x_reconstructed)
    encode_decode_loss = -tf.reduce_sum(encode_decode_loss, 1)
    kl_div_loss = 1 + z_std - tf.square(z_mean) - tf.exp(z_std)
    kl_div_loss = -0.5 * tf.reduce_sum(kl_div_loss, 1)
    return tf.reduce_mean(encode_decode_loss + kl_div_loss)

loss_op = vae_loss(decoded, input_image)
train_op = tf.train.RMSPropOptimizer(learning_rate=0.01).minimize(loss_op)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {input_image: np.eye(6)}
    first = np.mean([sess.run(loss_op, feed_dict=feed) for _ in range(20)])
    for i in range(150):
        _, l = sess.run([train_op, loss_op], feed_dict=feed)
    assert np.mean([sess.run(loss_op, feed_dict=feed) for _ in range(20)]) < first
"""

SEQUENCES = """
import numpy as np
import static as tf
batch_size, sequence_length, num_classes, hidden_size = 1, 6, 5, 5
x_data, y_data = [[0, 1, 0, 2, 3, 2]], [[1, 0, 2, 3, 3, 4]]
X = tf.placeholder(tf.int32, [None, sequence_length])
Y = tf.placeholder(tf.int32, [None, sequence_length])
x_one_hot = tf.one_hot(X, num_classes)
cell = tf.contrib.rnn.BasicLSTMCell(num_units=hidden_size, state_is_tuple=True)
cell = tf.contrib.rnn.MultiRNNCell([cell], state_is_tuple=True)
initial_state = cell.zero_state(batch_size, tf.float32)
outputs, _states = tf.nn.dynamic_rnn(cell, x_one_hot, initial_state=initial_state, dtype=tf.float32)
X_for_fc = tf.reshape(outputs, [-1, hidden_size])
outputs = tf.contrib.layers.fully_connected(inputs=X_for_fc, num_outputs=num_classes, activation_fn=None)
outputs = tf.reshape(outputs, [batch_size, sequence_length, num_classes])
weights = tf.ones([batch_size, sequence_length])
sequence_loss = tf.contrib.seq2seq.sequence_loss(logits=outputs, targets=Y, weights=weights)
loss = tf.reduce_mean(sequence_loss)
train = tf.train.AdamOptimizer(learning_rate=0.1).minimize(loss)
prediction = tf.argmax(outputs, axis=2)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(80):
        l, _ = sess.run([loss, train], feed_dict={X: x_data, Y: y_data})
    assert sess.run(prediction, feed_dict={X: x_data}).tolist() == y_data
"""

TOWERS = """
import numpy as np
import static as tf
X, Y = tf.placeholder(tf.float32, [4, 3]), tf.placeholder(tf.float32, [4, 1])
optimizer, tower_grads = tf.train.MomentumOptimizer(0.1, 0.9), []
with tf.variable_scope(tf.get_variable_scope()):
    for i in range(2):
        with tf.name_scope('tower_%d' % i):
            pred = tf.layers.dense(X[i * 2:(i + 1) * 2], 1, name='out')
            loss = tf.losses.mean_squared_error(labels=Y[i * 2:(i + 1) * 2], predictions=pred)
            tower_grads.append(optimizer.compute_gradients(loss))
            tf.get_variable_scope().reuse_variables()
average_grads = []
for grad_and_vars in zip(*tower_grads):
    grads = tf.concat(axis=0, values=[tf.expand_dims(g, 0) for g, _ in grad_and_vars])
    average_grads.append((tf.reduce_mean(grads, 0), grad_and_vars[0][1]))
train_op = optimizer.apply_gradients(average_grads)
for g, v in average_grads:
    tf.summary.histogram(v.name + '/gradient', g)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {X: np.eye(4, 3), Y: np.ones((4, 1))}
    first = sess.run(loss, feed)
    for _ in range(20):
        sess.run(train_op, feed)
    assert sess.run(loss, feed) < first or first < 0.1
    assert [v.name for v in tf.trainable_variables()] == ['out/kernel', 'out/bias']
"""

PROGRAMS = {name: text for name, text in globals().items() if name.isupper() and isinstance(text, str)}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_as_it_is_written(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name.lower()}.py"
    path.write_text(PROGRAMS[name])
    with static.Graph().as_default():
        static.set_random_seed(0)
        runpy.run_path(str(path))


def test_a_product_without_a_shape_is_one_of_matrices() -> None:
    with static.Graph().as_default(), static.Session() as session:
        x: Any = static.placeholder("float")
        y = static.matmul(x, np.ones((3, 2), np.float32))
        assert y.get_shape().as_list() == [None, 2] and session.run(y, {x: np.ones((4, 3))}).shape == (4, 2)
        with pytest.raises(ShapeError, match=r"fed \(3,\) where a matrix is needed"):
            session.run(y, {x: np.ones(3)})


def test_a_function_of_python_may_leave_its_shape_open() -> None:
    with static.Graph().as_default(), static.Session() as session:
        y = static.py_func(lambda: np.ones((2, 3)), [], static.float64)
        total = static.reduce_sum(y * 2)
        assert session.run(total) == 12
        y.set_shape((None, 3))
        assert session.run(static.reduce_sum(y, 1)).tolist() == [3, 3]


def test_arithmetic_without_shapes_is_saved(tmp_path: Path) -> None:
    with static.Graph().as_default() as graph, static.Session():
        x, k = static.placeholder("float", [None, 2], name="x"), static.placeholder("float", name="k")
        y = static.matmul(x * k + (1 - k), np.ones((2, 2), np.float32)) + static.reduce_sum(k * k)
        (slope,) = static.gradients(static.reduce_sum(y), [k])
        graph.save(tmp_path / "g.diptych", {"y": y, "slope": slope})
        feed = {x: np.ones((3, 2)), k: 0.5}
        expected = static.get_default_session().run([y, slope], feed)
    got = static.load(tmp_path / "g.diptych")(x=np.ones((3, 2)), k=0.5)
    assert np.array_equal(got["y"], expected[0]) and got["slope"] == expected[1]
