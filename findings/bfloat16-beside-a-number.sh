#!/bin/sh
# In NumPy a bfloat16 array plus the Python number 1.0 is float32.
#
# One would guess: a Python number is weak, as NumPy 2 promises, and leaves the dtype alone; beside int32
#     one expects bfloat16, as in JAX, or float64.
# What happens: x + 1.0 and x + float16 are both float32, x + int8 stays bfloat16, and x + int32 is float64.
# Who is hurt: whoever computes on such weights in place: the result is wider than the array, and twice to
#     four times the memory.
# Bears on: docs/numbers.md, "Half precision", which says why there is no bfloat16 here, and
#     tests/laws/test_promotion.py::test_every_dtype_by_every_scalar.
# Guessed before the run (guesses.md, 5): reflex "bfloat16, float32, float64", wrong; manual "bfloat16,
#     float32, bfloat16", wrong; build "bfloat16, float32, float64", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 ml_dtypes==0.6.0
venv/bin/python - <<'END'
import ml_dtypes
import numpy as np

print("NumPy", np.__version__, " ml_dtypes", ml_dtypes.__version__)
x = np.ones(2, ml_dtypes.bfloat16)
found = {"1.0": (x + 1.0).dtype.name}
for other in ("float16", "int8", "int32"):
    found[other] = (x + np.ones(2, other)).dtype.name
print("bfloat16 array +", found)
still = found == {"1.0": "float32", "float16": "float32", "int8": "bfloat16", "int32": "float64"}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
