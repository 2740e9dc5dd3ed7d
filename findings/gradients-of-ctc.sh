#!/bin/sh
# PyTorch's ctc_loss is right about its gradient only behind log_softmax.
#
# One would guess: the gradient by log_probs is what differences of the loss give.
# What happens: exp(log_probs) is added to it. That is taken off again by the gradient of log_softmax, and
#     by nothing else: numbers from another source get a gradient that is off by as much as e here.
# Who is hurt: whoever adds a prior or a language model to the log-probabilities, or differentiates by them.
# Bears on: ops.ctc_loss:
#     tests/shared/ops/test_beside_others.py::test_the_gradient_of_ctc_is_that_of_the_loss.
# Guessed before the run (guesses.md, 84; heard of): reflex "equal", wrong; manual "equal", wrong; build
#     "equal", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/python - <<'END'
import torch
from torch.nn.functional import ctc_loss

print("PyTorch", torch.__version__)


def loss(log_probs):
    ends = torch.tensor([5]), torch.tensor([2])
    return ctc_loss(log_probs, torch.tensor([[1, 2]]), *ends, reduction="sum")


x = torch.linspace(-2, 1, 15, dtype=torch.float64).reshape(5, 1, 3).requires_grad_()
loss(x).backward()
differences = torch.zeros(15, dtype=torch.float64)
for i in range(15):
    step = torch.zeros(15, dtype=torch.float64)
    step[i] = 1e-6
    step = step.reshape(5, 1, 3)
    differences[i] = (loss(x.detach() + step) - loss(x.detach() - step)) / 2e-6
error = x.grad.flatten() - differences
print("largest error:", error.abs().max().item())
still = error.abs().max() > 0.1 and torch.allclose(error, x.detach().exp().flatten(), atol=1e-6)

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
