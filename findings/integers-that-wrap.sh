#!/bin/sh
# In PyTorch and JAX the uint8 200 is larger than 300, and equal to -56.
#
# One would guess: no: NumPy compares by value, and refuses to add 300 to a uint8 array.
# What happens: both wrap the Python integer into the dtype first: 300 becomes 44, and -56 becomes 200.
#     Adding gives 244.
# Who is hurt: whoever masks pixels by a threshold that is computed: all of them pass.
# Bears on:
#     tests/shared/ops/test_beside_others.py::test_integers_that_do_not_fit_are_refused_or_compared_by_value.
# Guessed before the run (guesses.md, 82): reflex "False, False, an error in all", wrong; manual "False,
#     False, an error in all", wrong; build "JAX raises", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 torch==2.13.0 jax==0.10.2
JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import numpy as np
import torch

print("NumPy", np.__version__, " PyTorch", torch.__version__, " JAX", jax.__version__)
made = {
    "numpy": np.array([200], "u1"), "torch": torch.tensor([200], dtype=torch.uint8),
    "jax": jax.numpy.array([200], "uint8"),
}


def outcomes(x):
    found = [(x > 300).item(), (x == -56).item()]
    try:
        return [*found, (x + 300).item()]
    except OverflowError:
        return [*found, "OverflowError"]


found = {name: outcomes(x) for name, x in made.items()}
print("200 > 300, 200 == -56, 200 + 300:", found)
still = found == {
    "numpy": [False, False, "OverflowError"], "torch": [True, True, 244], "jax": [True, True, 244],
}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
