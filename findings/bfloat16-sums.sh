#!/bin/sh
# NumPy adds bfloat16 arrays in bfloat16: a thousand ones are 256.
#
# One would guess: sum and mean go through float32 as they do for float16, which has more digits.
# What happens: the sum of a thousand ones is 256 and their mean 0.256: ml_dtypes adds a dtype, not the care
#     that NumPy takes for its own half. A matrix product of the same ones is float32 and right.
# Who is hurt: whoever looks at weights or losses that JAX or PyTorch kept in bfloat16 by means of NumPy.
# Bears on: docs/numbers.md, "Half precision": there is no bfloat16 here, and
#     tests/shared/ops/test_beside_others.py::test_bfloat16_is_refused_at_the_door.
# Guessed before the run (guesses.md, 4; suspected): reflex "1000 and 1", wrong; manual "1000 and 1", wrong;
#     build "256 and 0.256", right.
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
ones = np.ones(1000, ml_dtypes.bfloat16)
total, mean, product = ones.sum(), ones.mean(), (ones[None] @ ones[:, None])[0, 0]
print("sum:", total, " mean:", mean, " product:", product, product.dtype)
still = total == 256 and mean < 0.26 and product == 1000

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
