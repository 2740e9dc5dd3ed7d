#!/bin/sh
# Of equal numbers torch.max(dim) names the first, torch.cummax the last.
#
# One would guess: the running maximum of equal numbers points to the first of them, as argmax and max(dim)
#     do.
# What happens: torch.cummax and torch.cummin of [1, 1, 1] give the indices 0, 1, 2: an equal number takes
#     over.
# Who is hurt: whoever takes the index for when a record was set, and the gradient, which goes to the latest
#     of equals.
# Bears on: tests/cases/cumulative.py (cummax and its indices, held against PyTorch).
# Guessed before the run (guesses.md, 14; suspected): reflex "0, 0, 0", wrong; manual "0, 0, 0", wrong;
#     build "0, 0, 0", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch

print("PyTorch", torch.__version__)
ones = torch.ones(3, requires_grad=True)
running = torch.cummax(ones, 0)
running.values[-1].backward()
print("cummax:", running.indices.tolist(), " max(dim):", ones.max(0).indices.item())
print("gradient of the last running maximum:", ones.grad.tolist())
still = running.indices.tolist() == [0, 1, 2] and ones.max(0).indices == 0 and ones.grad.tolist() == [0, 0, 1]

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
