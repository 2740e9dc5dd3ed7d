#!/bin/sh
# NumPy refuses 1j in a real array, or drops it, by where the 1j comes from.
#
# One would guess: a real array has no place for 1j: an error, or at least one answer for all ways to write
#     it.
# What happens: x[0] = 1j raises TypeError; x[0] = np.complex64(1j), x[:] = [that] and np.full(2, 1j, "f4")
#     write 0 and warn.
# Who is hurt: whoever fills a buffer with results of a transform: a warning is shown once, the numbers
#     stay.
# Bears on: dynamic's x[i] = v, which did the same and now refuses:
#     tests/shared/ops/test_beside_others.py::test_a_complex_number_is_not_written_into_a_real_array.
# Guessed before the run (guesses.md, 88; heard of): reflex "TypeError, warning, TypeError", wrong; manual
#     "a warning in all", wrong; build "TypeError in all", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import warnings

import numpy as np

print("NumPy", np.__version__)
x = np.ones(2)
try:
    x[0] = 1j
    python = "written"
except TypeError:
    python = "TypeError"
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    x[0] = np.complex64(1j)
    full = np.full(2, 1j, "f4")
print("x[0] = 1j:", python, " NumPy's:", x[0], " full:", full.tolist(), " warnings:", len(warned))
still = python == "TypeError" and x[0] == 0 and full.tolist() == [0, 0] and len(warned) == 2

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
