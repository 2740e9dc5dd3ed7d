#!/bin/sh
# In Numba a float32 array times the number 2.0 is float64.
#
# One would guess: float32, as in the NumPy 2 that runs the same function undecorated.
# What happens: the compiled function returns float64: a Python number is a float64 there, and not weak.
# Who is hurt: whoever decorates a function for speed: results of another dtype, twice the memory, and what
#     follows widens too.
# Bears on: tests/laws/test_promotion.py::test_every_dtype_by_every_scalar and docs/numbers.md, "Which dtype
#     comes out".
# Guessed before the run (guesses.md, 51): reflex "float32", wrong; manual "float32", wrong; build
#     "float32", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numba==0.68.1 numpy==2.4.6
venv/bin/python - <<'END'
import numba
import numpy as np

print("Numba", numba.__version__, " NumPy", np.__version__)


def doubled(x):
    return x * 2.0


x = np.ones(3, "f4")
plain, compiled = doubled(x).dtype, numba.njit(doubled)(x).dtype
print("undecorated:", plain, " decorated:", compiled)
still = plain == "float32" and compiled == "float64"

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
