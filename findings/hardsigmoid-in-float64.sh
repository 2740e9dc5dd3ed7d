#!/bin/sh
# The gradient of PyTorch's hardsigmoid in float64 is a sixth in float32.
#
# One would guess: 1/6 to the last place: the function is x / 6 + 1/2 in between.
# What happens: it is off by 5e-9, which is what float32 makes of a sixth.
# Who is hurt: whoever checks gradients in float64, where this one fails at a usual tolerance of 1e-9.
# Bears on: tests/shared/ops/test_beside_others.py::test_the_slope_of_hardsigmoid_is_a_sixth.
# Guessed before the run (guesses.md, 68; heard of): reflex "1/6 to the last place", wrong; manual "1/6 to
#     the last place", wrong; build "1/6 to the last place", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
x = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
torch.nn.functional.hardsigmoid(x).backward()
error = x.grad.item() - 1 / 6
print("gradient:", x.grad.item(), " error:", error)
still = 4e-9 < abs(error) < 6e-9

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
