#!/bin/sh
# np.sum in Numba adds one by one: ten million tenths are 1087937.
#
# One would guess: a million, as the np.sum that it stands for gives, to seven digits: it adds in pairs.
# What happens: the compiled function adds from first to last into a float32, and is off by nine per cent.
# Who is hurt: whoever moves a loss or a mean over a large array into a compiled function.
# Bears on: docs/numbers.md, "Sums", and tests/shared/numerics/test_sums.py::test_a_hundred_million_terms.
# Guessed before the run (guesses.md, 51): reflex "1000000", wrong; manual "1000000", wrong; build
#     "1087937", right.
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


@numba.njit
def total(x):
    return np.sum(x)


x = np.full(10_000_000, 0.1, "f4")
print("NumPy:", x.sum(), " Numba:", total(x))
still = abs(x.sum() - 1e6) < 10 and total(x) > 1.08e6

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
