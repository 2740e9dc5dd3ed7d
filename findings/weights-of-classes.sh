#!/bin/sh
# With class weights cross_entropy of an index and of its one-hot row differ.
#
# One would guess: the same distribution, the same loss.
# What happens: of indices the mean is divided by the sum of the weights met, of probabilities by the number
#     of rows: here 2.41 and 7.22.
# Who is hurt: whoever turns on label smoothing or mixup by hand: the learning rate changes with it.
# Bears on: ops.cross_entropy, which is PyTorch's in both:
#     tests/shared/ops/test_beside_others.py::test_class_weights_divide_where_labels_are_indices.
# Guessed before the run (guesses.md, 77; suspected): reflex "the same", wrong; manual "the same", wrong;
#     build "the same", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.nn.functional import cross_entropy, one_hot

print("PyTorch", torch.__version__)
logits = torch.tensor([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
weight, labels = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0, 2])
rows = one_hot(labels, 3).float()
weighted = [cross_entropy(logits, y, weight=weight).item() for y in (labels, rows)]
plain = [cross_entropy(logits, y).item() for y in (labels, rows)]
print("weighted, by index and by row:", weighted, " without weights:", plain)
still = abs(weighted[1] / weighted[0] - 3) < 1e-5 and abs(plain[0] - plain[1]) < 1e-6

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
