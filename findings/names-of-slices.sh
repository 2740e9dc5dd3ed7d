#!/bin/sh
# A slice of PyTorch's Sequential keeps the numbers of the whole.
#
# One would guess: Sequential(a, b, c)[1:] is a Sequential like others, whose layers are 0 and 1.
# What happens: they are 1 and 2, in its state too; so it does not load what the same layers saved when
#     built by themselves.
# Who is hurt: whoever saves the head or the body of a network cut by a slice.
# Bears on: nn.Sequential, whose slices count anew: docs/dynamic.md, and
#     tests/shared/ops/test_beside_others.py::test_the_layers_of_a_slice_are_counted_anew.
# Guessed before the run (guesses.md, 85; heard of): reflex "0, 1", wrong; manual "0, 1", wrong; build "0,
#     1", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.nn import Linear, ReLU, Sequential

print("PyTorch", torch.__version__)
cut, built = Sequential(Linear(1, 1), ReLU(), Linear(1, 1))[1:], Sequential(ReLU(), Linear(1, 1))
found = list(cut.state_dict()), list(built.state_dict())
print("cut:", found[0], " built:", found[1])
still = found == (["2.weight", "2.bias"], ["1.weight", "1.bias"])

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
