#!/bin/sh
# torch.cdist finds a point away from itself once there are 26.
#
# One would guess: the diagonal of cdist(x, x) is 0.
# What happens: for 26 points near 1000, which are about 1 apart, it holds distances around 0.7; for 25 it
#     is 0. From 26 on squares are multiplied out, |x|^2 - 2 x.y + |y|^2, unless compute_mode says not to.
# Who is hurt: whoever looks for nearest neighbours, duplicates or outliers in data that is not centred.
# Bears on: ops.cdist: tests/shared/ops/test_beside_others.py::test_a_point_is_at_itself.
# Guessed before the run (guesses.md, 76; suspected): reflex "0", wrong; manual "0", wrong; build "0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
x = 1000 + torch.rand(26, 3, generator=torch.Generator().manual_seed(0))
few = torch.cdist(x[:25], x[:25]).diagonal().max().item()
many = torch.cdist(x, x).diagonal().max().item()
plain = torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist").diagonal().max().item()
print("largest distance of a point to itself, of 25:", few, " of 26:", many, " without products:", plain)
still = few == plain == 0 and many > 0.01

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
