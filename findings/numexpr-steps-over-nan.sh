#!/bin/sh
# numexpr's max of [NaN, 1] is 1.
#
# One would guess: NaN, as np.max gives, which it speeds up.
# What happens: max and min are 1, wherever the NaN stands; sum is NaN. Its % and // are Python's.
# Who is hurt: whoever checks a large array for NaN or overflow by its extremes.
# Bears on: tests/shared/ops/test_ops_values.py::test_nan_is_never_lost_on_the_way.
# Guessed before the run (guesses.md, 50; suspected): reflex "2, -3.5, NaN", wrong; manual "2, -3.5, NaN",
#     wrong; build "-1, -3.5, NaN", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numexpr==2.14.2 numpy==2.4.6
venv/bin/python - <<'END'
import numexpr
import numpy as np

print("numexpr", numexpr.__version__, " NumPy", np.__version__)
found = []
for numbers in ([np.nan, 1.0], [1.0, np.nan]):
    x = np.array(numbers)
    found += [float(numexpr.evaluate(f"{name}(x)")) for name in ("max", "min", "sum")]
print("max, min, sum of [NaN, 1] and of [1, NaN]:", found)
still = list(map(str, found)) == ["1.0", "1.0", "nan"] * 2

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
