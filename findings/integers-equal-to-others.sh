#!/bin/sh
# In NumPy the float32 16777216 is equal to 16777217.
#
# One would guess: False: Python compares an int with a float exactly, and NumPy compares integers of any
#     two widths exactly.
# What happens: True, for the scalar and for an array: the Python int is weak and becomes the nearest
#     float32 first. An int64 array beside it is compared in float64, and unequal.
# Who is hurt: whoever looks for an identifier, a padding mark or a sentinel among numbers that were read as
#     float32.
# Bears on: docs/numbers.md, "Which dtype comes out", which says so;
#     tests/shared/ops/test_beside_others.py::test_a_python_integer_beside_floats_is_one_of_them.
# Guessed before the run (guesses.md, 64): reflex "False", wrong; manual "False", wrong; build "False",
#     wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
x = np.array([2**24], "f4")
scalar, array = np.float32(2**24) == 2**24 + 1, (x == 2**24 + 1).item()
wide, python = (x == np.array(2**24 + 1)).item(), float(2**24) == 2**24 + 1
print("scalar:", scalar, " array:", array, " beside an int64 array:", wide, " Python:", python)
still = bool(scalar) is array is True and wide is python is False

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
