#!/bin/sh
# TensorFlow's softmax cross-entropy is not the integral of its gradient.
#
# One would guess: the gradient by the logits is sum(labels) * softmax - labels: 0 for labels [2, 2] and
#     equal logits.
# What happens: it is softmax - labels, [-1.5, -1.5]: right only where labels sum to 1. The value is of the
#     labels as they are, so the same loss written as -sum(labels * log_softmax) has another gradient.
# Who is hurt: whoever weights examples by scaling their labels, or gives several classes a 1.
# Bears on: static.nn.softmax_cross_entropy_with_logits, whose gradient is the derivative: docs/static.md,
#     among what differs.
# Guessed before the run (guesses.md, 45; suspected): reflex "0", wrong; manual "0", wrong; build "0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - <<'END'
import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__)
labels, logits = tf.constant([2.0, 2.0]), tf.Variable([0.0, 0.0])
with tf.GradientTape(persistent=True) as tape:
    given = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    written = -tf.reduce_sum(labels * tf.nn.log_softmax(logits))
found = [tape.gradient(loss, logits).numpy().tolist() for loss in (given, written)]
print("losses:", float(given), float(written), " gradients:", *found)
still = np.isclose(given, written) and found == [[-1.5, -1.5], [0, 0]]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
