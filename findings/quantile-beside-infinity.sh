#!/bin/sh
# np.quantile of what holds inf is NaN, where np.median of the same is inf.
#
# One would guess: quantiles that fall on an infinite number, or between two of them, are that number.
# What happens: between inf and inf it is NaN; so is the largest of [1, 2, 3, inf], and quantile 0.5 of [1,
#     2, inf], which is 2: the next number takes part with the weight 0. np.median gives inf, inf and 2.
# Who is hurt: whoever clips by percentiles, or reports the median of losses some of which overflowed.
# Bears on: ops.quantile, which gives inf:
#     tests/shared/ops/test_beside_others.py::test_quantiles_beside_infinity.
# Guessed before the run (guesses.md, 7; heard of): reflex "inf and 0", wrong; manual "inf and 0", wrong;
#     build "inf and 0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
x = [1, 2, np.inf, np.inf]
with np.errstate(invalid="ignore"):
    between, largest = np.quantile(x, 0.75), np.quantile([1, 2, 3, np.inf], 1.0)
    middle = np.quantile([1, 2, np.inf], 0.5)
print("between inf and inf:", between, " the largest:", largest, " the middle of 1, 2, inf:", middle)
print("medians:", np.median(x), np.median([1, 2, np.inf]))
still = np.isnan([between, largest, middle]).all() and np.median([1, 2, np.inf]) == 2

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
