#!/bin/sh
# clip_grad_norm_ shrinks a gradient that is not too long.
#
# One would guess: a gradient of norm 1 clipped to norm 1 stays as it is: the factor is clamped at 1.
# What happens: it becomes 0.999999: the factor is max_norm / (norm + 1e-6), and that is clamped. So is one
#     of 0.9999999. tf.clip_by_global_norm leaves it.
# Who is hurt: whoever compares runs with and without clipping, or expects a unit gradient to pass for the
#     bits it has.
# Bears on: nn.utils.clip_grad_norm_, whose bits are PyTorch's:
#     tests/shared/optim/test_training.py::test_clipping_by_hand_is_pytorchs.
# Guessed before the run (guesses.md, 17; suspected): reflex "unchanged", wrong; manual "unchanged", wrong;
#     build "unchanged", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
parameter = torch.nn.Parameter(torch.ones(1, dtype=torch.float64))
found = []
for length in (1.0, 0.9999999, 0.99):
    parameter.grad = torch.full((1,), length, dtype=torch.float64)
    torch.nn.utils.clip_grad_norm_([parameter], max_norm=1.0)
    found.append(parameter.grad.item())
print("1, 0.9999999 and 0.99, clipped to 1:", found)
still = found[0] < 1 - 5e-7 and found[1] < 0.9999999 - 5e-7 and found[2] == 0.99

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
