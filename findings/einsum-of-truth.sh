#!/bin/sh
# einsum of three times True is True in NumPy and JAX, and 3 in PyTorch.
#
# One would guess: a sum counts, so 3 everywhere, as np.sum gives; or True everywhere.
# What happens: einsum "i->" gives True in NumPy and JAX, the integer 3 in PyTorch; and the product "i,i->"
#     of two masks is True there and an error in PyTorch.
# Who is hurt: whoever counts how often two masks agree by a contraction.
# Bears on: ops.einsum, which gives NumPy's True:
#     tests/shared/ops/test_beside_others.py::test_einsum_of_masks_is_a_mask.
# Guessed before the run (guesses.md, 28): reflex "3 in all", wrong; manual "True in all", wrong; build
#     "True, 3, 3", wrong.
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
mask = np.ones(3, bool)
found = {
    "numpy": np.einsum("i->", mask).item(), "torch": torch.einsum("i->", torch.tensor(mask)).item(),
    "jax": jax.numpy.einsum("i->", mask).item(),
}
both = {"numpy": np.einsum("i,i->", mask, mask).item(), "jax": jax.numpy.einsum("i,i->", mask, mask).item()}
try:
    both["torch"] = torch.einsum("i,i->", torch.tensor(mask), torch.tensor(mask)).item()
except RuntimeError as error:
    both["torch"] = str(error)
print("one:", found, " two:", both)
still = list(map(repr, found.values())) == ["True", "3", "True"] and both["numpy"] is True
still = still and both["jax"] is True and "not implemented" in str(both["torch"])

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
