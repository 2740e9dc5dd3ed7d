#!/bin/sh
# JAX's eigh and cholesky take the mean of both triangles, the others the lower one.
#
# One would guess: all read the lower triangle: eigenvalues 4 and 4 of [[4, 2], [0, 4]].
# What happens: NumPy and PyTorch have 4 and 4, and diag(2, 2) for cholesky; JAX 3 and 5, and [[2, 0], [0.5,
#     1.94]]: it symmetrises first, unless symmetrize_input=False.
# Who is hurt: whoever keeps a covariance by its lower triangle, the rest being zeros or an older step.
# Bears on: tests/shared/ops/test_beside_others.py::test_factors_read_the_lower_triangle.
# Guessed before the run (guesses.md, 73): reflex "lower in all", wrong; manual "lower in all", wrong; build
#     "lower in all", wrong.
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
a = np.array([[4, 2], [0, 4]], "f4")
found = {
    "numpy": (np.linalg.eigvalsh(a), np.linalg.cholesky(a)),
    "torch": (torch.linalg.eigvalsh(torch.tensor(a)), torch.linalg.cholesky(torch.tensor(a))),
    "jax": (jax.numpy.linalg.eigvalsh(a), jax.numpy.linalg.cholesky(a)),
}
for name, (values, factor) in found.items():
    found[name] = [round(float(number), 4) for number in (*values, factor[1, 0])]
    print(name, "eigenvalues:", found[name][:2], " below the factor's diagonal:", found[name][2])
still = found == {"numpy": [4, 4, 0], "torch": [4, 4, 0], "jax": [3, 5, 0.5]}

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
