"""Two networks against each other: one draws small images of a bar, one tells them from real ones."""

from __future__ import annotations

import numpy as np

import static as tf

noise_dim, batch_size, size = 8, 16, 8
rng = np.random.RandomState(0)
tf.set_random_seed(0)


def real_images(n):
    images = np.zeros((n, size, size, 1), np.float32)
    for image, at in zip(images, rng.randint(1, size - 2, n)):
        image[:, at : at + 2] = 1.0
    return images


noise_input = tf.placeholder(tf.float32, shape=[None, noise_dim])
real_image_input = tf.placeholder(tf.float32, shape=[None, size, size, 1])
is_training = tf.placeholder(tf.bool)


def leakyrelu(x, alpha=0.2):
    return 0.5 * (1 + alpha) * x + 0.5 * (1 - alpha) * abs(x)


def generator(x, reuse=False):
    with tf.variable_scope("Generator", reuse=reuse):
        x = tf.layers.dense(x, units=2 * 2 * 16)
        x = tf.layers.batch_normalization(x, training=is_training)
        x = tf.nn.relu(x)
        x = tf.reshape(x, shape=[-1, 2, 2, 16])
        x = tf.layers.conv2d_transpose(x, 8, 5, strides=2, padding="same")
        x = tf.layers.batch_normalization(x, training=is_training)
        x = tf.nn.relu(x)
        x = tf.layers.conv2d_transpose(x, 1, 5, strides=2, padding="same")
        return tf.nn.sigmoid(x)


def discriminator(x, reuse=False):
    init = tf.random_normal_initializer(stddev=0.1)
    with tf.variable_scope("Discriminator", reuse=reuse):
        x = tf.layers.conv2d(x, 8, 5, strides=2, padding="same", kernel_initializer=init)
        x = leakyrelu(x)
        x = tf.layers.conv2d(x, 16, 5, strides=2, padding="same", kernel_initializer=init)
        x = leakyrelu(x)
        x = tf.contrib.layers.flatten(x)
        return tf.layers.dense(x, 2)


gen_sample = generator(noise_input)
disc_real = discriminator(real_image_input)
disc_fake = discriminator(gen_sample, reuse=True)


def loss_of(logits, label):
    labels = tf.fill([tf.shape(logits)[0]], label)
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))


disc_loss = loss_of(disc_real, 1) + loss_of(disc_fake, 0)
gen_loss = loss_of(disc_fake, 1)

gen_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="Generator")
disc_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="Discriminator")
gen_update_ops = tf.get_collection(tf.GraphKeys.UPDATE_OPS, scope="Generator")
optimizer_gen = tf.train.AdamOptimizer(learning_rate=0.002, beta1=0.5, beta2=0.999)
optimizer_disc = tf.train.AdamOptimizer(learning_rate=0.002, beta1=0.5, beta2=0.999)
with tf.control_dependencies(gen_update_ops):
    train_gen = optimizer_gen.minimize(gen_loss, var_list=gen_vars)
train_disc = optimizer_disc.minimize(disc_loss, var_list=disc_vars)

init = tf.global_variables_initializer()
sess = tf.Session()
sess.run(init)
for i in range(60):
    z = rng.uniform(-1.0, 1.0, size=[batch_size, noise_dim])
    feed_dict = {real_image_input: real_images(batch_size), noise_input: z, is_training: True}
    _, _, gl, dl = sess.run([train_gen, train_disc, gen_loss, disc_loss], feed_dict=feed_dict)
z = rng.uniform(-1.0, 1.0, size=[4, noise_dim])
drawn = sess.run(gen_sample, feed_dict={noise_input: z, is_training: False})
moved = sess.run([v for v in tf.global_variables() if "moving_mean" in v.name])
print("Generator Loss: %f, Discriminator Loss: %f" % (gl, dl))
