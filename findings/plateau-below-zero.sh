#!/bin/sh
# A plateau scheduler takes a worse loss for a better one once losses are negative.
#
# One would guess: in mode "min" with a relative threshold of 0.1, a loss of -95 after -100 is a bad epoch.
# What happens: it counts as an improvement, and -90, -85 and -80 after it too, each as the new best: better
#     means below best * (1 - threshold), and below zero that product lies above best.
# Who is hurt: whoever minimises a negative log likelihood of densities, an ELBO or minus a score: the rate
#     never goes down.
# Bears on: optim.lr_scheduler.ReduceLROnPlateau, which takes the threshold of |best|:
#     tests/shared/ops/test_beside_others.py::test_a_worse_loss_below_zero_is_no_improvement.
# Guessed before the run (guesses.md, 16; suspected): reflex "a bad epoch", wrong; manual "a bad epoch",
#     wrong; build "a bad epoch", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, threshold=0.1, patience=0)
bests = []
for loss in (-100.0, -95.0, -90.0, -85.0, -80.0):
    plateau.step(loss)
    bests.append(plateau.best)
print("best so far:", bests, " rate:", optimizer.param_groups[0]["lr"])
still = bests == [-100, -95, -90, -85, -80] and optimizer.param_groups[0]["lr"] == 1

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
