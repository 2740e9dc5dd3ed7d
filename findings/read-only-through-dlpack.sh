#!/bin/sh
# torch.from_dlpack writes into a read-only NumPy array, without a warning.
#
# One would guess: refused, or taken with the warning that torch.from_numpy gives.
# What happens: it is taken silently, and writing to the tensor changes the array, whose own flag still says
#     read-only.
# Who is hurt: whoever marks shared data read-only to be safe: memory maps, cached data sets, broadcast
#     views.
# Bears on: dynamic.from_dlpack and from_numpy, through which a write is refused:
#     tests/shared/ops/test_beside_others.py::test_read_only_memory_stays_as_it_is.
# Guessed before the run (guesses.md, 24): reflex "refused", wrong; manual "taken with a warning", wrong;
#     build "taken; PyTorch's to NumPy is read-only", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'END'
import warnings

import numpy as np
import torch

print("PyTorch", torch.__version__, " NumPy", np.__version__)
x = np.ones(3)
x.flags.writeable = False
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    torch.from_dlpack(x)[0] = 5
print("array:", x.tolist(), " writeable:", x.flags.writeable, " warnings:", len(warned))
still = x.tolist() == [5, 1, 1] and not x.flags.writeable and not warned

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
