#!/bin/sh
# NumPy takes the mean of halves in float32, and their variance in float16.
#
# One would guess: np.var is as careful as np.mean, which gives 40000 for four times 40000: it computes in
#     float32 in between.
# What happens: np.var and np.std of [200, -200, 200, -200] are inf, although 40000 is a float16: the
#     squares are added in float16.
# Who is hurt: whoever normalises or watches activations in half precision: one inf, and all is NaN behind
#     it.
# Bears on: tests/laws/test_half.py (var and std of float16 are computed in float32) and docs/numbers.md,
#     "Half precision".
# Guessed before the run (guesses.md, 2; suspected): reflex "40000", wrong; manual "40000", wrong; build
#     "40000", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
x = np.array([200, -200, 200, -200], "f2")
with np.errstate(over="ignore"):
    mean, var, std = np.mean(x * x), np.var(x), np.std(x)
print("mean of the squares:", mean, " var:", var, " std:", std)
still = mean == 40000 and np.isinf(var) and np.isinf(std)

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
