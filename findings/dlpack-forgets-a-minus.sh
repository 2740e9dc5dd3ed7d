#!/bin/sh
# DLPack hands over a lazily negated tensor without its minus.
#
# One would guess: the right values; or BufferError, which a lazily conjugated tensor gives, as does its
#     numpy().
# What happens: z.conj().imag shares memory with z and carries a bit that says "negate". np.from_dlpack of
#     it gives z.imag, the other sign, and torch.from_dlpack too. numpy() refuses.
# Who is hurt: whoever hands parts of conjugated spectra or eigenvalues to another library.
# Bears on: dynamic.from_dlpack, which took the other sign and now refuses:
#     tests/dynamic/test_tensor.py::test_what_is_only_marked_as_negated_is_refused.
# Guessed before the run (guesses.md, 19; suspected): reflex "the right values", wrong; manual
#     "BufferError", wrong; build "the right values", wrong.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet torch==2.13.0 numpy==2.4.6
venv/bin/python - <<'END'
import numpy as np
import torch

print("PyTorch", torch.__version__, " NumPy", np.__version__)
z = torch.tensor([1 + 2j])
negated = z.conj().imag
handed = np.from_dlpack(negated)
print("tensor:", negated.tolist(), " by DLPack:", handed.tolist())
try:
    np.from_dlpack(z.conj())
    conjugated = "taken"
except BufferError as error:
    conjugated = f"BufferError: {error}"
print("the conjugated one:", conjugated)
still = negated.tolist() == [-2] and handed.tolist() == [2] and conjugated.startswith("BufferError")

print("as it was found" if still else "this has changed")
raise SystemExit(not still)
END
