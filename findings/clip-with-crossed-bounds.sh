#!/bin/sh
# TensorFlow clips to the lower bound where the bounds are crossed, all others to the upper.
#
# One would guess: with a lower bound of 3 above an upper one of 1, all give 1: first max, then min.
# What happens: tf.clip_by_value gives 3; NumPy, PyTorch and JAX give 1.
# Who is hurt: whoever computes the bounds (a window around a moving mean, a trust region) and lets them
#     meet.
# Bears on: static.clip_by_value, which gave 1 and now gives TensorFlow's 3:
#     tests/static/words/test_values.py::test_clipping_between_crossed_bounds_is_tensorflows.
# Guessed before the run (guesses.md, 12; suspected): reflex "1 in all", wrong; manual "1 in all", wrong;
#     build "1 in all", wrong.
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

print("TensorFlow", tf.__version__, " PyTorch", torch.__version__, " JAX", jax.__version__)
found = {
    "tensorflow": float(tf.clip_by_value(2.0, 3.0, 1.0)), "numpy": float(np.clip(2.0, 3.0, 1.0)),
    "torch": float(torch.clamp(torch.tensor(2.0), 3.0, 1.0)), "jax": float(jax.numpy.clip(2.0, 3.0, 1.0)),
}
print("2 clipped to [3, 1]:", found)
still = found == {"tensorflow": 3, "numpy": 1, "torch": 1, "jax": 1}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
