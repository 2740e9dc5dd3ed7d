#!/bin/sh
# Walking through a PyTorch DataLoader without shuffle moves the random state.
#
# One would guess: nothing is drawn where nothing is shuffled and no worker is started.
# What happens: each walk draws a seed for workers that there may be; so evaluating once more changes each
#     dropout mask after it.
# Who is hurt: whoever compares two runs from one seed of which one evaluates more often.
# Bears on: tests/shared/ops/test_beside_others.py::test_a_loader_that_does_not_shuffle_draws_nothing.
# Guessed before the run (guesses.md, 75; suspected): reflex "no", wrong; manual "no", wrong; build "no",
#     wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.utils.data import DataLoader

print("PyTorch", torch.__version__)


def drawn(walks):
    torch.manual_seed(0)
    for _ in range(walks):
        for _ in DataLoader(range(3), shuffle=False, num_workers=0):
            pass
    return torch.rand(1).item()


found = [drawn(walks) for walks in range(3)]
print("first number after 0, 1 and 2 walks:", found)
still = len(set(found)) == 3

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
