#!/bin/sh
# torch.nn.functional.tanhshrink of 1e-4 is 0 in float32.
#
# One would guess: 3.3e-13, x**3 / 3, which float32 holds with ease.
# What happens: 0: it is written x - tanh(x), of which nothing is left. At 1e-3 one digit is right.
# Who is hurt: whoever uses it as a soft threshold: what it is there to leave is gone.
# Bears on: ops.tanhshrink in tests/shared/numerics/test_digits.py, held to units in the last place.
# Guessed before the run (guesses.md, 67; heard of): reflex "3.3e-13", wrong; manual "3.3e-13", wrong; build
#     "0 or a multiple of the last place", right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.nn.functional import tanhshrink

print("PyTorch", torch.__version__)
x = torch.tensor([1e-4, 1e-3])
found, right = tanhshrink(x).tolist(), (x.double() ** 3 / 3).tolist()
print("found:", found, " right:", right)
still = found[0] == 0 and abs(found[1] / right[1] - 1) > 0.01

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
