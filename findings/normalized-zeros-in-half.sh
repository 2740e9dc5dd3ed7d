#!/bin/sh
# torch.nn.functional.normalize makes NaN of float16 zeros.
#
# One would guess: zeros: the eps in the divisor is there for them.
# What happens: NaN: the eps, 1e-12, is 0 in float16, and so is the divisor.
# Who is hurt: whoever normalises embeddings in half precision, with a padding row of zeros among them.
# Bears on: tests/shared/ops/test_beside_others.py::test_zeros_stay_zeros_when_normalized.
# Guessed before the run (guesses.md, 69; heard of): reflex "zeros", wrong; manual "zeros", wrong; build
#     "zeros", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
found = {}
for dtype in (torch.float16, torch.bfloat16, torch.float32):
    found[str(dtype)] = torch.nn.functional.normalize(torch.zeros(2, dtype=dtype), dim=0).tolist()
print(found)
still = [numbers[0] == 0 for numbers in found.values()] == [False, True, True]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
