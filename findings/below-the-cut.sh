#!/bin/sh
# JAX takes the square root of -1 - 0j from the wrong side.
#
# One would guess: -1j: the sign of a zero tells the side of the branch cut, in C, Python, NumPy and
#     PyTorch.
# What happens: its sqrt gives +1j, while its log of the same number gives -3.14j; so sqrt(z) and exp(log(z)
#     / 2) differ in sign.
# Who is hurt: whoever follows a root across the negative axis, or checks a model of complex numbers against
#     NumPy.
# Bears on: tests/laws/test_complex.py, and
#     tests/shared/ops/test_beside_others.py::test_the_sign_of_a_zero_tells_the_side_of_the_cut.
# Guessed before the run (guesses.md, 81): reflex "-1j and -3.14j in all", wrong; manual "-1j and -3.14j in
#     all", wrong; build "-1j and -3.14j in all", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet numpy==2.4.6 torch==2.13.0 jax==0.10.2
JAX_PLATFORMS=cpu venv/bin/python - <<'END'
import jax
import numpy as np
import torch

print("NumPy", np.__version__, " PyTorch", torch.__version__, " JAX", jax.__version__)
z = np.full(8, complex(-1.0, -0.0), "c8")
found = {
    "numpy": (np.sqrt(z), np.log(z)),
    "torch": (torch.sqrt(torch.tensor(z)), torch.log(torch.tensor(z))),
    "jax": (jax.numpy.sqrt(z), jax.numpy.log(z)),
}
signs = {name: tuple(int(np.sign(np.asarray(y).imag[0])) for y in both) for name, both in found.items()}
print("signs of the imaginary parts of sqrt and log:", signs)
still = signs == {"numpy": (-1, -1), "torch": (-1, -1), "jax": (1, -1)}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
