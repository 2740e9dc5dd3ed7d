#!/bin/sh
# torch's pairwise_distance(x, x) is 2e-6 and pushes with full force.
#
# One would guess: a distance of 0, with the gradient 0 that a norm at 0 has.
# What happens: eps is added to each difference before the norm: in four dimensions 2e-6, and a gradient of
#     length 1 in the direction (1, 1, 1, 1).
# Who is hurt: whoever trains with triplets or contrasts in which a thing meets itself.
# Bears on: ops.pairwise_distance, which is PyTorch's:
#     tests/shared/ops/test_beside_others.py::test_a_pair_of_equals_has_pytorchs_distance.
# Guessed before the run (guesses.md, 78; suspected): reflex "0 and 0", wrong; manual "0 and 0", wrong;
#     build "1e-6 and NaN", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
x = torch.ones(1, 4, requires_grad=True)
distance = torch.nn.functional.pairwise_distance(x, torch.ones(1, 4))
distance.backward()
print("distance:", distance.item(), " gradient:", x.grad.tolist())
still = abs(distance.item() - 2e-6) < 1e-8 and torch.allclose(x.grad, torch.full((1, 4), 0.5))

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
