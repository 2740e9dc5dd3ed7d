#!/bin/sh
# PyTensor compiles x / x to 1, x - x and x * 0 to 0.
#
# One would guess: IEEE 754: NaN for 0 / 0, inf - inf and NaN * 0.
# What happens: they are simplified by the algebra of real numbers, and x != x is False for NaN; isnan(x)
#     stays.
# Who is hurt: whoever looks for NaN by x != x, or lets a NaN mark what is missing go through a product with
#     a mask.
# Bears on: static at "exact" and "fast", both of which keep them:
#     tests/shared/ops/test_beside_others.py::test_nan_is_not_simplified_away.
# Guessed before the run (guesses.md, 41; suspected): reflex "NaN, NaN, NaN", wrong; manual "NaN, NaN, NaN",
#     wrong; build "1, 0, 0", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet pytensor==3.0.7
venv/bin/python - <<'END'
import numpy as np
import pytensor
import pytensor.tensor as pt

print("PyTensor", pytensor.__version__)
x = pt.dscalar("x")
asked = [(x / x, 0.0), (x - x, np.inf), (x * 0, np.nan), (pt.neq(x, x), np.nan), (pt.isnan(x), np.nan)]
found = [float(pytensor.function([x], y)(at)) for y, at in asked]
print("0 / 0, inf - inf, NaN * 0, NaN != NaN, isnan(NaN):", found)
still = found == [1, 0, 0, 0, 1]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
