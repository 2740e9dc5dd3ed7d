#!/bin/sh
# The cosine of a short vector with itself is 0.01.
#
# One would guess: cosine similarity does not know lengths: a vector with itself gives 1.
# What happens: below 1e-8 each length is replaced by 1e-8, in float64 as well: [1e-9, 0] with itself gives
#     0.01, [1e-12, 0] 1e-8. The eps bounds each length, not the product of the two.
# Who is hurt: whoever compares gradients, or embeddings near their start, by their direction.
# Bears on: ops.cosine_similarity, which follows in this:
#     tests/shared/ops/test_beside_others.py::test_the_cosine_of_short_vectors_is_pytorchs.
# Guessed before the run (guesses.md, 18; suspected): reflex "1", wrong; manual "1", wrong; build "0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.nn.functional import cosine_similarity

print("PyTorch", torch.__version__)
found = []
for length in (1e-7, 1e-9, 1e-12):
    x = torch.tensor([[length, 0.0]], dtype=torch.float64)
    found.append(cosine_similarity(x, x).item())
print("lengths 1e-7, 1e-9, 1e-12:", found)
still = torch.allclose(torch.tensor(found), torch.tensor([1, 1e-2, 1e-8]), rtol=1e-5, atol=0)

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
