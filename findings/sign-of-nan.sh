#!/bin/sh
# torch.sign of NaN is 0.
#
# One would guess: NaN, as NumPy, TensorFlow, JAX and ONNX have it, and as almost every other function of
#     NaN.
# What happens: torch.sign and torch.sgn give 0. torch.heaviside(nan, 5) is 0 as well.
# Who is hurt: whoever steps by the sign of a gradient (signSGD, Lion, FGSM): the NaN that should stop the
#     run is no step at all.
# Bears on: tests/shared/ops/test_ops_values.py::test_nan_is_never_lost_on_the_way: ours is NaN.
# Guessed before the run (guesses.md, 15; suspected): reflex "NaN", wrong; manual "NaN", wrong; build "NaN",
#     wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import torch

print("PyTorch", torch.__version__)
nan = torch.tensor(float("nan"))
found = [torch.sign(nan).item(), torch.sgn(nan).item(), torch.heaviside(nan, torch.tensor(5.0)).item()]
print("sign, sgn, heaviside:", found, " NumPy's sign:", np.sign(np.nan))
still = found == [0, 0, 0] and np.isnan(np.sign(np.nan))

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
