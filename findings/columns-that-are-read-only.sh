#!/bin/sh
# In pandas 3 the array of a column cannot be written to.
#
# One would guess: to_numpy() gives an array of one's own, or one through which the frame is changed.
# What happens: it is a read-only view: assigning raises ValueError; and df.to_numpy() of several columns is
#     in Fortran order.
# Who is hurt: whoever shifts a column in place before training, or hands it to what takes writable memory.
# Bears on: dynamic.tensor, which copies, and from_numpy, which keeps to reading:
#     tests/shared/ops/test_beside_others.py::test_read_only_memory_stays_as_it_is.
# Guessed before the run (guesses.md, 59; suspected): reflex "written", wrong; manual "written, frame
#     unchanged", wrong; build "written through", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet pandas==3.1.1 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import pandas as pd

print("pandas", pd.__version__, " NumPy", np.__version__)
frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
column = frame["a"].to_numpy()
try:
    column[0] = 5
    outcome = "written"
except ValueError as error:
    outcome = f"ValueError: {error}"
whole = frame.to_numpy()
print(outcome, " the frame's array in Fortran order:", whole.flags.f_contiguous)
still = outcome.startswith("ValueError") and frame["a"][0] == 1 and whole.flags.f_contiguous

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
