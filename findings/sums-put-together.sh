#!/bin/sh
# Compiled by TensorFlow or JAX, (x + 1e8) - 1e8 is x.
#
# One would guess: float32 has no 100000001, so 0, compiled or not: a compiler keeps the order of operations
#     unless told otherwise.
# What happens: eagerly it is 0, inside tf.function (with or without jit_compile) and jax.jit 1: the
#     constants are put together.
# Who is hurt: whoever rounds to a multiple by adding and taking off a large number, or sums with a
#     compensation term.
# Bears on: static, at "exact" and at "fast":
#     tests/shared/ops/test_beside_others.py::test_constants_are_not_put_together.
# Guessed before the run (guesses.md, 42 and 43): reflex "0", wrong; manual "0", wrong; build "0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet tensorflow-cpu==2.21.0 jax==0.10.2 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__, " JAX", jax.__version__)


def there_and_back(x):
    return (x + np.float32(1e8)) - np.float32(1e8)


one = tf.constant(1.0)
found = {
    "eager": float(there_and_back(one)),
    "tf.function": float(tf.function(there_and_back)(one)),
    "jit_compile": float(tf.function(there_and_back, jit_compile=True)(one)),
    "jax": float(there_and_back(jax.numpy.float32(1))),
    "jax.jit": float(jax.jit(there_and_back)(np.float32(1))),
}
print(found)
still = list(found.values()) == [0, 1, 1, 0, 1]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
