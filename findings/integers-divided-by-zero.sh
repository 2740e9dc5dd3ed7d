#!/bin/sh
# In JAX the integer 1 // 0 is -2.
#
# One would guess: an error, or 0 as in NumPy, or -1, which is what the compiler under it defines.
# What happens: 1 // 0 is -2, 0 // 0 is -1, -1 // 0 is -2, and 1 % 0 is 0: -1 comes from the division, and
#     one more is taken off to round down, as the signs of 1 and 0 differ.
# Who is hurt: whoever averages by counts that may be 0: the mean of nothing is a plausible number.
# Bears on: tests/shared/ops/test_remainders.py::test_integers_are_not_divided_by_0: ours is a
#     DivisionError.
# Guessed before the run (guesses.md, 11): reflex "0, 0, 0", wrong; manual "0, 0, 0", wrong; build "-1, -1,
#     1", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet jax==0.10.2
JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
from jax.numpy import int32

print("JAX", jax.__version__)
zero = int32(0)
found = [int(int32(1) // zero), int(zero // zero), int(int32(-1) // zero), int(int32(1) % zero)]
print("1 // 0, 0 // 0, -1 // 0, 1 % 0:", found)
still = found == [-2, -1, -2, 0]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
