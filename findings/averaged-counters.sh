#!/bin/sh
# AveragedModel averages the number of batches that BatchNorm has seen.
#
# One would guess: counters are taken over, floats averaged: 20 after updates at 10 and 20.
# What happens: with use_buffers=True it is 15. With momentum=None, where the counter weighs the running
#     statistics, the next batch weighs too much.
# Who is hurt: whoever goes on training, or calibrating statistics, from an averaged model.
# Bears on: tests/shared/optim/test_averages.py::test_averages_are_pytorchs.
# Guessed before the run (guesses.md, 71; heard of): reflex "20", wrong; manual "20", wrong; build "15",
#     right.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
layer = torch.nn.BatchNorm1d(1)
average = torch.optim.swa_utils.AveragedModel(layer, use_buffers=True)
for seen in (10, 20):
    layer.num_batches_tracked.fill_(seen)
    average.update_parameters(layer)
found = average.module.num_batches_tracked
print("after updates at 10 and 20:", found.item(), found.dtype)
still = found == 15

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
