#!/bin/sh
# In TensorFlow and JAX twice 1e-39 is 0, compiled or not.
#
# One would guess: subnormal numbers are numbers on a CPU: 2e-39, as NumPy and PyTorch have it; at most a
#     compiler flushes them.
# What happens: both flush them, eagerly too. Of JAX's float64 the same: twice 1e-310 is 0.
# Who is hurt: whoever compares with NumPy near the underflow: products of probabilities, second moments in
#     Adam.
# Bears on: docs/numbers.md (subnormal numbers among them) and
#     tests/shared/ops/test_beside_others.py::test_subnormal_numbers_are_numbers.
# Guessed before the run (guesses.md, 43 and 44): reflex "2e-39 in both", wrong; manual "2e-39 in both",
#     wrong; build "0 in all", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 jax==0.10.2 torch==2.13.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import numpy as np
import tensorflow as tf
import torch

print("TensorFlow", tf.__version__, " JAX", jax.__version__, " PyTorch", torch.__version__)
jax.config.update("jax_enable_x64", True)
small = np.float32(1e-39)
found = {
    "numpy": float(small * np.float32(2)), "torch": float(torch.tensor(1e-39) * 2),
    "tensorflow": float(tf.constant(small) * 2), "jax": float(jax.numpy.float32(small) * 2),
    "jax, float64": float(jax.numpy.float64(1e-310) * 2),
}
print("twice 1e-39 (1e-310):", found)
still = [value > 0 for value in found.values()] == [True, True, False, False, False]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
