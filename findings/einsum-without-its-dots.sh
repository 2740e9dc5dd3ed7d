#!/bin/sh
# einsum "i...->i" sums the rest in PyTorch and JAX; NumPy and TensorFlow refuse.
#
# One would guess: all do the same: sum what the output leaves out, as for letters, or refuse.
# What happens: PyTorch and JAX give row sums; NumPy raises ValueError and TensorFlow InvalidArgumentError.
# Who is hurt: whoever develops with one and runs with the other; or forgets the dots on the right and gets
#     sums.
# Bears on: ops.einsum, which sums:
#     tests/shared/ops/test_beside_others.py::test_einsum_sums_dots_that_are_left_out.
# Guessed before the run (guesses.md, 27): reflex "all sum", wrong; manual "all refuse", wrong; build "all
#     refuse", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 tensorflow-cpu==2.21.0 torch==2.13.0 jax==0.10.2
TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import numpy as np
import tensorflow as tf
import torch

print("NumPy", np.__version__, " TensorFlow", tf.__version__, " PyTorch", torch.__version__,
      " JAX", jax.__version__)
x = np.ones((2, 3), "f4")
calls = {
    "numpy": lambda: np.einsum("i...->i", x), "tensorflow": lambda: tf.einsum("i...->i", x),
    "torch": lambda: torch.einsum("i...->i", torch.tensor(x)),
    "jax": lambda: jax.numpy.einsum("i...->i", x),
}
found = {}
for name, call in calls.items():
    try:
        found[name] = np.asarray(call()).tolist()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        found[name] = type(error).__name__
print(found)
still = found == {
    "numpy": "ValueError", "tensorflow": "InvalidArgumentError", "torch": [3, 3], "jax": [3, 3],
}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
