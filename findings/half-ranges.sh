#!/bin/sh
# np.arange stands still where the step is below the spacing of its dtype.
#
# One would guess: each number is computed and then rounded: 2048, 2048, 2050, 2052, 2052 and so on in
#     float16.
# What happens: every number is 2048: the step is first measured in the dtype itself, as the second number
#     minus the first, and that is 0. In float32 the same happens from 2**24 on. torch.arange and tf.range
#     round each number instead.
# Who is hurt: whoever counts positions, timestamps or bins in a short dtype: all of them are the first.
# Bears on: ops.arange, which took it over and now rounds each number:
#     tests/shared/ops/test_beside_others.py::test_a_range_rounds_each_number.
# Guessed before the run (guesses.md, 3; suspected): reflex "each is rounded", wrong; manual "each is
#     rounded", wrong; build "each is rounded", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
half = np.arange(2048, 2056, dtype="f2")
single = np.arange(2**24, 2**24 + 4, dtype="f4")
print("float16:", half.tolist())
print("float32:", single.tolist())
print("rounded:", np.arange(2048, 2056).astype("f2").tolist())
still = (half == 2048).all() and (single == 2**24).all()

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
