#!/bin/sh
# atan2 and hypot at the origin have three different gradients in three libraries.
#
# One would guess: the slopes of the angle and the length of (0, 0) are NaN, 0 by 0; or one rule holds for
#     both functions.
# What happens: atan2: PyTorch (0, 0), TensorFlow and JAX NaN. hypot: PyTorch NaN, JAX (0.5, 0.5), as if
#     hypot were the larger of the two.
# Who is hurt: whoever turns spectra or positions into phase and magnitude where some are 0: silence,
#     padding, a start at rest.
# Bears on: tests/shared/ops/test_ops_values.py::test_where_a_derivative_is_a_matter_of_choice_it_is_0: 0
#     for both.
# Guessed before the run (guesses.md, 62; suspected): reflex "NaN in all", wrong; manual "NaN in all",
#     wrong; build "NaN in all", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0 tensorflow-cpu==2.21.0 jax==0.10.2
TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import tensorflow as tf
import torch

print("TensorFlow", tf.__version__, " PyTorch", torch.__version__, " JAX", jax.__version__)


def by_torch(f):
    xy = torch.zeros(2, requires_grad=True)
    f(xy[0], xy[1]).backward()
    return xy.grad.tolist()


zero = tf.Variable(0.0), tf.Variable(0.0)
with tf.GradientTape() as tape:
    angle = tf.atan2(*zero)
found = {
    "torch.atan2": by_torch(torch.atan2), "torch.hypot": by_torch(torch.hypot),
    "tf.atan2": [float(g) for g in tape.gradient(angle, zero)],
    "jnp.arctan2": [float(g) for g in jax.grad(jax.numpy.arctan2, (0, 1))(0.0, 0.0)],
    "jnp.hypot": [float(g) for g in jax.grad(jax.numpy.hypot, (0, 1))(0.0, 0.0)],
}
print(found)
none = ["nan", "nan"]
still = [list(map(str, pair)) for pair in found.values()] == [
    ["0.0", "0.0"], none, none, none, ["0.5", "0.5"],
]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
