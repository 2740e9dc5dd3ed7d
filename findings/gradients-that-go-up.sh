#!/bin/sh
# JAX's gradient of a real function of a complex number points the other way.
#
# One would guess: the gradient of |z|^2 at 1 + 2j is 2 + 4j, the direction in which it grows.
# What happens: 2 + 4j in PyTorch and TensorFlow, its conjugate 2 - 4j in JAX: z - rate * gradient then
#     makes the imaginary part grow.
# Who is hurt: whoever moves a network of complex weights or a phase retrieval from one to the other.
# Bears on: tests/laws/test_complex.py, where ours are PyTorch's, and
#     tests/shared/ops/test_beside_others.py::test_complex_gradients_point_upwards.
# Guessed before the run (guesses.md, 80; suspected): reflex "2 + 4j in all", wrong; manual "2 + 4j in all",
#     wrong; build "2 + 4j in all", wrong.
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

print("PyTorch", torch.__version__, " TensorFlow", tf.__version__, " JAX", jax.__version__)
z = torch.tensor(1 + 2j, requires_grad=True)
(z.abs() ** 2).backward()
w = tf.Variable(1 + 2j)
with tf.GradientTape() as tape:
    y = tf.abs(w) ** 2
found = {
    "torch": complex(z.grad), "tensorflow": complex(tape.gradient(y, w)),
    "jax": complex(jax.grad(lambda z: jax.numpy.abs(z) ** 2)(1 + 2j)),
}
print(found)
still = [abs(g - right) < 1e-5 for g, right in zip(found.values(), (2 + 4j, 2 + 4j, 2 - 4j))] == [True] * 3

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
