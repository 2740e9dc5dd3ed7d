#!/bin/sh
# TensorFlow 1's RMSProp starts its mean square at 1, its namesakes at 0.
#
# One would guess: the first step from a gradient of 1 at rate 1 and decay 0.9 is 1 / sqrt(0.1) = 3.16, as
#     in PyTorch.
# What happens: it is 1 / sqrt(0.9 + 0.1) = 1, and epsilon stands below the root: with epsilon=1 the step is
#     0.71.
# Who is hurt: whoever ports a learning rate: the first hundred steps are of another size, and epsilon of
#     another meaning.
# Bears on: static.train.RMSPropOptimizer, which follows TensorFlow 1: tests/static/words/calls.py (rmsprop
#     and centered), whose values are TensorFlow's.
# Guessed before the run (guesses.md, 46; heard of): reflex "3.16", wrong; manual "3.16", wrong; build
#     "3.16", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 torch==2.13.0
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - <<'END'
import tensorflow as tf
import torch

v1 = tf.compat.v1
print("TensorFlow", tf.__version__, " PyTorch", torch.__version__)
steps = {}
with tf.Graph().as_default(), v1.Session() as session:
    for epsilon in (1e-30, 1.0):
        w = v1.Variable(0.0)
        train = v1.train.RMSPropOptimizer(1.0, epsilon=epsilon).apply_gradients([(tf.constant(1.0), w)])
        session.run(v1.global_variables_initializer())
        session.run(train)
        steps[epsilon] = -float(session.run(w))
p = torch.nn.Parameter(torch.zeros(1))
p.grad = torch.ones(1)
torch.optim.RMSprop([p], lr=1.0, alpha=0.9, eps=1e-30).step()
print("first steps, TensorFlow by epsilon:", steps, " PyTorch:", -p.item())
still = abs(steps[1e-30] - 1) < 1e-5 and abs(steps[1.0] - 0.7071) < 1e-4 and abs(p.item() + 3.1623) < 1e-3

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
