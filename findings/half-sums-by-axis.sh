#!/bin/sh
# NumPy sums float16 wide along memory and narrow across it.
#
# One would guess: one dtype, one sum: halves are added in float32, as np.mean documents for itself,
#     whichever axis is summed.
# What happens: five thousand ones give 5000 where the axis lies along memory, and 2048 where it lies
#     across: there each row is added to a running float16, and from 2048 on one more rounds away.
# Who is hurt: whoever sums gradients of a bias, counts of a mask or histograms in half precision over the
#     first axis.
# Bears on: tests/laws/test_half.py::test_sums_are_made_in_single_precision, on which ours give 5000 either
#     way.
# Guessed before the run (guesses.md, 1; suspected): reflex "5000 in both", wrong; manual "5000 in both",
#     wrong; build "2048 in both", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np

print("NumPy", np.__version__)
ones = np.ones((5000, 2), "f2")
across = ones.sum(axis=0)
along = np.ascontiguousarray(ones.T).sum(axis=1)
print("across memory:", across.tolist(), " along memory:", along.tolist())
still = across.tolist() == [2048, 2048] and along.tolist() == [5000, 5000]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
